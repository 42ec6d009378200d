public import ArgumentParser
internal import CommandExecution
internal import Glibc
internal import Synchronization

/// How a program of this project starts and ends.
public enum Program {
    /// The exit status for a wrong command line or configuration.
    public static let usageStatus: Int32 = 2

    /// Whether something could not be written to standard output, which makes a good end a bad one.
    private static let hasLostOutput = Mutex(false)

    /// Parses the command line, runs the command and ends the process.
    ///
    /// A wrong command line is explained on standard error and ends with status 2, help and version go to standard
    /// output and end with 0. A closed pipe does not end the process by a signal. What cannot be written to standard output
    /// turns status 0 into 1.
    public static func main<Root: AsyncParsableCommand>(_ root: Root.Type) async -> Never {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try root.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit(status(0))
        } catch {
            end(root, error)
        }
    }

    private static func end<Root: AsyncParsableCommand>(_ root: Root.Type, _ error: any Error) -> Never {
        let status = root.exitCode(for: error)
        var text = root.fullMessage(for: error)
        // What a command does when nothing else is said is what people ask about.
        if let usual = root.configuration.defaultSubcommand {
            if text == root.helpMessage() { text = root.helpMessage(for: usual) }
            text = withoutName(of: usual, in: root, text)
        }
        if !text.isEmpty {
            write(ForeignText.printable(text) + "\n", to: status == .success ? STDOUT_FILENO : STDERR_FILENO)
        }
        exit(status == .validationFailure ? usageStatus : Self.status(status.rawValue))
    }

    /// Texts about the usual command without its name, which nobody has to type: hints, and completions, which otherwise know
    /// its options behind the name alone.
    private static func withoutName<Root: AsyncParsableCommand>(
        of usual: any ParsableCommand.Type, in root: Root.Type, _ text: String
    ) -> String {
        let (program, name) = (root._commandName, usual._commandName)
        guard text == root.completionScript(for: .bash) else {
            return text.replacing("'\(program) \(name) --help'", with: "'\(program) --help'")
        }
        let names = root.configuration.subcommands.map { $0._commandName } + ["help"]
        return text + BashCompletion.assuming(name, of: program, unless: names)
    }

    /// The exit status of a program that would end with this one: not 0 when output was lost.
    public static func status(_ wanted: Int32) -> Int32 {
        wanted == 0 && hasLostOutput.withLock { $0 } ? 1 : wanted
    }

    /// Writes a text to a file descriptor, past any buffer.
    ///
    /// A reader that went away has seen enough, and a stream that was closed from the start has none: neither is an error. Any other failure on standard output, such as a full disk, is
    /// said once on standard error, and from then on ``status(_:)`` is not 0.
    public static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Somebody else made the terminal or pipe non-blocking.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            // Nobody reads, or the stream was closed before the start: its number is free then, or went to a descriptor of the
            // runtime's, which takes no text.
            case EPIPE, EBADF, EINVAL: return
            case let number:
                let isFirst = hasLostOutput.withLock { lost in
                    defer { lost = lost || descriptor == STDOUT_FILENO }
                    return !lost
                }
                if descriptor == STDOUT_FILENO, isFirst {
                    StandardErrorLog.fail("standard output cannot be written: \(String(cString: strerror(number)))")
                }
                return
            }
        }
    }
}
