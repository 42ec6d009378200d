/// What a validation found: hosts against checks.
///
/// A value that renders as text, JSON, a page of HTML or Prometheus metrics; see `ValidationReport+JSON.swift` for the
/// schema.
public struct ValidationReport: Sendable, Hashable {
    /// What was checked.
    public struct Check: Sendable, Hashable {
        /// A stable name such as `2.node_exporter`; the number is the group's.
        public var id: String
        /// The group, 1 to 10; see ``ValidationGroup``.
        public var group: Int
        /// What is checked, in a few words.
        public var title: String
        /// What must be so.
        public var expected: String
        /// Commands with which a person sees the same.
        public var byHand: [String]

        /// Describes a check.
        public init(id: String, group: Int, title: String, expected: String, byHand: [String] = []) {
            self.id = id
            self.group = group
            self.title = title
            self.expected = expected
            self.byHand = byHand
        }
    }

    /// A host that was looked at.
    public struct Subject: Sendable, Hashable {
        /// Its name.
        public var name: String
        /// What it is here: `DGX node`, `Slurm controller`, `login node`, `Prometheus`, `Grafana`, `head node`.
        public var kinds: [String]

        /// Names a host.
        public init(name: String, kinds: [String]) {
            self.name = name
            self.kinds = kinds
        }
    }

    /// One cell of the matrix.
    public struct Finding: Sendable, Hashable {
        /// The check's ``Check/id``.
        public var check: String
        /// The host's name.
        public var host: String
        /// What was found.
        public var verdict: ValidationVerdict

        /// Records what was found.
        public init(check: String, host: String, verdict: ValidationVerdict) {
            self.check = check
            self.host = host
            self.verdict = verdict
        }
    }

    /// Slurm's and Prometheus's name of the cluster.
    public var cluster: String
    /// The version of the program.
    public var version: String
    /// When it began, in seconds since 1970.
    public var began: Double
    /// How long it took.
    public var duration: Duration
    /// What was checked, by groups.
    public var checks: [Check]
    /// The hosts, in the order of their names.
    public var hosts: [Subject]
    /// What was found; a pair of check and host that does not occur does not apply.
    public var findings: [Finding]
    /// What people should know besides, such as that some hosts were left out on demand.
    public var notices: [String]

    /// Creates a report.
    public init(
        cluster: String, version: String = "", began: Double = 0, duration: Duration = .zero, checks: [Check] = [],
        hosts: [Subject] = [], findings: [Finding] = [], notices: [String] = []
    ) {
        self.cluster = cluster
        self.version = version
        self.began = began
        self.duration = duration
        self.checks = checks
        self.hosts = hosts
        self.findings = findings
        self.notices = notices
    }

    /// How many findings ended so.
    public func count(_ state: ValidationState) -> Int {
        findings.reduce(0) { $0 + ($1.verdict.state == state ? 1 : 0) }
    }

    /// This report and another one of the same site, such as a canary's.
    public func adding(_ other: ValidationReport) -> ValidationReport {
        var sum = self
        sum.began = min(began, other.began)
        sum.duration = duration + other.duration
        let known = Set(checks.map(\.id))
        sum.checks = (checks + other.checks.filter { !known.contains($0.id) }).enumerated()
            .sorted { ($0.element.group, $0.offset) < ($1.element.group, $1.offset) }.map(\.element)
        let names = Set(hosts.map(\.name))
        sum.hosts = (hosts + other.hosts.filter { !names.contains($0.name) }).sorted { $0.name < $1.name }
        sum.findings += other.findings
        sum.notices += other.notices
        return sum
    }

    /// 0 when nothing failed and everything could be looked at, otherwise 1; a report without any finding saw nothing.
    public var exitStatus: Int32 { findings.isEmpty || findings.contains { $0.verdict.state.isFailure } ? 1 : 0 }
}

/// The ten groups of checks.
public struct ValidationGroup: Sendable, Hashable {
    /// 1 to 10.
    public let number: Int
    /// What the group is about.
    public let title: String

    /// All of them in order.
    public static let all = [
        "Services", "Ports", "Metrics at the source", "Prometheus", "Prolog and epilog", "BCM's settings of Slurm",
        "The jobstats command", "slurm.conf and the running Slurm", "Data", "Role monitor",
    ].enumerated().map { ValidationGroup(number: $0.offset + 1, title: $0.element) }

    /// The title of a group.
    public static func title(_ number: Int) -> String { all.first { $0.number == number }?.title ?? "" }
}
