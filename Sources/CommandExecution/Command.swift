/// A program to run: an argument vector, never a shell string.
///
/// Nothing in a command is interpreted: an argument reaches the program byte for byte, whatever quotes, dollar signs or
/// newlines it holds. Builders return commands and run nothing; a ``CommandExecutor`` runs them and decides nothing.
///
/// ```swift
/// let command = Command("systemctl", ["is-active", "node_exporter.service"], timeout: .seconds(10))
/// let result = try await LocalExecutor().run(command)
/// print(result.succeeded)
/// ```
public struct Command: Sendable, Hashable {
    /// The program: an absolute path, or a name that is looked up in `PATH`.
    public var executable: String
    /// The arguments after the program's own name.
    public var arguments: [String]
    /// Bytes given to the program as standard input; empty means `/dev/null`.
    public var input: [UInt8]
    /// Variables added to the inherited environment, or replaced in it.
    public var environment: [String: String]
    /// How long the program may run before it is ended; 30 seconds by default.
    public var timeout: Duration
    /// How many bytes of each output stream are kept, 16 MiB by default. A program that writes more is ended.
    public var outputLimit: Int

    /// Creates a command.
    public init(
        _ executable: String, _ arguments: [String] = [], input: [UInt8] = [], environment: [String: String] = [:],
        timeout: Duration = .seconds(30), outputLimit: Int = 16 << 20
    ) {
        self.executable = executable
        self.arguments = arguments
        self.input = input
        self.environment = environment
        self.timeout = timeout
        self.outputLimit = outputLimit
    }
}

extension Command: CustomStringConvertible {
    /// The command as a person would type it, quoted for a POSIX shell. Standard input and environment are not shown.
    public var description: String {
        ShellQuoting.quote([executable] + arguments)
    }
}

/// How a program ended.
public enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
    /// It returned this status.
    case exited(Int32)
    /// This signal ended it.
    case signalled(Int32)

    /// `exit status 3` or `signal 9`.
    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}

/// What a program left behind. A status other than zero is a result, not an error.
public struct CommandResult: Sendable, Hashable {
    /// How it ended.
    public var status: ExitStatus
    /// The bytes of standard output.
    public var standardOutput: [UInt8]
    /// The bytes of standard error.
    public var standardError: [UInt8]

    /// Creates a result; tests and custom executors need this.
    public init(status: ExitStatus, standardOutput: [UInt8] = [], standardError: [UInt8] = []) {
        self.status = status
        self.standardOutput = standardOutput
        self.standardError = standardError
    }

    /// Whether the program returned status 0.
    public var succeeded: Bool { status == .exited(0) }
    /// Standard output as text; bytes that are not UTF-8 become replacement characters.
    public var outputText: String { String(decoding: standardOutput, as: UTF8.self) }
    /// Standard error as text; bytes that are not UTF-8 become replacement characters.
    public var errorText: String { String(decoding: standardError, as: UTF8.self) }
}
