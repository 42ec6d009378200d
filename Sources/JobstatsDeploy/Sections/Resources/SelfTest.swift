import CommandExecution

/// An exporter that was seen to answer once, in this version and with this unit, and was then left as it was found.
///
/// A file on the host remembers it, so that a second run starts nothing.
struct SelfTest: Resource {
    let unit: String
    let port: Int
    /// How the names of its metrics begin.
    let metric: String
    /// What was tested: changes with the program and the unit file.
    private let stamp: String

    init(unit: String, port: Int, metric: String, of program: ProgramResource, _ file: OwnedUnitFile) {
        self.unit = unit
        self.port = port
        self.metric = metric
        stamp = SHA256Digest.hex(Array("\(program.fingerprint)\n\(file.content.sha256)".utf8)) + "\n"
    }

    private var path: String { "\(Installed.stateDirectory)/self-test.\(unit)" }

    var summary: String { "\(unit) answered on port \(port) once, and was left as found" }
    var queries: [Query] { [.file(path)] }

    func assess(_ facts: Facts) -> Assessment {
        facts.file(path)?.sha256 == SHA256Digest.hex(Array(stamp.utf8))
            ? .inPlace("tested before") : .differs(["this version was not tested here yet"])
    }

    func changes(from facts: Facts) -> [Command] {
        [
            Command(
                "bash", ["-c", Self.script, "bash", unit, String(port), metric, path, stamp], timeout: .seconds(60))
        ]
    }

    /// bash(1) opens TCP connections by itself, so that no further program is needed on the node.
    private static let script = """
        set -u
        unit=$1 port=$2 metric=$3 path=$4 stamp=$5
        started=no
        leave() { [ "$started" = no ] || systemctl stop -- "$unit"; }
        trap leave EXIT
        trap 'exit 1' HUP INT TERM
        words() { journalctl --no-pager -q -n 12 -o cat -u "$unit" >&2; }
        if ! state=$(systemctl is-active -- "$unit"); then
            started=yes
            [ "$state" != failed ] || systemctl reset-failed -- "$unit" 2>/dev/null
            systemctl start -- "$unit" || { words; exit 1; }
        fi
        answers() {
            exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
            printf 'GET /metrics HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3
            while IFS= read -r -t 15 line <&3; do
                if [[ $line =~ ^$metric ]]; then return; fi
            done
            return 1
        }
        for ((n = 0; n < 44; n++)); do
            if (answers) 2>/dev/null; then
                { [ -d "${path%/*}" ] || mkdir -p -- "${path%/*}"; } && printf '%s' "$stamp" >"$path.new" && mv -f -- "$path.new" "$path"
                exit
            fi
            if [ "$n" -lt 4 ]; then sleep 0.1; else sleep 0.25; fi
        done
        echo "no metric that begins with $metric on port $port" >&2
        words
        exit 1
        """

    func removal() -> [Command]? { [Command("rm", ["-f", "--", path])] }

    var exportActions: [ExportAction] {
        let isTested = Command(
            "sh", ["-c", "[ \"$(cat -- \"$1\" 2>/dev/null)\" = \"$2\" ]", "sh", path, stamp.trimmed])
        return [.command(ExportCommand(summary, unless: isTested, changes(from: Facts())))]
    }

    var instructions: Instructions {
        let word = ShellQuoting.quote(unit)
        return Instructions(
            commands: [
                "systemctl start \(word)",
                "curl -s http://localhost:\(port)/metrics | grep -m 3 " + ShellQuoting.quote("^\(metric)"),
                "systemctl stop \(word)  # unless it ran before",
            ])
    }
}
