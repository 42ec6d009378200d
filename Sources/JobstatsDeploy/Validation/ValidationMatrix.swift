/// A report as hosts against checks, the worst first; what the page, the text and the metrics have in common.
///
/// Nothing that was found is lost: a finding about a host or a check that the report does not list gets a row or a column.
/// Of two findings about the same pair the worse one counts.
struct ValidationMatrix {
    /// The hosts, those with the worst findings first, then in the report's order.
    let hosts: [ValidationReport.Subject]
    /// The checks by groups: groups and checks with the worst findings first, then by number and in the report's order.
    let groups: [Group]
    /// Finding by host and check; nil where the check does not apply. The order is that of ``hosts`` and ``checks``.
    let cells: [[ValidationVerdict?]]

    /// By group, how many cells ended in each state, in the order of the states.
    private let tally: [Int: [Int]]

    /// A group of columns.
    struct Group {
        let number: Int
        let title: String
        let checks: [ValidationReport.Check]
    }

    /// The checks in the order of the columns.
    var checks: [ValidationReport.Check] { groups.flatMap(\.checks) }

    init(_ report: ValidationReport) {
        var checks = report.checks
        var hosts = report.hosts
        var checkPlaces: [String: Int] = [:]
        var hostPlaces: [String: Int] = [:]
        for (place, check) in checks.enumerated() where checkPlaces[check.id] == nil { checkPlaces[check.id] = place }
        for (place, host) in hosts.enumerated() where hostPlaces[host.name] == nil { hostPlaces[host.name] = place }
        var found: [[Int: ValidationVerdict]] = Array(repeating: [:], count: hosts.count)
        for finding in report.findings {
            let check = checkPlaces[finding.check] ?? checks.count
            if check == checks.count {
                let number = finding.check.split(separator: ".").first.flatMap { Int($0) } ?? 0
                checks.append(.init(id: finding.check, group: number, title: finding.check, expected: ""))
                checkPlaces[finding.check] = check
            }
            let host = hostPlaces[finding.host] ?? hosts.count
            if host == hosts.count {
                hosts.append(.init(name: finding.host, kinds: []))
                found.append([:])
                hostPlaces[finding.host] = host
            }
            if let other = found[host][check], other.state <= finding.verdict.state { continue }
            found[host][check] = finding.verdict
        }
        var byHost = Array(repeating: Severity(), count: hosts.count)
        var byCheck = Array(repeating: Severity(), count: checks.count)
        var byGroup: [Int: Severity] = [:]
        var tally: [Int: [Int]] = [:]
        for (host, verdicts) in found.enumerated() {
            for (check, verdict) in verdicts {
                byHost[host].add(verdict.state)
                byCheck[check].add(verdict.state)
                byGroup[checks[check].group, default: Severity()].add(verdict.state)
                tally[checks[check].group, default: ValidationState.allCases.map { _ in 0 }][verdict.state.rank] += 1
            }
        }
        let rows = hosts.indices.filter { hostPlaces[hosts[$0].name] == $0 }
            .sorted { byHost[$0] == byHost[$1] ? $0 < $1 : byHost[$0] < byHost[$1] }
        let columns = checks.indices.filter { checkPlaces[checks[$0].id] == $0 }
        let numbers = Set(columns.map { checks[$0].group }).sorted {
            let (left, right) = (byGroup[$0] ?? Severity(), byGroup[$1] ?? Severity())
            return left == right ? $0 < $1 : left < right
        }
        let order = numbers.map { number in
            columns.filter { checks[$0].group == number }
                .sorted { byCheck[$0] == byCheck[$1] ? $0 < $1 : byCheck[$0] < byCheck[$1] }
        }
        self.tally = tally
        self.hosts = rows.map { hosts[$0] }
        groups = zip(numbers, order).map { number, places in
            Group(number: number, title: ValidationGroup.title(number), checks: places.map { checks[$0] })
        }
        cells = rows.map { row in order.joined().map { found[row][$0] } }
    }

    /// How many cells ended so, in a group or in all.
    func count(_ state: ValidationState, group: Int? = nil) -> Int {
        if let group { return tally[group]?[state.rank] ?? 0 }
        return tally.values.reduce(0) { $0 + $1[state.rank] }
    }

    /// Whether there is anything to look at in a row.
    func isTroubled(_ row: Int) -> Bool { cells[row].contains { $0?.state.isTrouble == true } }
}

/// How much of each trouble there is; the worse comes first.
private struct Severity: Comparable {
    private var failed = 0
    private var unseen = 0
    private var warning = 0

    mutating func add(_ state: ValidationState) {
        switch state {
        case .failed: failed += 1
        case .unseen: unseen += 1
        case .warning: warning += 1
        default: break
        }
    }

    static func < (left: Severity, right: Severity) -> Bool {
        (left.failed, left.unseen, left.warning) > (right.failed, right.unseen, right.warning)
    }
}

extension ValidationState {
    /// Whether people should look at it: a failure or a warning.
    var isTrouble: Bool { self < .skipped }
}
