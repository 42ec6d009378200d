/// Reads JSON (RFC 8259) and says, for the first damage, on which line and column it stands and what was expected.
struct JSONParser {
    /// The first thing that is not JSON.
    struct Damage: Error {
        let message: String
        let location: ConfigurationIssue.Location
    }

    /// Objects and lists may stand this deep in one another; a configuration needs five levels.
    static let depthLimit = 32

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    /// Reads a whole document.
    static func parse(_ bytes: [UInt8]) throws(Damage) -> JSONNode {
        var parser = JSONParser(bytes)
        try parser.checkEncoding()
        parser.skipSpace()
        guard parser.current != nil else { throw parser.damage("the file is empty") }
        let node = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.current == nil else {
            throw parser.damage("more text after the end of the outermost value: \(parser.here)")
        }
        return node
    }

    private init(_ bytes: [UInt8]) {
        // A byte order mark carries no meaning in UTF-8, and some editors write it.
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private var location: ConfigurationIssue.Location {
        // Continuation bytes are no columns of their own.
        let column = bytes[lineStart..<min(position, bytes.count)].count { $0 & 0xC0 != 0x80 } + 1
        return .init(line: line, column: column)
    }

    private var here: String {
        guard current != nil else { return "the end of the file" }
        let rest = String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self)
        return "\(Quoted(String(rest.unicodeScalars.prefix(1))))"
    }

    private func damage(_ message: String) -> Damage { Damage(message: message, location: location) }

    private func checkEncoding() throws(Damage) {
        if String(validating: bytes, as: UTF8.self) != nil { return }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        throw Damage(message: "the file is not UTF-8 text", location: .init(line: bad + 1, column: 1))
    }

    private mutating func skipSpace() {
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\n"):
                position += 1
                line += 1
                lineStart = position
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(Damage) -> JSONNode {
        guard depth <= Self.depthLimit else { throw damage("more than \(Self.depthLimit) levels") }
        let start = location
        switch current {
        case UInt8(ascii: "{"): return JSONNode(.object(try members(depth: depth)), location: start)
        case UInt8(ascii: "["): return JSONNode(.array(try elements(depth: depth)), location: start)
        case UInt8(ascii: "\""): return JSONNode(.string(try string()), location: start)
        case UInt8(ascii: "t"):
            try word("true")
            return JSONNode(.bool(true), location: start)
        case UInt8(ascii: "f"):
            try word("false")
            return JSONNode(.bool(false), location: start)
        case UInt8(ascii: "n"):
            try word("null")
            return JSONNode(.null, location: start)
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte):
            return JSONNode(.number(try number()), location: start)
        case UInt8(ascii: "#"), UInt8(ascii: "/"): throw damage("JSON has no comments: remove this one")
        case UInt8(ascii: "'"): throw damage("JSON strings stand in double quotes, not in single ones")
        case nil: throw damage("the file ends where a value is expected: it seems to be cut off")
        default:
            if bytes[position...].starts(with: "True".utf8) || bytes[position...].starts(with: "False".utf8) {
                throw damage("write true or false in small letters")
            }
            throw damage("a value is expected here, not \(here)")
        }
    }

    private mutating func members(depth: Int) throws(Damage) -> [JSONNode.Member] {
        var members: [JSONNode.Member] = []
        position += 1
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return members
        }
        while true {
            guard current == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
            let start = location
            let name = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw unexpected("a colon after the key \(Quoted(name))") }
            position += 1
            skipSpace()
            members.append(.init(name: name, location: start, node: try value(depth: depth + 1)))
            skipSpace()
            if current == UInt8(ascii: "}") {
                position += 1
                return members
            }
            guard current == UInt8(ascii: ",") else {
                throw unexpected("a comma or } after the value of \(Quoted(name))")
            }
            try comma(before: UInt8(ascii: "}"))
        }
    }

    private mutating func elements(depth: Int) throws(Damage) -> [JSONNode] {
        var nodes: [JSONNode] = []
        position += 1
        skipSpace()
        if current == UInt8(ascii: "]") {
            position += 1
            return nodes
        }
        while true {
            nodes.append(try value(depth: depth + 1))
            skipSpace()
            if current == UInt8(ascii: "]") {
                position += 1
                return nodes
            }
            guard current == UInt8(ascii: ",") else { throw unexpected("a comma or ] after a list's element") }
            try comma(before: UInt8(ascii: "]"))
        }
    }

    private mutating func comma(before end: UInt8) throws(Damage) {
        let start = location
        position += 1
        skipSpace()
        if current == end {
            throw Damage(message: "a comma after the last entry is not allowed in JSON: remove it", location: start)
        }
    }

    private func unexpected(_ expected: String) -> Damage {
        switch current {
        case nil: damage("the file ends where \(expected) is expected: it seems to be cut off")
        case UInt8(ascii: "#"), UInt8(ascii: "/"): damage("JSON has no comments: remove this one")
        default: damage("\(expected) is expected here, not \(here)")
        }
    }

    private mutating func word(_ word: String) throws(Damage) {
        guard bytes[position...].starts(with: word.utf8) else {
            throw damage("a value is expected here, not \(here)")
        }
        position += word.utf8.count
    }

    private mutating func number() throws(Damage) -> String {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let whole = digits()
        guard whole > 0 else { throw damage("a digit is expected here, not \(here)") }
        let first = bytes[position - whole]
        guard whole == 1 || first != UInt8(ascii: "0") else {
            throw damage("a number has no leading zeros in JSON")
        }
        if current == UInt8(ascii: ".") {
            position += 1
            guard digits() > 0 else { throw damage("a digit is expected here, not \(here)") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw damage("a digit is expected here, not \(here)") }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, Self.isDigit(byte) { position += 1 }
        return position - start
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private mutating func string() throws(Damage) -> String {
        var text: [UInt8] = []
        let start = location
        position += 1
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20:
                throw damage(
                    byte == UInt8(ascii: "\n")
                        ? "the string that begins on this line has no closing quote"
                        : "a control character in a string: write it as an escape")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw Damage(message: "this string has no closing quote: the file seems to be cut off", location: start)
    }

    private mutating func escape() throws(Damage) -> [UInt8] {
        let start = location
        position += 1
        defer { position += 1 }
        switch current {
        case UInt8(ascii: "\""): return [UInt8(ascii: "\"")]
        case UInt8(ascii: "\\"): return [UInt8(ascii: "\\")]
        case UInt8(ascii: "/"): return [UInt8(ascii: "/")]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"):
            var code = try unit(start)
            if (0xD800..<0xDC00).contains(code), bytes[(position + 1)...].starts(with: "\\u".utf8) {
                position += 2
                let low = try unit(start)
                guard (0xDC00..<0xE000).contains(low) else { break }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { break }
            return Array(String(Character(scalar)).utf8)
        default: throw Damage(message: "an unknown escape in a string", location: start)
        }
        throw Damage(message: "an escape that is half of a character (a lone surrogate)", location: start)
    }

    /// Reads the four hexadecimal digits after `\u`, ending on the last one.
    private mutating func unit(_ start: ConfigurationIssue.Location) throws(Damage) -> UInt32 {
        let digits = bytes[min(position + 1, bytes.count)..<min(position + 5, bytes.count)]
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.count == 4, text.allSatisfy(\.isHexDigit), let code = UInt32(text, radix: 16) else {
            throw Damage(message: "an unknown escape in a string", location: start)
        }
        position += 4
        return code
    }
}
