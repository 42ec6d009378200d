/// A plan on one page of a terminal: sections, steps, hosts.
package enum PlanOutline {
    /// The outline.
    package static func text(_ plan: Plan, columns: Int, style: Style) -> String {
        var text = ""
        for section in plan.sections {
            let title = Words.wrap("\(section.number). \(section.title)", columns)
            text += "\n" + title.split(separator: "\n").map { style.bold(String($0)) }.joined(separator: "\n") + "\n"
            text += Words.wrap(section.purpose, columns, indent: "   ") + "\n"
            if let link = section.link { text += "   \(link)\n" }
            var groups: [(hosts: [Host], titles: [String])] = []
            for step in section.steps {
                if let index = groups.firstIndex(where: { $0.hosts == step.hosts }) {
                    groups[index].titles.append(step.title)
                } else {
                    groups.append((step.hosts, [step.title]))
                }
            }
            for group in groups {
                // Names that do not fold would fill the screen; the document has them all.
                let names = Words.cut(Words.hosts(group.hosts.map(\.name)), 3 * columns)
                let count = group.hosts.count > 1 ? " (\(Words.count(group.hosts.count, "host")))" : ""
                text += Words.wrap("on \(names)\(count):", columns, indent: "   ") + "\n"
                for title in group.titles { text += "     - \(Words.cut(title, columns - 7))\n" }
            }
        }
        return text
    }
}
