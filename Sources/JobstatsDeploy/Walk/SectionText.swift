import CommandExecution

/// What is said of the sections of one number on a walk.
enum SectionText {
    /// What it is about, and its steps by host.
    static func introduction(_ sections: [PlanSection], state: Walk.Stage.State, columns: Int, style: Style) -> String {
        var text = PlanOutline.text(Plan(sections: sections), columns: columns, style: style)
        if sections.allSatisfy(\.steps.isEmpty) { text += "   Nothing is done on any host here.\n" }
        let consents = Set(sections.flatMap(\.steps).compactMap(\.consent)).sorted()
        if !consents.isEmpty {
            let names = consents.joined(separator: ", ")
            text += Words.wrap("Asked on its own if it is needed, since it disturbs: \(names)", columns, indent: "   ")
            text += "\n"
        }
        switch state {
        case .open: break
        case .before: text += "   This section was done by the run that is resumed; run looks again.\n"
        case .done: text += "   This section is done; run looks again.\n"
        case .skipped: text += "   This section was skipped.\n"
        case .failed: text += "   This section failed before.\n"
        case .withheld: text += "   This section is done but for what needs consent.\n"
        case .partial: text += "   This section is done but for hosts on which something failed before.\n"
        }
        return text
    }

    /// The commands and files by which a person would do the same, by host.
    static func commands(_ sections: [PlanSection], columns: Int, style: Style) -> String {
        var text = ""
        for section in sections {
            for step in section.steps {
                text += "\n" + style.bold(Words.cut("\(step.title) (\(step.id))", columns)) + "\n"
                if let consent = step.consent { text += "   only with consent: \(consent)\n" }
                for group in StepGroup.groups(of: step) { text += self.text(of: group, columns) }
            }
            if !section.notes.isEmpty { text += "\n" + indented(section.notes) }
        }
        return text.isEmpty ? "   There is nothing to do.\n" : text
    }

    private static func text(of group: StepGroup, _ columns: Int) -> String {
        let names = Words.hosts(group.hosts.map(\.name))
        var text = Words.wrap("on \(names): \(ForeignText.printable(group.summary))", columns, indent: "   ") + "\n"
        if group.usesPlaceholder { text += "   \(StepGroup.placeholder) stands for each host's own name\n" }
        for file in group.instructions.files {
            text += "   file \(file.path):\n" + indented(file.text, "   | ")
        }
        for command in group.instructions.commands { text += indented(command, "   $ ") }
        if !group.instructions.verification.isEmpty {
            text += "   to verify:\n"
            for command in group.instructions.verification { text += indented(command, "   $ ") }
        }
        return text
    }

    private static func indented(_ text: String, _ indent: String = "   ") -> String {
        var lines = ForeignText.printable(text).split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        return lines.map { "\(indent)\($0)\n" }.joined()
    }

    /// What failed, in full.
    static func output(_ results: [StepResult], columns: Int, style: Style) -> String {
        let failed = results.filter { $0.outcome == .failed }
        guard !failed.isEmpty else { return "   No step failed.\n" }
        var text = ""
        for result in failed.sorted(by: { ($0.host, $0.step) < ($1.host, $1.step) }) {
            text += "\n" + style.bad(Words.cut("\(result.host): \(result.title) (\(result.step))", columns)) + "\n"
            text += Words.wrap(result.detail, columns, indent: "   ") + "\n"
            if let remedy = result.remedy { text += Words.wrap("-> \(remedy)", columns, indent: "   ") + "\n" }
        }
        return text
    }
}
