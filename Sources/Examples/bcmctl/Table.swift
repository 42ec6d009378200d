import Glibc

/// Where a table is printed.
struct Screen: Sendable {
    var width: Int?
    var hasColour: Bool

    /// The terminal's width, or 80 columns elsewhere. Colour on terminals alone, and never with NO_COLOR (no-color.org).
    init(_ options: OutputOptions) {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var size = winsize()
        let columns = isTerminal && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
        width = options.wide ? nil : columns >= 20 ? columns : 80
        func value(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        hasColour = isTerminal && value("NO_COLOR").isEmpty && !["", "dumb"].contains(value("TERM"))
    }
}

/// Rows under headings.
struct Table: Sendable {
    var headings: [String]
    var rows: [[String]]
    /// What is printed instead of a table.
    var document: String?

    init(_ headings: [String], _ rows: [[String]]) {
        self.headings = headings
        self.rows = rows
    }

    /// Names and values, without those that are unknown.
    init(values: [(String, String?)]) {
        self.init([], values.compactMap { name, value in value.map { [name, $0] } })
    }

    func text(_ screen: Screen) -> String {
        if let document { return document + "\n" }
        let clean = rows.map { $0.map(Self.clean) }
        let all = headings.isEmpty ? clean : [headings] + clean
        guard let count = all.first?.count else { return "" }
        var widths = (0..<count).map { column in all.map { $0[column].count }.max() ?? 0 }
        if let width = screen.width { Self.shrink(&widths, to: width) }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).map { cell, width in
                let text = cell.count > width ? cell.prefix(max(0, width - 1)) + "…" : cell[...]
                return text + String(repeating: " ", count: width - text.count)
            }.joined(separator: "  ")
            return String(padded.reversed().drop { $0 == " " }.reversed())
        }
        var lines = clean.map { cells in colour(line(cells), cells, screen) }
        if !headings.isEmpty {
            lines.insert(screen.hasColour ? "\u{1b}[1m\(line(headings))\u{1b}[0m" : line(headings), at: 0)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// A row about something that is down or failed stands out.
    private func colour(_ line: String, _ cells: [String], _ screen: Screen) -> String {
        let isBad = cells.contains { ["DOWN", "FAIL"].contains($0) }
        return screen.hasColour && isBad ? "\u{1b}[31m\(line)\u{1b}[0m" : line
    }

    /// Takes from the widest columns until all fit; a column keeps eight characters.
    private static func shrink(_ widths: inout [Int], to width: Int) {
        var excess = widths.reduce(2 * (widths.count - 1), +) - width
        while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
            widths[widest] -= 1
            excess -= 1
        }
    }

    /// Foreign text without what a terminal would act upon.
    private static func clean(_ text: String) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse: clean.append("?")
            default: clean.append(scalar)
            }
        }
        return String(clean)
    }
}
