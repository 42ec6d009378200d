/// One thing that is wrong, or doubtful, in a configuration.
public struct ConfigurationIssue: Sendable, Hashable, CustomStringConvertible {
    /// How grave an issue is.
    public struct Severity: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// Nothing is done until it is mended.
        public static let error = Severity(name: "error")
        /// Worth a look; the work goes on.
        public static let warning = Severity(name: "warning")
        /// `error` or `warning`.
        public var description: String { name }
    }

    /// A place in the file; both count from 1, columns in Unicode scalars.
    public struct Location: Sendable, Hashable {
        /// The line.
        public var line: Int
        /// The column.
        public var column: Int

        /// Creates a location.
        public init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }
    }

    /// How grave it is.
    public var severity: Severity
    /// The key that it is about, as in `systems.dgx_nodes[3]`; empty when it is about the file.
    public var keyPath: String
    /// What is wrong, why, and what to write instead.
    public var message: String
    /// Where in the file it stands, where that is known.
    public var location: Location?

    /// Creates an issue.
    public init(_ severity: Severity, _ keyPath: String, _ message: String, location: Location? = nil) {
        self.severity = severity
        self.keyPath = keyPath
        self.message = message
        self.location = location
    }

    /// `error: systems.dgx_nodes[3]: "dgx-01;reboot" is not a host name ... (line 12)`.
    public var description: String {
        "\(severity): " + (keyPath.isEmpty ? "" : "\(keyPath): ") + message
            + (location.map { " (line \($0.line), column \($0.column))" } ?? "")
    }
}

/// Why a configuration cannot be used: all its errors at once. Two errors are equal when their codes are.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// There is no such file, or it cannot be read.
        public static let unreadable = Code(name: "unreadable configuration")
        /// The file was read and something in it is wrong.
        public static let invalid = Code(name: "invalid configuration")
        /// The kind in words.
        public var description: String { name }
    }

    /// The kind of failure.
    public let code: Code
    /// The file; nil when the configuration came from memory.
    public let file: String?
    /// Everything that is wrong, in the order of the file.
    public let issues: [ConfigurationIssue]

    init(_ code: Code, file: String?, issues: [ConfigurationIssue]) {
        self.code = code
        self.file = file
        self.issues = issues
    }

    /// A heading with the number of errors, then one line for each.
    public var description: String {
        let count = issues.count == 1 ? "1 error" : "\(issues.count) errors"
        return "\(file ?? "configuration"): \(code), \(count):"
            + issues.map { "\n  \($0)" }.joined()
    }

    /// Whether both are of the same kind.
    public static func == (left: ConfigurationError, right: ConfigurationError) -> Bool { left.code == right.code }
}

/// What reading a configuration gave: a value when there is no error, and everything that was noticed.
public struct ConfigurationReading: Sendable {
    /// The configuration; nil when there are errors.
    public let configuration: DeploymentConfiguration?
    /// All errors and warnings, in the order of the file, then those about several keys.
    public let issues: [ConfigurationIssue]
    /// The file that was read; nil when the bytes came from memory.
    public let file: String?
    private let isReadable: Bool

    init(
        configuration: DeploymentConfiguration?, issues: [ConfigurationIssue], file: String? = nil,
        isReadable: Bool = true
    ) {
        self.issues = issues
        self.file = file
        self.isReadable = isReadable
        self.configuration = issues.contains { $0.severity == .error } ? nil : configuration
    }

    /// The issues that must be mended.
    public var errors: [ConfigurationIssue] { issues.filter { $0.severity == .error } }
    /// The issues that are worth a look.
    public var warnings: [ConfigurationIssue] { issues.filter { $0.severity == .warning } }

    /// The configuration, or all errors at once.
    public func get() throws(ConfigurationError) -> DeploymentConfiguration {
        guard let configuration else {
            throw ConfigurationError(isReadable ? .invalid : .unreadable, file: file, issues: errors)
        }
        return configuration
    }
}
