import FoundationEssentials

/// A table that cmsh printed: rows of values under lower-case headings.
struct CmshTable: Sendable, Equatable {
    var rows: [[String: String]]

    /// Reads a JSON table, a table with `{}` between the values (what versions without JSON may make of the same
    /// command), or a padded text table. Nil for anything else.
    init?(_ output: String) {
        let text = output.trimmed
        if text.hasPrefix("[") || text.hasPrefix("{"), let rows = Self.json(text) {
            self.rows = rows
            return
        }
        let lines = output.split(whereSeparator: \.isNewline).map(String.init)
        if let rows = Self.padded(lines) ?? Self.delimited(lines) {
            self.rows = rows
            return
        }
        guard text.isEmpty else { return nil }
        rows = []
    }

    /// A heading without what cmsh adds to that of the key column, and in lower case.
    private static func heading(_ text: String) -> String {
        let text = text.trimmed.lowercased()
        return text.hasSuffix("(key)") ? String(text.dropLast(5)).trimmed : text
    }

    private static func row(_ pairs: some Sequence<(String, String)>) -> [String: String] {
        var row: [String: String] = [:]
        for (key, value) in pairs { row[heading(key)] = value.trimmed }
        return row
    }

    private static func json(_ text: String) -> [[String: String]]? {
        guard let values = try? JSONDecoder().decode([[String: JSONCell]].self, from: Data(text.utf8)) else {
            return nil
        }
        return values.map { object in row(object.map { ($0.key, $0.value.text) }) }
    }

    /// A header, a line of dashes that shows where each column begins, and rows.
    private static func padded(_ lines: [String]) -> [[String: String]]? {
        guard let rule = lines.indices.first(where: { isRule(lines[$0]) }), rule > 0 else { return nil }
        let dashes = Array(lines[rule])
        let starts = dashes.indices.filter { dashes[$0] == "-" && ($0 == 0 || dashes[$0 - 1] != "-") }
        func cells(_ line: String) -> [String] {
            let characters = Array(line)
            return starts.indices.map { column in
                let start = min(starts[column], characters.count)
                let end = column + 1 < starts.count ? min(starts[column + 1], characters.count) : characters.count
                return String(characters[start..<end]).trimmed
            }
        }
        let headings = cells(lines[rule - 1])
        return lines[(rule + 1)...].filter { !$0.trimmed.isEmpty }.map { row(zip(headings, cells($0))) }
    }

    private static func isRule(_ line: String) -> Bool {
        line.trimmed.contains("-") && line.allSatisfy { $0 == "-" || $0 == " " }
    }

    private static func delimited(_ lines: [String]) -> [[String: String]]? {
        guard let header = lines.first, header.contains("{}") else { return nil }
        let headings = header.pieces(between: "{}")
        return lines.dropFirst().map { row(zip(headings, $0.pieces(between: "{}"))) }
    }
}

/// A value in a JSON table; everything becomes text.
private enum JSONCell: Decodable {
    case text(String)
    case list([JSONCell])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let truth = try? container.decode(Bool.self) {
            self = .text(truth ? "yes" : "no")
        } else if let number = try? container.decode(Int.self) {
            self = .text("\(number)")
        } else if let number = try? container.decode(Double.self) {
            self = .text("\(number)")
        } else if container.decodeNil() {
            self = .text("")
        } else {
            self = .list(try container.decode([JSONCell].self))
        }
    }

    var text: String {
        switch self {
        case .text(let text): text
        case .list(let cells): cells.map(\.text).joined(separator: ",")
        }
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
