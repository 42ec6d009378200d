@testable import BCMClient

/// A table has each heading once and no other values than those under its headings.
enum CmshTableCheck {
    static func check(_ bytes: [UInt8]) throws -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        try promise(
            haveSameBytes(text.pieces(between: "{}").joined(separator: "{}"), text), "pieces that are not the whole")
        let list = Cmsh.list(text)
        try promise(
            list.allSatisfy { !$0.isEmpty && $0 == $0.trimmed }, "a list with an element that is padded or empty")
        let state = NodeState(text)
        _ = (state.isUp, state.description, CmshTransaction.isSame(text, "yes"))
        guard let table = CmshTable(text) else { return false }
        let headings = Set(table.headings)
        for row in table.rows {
            for (name, value) in row {
                try promise(headings.contains(name), "a value under \(name.debugDescription), which is no heading")
                try promise(value == value.trimmed, "a value with padding: \(value.debugDescription)")
            }
        }
        return true
    }
}
