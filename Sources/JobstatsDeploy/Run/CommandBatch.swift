import CommandExecution
import FoundationEssentials

/// Several commands and the questions after them as one command, so that a host is spoken to once for all.
///
/// Commands run in order until one fails; each has its own input and time-out. The questions are asked in any case.
struct CommandBatch: Sendable {
    /// What came of it.
    struct Outcome: Sendable {
        /// The first command that failed, by its position, with its result; nil when none did.
        var failure: (index: Int, result: CommandResult)?
        /// The answers.
        var facts: Facts
    }

    private let commands: [Command]
    private let questions: FactCollector
    private let marker: String

    init(_ commands: [Command], then questions: FactCollector, marker: String = FactCollector.randomMarker()) {
        self.commands = commands
        self.questions = questions
        self.marker = marker
    }

    func run(on connection: any HostConnection) async throws(CommandError) -> Outcome {
        let before = Date().timeIntervalSince1970
        let result = try await connection.run(command)
        guard result.succeeded else {
            return Outcome(failure: (0, result), facts: Facts())
        }
        let failure = failure(in: result.standardError)
        if String(decoding: result.standardError, as: UTF8.self).contains("\(marker) late\n") {
            return Outcome(failure: failure, facts: try await questions.guarded(with: connection))
        }
        var facts = questions.parse(result.standardOutput)
        facts.asked = before...max(before, Date().timeIntervalSince1970)
        return Outcome(failure: failure, facts: facts)
    }

    /// The script goes first on standard input and is taken from there by its length; the commands' inputs follow.
    private var command: Command {
        let script = Array(script.utf8)
        var input = script
        input.reserveCapacity(commands.reduce(script.count) { $0 + $1.input.count })
        for command in commands { input += command.input }
        return Command(
            "sh", ["-c", #"script=$(head -c "$1") && eval "$script""#, "sh", String(script.count)], input: input,
            timeout: commands.reduce(questions.patience + .seconds(15)) { $0 + $1.timeout + .seconds(5) },
            outputLimit: FactCollector.outputLimit)
    }

    private var script: String {
        var text = """
            failed=
            try() {
                [ -z "$failed" ] || return 0
                index=$1 bytes=$2 limit=$3
                shift 3
                case $bytes in
                    0) said=$(timeout -k 5 "$limit" "$@" 2>&1 </dev/null) && return 0 ;;
                    exact) said=$(timeout -k 5 "$limit" "$@" 2>&1) && return 0 ;;
                    *) said=$(
                        head -c "$bytes" | {
                            timeout -k 5 "$limit" "$@" 2>&1
                            status=$?
                            cat >/dev/null # what it left would be taken for the next one's
                            exit "$status"
                        }
                    ) && return 0 ;;
                esac
                failed=$?
                [ "$failed" != 124 ] || said="no end after $limit s
            $said"
                printf '%s %s %s\\n%s\\n' \(ShellQuoting.quote(marker)) "$index" "$failed" "$said" >&2
            }
            replace=\(ShellQuoting.quote(OwnershipScripts.replace))

            """
        for (index, command) in commands.enumerated() {
            let (seconds, rest) = command.timeout.components
            let limit = "\(max(1, seconds + (rest > 0 ? 1 : 0)))"
            if Self.readsExactly(command) {
                text +=
                    "try \(index) exact \(limit) sh -c \"$replace\" "
                    + "\(ShellQuoting.quote(Array(command.arguments[2...])))\n"
                continue
            }
            var words = ["\(index)", "\(command.input.count)", limit]
            if !command.environment.isEmpty {
                words += ["env"] + command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            }
            text += "try \(ShellQuoting.quote(words + [command.executable] + command.arguments))\n"
        }
        guard !questions.isEmpty else { return text + "true\n" }
        // Asked as in a look: all in one bounded time, and what takes longer is asked anew, each with its own.
        return text + """
            timeout -k 5 \(max(1, questions.patience.components.seconds)) sh -s <<'\(marker)'
            \(questions.unguardedScript)
            \(marker)
            case $? in
                124 | 137) printf '%s late\\n' \(ShellQuoting.quote(marker)) >&2 ;;
            esac
            true

            """
    }

    /// Whether the command is the replacement of a file, which takes its own bytes from the common input and no others.
    private static func readsExactly(_ command: Command) -> Bool {
        let arguments = command.arguments
        return command.executable == "sh" && command.environment.isEmpty && arguments.count == 9
            && arguments[0] == "-c" && arguments[1] == OwnershipScripts.replace
            && arguments[6].hasSuffix(":\(command.input.count)")
    }

    private func failure(in said: [UInt8]) -> (Int, CommandResult)? {
        let text = String(decoding: said, as: UTF8.self)
        guard let found = text.firstRange(of: "\(marker) ") else { return nil }
        let rest = text[found.upperBound...]
        let line = rest.prefix { $0 != "\n" }
        let words = line.split(separator: " ")
        guard words.count == 2, let index = Int(words[0]), let status = Int32(words[1]),
            commands.indices.contains(index)
        else { return nil }
        let output = rest.dropFirst(line.count).drop { $0 == "\n" }
        return (
            index,
            CommandResult(
                status: status > 128 ? .signalled(status - 128) : .exited(status),
                standardOutput: Array(output.utf8))
        )
    }
}
