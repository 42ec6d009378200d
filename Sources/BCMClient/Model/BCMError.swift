/// Why something asked of BCM gave no answer. Two errors are equal when their codes are.
///
/// ```swift
/// do { print(try await client.lookUp(["dgx-01"])) }
/// catch where error.code == .notAuthorised { print("this certificate may not read devices: \(error)") }
/// ```
public struct BCMError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added. The description of a code holds no changing values, so it can serve as
    /// the label of a metric.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// No connection came about: the name does not resolve, nothing listens, or the host is down.
        public static let notReachable = Code("not reachable")
        /// A connection came about and ended before the answer was whole.
        public static let connectionLost = Code("connection lost")
        /// The server is not the one that the trust settings name. Nothing was sent to it.
        public static let notTrusted = Code("not trusted")
        /// The server refused the client's certificate, or the certificate may not do this.
        public static let notAuthorised = Code("not authorised")
        /// The answer is not what the interface documents.
        public static let notUnderstood = Code("not understood")
        /// The thing asked for does not exist.
        public static let notFound = Code("not found")
        /// The server, or a program, took longer than allowed.
        public static let timedOut = Code("timed out")
        /// The answer is larger than the limit.
        public static let tooLarge = Code("too large")
        /// The server is there but cannot answer now (status 429 or 5xx).
        public static let unavailable = Code("unavailable")
        /// BCM understood the request and refused it, with a message.
        public static let refused = Code("refused")
        /// The calling task was cancelled, or the client was shut down.
        public static let cancelled = Code("cancelled")
        /// A setting, a file or a value given by the caller cannot be used.
        public static let invalidConfiguration = Code("invalid configuration")

        /// The kind in words.
        public var description: String { name }
    }

    /// The kind of failure.
    public let code: Code
    /// The head node it concerns; nil when it concerns none or several.
    public let headNode: HeadNode?
    /// The cause, in words.
    public let reason: String
    /// What to do about it, in words.
    public let remedy: String?
    /// The failures of each head node that was tried, when there were several.
    public let underlying: [BCMError]
    /// Whether what was asked for may have been done in spite of the failure: it was sent, and no clear answer came. Of
    /// interest where doing it twice is not the same as once; false where it is certain that nothing was done.
    public private(set) var mayHaveBeenDone = false

    /// Creates an error.
    public init(
        _ code: Code, at headNode: HeadNode? = nil, reason: String, remedy: String? = nil, underlying: [BCMError] = []
    ) {
        self.code = code
        self.headNode = headNode
        self.reason = reason
        self.remedy = remedy
        self.underlying = underlying
    }

    /// `head-a:8081: not authorised: the server refused the certificate (bad certificate); ...what to do`.
    public var description: String {
        (headNode.map { "\($0): " } ?? "") + "\(code): \(reason)" + (remedy.map { "; \($0)" } ?? "")
    }

    /// The same error with this said.
    func possiblyDone(_ mayHaveBeenDone: Bool) -> BCMError {
        var error = self
        error.mayHaveBeenDone = mayHaveBeenDone
        return error
    }

    /// The error for a request that is not repeated at another head node because it may have been done.
    var uncertain: BCMError {
        let words = "it may have been done all the same, so no other head node was asked; look before you repeat it"
        let error = BCMError(
            code, at: headNode, reason: reason, remedy: remedy.map { "\($0); \(words)" } ?? words,
            underlying: underlying)
        return error.possiblyDone(true)
    }

    /// Whether both are of the same kind.
    public static func == (left: BCMError, right: BCMError) -> Bool { left.code == right.code }
}

/// A foreign value for an error message: in quotes, without control characters, and not endless.
func quoted(_ value: String) -> String {
    "\"" + legible(value, limit: 120) + "\""
}

/// Foreign text without control characters and not longer than the limit.
func legible(_ value: some StringProtocol, limit: Int = 300) -> String {
    var text = String.UnicodeScalarView()
    for scalar in value.unicodeScalars {
        if text.count >= limit {
            text.append("…")
            break
        }
        let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
        text.append(isControl ? " " : scalar)
    }
    return String(text)
}
