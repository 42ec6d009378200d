/// Why the monitor, or a command to it, did not do what it was asked. Two errors are equal when their codes are.
public struct MonitorError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// Another monitor runs on this node.
        public static let alreadyRunning = Code(name: "already running")
        /// No monitor runs on this node.
        public static let notRunning = Code(name: "not running")
        /// The monitor refused the command, or could not do it.
        public static let refused = Code(name: "refused")
        /// A file or directory that is needed cannot be used.
        public static let unusable = Code(name: "unusable")
        /// The kind in words.
        public var description: String { name }
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, why, and what to do, in words.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether both are of the same kind.
    public static func == (left: MonitorError, right: MonitorError) -> Bool { left.code == right.code }
}
