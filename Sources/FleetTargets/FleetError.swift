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
    /// What failed, why, and what to do, in words, without control characters.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = ForeignText.printable(description)
    }

    init(_ error: PromTargetsError) {
        self.init(error.code == .readOnly ? .readOnly : .directory, error.description)
    }

    /// Whether both are of the same kind.
    public static func == (left: FleetError, right: FleetError) -> Bool { left.code == right.code }
}
