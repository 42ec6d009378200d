import CommandExecution

/// Why something about a service could not be done or learned. Two errors are equal when their codes are.
public struct ServiceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// There is no such unit.
        public static let notFound = Code(name: "not found")
        /// The unit is masked: someone forbade it to be started.
        public static let masked = Code(name: "masked")
        /// systemd cannot read the unit's file.
        public static let badUnitFile = Code(name: "bad unit file")
        /// The unit was started and failed; the error carries its last journal lines.
        public static let startFailed = Code(name: "start failed")
        /// systemd refuses to start the unit again so soon after several failures.
        public static let startLimitHit = Code(name: "start limit hit")
        /// The call took too long.
        public static let timedOut = Code(name: "timed out")
        /// The calling task was cancelled.
        public static let cancelled = Code(name: "cancelled")
        /// systemd does not run on this host, or does not answer, or there is no `systemctl`.
        public static let managerUnavailable = Code(name: "manager unavailable")
        /// This user may not do it.
        public static let notPermitted = Code(name: "not permitted")
        /// The host that should do it cannot be reached.
        public static let connectionLost = Code(name: "connection lost")
        /// The answer is not what is documented.
        public static let notUnderstood = Code(name: "not understood")
        /// It cannot be done in an image, where no systemd runs.
        public static let notSupported = Code(name: "not supported")
        /// A value cannot stand in a unit's name or file.
        public static let invalidValue = Code(name: "invalid value")
        /// systemd refused for another reason.
        public static let refused = Code(name: "refused")
        /// The kind in words, without any value: fit for a metric's label.
        public var description: String { name }
    }

    /// The kind of failure.
    public let code: Code
    /// The unit concerned, if it is one.
    public let unit: UnitName?
    /// The host, where the executor that ran the program named one.
    public let host: String?
    /// The cause, in words.
    public let reason: String
    /// What to do next.
    public let remedy: String
    /// The unit's last journal lines, oldest first; empty unless a start failed.
    public let journal: [String]

    /// Creates an error.
    public init(
        _ code: Code, unit: UnitName? = nil, host: String? = nil, reason: String, remedy: String,
        journal: [String] = []
    ) {
        self.code = code
        self.unit = unit
        self.host = host
        self.reason = reason
        self.remedy = remedy
        self.journal = journal
    }

    /// `node_exporter.service: start failed: ...; look at ...`, then the journal lines, one each.
    public var description: String {
        let place = (host.map { "\($0): " } ?? "") + (unit.map { "\($0): " } ?? "")
        let lines = journal.map { "\n    \($0)" }.joined()
        return "\(place)\(code): \(reason); \(remedy)\(lines.isEmpty ? "" : "\n  last lines of its journal:")\(lines)"
    }

    /// Whether both are of the same kind.
    public static func == (left: ServiceError, right: ServiceError) -> Bool { left.code == right.code }
}

extension ServiceError {
    /// The error for a program that gave no result.
    init(_ error: CommandError, unit: UnitName?) {
        let (code, remedy): (Code, String) =
            switch error.code {
            case .timedOut: (.timedOut, "look at it with systemctl list-jobs")
            case .cancelled: (.cancelled, "try again")
            case .connectionLost: (.connectionLost, "check the connection to the host")
            case .notFound: (.managerUnavailable, "use a host that runs systemd")
            case .outputTooLarge: (.notUnderstood, "ask for fewer units")
            default: (.managerUnavailable, "check that the program can be run")
            }
        self.init(
            code, unit: unit, host: error.host, reason: "\(error.executable): \(error.reason)", remedy: remedy)
    }

    /// A foreign text in quotes, with control characters shown as escapes and its end cut off when it is long.
    static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(80).map { $0.escaped(asASCII: false) }.joined()
        return "\"\(shown)\(text.unicodeScalars.count > 80 ? "..." : "")\""
    }
}
