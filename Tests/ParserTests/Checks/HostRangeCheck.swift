@testable import BCMClient
@testable import JobstatsDeploy

/// Host names that are written as ranges are read back as the same names, and no notation stands for more than was allowed.
enum HostRangeCheck {
    private static let limit = 500

    static func check(_ bytes: [UInt8]) throws -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        // The text as names.
        try comesBack(text.split { $0.isWhitespace || $0 == "," }.prefix(limit).map(String.init))
        if let range = try? NodeRange(text) {
            try promise(range.names.count <= NodeRange.limit, "\(range.names.count) names")
            if range.names.count <= limit {
                try promise((try? NodeRange(names: range.names))?.names == range.names, "names that are no names")
            }
        }
        // The text as a notation.
        let names: [String]
        do throws(HostRange.Problem) {
            names = try HostRange.expand(text, limit: limit)
        } catch {
            try promise(!error.message.isEmpty, "refused without a reason")
            return false
        }
        try promise(names.count <= limit, "\(names.count) names")
        try comesBack(names)
        return true
    }

    /// Each name of a list once, as ranges and back.
    private static func comesBack(_ names: [String]) throws {
        let names = Set(names.filter { ValueRules.host($0) == nil })
        guard !names.isEmpty else { return }
        let text = HostRange.compress(Array(names))
        let again: [String]
        do throws(HostRange.Problem) {
            again = try HostRange.expand(text, limit: limit + 1)
        } catch {
            throw BrokenPromise(description: "\(names.sorted()) become \(text), which \(error.message)")
        }
        try promise(
            Set(again) == names && again.count == names.count, "\(names.sorted()) become \(text), then \(again)")
    }
}
