/// What became of each section of a walk, in a few lines.
enum WalkSummary {
    /// The sections by what became of them.
    static func text(_ stages: [Walk.Stage], columns: Int, style: Style) -> String {
        var text = "\n\(style.bold("Sections"))\n"
        for state in [Walk.Stage.State.failed, .withheld, .partial, .done, .before, .skipped, .open] {
            let names = stages.filter { $0.state == state }.map { "\($0.number) \($0.title)" }
            guard !names.isEmpty else { continue }
            let lines = Words.wrap(names.joined(separator: ", "), columns - 19).split(separator: "\n")
            for (index, line) in lines.enumerated() {
                let label = Words.fit(index == 0 ? state.rawValue : "", 15)
                text += "   \(state == .failed ? style.bad(label) : label) \(line)\n"
            }
        }
        return text
    }
}
