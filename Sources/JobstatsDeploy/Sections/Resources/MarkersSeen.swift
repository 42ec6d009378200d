import CommandExecution

/// The markers of all nodes, as a Prometheus server sees them on shared storage.
///
/// None at all means that the server looks elsewhere, and stops it. Some missing ones may be nodes that are switched
/// off: a warning, since the server can do its work for all others.
struct MarkersSeen: Resource {
    let directory: String
    let names: [String]
    /// Network file systems may show a new file some seconds late, so looking is patient while one is missing.
    let probe: Command

    init(in directory: String, of names: [String]) {
        self.directory = directory
        self.names = names
        probe = Command("sh", ["-c", Self.script, "sh", directory] + names, timeout: .seconds(30))
    }

    private static let script = """
        directory=$1
        shift
        missing() {
            for name; do
                [ -e "$directory/$name" ] || printf '%s\\n' "$name"
            done
        }
        count=0
        while [ -n "$(missing "$@")" ] && [ "$count" -lt 10 ]; do
            count=$((count + 1))
            sleep 0.5
        done
        missing "$@"
        """

    var summary: String { "the markers of \(names.count) nodes are seen in \(directory)" }
    var queries: [Query] { [.command(probe)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let result = facts.result(probe), result.succeeded else { return .unknown(summary) }
        let missing = result.outputText.split(separator: "\n").map { String($0) }
        if missing.isEmpty { return .inPlace() }
        if missing.count == names.count { return .differs(["no marker is seen in \(directory)"]) }
        return .warning(
            "not seen in \(directory): \(HostRange.compress(missing))",
            remedy: "are these nodes on, and is shared storage mounted there? look at: findmnt -T \(directory)")
    }

    /// Nothing on this host brings them about: the nodes write them before this is asked.
    func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        throw ResourceError(
            "what the nodes wrote to \(directory) is not seen on this server",
            remedy: "Mount the same shared storage here, or name a directory that all hosts share as "
                + "prometheus_targets_dir")
    }

    var instructions: Instructions { Instructions(verification: ["ls \(ShellQuoting.quote(directory))"]) }
}
