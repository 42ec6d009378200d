/// A table as `cmsh` prints it: padded columns, values with a delimiter between, or JSON.
struct CmshTable {
    var columns: [String]
    var rows: [[String]]

    /// The padded form: a header, a line of dashes, the rows.
    var padded: String {
        let widths = columns.indices.map { column in
            ([columns[column]] + rows.map { $0[column] }).map(\.count).max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " ") + "\n"
        }
        return line(columns) + line(widths.map { String(repeating: "-", count: $0) }) + rows.map(line).joined()
    }

    func text(delimiter: String?, switches: Switches) throws(CmshError) -> String {
        guard let delimiter else { return padded }
        guard delimiter == "{}" else {
            return ([columns] + rows).map { $0.joined(separator: delimiter) + "\n" }.joined()
        }
        switch switches.jsonTables {
        case .off: return padded
        case .error: throw CmshError("invalid delimiter: {}")
        case .on:
            let objects = rows.map { row in
                JSONText.object(zip(columns, row).map { JSONText.Member($0, .string($1)) })
            }
            return JSONText.array(objects).text(indent: 2) + "\n"
        }
    }
}
