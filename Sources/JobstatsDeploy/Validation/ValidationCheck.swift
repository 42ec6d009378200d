import CommandExecution

/// Something that is looked at on hosts and judged: one column of the matrix.
///
/// Like a ``Resource`` it runs nothing: it says what must be known of each host and judges the answers. A query that got
/// no answer makes the check ``ValidationState/unseen`` before its judge is asked, so no judge can take silence for
/// health.
///
/// ```swift
/// let check = ValidationCheck(
///     "1.chronyd", "The clock is kept by chronyd", expected: "active", byHand: ["systemctl status chronyd"],
///     on: hosts, asking: { _ in [.unit("chronyd.service")] }
/// ) { host, facts, _ in
///     facts.unit("chronyd.service")?.active == "active"
///         ? .passed("active") : .failed("not active", advice: "systemctl enable --now chronyd")
/// }
/// ```
public struct ValidationCheck: Sendable {
    /// What people read about it.
    public let description: ValidationReport.Check
    /// What each host is asked.
    public let queries: [Host: [Query]]
    private let judgement: @Sendable (ValidationEvidence) -> [(Host, ValidationVerdict)]

    /// A check that judges each host by its own answers, and by what is known besides.
    ///
    /// - Parameters:
    ///   - id: a stable name that begins with the number of its group and a dot.
    ///   - title: what is checked.
    ///   - expected: what must be so.
    ///   - byHand: commands with which a person sees the same.
    ///   - hosts: where it applies.
    ///   - queries: what a host is asked.
    ///   - judge: a pure function; called only when each query was answered.
    public init(
        _ id: String, _ title: String, expected: String, byHand: [String] = [], on hosts: [Host],
        asking queries: (Host) -> [Query],
        judge: @escaping @Sendable (Host, Facts, ValidationEvidence) -> ValidationVerdict
    ) {
        description = Self.description(id, title, expected, byHand)
        let asked = Dictionary(hosts.map { ($0, queries($0)) }) { first, _ in first }
        self.queries = asked
        let hosts = JobstatsPlan.unique(hosts)
        judgement = { evidence in
            hosts.map { host in
                if let missing = evidence.missing(asked[host] ?? [], of: host) { return (host, missing) }
                return (host, judge(host, evidence.facts[host] ?? Facts(), evidence))
            }
        }
    }

    /// A check of other hosts than those that are asked, such as the targets that Prometheus knows.
    ///
    /// - Parameters:
    ///   - id: a stable name that begins with the number of its group and a dot.
    ///   - title: what is checked.
    ///   - expected: what must be so.
    ///   - byHand: commands with which a person sees the same.
    ///   - hosts: whom the verdicts are about; each must get one, and gets ``ValidationState/unseen`` otherwise.
    ///   - source: who is asked.
    ///   - queries: what it is asked.
    ///   - judge: a pure function; called only when each query was answered.
    public init(
        _ id: String, _ title: String, expected: String, byHand: [String] = [], about hosts: [Host],
        asking source: Host, _ queries: [Query],
        judge: @escaping @Sendable (Facts, ValidationEvidence) -> [Host: ValidationVerdict]
    ) {
        description = Self.description(id, title, expected, byHand)
        self.queries = [source: queries]
        let hosts = JobstatsPlan.unique(hosts)
        judgement = { evidence in
            if let missing = evidence.missing(queries, of: source) { return hosts.map { ($0, missing) } }
            let verdicts = judge(evidence.facts[source] ?? Facts(), evidence)
            return hosts.map { host in
                (host, verdicts[host] ?? .unseen("\(source) said nothing about it", advice: "ask it by hand"))
            }
        }
    }

    /// A check that a resource of the plan is in place, told as the plan tells it.
    ///
    /// - Parameter advice: what to do where it is not.
    init(
        _ id: String, _ title: String, expected: String? = nil, on hosts: [Host], _ resource: any Resource,
        advice: String
    ) {
        self.init(
            id, title, expected: expected ?? resource.summary, byHand: resource.instructions.verification, on: hosts,
            asking: { _ in resource.queries },
            judge: { _, facts, _ in ValidationVerdict(resource.assess(facts), advice: advice) })
    }

    /// The verdict about each host of the check.
    package func verdicts(_ evidence: ValidationEvidence) -> [(Host, ValidationVerdict)] { judgement(evidence) }

    private static func description(
        _ id: String, _ title: String, _ expected: String, _ byHand: [String]
    ) -> ValidationReport.Check {
        let group = id.split(separator: ".").first.flatMap { Int($0) } ?? 0
        return ValidationReport.Check(id: id, group: group, title: title, expected: expected, byHand: byHand)
    }
}

/// Everything that was found out before the checks judge.
public struct ValidationEvidence: Sendable {
    /// What each host answered.
    public var facts: [Host: Facts] = [:]
    /// Why a host gave no answer.
    public var problems: [Host: String] = [:]
    /// What BCM says.
    public var site = ValidationSite()
    /// The time on this machine when the judging began, in seconds since 1970.
    public var now = 0.0

    /// Creates evidence that knows nothing.
    public init() {}

    /// The verdict for a host that did not answer all of these; nil when it did.
    func missing(_ queries: [Query], of host: Host) -> ValidationVerdict? {
        guard let facts = facts[host] else {
            return .unseen(
                problems[host] ?? "\(host) gave no answer", advice: "look whether it runs: ssh \(host) true")
        }
        for query in queries {
            switch query {
            case .file(let path) where facts.file(path) == nil: return Self.silent("what \(path) is")
            case .content(let path):
                // A file that is not there has no content, which its judge must see; one that is there and was not read
                // is not known.
                if let file = facts.file(path), file.kind == .plain, facts.content(path) == nil {
                    return Self.silent("what \(path) holds")
                }
            case .contentUnless(let path, let sha256):
                guard let file = facts.file(path) else { return Self.silent("what \(path) is") }
                if file.kind == .plain, file.sha256 != sha256, facts.content(path) == nil {
                    return Self.silent("what \(path) holds")
                }
            case .link(let path) where facts.link(path) == nil: return Self.silent("where \(path) leads")
            case .unit(let name) where facts.unit(name) == nil: return Self.silent("the state of \(name)")
            case .user(let name) where facts.user(name) == nil: return Self.silent("who \(name) is")
            case .package(let name) where facts.package(name) == nil: return Self.silent("the package \(name)")
            case .command(let command):
                guard let result = facts.result(command) else { return Self.silent("\(command)") }
                if result.status == .exited(124) || result.status == .exited(137) || result.status == .signalled(9) {
                    return .unseen(
                        "no answer within \(Words.time(command.timeout))", advice: "try it there: \(command)")
                }
            default: break
            }
        }
        return nil
    }

    private static func silent(_ what: String) -> ValidationVerdict {
        .unseen("the host did not tell \(what)", advice: "run validate-deployment again, and look at the host")
    }
}
