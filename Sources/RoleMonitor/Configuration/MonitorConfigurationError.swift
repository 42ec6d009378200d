/// Why a configuration cannot be used: all of its mistakes at once. Two errors are equal when their codes are.
public struct MonitorConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// There is no such file.
        public static let missing = Code(name: "missing")
        /// The file cannot be read.
        public static let unreadable = Code(name: "unreadable")
        /// The file is not a JSON object.
        public static let malformed = Code(name: "malformed")
        /// One or more values are missing, of the wrong type or out of range.
        public static let invalidValues = Code(name: "invalid values")
        /// The kind in words.
        public var description: String { name }
    }

    /// One mistake.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The key, with an index where it is inside a list (`bcm_headnodes[1]`); nil for the file as a whole.
        public let key: String?
        /// What is wrong and what was expected.
        public let message: String

        init(key: String? = nil, _ message: String) {
            self.key = key
            self.message = message
        }

        /// `bcm_port: found 99999, expected a whole number from 1 to 65535`.
        public var description: String { (key.map { "\($0): " } ?? "") + message }
    }

    /// The kind of failure.
    public let code: Code
    /// The file that was read; nil when bytes were parsed.
    public let file: String?
    /// Every mistake, in the order of the keys' documentation.
    public let problems: [Problem]

    init(_ code: Code, file: String? = nil, problems: [Problem]) {
        self.code = code
        self.file = file
        self.problems = problems
    }

    func inFile(_ file: String) -> MonitorConfigurationError {
        MonitorConfigurationError(code, file: file, problems: problems)
    }

    /// The file and, one on each line, its mistakes.
    public var description: String {
        let name = file ?? "configuration"
        if problems.count == 1 { return "\(name): \(problems[0])" }
        return "\(name): \(problems.count) mistakes\n" + problems.map { "  \($0)" }.joined(separator: "\n")
    }

    /// Whether both are of the same kind.
    public static func == (left: MonitorConfigurationError, right: MonitorConfigurationError) -> Bool {
        left.code == right.code
    }
}
