/// A table that cmsh printed: rows of values under headings.
///
/// Headings are in lower case, without the `(key)` that cmsh adds to one of them. Values are texts without padding: truth values of JSON
/// are `yes` and `no`, null is empty, and elements of lists stand with commas between.
public struct CmshTable: Sendable, Hashable {
    /// The headings in their order; empty when cmsh printed no row from which they could be known.
    public var headings: [String]
    /// The rows: values by heading.
    public var rows: [[String: String]]

    /// Reads a JSON table, a table with `{}` between the values (what versions without JSON may make of the same
    /// command), or a padded text table. Nil for anything else.
    public init?(_ output: String) {
        let text = output.trimmed
        let lines = output.split(whereSeparator: \.isNewline).map(String.init)
        if text.hasPrefix("[") || text.hasPrefix("{"), let table = Self.json(text) {
            self = table
        } else if let table = Self.padded(lines) ?? Self.delimited(lines) {
            self = table
        } else {
            guard text.isEmpty else { return nil }
            (headings, rows) = ([], [])
        }
    }

    private init(headings: [String], cells: some Sequence<[String]>) {
        self.headings = headings.map(Self.heading)
        rows = cells.map { [headings = self.headings] in Self.row(zip(headings, $0)) }
    }

    /// A heading without what cmsh adds to that of the key column, and in lower case.
    private static func heading(_ text: String) -> String {
        let text = text.trimmed.lowercased()
        return text.hasSuffix("(key)") ? String(text.dropLast(5)).trimmed : text
    }

    /// A row of values under headings as ``heading(_:)`` gives them.
    private static func row(_ pairs: some Sequence<(String, String)>) -> [String: String] {
        var row: [String: String] = [:]
        for (heading, value) in pairs { row[heading] = value.trimmed }
        return row
    }

    private static func json(_ text: String) -> CmshTable? {
        guard let elements = (try? JSONValue(parsing: text))?.elements else { return nil }
        var table = CmshTable(headings: [], cells: [])
        var known: Set<String> = []
        for element in elements {
            guard let members = element.object?.members else { return nil }
            let values = members.map { (heading($0.name), cell($0.value)) }
            for (name, _) in values where known.insert(name).inserted { table.headings.append(name) }
            table.rows.append(row(values))
        }
        return table
    }

    /// A value of a JSON table as text.
    private static func cell(_ value: JSONValue) -> String {
        switch value {
        case .text(let text): text
        case .boolean(let truth): truth ? "yes" : "no"
        case .number(let number): number.text
        case .null: ""
        case .array(let elements): elements.map(cell).joined(separator: ",")
        case .object: value.text()
        }
    }

    /// How many columns a padded table may have; no command of cmsh shows a tenth of it.
    private static let columnLimit = 256

    /// A header, a line of dashes that shows where each column begins, and rows.
    private static func padded(_ lines: [String]) -> CmshTable? {
        guard let rule = lines.indices.first(where: { isRule(lines[$0]) }), rule > 0 else { return nil }
        let dashes = Array(lines[rule])
        let starts = dashes.indices.filter { dashes[$0] == "-" && ($0 == 0 || dashes[$0 - 1] != "-") }
        // Each row has a value for each column, so that a rule of many dashes would make much of little text.
        guard starts.count <= columnLimit else { return nil }
        func cells(_ line: String) -> [String] {
            let characters = Array(line)
            return starts.indices.map { column in
                let start = min(starts[column], characters.count)
                let end = column + 1 < starts.count ? min(starts[column + 1], characters.count) : characters.count
                return String(characters[start..<end]).trimmed
            }
        }
        return CmshTable(
            headings: cells(lines[rule - 1]), cells: lines[(rule + 1)...].filter { !$0.trimmed.isEmpty }.map(cells))
    }

    private static func isRule(_ line: String) -> Bool {
        line.trimmed.contains("-") && line.allSatisfy { $0 == "-" || $0 == " " }
    }

    private static func delimited(_ lines: [String]) -> CmshTable? {
        guard let header = lines.first, header.contains("{}") else { return nil }
        return CmshTable(
            headings: header.pieces(between: "{}"), cells: lines.dropFirst().map { $0.pieces(between: "{}") })
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }

    /// The pieces between occurrences of a separator.
    func pieces(between separator: String) -> [String] {
        var pieces: [String] = []
        var piece = ""
        var rest = self[...]
        while let first = rest.first {
            if rest.hasPrefix(separator) {
                pieces.append(piece)
                piece = ""
                rest = rest.dropFirst(separator.count)
            } else {
                piece.append(first)
                rest = rest.dropFirst()
            }
        }
        return pieces + [piece]
    }
}
