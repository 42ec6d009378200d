/// What a run came to, in words: hosts by result, each failure with its cause, and what to do next.
package enum RunSummary {
    /// The summary.
    package static func text(_ report: RunReport, mode: PlanRunner.Mode, columns: Int, style: Style, rerun: String)
        -> String
    {
        var byHost: [Host: [StepResult]] = [:]
        for result in report.results { byHost[result.host, default: []].append(result) }
        var groups: [(label: String, hosts: [Host])] = []
        for (label, outcomes) in order(mode) {
            let hosts = byHost.filter { host, results in
                outcomes.contains { outcome in results.contains { $0.outcome == outcome } }
                    && !groups.contains { $0.hosts.contains(host) }
            }
            if !hosts.isEmpty { groups.append((label, hosts.keys.sorted())) }
        }
        let rest = byHost.keys.filter { host in !groups.contains { $0.hosts.contains(host) } }.sorted()
        if !rest.isEmpty { groups.append(("in place", rest)) }
        var text = "\n\(style.bold("Result"))\n"
        for (label, hosts) in groups {
            let names = Words.hosts(hosts.map(\.name))
            let shown = Words.wrap(names, columns - 24).split(separator: "\n")
            let mark = label.hasPrefix("failed") || label.hasPrefix("not begun") ? style.bad : { $0 }
            text += "   \(mark(Words.fit(label, 15))) \(Words.fit(String(hosts.count), 4)) \(shown.first ?? "")\n"
            for line in shown.dropFirst() { text += String(repeating: " ", count: 24) + line + "\n" }
        }
        text +=
            "   \(counts(report)), \(Words.time(report.duration)), \(Words.count(report.connections, "SSH connection"))\n"
        text += failures(report, columns, style)
        for problem in report.problems { text += Words.wrap("warning: \(problem)", columns) + "\n" }
        if let reason = report.stopReason { text += "\n" + Words.wrap("Stopped: \(reason).", columns) + "\n" }
        if report.wasInterrupted { text += "\nInterrupted. What was reached is saved.\n" }
        if report.exitStatus != 0 { text += "Next: \(rerun)\n" }
        return text
    }

    private static func order(_ mode: PlanRunner.Mode) -> [(String, [StepOutcome])] {
        [
            ("failed", [.failed]), ("not begun", [.notBegun]), ("needs consent", [.needsConsent]),
            mode == .check ? ("would change", [.wouldChange]) : ("changed", [.changed]),
        ]
    }

    private static func counts(_ report: RunReport) -> String {
        [.inPlace, .changed, .wouldChange, .failed, .needsConsent, .notBegun].compactMap { (outcome: StepOutcome) in
            let count = report.count(outcome)
            return count == 0 ? nil : "\(count) \(outcome)"
        }.joined(separator: ", ").prepending("steps: ")
    }

    /// Equal failures of several hosts are told once.
    private static func failures(_ report: RunReport, _ columns: Int, _ style: Style) -> String {
        struct Key: Hashable {
            let section: Int
            let title: String
            let detail: String
            let remedy: String?
        }
        var hosts: [Key: [Host]] = [:]
        for result in report.results where result.outcome == .failed || result.outcome == .needsConsent {
            let detail = result.detail.replacing(result.host.name, with: "HOST")
            hosts[Key(section: result.section, title: result.title, detail: detail, remedy: result.remedy), default: []]
                .append(result.host)
        }
        var text = ""
        let ordered = hosts.sorted {
            ($0.key.section, $0.key.title, $0.key.detail) < ($1.key.section, $1.key.title, $1.key.detail)
        }
        for (key, hosts) in ordered {
            let names = Words.hosts(hosts.sorted().map(\.name))
            let detail = hosts.count == 1 ? key.detail.replacing("HOST", with: hosts[0].name) : key.detail
            text += "\n" + Words.wrap("\(names): section \(key.section), \(key.title)", columns) + "\n"
            text += Words.wrap(detail, columns, indent: "   ") + "\n"
            if let remedy = key.remedy { text += Words.wrap("-> \(remedy)", columns, indent: "   ") + "\n" }
        }
        return text
    }
}

extension String {
    fileprivate func prepending(_ text: String) -> String { text + self }
}
