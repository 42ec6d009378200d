/// Names of nodes in BCM's notation: `node001`, `node001..node004`, or several of these with commas between.
public struct NodeRange: Sendable, Hashable, CustomStringConvertible {
    /// The most names that a range may stand for.
    public static let limit = 100_000

    /// The most characters of a host name (RFC 1123, 2.1).
    private static let nameLimit = 255

    /// The notation.
    public let description: String
    /// The names it stands for, in its order.
    public let names: [String]

    /// Reads the notation.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration`` for names that are none, ends that do not fit
    ///   together, and more than ``limit`` names.
    public init(_ text: String) throws(BCMError) {
        func refuse(_ reason: String) -> BCMError {
            BCMError(
                .invalidConfiguration, reason: "\(quoted(text)) names no nodes: \(reason)",
                remedy: "write node001, node001..node004, or several of these with commas between")
        }
        var names: [String] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = String(part).pieces(between: "..")
            guard ends.count <= 2 else { throw refuse("a range has two ends") }
            // Before a hundred thousand names are made of it.
            guard ends.allSatisfy({ $0.utf8.count <= Self.nameLimit }) else {
                throw refuse("a name of more than \(Self.nameLimit) characters")
            }
            for end in ends {
                let isName =
                    !end.isEmpty && !end.hasPrefix("-")
                    && end.utf8.allSatisfy { byte in
                        switch byte {
                        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
                        default: false
                        }
                    }
                guard isName else { throw refuse("\(quoted(end)) is no name of a node") }
            }
            if ends.count == 1 {
                names.append(ends[0])
            } else {
                guard let range = Self.expand(ends[0], ends[1]) else { throw refuse("its ends do not fit together") }
                names += range
            }
            guard names.count <= Self.limit else { throw refuse("these are more than \(Self.limit)") }
        }
        description = text
        self.names = names
    }

    /// These names.
    public init(names: [String]) throws(BCMError) { try self.init(names.joined(separator: ",")) }

    /// Whether it is one name or one range.
    var isSingle: Bool { !description.contains(",") }

    private static func expand(_ first: String, _ last: String) -> [String]? {
        func parts(_ name: String) -> (prefix: Substring, digits: Substring, number: Int)? {
            let digits = name.utf8.reversed().prefix { (0x30...0x39).contains($0) }.count
            guard digits > 0, let number = Int(name.suffix(digits)) else { return nil }
            return (name.dropLast(digits), name.suffix(digits), number)
        }
        guard let first = parts(first), let last = parts(last), first.prefix == last.prefix,
            first.number <= last.number, last.number - first.number < limit
        else { return nil }
        return (first.number...last.number).map { number in
            let digits = "\(number)"
            return first.prefix + String(repeating: "0", count: max(0, first.digits.count - digits.count)) + digits
        }
    }
}
