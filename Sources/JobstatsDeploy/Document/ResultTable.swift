import CommandExecution

/// The end of a run: hosts by what came of them, what failed, and what to do next.
public struct ResultTable: Sendable {
    /// What came of the run.
    public let report: RunReport

    /// Describes a run.
    public init(report: RunReport) { self.report = report }

    /// Hosts with their counts of outcomes, those of the same result together.
    private var rows: [(hosts: [Host], counts: [StepOutcome: Int], warnings: Int)] {
        struct Row: Hashable {
            var counts: [StepOutcome: Int] = [:]
            var warnings = 0
        }
        var byHost: [Host: Row] = [:]
        for result in report.results {
            byHost[result.host, default: Row()].counts[result.outcome, default: 0] += 1
            if result.isWarning { byHost[result.host, default: Row()].warnings += 1 }
        }
        return Dictionary(grouping: byHost.keys) { byHost[$0] ?? Row() }
            .map { (hosts: $0.value.sorted(), counts: $0.key.counts, warnings: $0.key.warnings) }
            .sorted { $0.hosts[0] < $1.hosts[0] }
    }

    private static let outcomes: [StepOutcome] = [
        .inPlace, .changed, .wouldChange, .needsConsent, .failed, .notBegun,
    ]

    /// The hosts that are not as wanted.
    public var unfinishedHosts: [Host] {
        Set(report.results.filter { !$0.outcome.isGood && $0.outcome != .wouldChange }.map(\.host)).sorted()
    }

    /// Markdown, with a heading.
    var markdown: String {
        var text = "## Result\n\n"
        if report.wasInterrupted { text += "**Interrupted.** What was reached is saved.\n\n" }
        if let reason = report.stopReason { text += "**Stopped:** \(Markdown.escape(reason))\n\n" }
        let shown = Self.outcomes.filter { report.count($0) > 0 }
        text += "| hosts | \(shown.map(\.rawValue).joined(separator: " | ")) | warnings |\n"
        text += "| --- |" + String(repeating: " ---: |", count: shown.count + 1) + "\n"
        for row in rows {
            let counts = shown.map { String(row.counts[$0] ?? 0) }.joined(separator: " | ")
            let names = Markdown.code(HostRange.compress(row.hosts.map(\.name)))
            text += "| \(names) | \(counts) | \(row.warnings) |\n"
        }
        text += "\n\(report.results.count) steps on \(Set(report.results.map(\.host)).count) hosts in "
        text += "\(DeploymentDocument.seconds(report.duration)) s, over \(report.connections) connections.\n"
        return text + problems
    }

    private var problems: String {
        var text = ""
        for problem in report.problems { text += "\n**\(Markdown.escape(problem))**\n" }
        let bad = report.results.filter { $0.outcome == .failed || $0.outcome == .needsConsent }
            .sorted { ($0.section, $0.host) < ($1.section, $1.host) }
        guard !bad.isEmpty else { return text }
        text += "\nNot as wanted:\n\n"
        for group in Self.equal(bad) {
            let names = HostRange.compress(group.map(\.host.name)), result = group[0]
            text += "* \(Markdown.code(names)), \(Markdown.escape(result.title)) (\(result.step)): "
            text += "**\(result.outcome)**: \(Markdown.escape(result.detail))\n"
            if let remedy = result.remedy { text += "  What to do: \(Markdown.escape(remedy))\n" }
        }
        let hosts = Words.hosts(unfinishedHosts.map(\.name)).split(separator: ", ").map(String.init)
        text += "\nThen: \(Markdown.code("guided-setup --resume --limit " + ShellQuoting.quote(hosts)))\n"
        return text
    }

    /// What went wrong in the same way on several hosts, together; a host's own name makes no difference.
    private static func equal(_ results: [StepResult]) -> [[StepResult]] {
        var groups: [[StepResult]] = []
        var places: [[String]: Int] = [:]
        for result in results {
            let name = result.host.name
            let key = [result.step, result.outcome.rawValue, result.detail, result.remedy ?? ""].map {
                $0.replacing(name, with: StepGroup.placeholder)
            }
            if let place = places[key] {
                groups[place].append(result)
            } else {
                places[key] = groups.count
                groups.append([result])
            }
        }
        return groups
    }
}
