/// Why a command gave no result. Two errors are equal when their codes are.
public struct CommandError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// The program does not exist or is not in `PATH`.
        public static let notFound = Code(name: "not found")
        /// The program could not be started for another reason.
        public static let notStarted = Code(name: "not started")
        /// The program ran longer than its time-out and was ended.
        public static let timedOut = Code(name: "timed out")
        /// The program wrote more than its output limit and was ended.
        public static let outputTooLarge = Code(name: "output too large")
        /// The calling task was cancelled; the program was ended.
        public static let cancelled = Code(name: "cancelled")
        /// The connection to the host that ran the program was lost or could not be made.
        public static let connectionLost = Code(name: "connection lost")
        /// The kind in words.
        public var description: String { name }
    }

    /// The kind of failure.
    public let code: Code
    /// The program that was to run.
    public let executable: String
    /// The host it was to run on; nil for this one.
    public let host: String?
    /// The cause, in words.
    public let reason: String

    /// Creates an error.
    public init(_ code: Code, executable: String, host: String? = nil, reason: String) {
        self.code = code
        self.executable = executable
        self.host = host
        self.reason = reason
    }

    /// `dgx-01: systemctl: timed out: no end after 30 s`. Arguments are left out: they may be long.
    public var description: String {
        (host.map { "\($0): " } ?? "") + "\(executable): \(code): \(reason)"
    }

    /// Whether both are of the same kind.
    public static func == (left: CommandError, right: CommandError) -> Bool { left.code == right.code }
}
