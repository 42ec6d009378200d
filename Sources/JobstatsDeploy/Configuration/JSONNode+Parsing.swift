import BCMClient

/// The first thing in a file that is not JSON.
struct JSONDamage: Error {
    let message: String
    let location: ConfigurationIssue.Location
}

extension JSONNode {
    /// Objects and lists may stand this deep in one another; a configuration needs five levels.
    static let depthLimit = 32

    /// Reads a whole document, and says for the first damage on which line and column it stands and what to write instead.
    static func parse(_ bytes: [UInt8]) throws(JSONDamage) -> JSONNode {
        // A typed error does not pass through a closure that rethrows.
        let result: Result<JSONNode, JSONDamage> = bytes.withUnsafeBytes { buffer in
            let limits = JSONValue.Limits(depth: depthLimit + 1, values: .max, bytes: .max)
            var parser = JSONParser(buffer, limits: limits)
            parser.places = []
            do throws(JSONFault) {
                let value = try parser.document()
                var places = Places(bytes, parser.places ?? [])
                return .success(JSONNode(value, &places))
            } catch {
                return .failure(JSONDamage(error, bytes))
            }
        }
        return try result.get()
    }

    /// A value that stands in no file.
    init(_ value: JSONValue) {
        var places = Places([], [])
        self.init(value, &places)
    }

    /// The value without its places.
    var plainValue: JSONValue {
        switch value {
        case .null: .null
        case .bool(let flag): .boolean(flag)
        case .number(let literal): JSONNumber(literal).map { .number($0) } ?? .null
        case .string(let text): .text(text)
        case .array(let nodes): .array(nodes.map(\.plainValue))
        case .object(let members): .object(JSONObject(members.map { .init($0.name, $0.node.plainValue) }))
        }
    }

    private init(_ value: JSONValue, _ places: inout Places) {
        location = places.next()
        switch value {
        case .null: self.value = .null
        case .boolean(let flag): self.value = .bool(flag)
        case .number(let number): self.value = .number(number.text)
        case .text(let text): self.value = .string(text)
        case .array(let elements):
            var nodes: [JSONNode] = []
            for element in elements { nodes.append(JSONNode(element, &places)) }
            self.value = .array(nodes)
        case .object(let object):
            var members: [Member] = []
            for member in object.members {
                let location = places.next()
                members.append(Member(name: member.name, location: location, node: JSONNode(member.value, &places)))
            }
            self.value = .object(members)
        }
    }
}

/// Lines and columns of places that are asked for in their order in the text.
private struct Places {
    private let bytes: [UInt8]
    private var offsets: ArraySlice<Int>
    private var position: Int
    private var location = ConfigurationIssue.Location(line: 1, column: 1)

    init(_ bytes: [UInt8], _ offsets: [Int]) {
        self.bytes = bytes
        self.offsets = offsets[...]
        // A byte order mark carries no meaning in UTF-8, and some editors write it.
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    mutating func next() -> ConfigurationIssue.Location? { offsets.popFirst().map { location(of: $0) } }

    mutating func location(of offset: Int) -> ConfigurationIssue.Location {
        while position < min(offset, bytes.count) {
            if bytes[position] == UInt8(ascii: "\n") {
                location = .init(line: location.line + 1, column: 1)
            } else if bytes[position] & 0xC0 != 0x80 {
                // Continuation bytes are no columns of their own.
                location.column += 1
            }
            position += 1
        }
        return location
    }
}

extension JSONDamage {
    fileprivate init(_ fault: JSONFault, _ bytes: [UInt8]) {
        var offset = fault.offset
        if String(validating: bytes, as: UTF8.self) == nil {
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            self.init(message: "the file is not UTF-8 text", location: .init(line: bad + 1, column: 1))
            return
        }
        let message = Self.words(fault, bytes, &offset)
        var places = Places(bytes, [])
        self.init(message: message, location: places.location(of: offset))
    }

    /// What is wrong and what to do, and its place where that is not the fault's.
    private static func words(_ fault: JSONFault, _ bytes: [UInt8], _ offset: inout Int) -> String {
        switch fault.kind {
        case .empty:
            offset = bytes.count
            return "the file is empty"
        case .tooDeep: return "more than \(JSONNode.depthLimit) levels"
        case .tooLarge, .tooManyValues: return "more than any configuration needs"
        case .nothing: return "more text after the end of the outermost value: \(here(bytes, offset))"
        case .duplicate(let name): return "the key \(Quoted(name)) stands twice"
        case .value: return expected("a value", bytes, &offset)
        case .name: return expected("a key in double quotes", bytes, &offset)
        case .colon(let name): return expected("a colon after the key \(Quoted(name))", bytes, &offset)
        case .commaOrBrace(let name): return expected("a comma or } after the value of \(Quoted(name))", bytes, &offset)
        case .commaOrBracket: return expected("a comma or ] after a list's element", bytes, &offset)
        case .openString: return "this string has no closing quote: the file seems to be cut off"
        case .number:
            guard offset < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[offset]) else {
                return "a digit is expected here, not \(here(bytes, offset))"
            }
            offset += bytes[offset...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
            return "a number has no leading zeros in JSON"
        case .string(.control):
            return bytes[offset] == UInt8(ascii: "\n")
                ? "the string that begins on this line has no closing quote"
                : "a control character in a string: write it as an escape"
        case .string(let kind):
            offset = bytes[..<offset].lastIndex(of: UInt8(ascii: "\\")) ?? offset
            return kind == .surrogate
                ? "an escape that is half of a character (a lone surrogate)" : "an unknown escape in a string"
        }
    }

    private static func expected(_ what: String, _ bytes: [UInt8], _ offset: inout Int) -> String {
        guard offset < bytes.count else { return "the file ends where \(what) is expected: it seems to be cut off" }
        let before = bytes[..<offset].lastIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch bytes[offset] {
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            guard let before, bytes[before] == UInt8(ascii: ",") else { break }
            offset = before
            return "a comma after the last entry is not allowed in JSON: remove it"
        case UInt8(ascii: "#"), UInt8(ascii: "/"): return "JSON has no comments: remove this one"
        case UInt8(ascii: "'"): return "JSON strings stand in double quotes, not in single ones"
        case UInt8(ascii: "T") where bytes[offset...].starts(with: "True".utf8),
            UInt8(ascii: "F") where bytes[offset...].starts(with: "False".utf8):
            return "write true or false in small letters"
        default: break
        }
        return "\(what) is expected here, not \(here(bytes, offset))"
    }

    private static func here(_ bytes: [UInt8], _ offset: Int) -> String {
        guard offset < bytes.count else { return "the end of the file" }
        let rest = String(decoding: bytes[offset..<min(offset + 4, bytes.count)], as: UTF8.self)
        return "\(Quoted(String(rest.unicodeScalars.prefix(1))))"
    }
}
