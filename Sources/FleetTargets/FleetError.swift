internal import CommandExecution
internal import PromTargets

/// Why nothing could be said or done about a fleet's target files. Two errors are equal when their codes are.
public struct FleetError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// The configuration does not serve, or a value given by the caller does not.
        public static let invalidConfiguration = Code(name: "invalid configuration")
        /// The targets directory cannot be used.
        public static let directory = Code(name: "directory")
        /// The targets directory is mounted read-only; in a unit it may be so in the unit's own mount namespace alone.
        public static let readOnly = Code(name: "read-only")
        /// The file system gives no answer.
        public static let hangs = Code(name: "hangs")
        /// Another process keeps this directory in step.
        public static let locked = Code(name: "locked")
        /// The task was cancelled.
        public static let cancelled = Code(name: "cancelled")
        /// The kind in words, without any value: fit for a metric's label.
        public var description: String { name }
    }

    /// The kind of failure.
    public let code: Code
    /// The file or directory concerned, if there is one.
    public let path: String?
    /// The cause, in words.
    public let reason: String
    /// What to do next.
    public let remedy: String

    /// Creates an error. Control characters, which may come from files and names of others, are shown as their numbers.
    public init(_ code: Code, path: String? = nil, reason: String, remedy: String) {
        self.code = code
        self.path = path.map { ForeignText.printable($0) }
        self.reason = ForeignText.printable(reason)
        self.remedy = ForeignText.printable(remedy)
    }

    init(_ error: PromTargetsError) {
        self.init(
            error.code == .readOnly ? .readOnly : .directory, path: error.path,
            reason: "\(error.code): \(error.reason)", remedy: error.remedy)
    }

    /// `/shared/targets: another sync keeps it (process 17 on head-a); stop one of them ...`.
    public var description: String { (path.map { "\($0): " } ?? "") + "\(reason); \(remedy)" }

    /// Whether both are of the same kind.
    public static func == (left: FleetError, right: FleetError) -> Bool { left.code == right.code }
}
