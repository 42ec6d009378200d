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

    /// In the place of ``greeting``, when another run works on the host: two at once would undo each other's work.
    static let busy = "bcm-jobstats-agent-busy"

    /// One line, so that a login shell of any kind passes it on unchanged.
    ///
    /// A run that changes hosts holds a lock (a file descriptor, which commands inherit) until its last command has
    /// ended, also when the connection was lost before. A cable that was pulled is not noticed on the host for hours, so a
    /// loop that has waited for a request for some seconds gives way to a later run, and one that has waited longer for the
    /// rest of a request, which it has not begun to carry out: two runs that live are kept apart by the locks of the
    /// machines that they run on (``RunLock``). What only looks needs no lock.
    ///
    /// What a request brought, which may be secret, is readable by its owner
    /// alone, lies in /run (memory), and goes before the answer; what a killed loop left goes at the start of a later
    /// one. A request that did not come whole, since the connection was cut in it, is not carried out: half a file would
    /// replace a whole one. What the shell can do by itself it does: on many hosts at once, each further program is felt.
    static func script(locks: Bool) -> String {
        [
            "umask 077",
            "R=${BCM_JOBSTATS_RUN:-/run}; [ -w \"$R\" ] || R=${XDG_RUNTIME_DIR:-/tmp}", clearing, locks ? lock : ":",
            "d=$(mktemp -d \"$R/bcm-jobstats.\(locks ? "run" : "look").XXXXXX\") || { \(noSpace); exit 90; }",
            "trap 'rm -rf \"$d\"' EXIT",
            "trap 'exit 91' HUP INT TERM PIPE",
            "echo \(greeting)",
            "while { echo \"idle $$\" >\"$d/state\"; } 2>/dev/null || { \(noSpace); exit 90; } && read -r id limit s i",
            "do echo \"take $$\" >\"$d/state\"",
            "{ [ \"$s\" = 0 ] || \(take("$s")); } >\"$d/s\" && { [ \"$i\" = 0 ] || \(take("$i")); } >\"$d/i\" || { \(noSpace); exit 92; }",
            "read -r end && [ \"$end\" = \"end $id\" ] || exit 92",
            "echo \"busy $$\" >\"$d/state\"",
            "(umask 022; exec timeout -k 5 \"$limit\" sh \"$d/s\") <\"$d/i\" >\"$d/o\" 2>\"$d/e\"",
            "r=$?; : >\"$d/s\"; : >\"$d/i\"",
            "echo \"$id $r\" $(stat -c %s \"$d/o\" \"$d/e\")",
            "cat \"$d/o\" \"$d/e\"",
            "done",
        ].joined(separator: "; ")
    }

    /// Takes so many bytes and no more, in large pieces: head(1) asks for 8 KiB at a time. Without the lock, which would
    /// stay with it when a later run ends this loop.
    private static func take(_ count: String) -> String {
        "dd bs=131072 count=\"\(count)\" iflag=fullblock,count_bytes status=none 9<&-"
    }

    /// What a host says on which requests cannot be kept.
    private static let noSpace = "echo \"$R on this host takes no file: is it full or read-only? see: df $R\" >&2"

    /// Clears away what killed loops left that only looked: no lock tells that they are gone, but their process does. Where
    /// one was killed before it said which, a day has to pass.
    private static let clearing =
        "for f in \"$R\"/bcm-jobstats.look.??????; do if [ -O \"$f\" ] && [ -d \"$f\" ] && [ ! -L \"$f\" ]; then p=; "
        + "[ ! -e \"$f/state\" ] || read -r w p <\"$f/state\" || :; "
        + "if [ -n \"$p\" ]; then [ -d \"/proc/$p\" ] || rm -rf \"$f\"; "
        + "elif [ -z \"$(find \"$f\" -prune -mmin -1440)\" ]; then rm -rf \"$f\"; fi; fi; done 2>/dev/null"

    /// Takes the lock within 20 seconds, over a loop that has been idle for four or got no piece (128 KiB) of a request for 15, and
    /// clears away what killed loops left.
    private static let lock =
        "if command -v flock >/dev/null; then exec 9>\"$R/bcm-jobstats.lock\"; n=0; "
        + "until flock -n 9; do [ $n -lt 20 ] || { echo \(busy); exit 93; }; "
        + "for f in \"$R\"/bcm-jobstats.run.??????/state; do [ -O \"$f\" ] && read -r w p <\"$f\" && case $w in "
        + "idle) [ -z \"$(find \"$f\" -newermt '4 seconds ago')\" ] ;; "
        + "take) [ -z \"$(find \"${f%/state}\" -newermt '15 seconds ago')\" ] ;; *) false ;; esac && grep -q bcm-jobstats-agent \"/proc/$p/cmdline\" && kill -9 \"$p\" && rm -rf \"${f%/state}\"; done 2>/dev/null; "
        + "n=$((n + 1)); sleep 1; done; "
        + "for f in \"$R\"/bcm-jobstats.run.??????; do [ ! -d \"$f\" ] || rm -rf \"$f\"; done; fi"

    static func remoteCommand(usesSudo: Bool, locks: Bool = true) -> String {
        (usesSudo ? "exec sudo -n sh -c " : "exec sh -c ") + ShellQuoting.quote(script(locks: locks))
    }

    /// The status with which timeout(1) says that it ended the command.
    static let timedOutStatus: Int32 = 124

    /// The request in parts, so that no large input is copied. Its last line shows the host that it came whole.
    ///
    /// - Parameter pieces: with what the command's input goes on.
    static func request(id: Int, _ command: Command, followedBy pieces: [[UInt8]] = []) -> [[UInt8]] {
        let input = [command.input] + pieces
        if command.executable == "sh", command.arguments == ["-s"], command.environment.isEmpty {
            // The script need not start another shell to read itself.
            return request(id: id, script: command.input.count, of: input, command.timeout)
        }
        if let length = CommandBatch.scriptLength(of: command) {
            return request(id: id, script: length, of: input, command.timeout)
        }
        var script = "exec "
        if !command.environment.isEmpty {
            script += "env "
            for (key, value) in command.environment.sorted(by: { $0.key < $1.key }) {
                script += ShellQuoting.quote("\(key)=\(value)") + " "
            }
        }
        script += ShellQuoting.quote([command.executable] + command.arguments) + "\n"
        return request(id: id, script: script.utf8.count, of: [Array(script.utf8)] + input, command.timeout)
    }

    /// - Parameter length: of how many of the bytes the script consists; the others are its input.
    private static func request(id: Int, script length: Int, of bytes: [[UInt8]], _ timeout: Duration) -> [[UInt8]] {
        let seconds = max(1, timeout.components.seconds + (timeout.components.attoseconds > 0 ? 1 : 0))
        let count = bytes.reduce(0) { $0 + $1.count }
        // Small pieces go together, large ones as they are.
        var parts: [[UInt8]] = []
        var small = Array("\(id) \(seconds) \(length) \(count - length)\n".utf8)
        for piece in bytes + [Array("end \(id)\n".utf8)] {
            if piece.count > 65536 {
                parts += [small, piece]
                small = []
            } else {
                small += piece
            }
        }
        return (parts + [small]).filter { !$0.isEmpty }
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
