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
        /// Whether the host answered no question any more after a command that failed.
        var isUnanswered = false
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
        // Each file's bytes stay where they are: a run has many hosts, and their programs are the same.
        let result = try await connection.runPiecewise(command, followedBy: commands.map(\.input))
        guard result.succeeded else {
            return Outcome(failure: (0, result), facts: Facts())
        }
        let failure = failure(in: result.standardError)
        if String(decoding: result.standardError, as: UTF8.self).contains("\(marker) late\n") {
            do throws(CommandError) {
                return Outcome(failure: failure, facts: try await questions.guarded(with: connection))
            } catch {
                // What is known to have failed is said, also where the host does not answer questions any more.
                guard failure != nil else { throw error }
                return Outcome(failure: failure, facts: Facts(), isUnanswered: true)
            }
        }
        var facts = questions.parse(result.standardOutput)
        facts.note(before...max(before, Date().timeIntervalSince1970))
        return Outcome(failure: failure, facts: facts)
    }

    /// The script goes first on standard input and is taken from there by its length; the commands' inputs follow.
    private var command: Command {
        let script = Array(script.utf8)
        return Command(
            "sh", ["-c", Self.loader, "sh", String(script.count)], input: script,
            timeout: commands.reduce(questions.patience + .seconds(15)) { $0 + $1.timeout + .seconds(5) },
            outputLimit: FactCollector.outputLimit)
    }

    private static let loader = #"script=$(head -c "$1") && eval "$script""#

    /// How many bytes of a batch's input are its script, for a connection that takes them apart; nil for other commands.
    static func scriptLength(of command: Command) -> Int? {
        guard command.executable == "sh", command.environment.isEmpty, command.arguments.count == 4,
            command.arguments[1] == loader, let length = Int(command.arguments[3]), length <= command.input.count
        else { return nil }
        return length
    }

    private var script: String {
        var text = """
            failed=
            # Runs a command within $limit seconds. timeout(1) makes a group of its own, so a signal to this one is passed on.
            bounded() {
                exec 3<&0
                trap 'kill "$child" 2>/dev/null' HUP INT TERM
                timeout -k 5 "$limit" "$@" <&3 3<&- 2>&1 &
                child=$! code=0
                exec 3<&-
                wait "$child" || code=$?
                # Ended by a signal of its own, or this shell's: then it is waited for.
                ! kill -0 "$child" 2>/dev/null || wait "$child" || code=$?
                return "$code"
            }
            try() {
                [ -z "$failed" ] || return 0
                index=$1 bytes=$2 limit=$3
                shift 3
                case $bytes in
                    0) said=$(bounded "$@" </dev/null) && return 0 ;;
                    exact) said=$(bounded "$@") && return 0 ;;
                    *) said=$(
                        head -c "$bytes" | {
                            bounded "$@"
                            status=$?
                            cat >/dev/null # what it left would be taken for the next one's
                            exit "$status"
                        }
                    ) && return 0 ;;
                esac
                failed=$?
                late
                printf '%s %s %s\\n%s\\n' \(ShellQuoting.quote(marker)) "$index" "$failed" "$said" >&2
            }
            # Says that a command was ended: by KILL, where TERM did not.
            late() {
                case $failed in
                    124 | 137) said="no end after $limit s, or killed for want of memory
            $said" ;;
                esac
            }
            # Several files at once: the first one's number, a limit, and the script's two arguments.
            files() {
                [ -z "$failed" ] || return 0
                limit=$2
                said=$(bounded sh -c "$install" sh "$3" "$4") && return 0
                failed=$? index=$1
                case $said in
                    *"bcm-jobstats-failed "*)
                        index=${said##*bcm-jobstats-failed } said=${said%bcm-jobstats-failed *}
                        index=${index%%[!0-9]*}
                        ;;
                esac
                index=${index:-$1}
                late
                printf '%s %s %s\\n%s\\n' \(ShellQuoting.quote(marker)) "$index" "$failed" "$said" >&2
            }
            replace=\(ShellQuoting.quote(OwnershipScripts.replace))
            install=\(ShellQuoting.quote(InstallScript.text))

            """
        var index = 0
        while index < commands.count {
            let set = FileSet(commands, from: index)
            if let set {
                text += "files \(ShellQuoting.quote(["\(index)", "\(set.limit)", set.record, set.list]))\n"
            } else {
                text += Self.line(index, commands[index])
            }
            index += set?.count ?? 1
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

    /// The command by itself, as a line of the script.
    private static func line(_ index: Int, _ command: Command) -> String {
        let (seconds, rest) = command.timeout.components
        let limit = "\(max(1, seconds + (rest > 0 ? 1 : 0)))"
        if FileSet.isReplacement(command) {
            return "try \(index) exact \(limit) sh -c \"$replace\" "
                + "\(ShellQuoting.quote(Array(command.arguments[2...])))\n"
        }
        var words = ["\(index)", "\(command.input.count)", limit]
        if !command.environment.isEmpty {
            words += ["env"] + command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        }
        return "try \(ShellQuoting.quote(words + [command.executable] + command.arguments))\n"
    }

    private func failure(in said: [UInt8]) -> (Int, CommandResult)? {
        let text = String(decoding: said, as: UTF8.self)
        guard let found = text.firstRange(of: "\(marker) ") else { return nil }
        let rest = text[found.upperBound...]
        let line = rest.prefix { $0 != "\n" }
        let words = line.split(separator: " ")
        guard words != ["late"] else { return nil }
        guard words.count == 2, let index = Int(words[0]), let status = Int32(words[1]),
            commands.indices.contains(index)
        else { return (0, CommandResult(status: .exited(1), standardOutput: Array(rest.utf8))) }
        var output = rest.dropFirst(line.count).drop { $0 == "\n" }
        if let next = output.firstRange(of: "\n\(marker) ") { output = output[..<next.lowerBound] }
        return (
            index,
            CommandResult(
                status: status > 128 ? .signalled(status - 128) : .exited(status),
                standardOutput: Array(output.utf8))
        )
    }
}
