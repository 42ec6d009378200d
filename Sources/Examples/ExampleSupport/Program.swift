public import ArgumentParser
internal import CommandExecution
internal import Glibc

/// How a program of this project starts and ends.
public enum Program {
    /// The exit status for a wrong command line or configuration.
    public static let usageStatus: Int32 = 2

    /// Parses the command line, runs the command and ends the process.
    ///
    /// A wrong command line is explained on standard error and ends with status 2, help and version go to standard
    /// output and end with 0. A closed pipe does not end the process by a signal.
    public static func main<Root: AsyncParsableCommand>(_ root: Root.Type) async -> Never {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try root.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit(0)
        } catch {
            end(root, error)
        }
    }

    private static func end<Root: AsyncParsableCommand>(_ root: Root.Type, _ error: any Error) -> Never {
        let status = root.exitCode(for: error)
        var text = root.fullMessage(for: error)
        // What a command does when nothing else is said is what people ask about.
        if let usual = root.configuration.defaultSubcommand, text == root.helpMessage() {
            text = root.helpMessage(for: usual)
        }
        if !text.isEmpty {
            write(ForeignText.printable(text) + "\n", to: status == .success ? STDOUT_FILENO : STDERR_FILENO)
        }
        exit(status == .validationFailure ? usageStatus : status.rawValue)
    }

    /// Writes a text to a file descriptor, past any buffer; a reader that went away is no error.
    public static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                guard errno == EINTR else { return }
            } else {
                rest = rest.dropFirst(count)
            }
        }
    }
}
