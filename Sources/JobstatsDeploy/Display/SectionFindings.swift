/// What a look at the hosts found, step by step: where it is in place, and where a run would change something.
///
/// Hosts for which the same was found are named together, so that a section of thousands of hosts fits a page.
enum SectionFindings {
    /// The findings in the order of the steps.
    ///
    /// - Parameter showsDifferences: whether the differences of files are shown in full.
    static func text(
        _ results: [StepResult], of plan: Plan, showsDifferences: Bool, columns: Int, style: Style
    ) -> String {
        let byStep = Dictionary(grouping: results, by: \.step)
        var text = ""
        var seen = Set<String>()
        for step in plan.sections.flatMap(\.steps) where seen.insert(step.id).inserted {
            for (finding, hosts) in groups(byStep[step.id] ?? []) {
                let names = Words.hosts(hosts.sorted().map(\.name))
                let label = finding.label
                let detail = hosts.count == 1 ? finding.detail?.replacing("HOST", with: hosts[0].name) : finding.detail
                let line = Words.wrap("\(step.title): \(label) on \(names)", columns, indent: "   ")
                text += line.replacing(label, with: finding.mark(style)(label), maxReplacements: 1) + "\n"
                if let detail { text += Words.wrap(detail, columns, indent: "      ") + "\n" }
                if let remedy = finding.remedy { text += Words.wrap("-> \(remedy)", columns, indent: "      ") + "\n" }
                if showsDifferences, let difference = finding.difference {
                    text += difference.split(separator: "\n").map { "      \(style.difference($0))\n" }.joined()
                }
            }
        }
        return text.isEmpty ? "   There is nothing to look at.\n" : text
    }

    private struct Finding: Hashable {
        let outcome: StepOutcome
        let detail: String?
        let remedy: String?
        let difference: String?

        init(_ result: StepResult) {
            outcome = result.outcome
            let isPlain = result.outcome == .inPlace && !result.isWarning
            // Hosts that differ in nothing but their names say the same.
            let general = result.detail.replacing(result.host.name, with: "HOST")
            detail = isPlain || general.isEmpty ? nil : general
            remedy = isPlain ? nil : result.remedy
            difference = result.difference
        }

        /// In a look, what cannot go on is a finding and no failure.
        var label: String { outcome == .failed ? "blocked" : outcome.rawValue }

        func mark(_ style: Style) -> (String) -> String {
            switch outcome {
            case .inPlace: style.good
            case .failed: style.bad
            default: style.warn
            }
        }
    }

    private static func groups(_ results: [StepResult]) -> [(Finding, [Host])] {
        var order: [Finding] = []
        var hosts: [Finding: [Host]] = [:]
        for result in results.sorted(by: { $0.host < $1.host }) {
            let finding = Finding(result)
            if hosts[finding] == nil { order.append(finding) }
            hosts[finding, default: []].append(result.host)
        }
        return order.map { ($0, hosts[$0] ?? []) }
    }
}
