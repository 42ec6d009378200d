import CommandExecution

/// Something that comes to be so by itself within a bounded time, once everything before it is in place.
///
/// A check says whether it is so now; a run waits for it.
struct WaitResource: Resource {
    let summary: String
    let probe: Command
    let patience: Int
    let remedy: String

    /// - Parameters:
    ///   - summary: what must be so, in words.
    ///   - probe: changes nothing, ends with 0 when it is so, and otherwise says why not.
    ///   - patience: how long to wait for it, in seconds.
    ///   - remedy: what to look at when it does not come.
    init(_ summary: String, patience: Int, remedy: String, _ probe: Command) {
        self.summary = summary
        self.probe = probe
        self.patience = patience
        self.remedy = remedy
    }

    var queries: [Query] { [.command(probe)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let result = facts.result(probe) else { return .unknown(summary) }
        return result.succeeded ? .inPlace(summary) : .differs(["not yet so: \(summary)"])
    }

    func changes(from facts: Facts) -> [Command] {
        [
            Command(
                "sh", ["-c", Self.script, "sh", String(patience), remedy, probe.executable] + probe.arguments,
                timeout: .seconds(patience) + probe.timeout + .seconds(10))
        ]
    }

    private static let script = """
        patience=$1 remedy=$2
        shift 2
        end=$(($(date +%s) + patience))
        while :; do
            said=$("$@" 2>&1 </dev/null) && exit 0
            [ "$(date +%s)" -lt "$end" ] || break
            sleep 0.5
        done
        printf 'not so after %s s: %s\\n%s\\n' "$patience" "$said" "$remedy" >&2
        exit 1
        """

    var exportActions: [ExportAction] { [.command(ExportCommand(summary, unless: probe, changes(from: Facts())))] }

    var instructions: Instructions { Instructions(verification: [probe.description]) }
}
