import CommandExecution

/// The far end of a connection: a loop in plain POSIX shell that reads commands from standard input and answers on
/// standard output, so that one SSH connection serves a whole run and nothing has to be installed first.
///
/// A request is a line `ID SECONDS SCRIPT-BYTES INPUT-BYTES`, the script, and its input. An answer is a line
/// `ID STATUS OUTPUT-BYTES ERROR-BYTES` and both streams. The shell's `read` takes no byte beyond the line, and `head -c`
/// none beyond its count, so requests may follow one another without waiting.
enum RemoteAgent {
    /// The line that says that the loop is running; anything before it is the host's own greeting.
    static let greeting = "bcm-jobstats-agent-ready"

    /// One line, so that a login shell of any kind passes it on unchanged.
    static let script = [
        "umask 022",
        "d=$(mktemp -d /run/bcm-jobstats.XXXXXX 2>/dev/null || mktemp -d) || exit 90",
        "trap 'rm -rf \"$d\"' EXIT",
        "trap 'exit 91' HUP INT TERM PIPE",
        "echo \(greeting)",
        "while read -r id limit s i",
        "do head -c \"$s\" >\"$d/s\" && head -c \"$i\" >\"$d/i\" || exit 92",
        "timeout -k 5 \"$limit\" sh \"$d/s\" <\"$d/i\" >\"$d/o\" 2>\"$d/e\"",
        "echo \"$id $? $(stat -c %s \"$d/o\" \"$d/e\" | tr '\\n' ' ')\"",
        "cat \"$d/o\" \"$d/e\"",
        "done",
    ].joined(separator: "; ").replacing("; do; ", with: "; do ").replacing("; done", with: "; done")

    static func remoteCommand(usesSudo: Bool) -> String {
        (usesSudo ? "exec sudo -n sh -c " : "exec sh -c ") + ShellQuoting.quote(script)
    }

    /// The status with which timeout(1) says that it ended the command.
    static let timedOutStatus: Int32 = 124

    static func request(id: Int, _ command: Command) -> [UInt8] {
        var script = "exec "
        if !command.environment.isEmpty {
            script += "env "
            for (key, value) in command.environment.sorted(by: { $0.key < $1.key }) {
                script += ShellQuoting.quote("\(key)=\(value)") + " "
            }
        }
        script += ShellQuoting.quote([command.executable] + command.arguments) + "\n"
        let seconds = max(1, command.timeout.components.seconds + (command.timeout.components.attoseconds > 0 ? 1 : 0))
        var bytes = Array("\(id) \(seconds) \(script.utf8.count) \(command.input.count)\n".utf8)
        bytes.reserveCapacity(bytes.count + script.utf8.count + command.input.count)
        bytes += script.utf8
        bytes += command.input
        return bytes
    }

    struct AnswerHeader: Equatable {
        var id: Int
        var status: Int32
        var outputLength: Int
        var errorLength: Int
    }

    static func parseHeader(_ line: some Sequence<UInt8>) -> AnswerHeader? {
        let words = String(decoding: Array(line), as: UTF8.self).split(separator: " ")
        guard words.count == 4, let id = Int(words[0]), let status = Int32(words[1]), let output = Int(words[2]),
            let error = Int(words[3]), output >= 0, error >= 0
        else { return nil }
        return AnswerHeader(id: id, status: status, outputLength: output, errorLength: error)
    }
}
