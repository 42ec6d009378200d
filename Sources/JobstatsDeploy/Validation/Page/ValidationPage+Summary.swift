extension ValidationPage {
    /// What is on top: the result, what to do first, and the counts.
    var summary: String {
        """
        <header>
        <h1>Validation of jobstats on \(HTML.text(report.cluster))</h1>
        <p class="result">\(result)</p>
        <p class="run">\(run)</p>
        \(report.notices.map { "<p class=\"notice\">\(HTML.text($0))</p>\n" }.joined())\
        </header>
        <main>
        <div class="top">
        <section aria-labelledby="first-title">
        <h2 id="first-title">What to do first</h2>
        \(problemList)
        </section>
        <section aria-labelledby="counts-title">
        <h2 id="counts-title">Groups</h2>
        \(counts)
        </section>
        </div>
        """
    }

    private var result: String {
        guard !matrix.cells.joined().allSatisfy({ $0 == nil }) else {
            return "\(HTML.mark(.unseen)) Nothing was looked at. That says nothing about the cluster."
        }
        let troubled = matrix.hosts.indices.filter { matrix.isTroubled($0) }.count
        let parts = ValidationState.allCases.prefix(3).compactMap { state -> String? in
            let count = matrix.count(state)
            guard count > 0 else { return nil }
            let words = state == .warning ? (count == 1 ? "warning" : "warnings") : state.words
            return "\(HTML.mark(state)) <strong>\(count)</strong> \(words)"
        }
        guard !parts.isEmpty else {
            return "\(HTML.mark(.passed)) Nothing failed, no warning: \(Words.count(matrix.count(.passed), "check")) "
                + "passed on \(Words.count(matrix.hosts.count, "host"))."
        }
        return parts.joined(separator: ", ") + ", on \(troubled) of \(Words.count(matrix.hosts.count, "host"))"
    }

    private var run: String {
        let version = report.version.isEmpty ? "" : ", version \(HTML.text(report.version))"
        return "<time datetime=\"\(HTML.text(report.beganText))\">\(HTML.text(report.beganText))</time>, took "
            + "\(Words.time(report.duration)): \(Words.count(matrix.hosts.count, "host")), "
            + "\(Words.count(matrix.checks.count, "check"))\(version)"
    }

    private var problemList: String {
        guard !problems.isEmpty else { return "<p>There is nothing to do.</p>" }
        return "<ol class=\"problems\" tabindex=\"0\" aria-labelledby=\"first-title\">\n"
            + problems.map { item($0) }.joined() + "</ol>"
    }

    private func item(_ problem: ValidationProblem) -> String {
        let title =
            problem.checks.count == 1
            ? problem.checks[0].title : "\(problem.checks.count) checks"
        let group = problem.group.map { "\($0). \(ValidationGroup.title($0))" } ?? "several groups"
        let count = problem.hosts.count > 1 ? " (\(problem.hosts.count) hosts)" : ""
        var text = "<li class=\"\(problem.state.pageClass)\"><h3>\(HTML.mark(problem.state)) "
        text += "<span class=\"state\">\(problem.state.words):</span> \(HTML.text(title)) "
        text += "<small>\(HTML.text(group))</small></h3>\n"
        text += "<p class=\"where\">on \(hosts(problem.hosts))\(count)</p>\n<dl>"
        if problem.checks.count > 1 {
            text += "<dt>Checks</dt><dd>\(HTML.text(problem.checks.map(\.title).joined(separator: "; ")))</dd>"
        }
        if problem.sights.count == 1 {
            text += "<dt>Seen</dt><dd>\(HTML.text(problem.sights[0].seen))</dd>"
        } else {
            let lines = problem.sights.map {
                "<li>\(hosts($0.hosts)): \(HTML.text($0.seen))</li>"
            }
            text += "<dt>Seen</dt><dd><ul class=\"sights\">\(lines.joined())</ul></dd>"
        }
        if problem.checks.count == 1, !problem.checks[0].expected.isEmpty {
            text += "<dt>Expected</dt><dd>\(HTML.text(problem.checks[0].expected))</dd>"
        }
        if let advice = problem.advice { text += "<dt>Do</dt><dd class=\"advice\">\(HTML.text(advice))</dd>" }
        if problem.checks.count == 1 {
            let commands = problem.checks[0].byHand.map { "<code>\(HTML.text($0))</code>" }.joined(separator: "<br>")
            if !commands.isEmpty { text += "<dt>By hand</dt><dd>\(commands)</dd>" }
        }
        return text + "</dl></li>\n"
    }

    /// Ranges of hosts, which may be broken after commas.
    private func hosts(_ names: [String]) -> String {
        let text = HTML.text(Words.hosts(names)).replacing(",", with: ",<wbr>")
        return "<span class=\"hosts\">\(text)</span>"
    }

    private var counts: String {
        var text = "<table class=\"counts\"><thead><tr><th scope=\"col\">Group</th>"
        for state in ValidationState.allCases {
            text += "<th scope=\"col\">\(HTML.mark(state)) \(state.words)</th>"
        }
        text += "</tr></thead>\n<tbody>\n"
        let numbers = Set(ValidationGroup.all.map(\.number) + matrix.groups.map(\.number)).sorted()
        for number in numbers {
            text += "<tr>" + row("\(number). \(ValidationGroup.title(number))", number) + "</tr>\n"
        }
        return text + "</tbody><tfoot><tr>\(row("All", nil))</tr></tfoot></table>"
    }

    private func row(_ title: String, _ group: Int?) -> String {
        "<th scope=\"row\">\(HTML.text(title))</th>"
            + ValidationState.allCases.map { state in
                let count = matrix.count(state, group: group)
                return count == 0 ? "<td>0</td>" : "<td class=\"\(state.pageClass)\">\(count)</td>"
            }.joined()
    }
}
