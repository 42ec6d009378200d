import CommandExecution

extension ValidationReport {
    /// The report for a terminal or a pipe: problems by groups with the worst first, then how many checks ended how.
    ///
    /// Equal problems of several hosts are told once. Lines fit the columns, but for words that are longer.
    ///
    /// - Parameter isVerbose: whether every check is told with its hosts, also those that passed.
    package func text(columns: Int, style: Style, isVerbose: Bool) -> String {
        let matrix = ValidationMatrix(self)
        let writer = ReportText(report: self, matrix: matrix, columns: max(40, columns), style: style)
        var text = isVerbose ? writer.everything() : writer.problems()
        for notice in notices { text += "\n" + writer.wrap(notice, "") }
        return text + "\n" + writer.table() + writer.closing()
    }
}

private struct ReportText {
    let report: ValidationReport
    let matrix: ValidationMatrix
    let columns: Int
    let style: Style

    func wrap(_ text: String, _ indent: String) -> String {
        Words.wrap(ForeignText.printable(text), columns, indent: indent) + "\n"
    }

    private func heading(_ group: Int) -> String {
        let title = ValidationGroup.title(group)
        return "\n" + style.bold(title.isEmpty ? "Group \(group)" : "\(group). \(title)") + "\n"
    }

    private func mark(_ state: ValidationState, _ text: String) -> String {
        switch state {
        case .failed, .unseen: style.bad(text)
        case .warning: style.warn(text)
        case .passed: style.good(text)
        default: text
        }
    }

    // MARK: Problems

    func problems() -> String {
        let all = ValidationProblem.all(of: report)
        let shared = all.filter { $0.group == nil }
        var text = ""
        if !shared.isEmpty {
            text += "\n" + style.bold("Several groups") + "\n" + shared.map { self.text($0) }.joined()
        }
        // The order of groups is that of their worst; within one the problems are in order already.
        for group in matrix.groups {
            let own = all.filter { $0.group == group.number }
            if !own.isEmpty { text += heading(group.number) + own.map { self.text($0) }.joined() }
        }
        return text
    }

    private func text(_ problem: ValidationProblem) -> String {
        let title =
            problem.checks.count == 1
            ? problem.checks[0].title
            : "\(Words.count(problem.checks.count, "check")) (\(problem.checks.map(\.title).joined(separator: "; ")))"
        let count = problem.hosts.count > 2 ? " (\(Words.count(problem.hosts.count, "host")))" : ""
        var text = line(problem.state, "\(title): \(Words.hosts(problem.hosts))\(count)")
        if problem.sights.count == 1 {
            text += labelled("seen", problem.sights[0].seen)
        } else {
            for sight in problem.sights.prefix(5) {
                text += labelled("seen", "\(Words.hosts(sight.hosts)): \(sight.seen)")
            }
            if problem.sights.count > 5 {
                let left = problem.sights.dropFirst(5).reduce(0) { $0 + $1.hosts.count }
                text += labelled("seen", "the like on \(Words.count(left, "further host")) (--verbose shows them)")
            }
        }
        if problem.checks.count == 1, !problem.checks[0].expected.isEmpty {
            text += labelled("expected", problem.checks[0].expected)
        }
        if let advice = problem.advice { text += wrap("-> \(advice)", "      ") }
        return text
    }

    /// A line that begins with the state; the word is coloured after the line is broken, since a terminal shows nothing
    /// of the codes.
    private func line(_ state: ValidationState, _ text: String, _ indent: String = "   ") -> String {
        let whole = wrap("\(state.words): \(text)", indent)
        let place = whole.index(whole.startIndex, offsetBy: indent.count)
        let end = whole.index(place, offsetBy: state.words.count, limitedBy: whole.endIndex) ?? whole.endIndex
        // In a narrow terminal the words may stand on two lines.
        guard whole[place..<end] == state.words else { return whole }
        return whole[..<place] + mark(state, state.words) + whole[end...]
    }

    private func labelled(_ label: String, _ text: String) -> String { wrap("\(label): \(text)", "      ") }

    // MARK: Everything

    func everything() -> String {
        var text = ""
        var column = 0
        for group in matrix.groups {
            text += heading(group.number)
            for check in group.checks {
                text += wrap(check.title, "   ")
                text += self.verdicts(of: check, column)
                column += 1
            }
        }
        return text
    }

    private func verdicts(of check: ValidationReport.Check, _ column: Int) -> String {
        var order: [ValidationVerdict] = []
        var hosts: [ValidationVerdict: [String]] = [:]
        for (row, host) in matrix.hosts.enumerated() {
            guard let verdict = matrix.cells[row][column] else { continue }
            var general = verdict
            general.seen = ValidationProblem.general(verdict.seen, host.name)
            general.advice = verdict.advice.map { ValidationProblem.general($0, host.name) }
            if hosts[general] == nil { order.append(general) }
            hosts[general, default: []].append(host.name)
        }
        var text = ""
        for verdict in order.sorted(by: { $0.state < $1.state }) {
            let names = hosts[verdict] ?? []
            func named(_ text: String) -> String {
                names.count == 1 ? text.replacing(StepGroup.placeholder, with: names[0]) : text
            }
            let seen = verdict.seen.isEmpty ? "" : ": \(named(verdict.seen))"
            text += line(verdict.state, "\(Words.hosts(report.inOrder(names)))\(seen)", "      ")
            guard verdict.state.isTrouble else { continue }
            if !check.expected.isEmpty { text += wrap("expected: \(check.expected)", "         ") }
            if let advice = verdict.advice { text += wrap("-> \(named(advice))", "         ") }
        }
        return text
    }

    // MARK: Counts

    func table() -> String {
        let states = ValidationState.allCases
        let heads = ["failed", "unseen", "warning", "skipped", "passed"]
        let width = min(36, columns - 9 * states.count)
        var text = ""
        if width >= 12 {
            text += Words.fit("", width) + heads.map { "  " + right($0, 7) }.joined() + "\n"
            for number in Set(matrix.groups.map(\.number)).sorted() {
                text += Words.fit("\(number). \(ValidationGroup.title(number))", width)
                for state in states {
                    let count = matrix.count(state, group: number)
                    let cell = right(String(count), 7)
                    text += "  " + (count > 0 && state.isTrouble ? mark(state, cell) : cell)
                }
                text += "\n"
            }
        }
        return text
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    func closing() -> String {
        guard ValidationState.allCases.contains(where: { matrix.count($0) > 0 }) else {
            return wrap("Nothing was looked at. That says nothing about the cluster.", "")
        }
        let counts = ValidationState.allCases.compactMap { state -> String? in
            let count = matrix.count(state)
            guard count > 0 else { return nil }
            return state == .warning ? Words.count(count, "warning") : "\(count) \(state.words)"
        }
        let hosts = "\(Words.count(matrix.hosts.count, "host")), \(Words.count(matrix.checks.count, "check"))"
        return wrap("\(counts.joined(separator: ", ")); \(hosts), \(Words.time(report.duration))", "")
    }
}

extension ValidationReport {
    /// These hosts as the report orders them.
    fileprivate func inOrder(_ names: [String]) -> [String] {
        let wanted = Set(names)
        let known = hosts.map(\.name).filter { wanted.contains($0) }
        return known + names.filter { !known.contains($0) }
    }
}
