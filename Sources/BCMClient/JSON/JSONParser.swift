extension JSONValue {
    /// How much a text may hold. What is beyond is an error, so that no answer takes all memory or overruns the stack.
    public struct Limits: Sendable, Hashable {
        /// How deep arrays and objects may stand in one another; 64 by default.
        public var depth: Int
        /// How many values the text may hold, the outermost one and all within it; 2 million by default.
        public var values: Int
        /// How many bytes the text may have; 64 MiB by default.
        public var bytes: Int

        /// Creates limits. The depth is held to 500.
        public init(depth: Int = 64, values: Int = 2_000_000, bytes: Int = 64 << 20) {
            self.depth = min(depth, 500)
            self.values = values
            self.bytes = bytes
        }
    }

    /// Reads a JSON text (RFC 8259) in UTF-8. A byte order mark at its beginning is passed over.
    ///
    /// Everything that is not JSON is an error, invalid UTF-8 and halves of surrogate pairs included. Members of the same
    /// name are no error here: all are kept, see ``JSONObject``.
    ///
    /// - Throws: ``JSONError`` with the place in the text and the path of the value at hand.
    public init(parsing bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) {
        // A typed error does not pass through a closure that rethrows.
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { buffer in
            var parser = JSONParser(buffer, limits: limits)
            do throws(JSONFault) { return .success(try parser.document()) } catch {
                return .failure(error.error(in: buffer, limits))
            }
        }
        self = try result.get()
    }

    /// Reads a JSON text.
    public init(parsing text: String, limits: Limits = Limits()) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    /// Where in a text the value of a path begins, for messages about a value that was read from it. Of members of the
    /// same name the last is meant. Nil when the text has no such value.
    public static func location(
        of path: JSONPath, in bytes: [UInt8], limits: Limits = Limits()
    ) -> JSONError.Location? {
        bytes.withUnsafeBytes { buffer in
            var parser = JSONParser(buffer, limits: limits)
            parser.target = path.steps
            guard (try? parser.document()) != nil, let offset = parser.targetOffset else { return nil }
            return JSONError.Location(offset, in: buffer)
        }
    }
}

/// Reads a JSON text from the bytes of a buffer, which outlives it.
package struct JSONParser {
    private let bytes: UnsafeRawBufferPointer
    private let base: UnsafePointer<UInt8>?
    private let limits: JSONValue.Limits
    private var position = 0
    private var valuesLeft: Int
    /// The path of the value at hand.
    private var steps: [JSONPath.Step] = []
    /// The path whose place is looked for.
    var target: [JSONPath.Step]?
    private(set) var targetOffset: Int?
    /// Whether a name that stands twice in an object is a fault.
    package var refusesDuplicates = false
    /// Where values and names begin, in their order in the text: an object, then each name before its value. Nil as long as nobody
    /// asks.
    package var places: [Int]?

    package init(_ bytes: UnsafeRawBufferPointer, limits: JSONValue.Limits) {
        self.bytes = bytes
        self.limits = limits
        base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        valuesLeft = limits.values
    }

    package mutating func document() throws(JSONFault) -> JSONValue {
        guard bytes.count <= limits.bytes else { throw fault(.tooLarge, at: 0) }
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
        skipSpace()
        guard position < bytes.count else { throw fault(.empty, at: 0) }
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw fault(.nothing) }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func value() throws(JSONFault) -> JSONValue {
        valuesLeft -= 1
        guard valuesLeft >= 0 else { throw fault(.tooManyValues) }
        if let target, target == steps { targetOffset = position }
        places?.append(position)
        switch next {
        case UInt8(ascii: "{"): return .object(JSONObject(try members()))
        case UInt8(ascii: "["): return .array(try elements())
        case UInt8(ascii: "\""): return .text(try text())
        case .some(UInt8(ascii: "-")), .some(0x30...0x39): return .number(try number())
        default:
            if take("true") { return .boolean(true) }
            if take("false") { return .boolean(false) }
            if take("null") { return .null }
            throw fault(.value)
        }
    }

    private mutating func enter() throws(JSONFault) {
        guard steps.count < limits.depth else { throw fault(.tooDeep) }
        position += 1
        skipSpace()
    }

    private mutating func members() throws(JSONFault) -> [JSONObject.Member] {
        try enter()
        var members: [JSONObject.Member] = []
        if take("}") { return members }
        var names: Set<String> = []
        while true {
            guard next == UInt8(ascii: "\"") else { throw fault(.name) }
            let start = position
            places?.append(start)
            let name = try text()
            if refusesDuplicates, !names.insert(name).inserted { throw fault(.duplicate(name), at: start) }
            steps.append(.member(name))
            skipSpace()
            guard take(":") else { throw fault(.colon(after: name)) }
            skipSpace()
            members.append(JSONObject.Member(name, try value()))
            steps.removeLast()
            skipSpace()
            if take("}") { return members }
            guard take(",") else { throw fault(.commaOrBrace(after: name)) }
            skipSpace()
        }
    }

    private mutating func elements() throws(JSONFault) -> [JSONValue] {
        try enter()
        var elements: [JSONValue] = []
        if take("]") { return elements }
        while true {
            steps.append(.element(elements.count))
            elements.append(try value())
            steps.removeLast()
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw fault(.commaOrBracket) }
            skipSpace()
        }
    }

    private mutating func text() throws(JSONFault) -> String {
        let start = position
        guard let base else { return "" }
        var state = StringState()
        let end = state.findEnd(base, from: start + 1, to: bytes.count)
        if let kind = state.fault { throw fault(.string(kind), at: end, start: start) }
        guard end < bytes.count else { throw fault(.openString, at: start) }
        position = end + 1
        let raw = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        // The scanner of strings has found it to be one.
        return JSONText.string(raw) ?? ""
    }

    private mutating func number() throws(JSONFault) -> JSONNumber {
        let start = position
        guard var state = NumberState(first: bytes[position]) else { throw fault(.number) }
        position += 1
        while let byte = next, let following = state.next(byte) {
            state = following
            position += 1
        }
        // `01`, `1.`, `0x10` and the like: a number's end is followed by what may stand after a value.
        let isFollowedByMore = next.map { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") } ?? false
        guard state.isComplete, !isFollowedByMore else { throw fault(.number, start: start) }
        return JSONNumber(verified: String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        if matches { position += word.utf8CodeUnitCount }
        return matches
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0a, 0x0d, 0x09: position += 1
            default: return
            }
        }
    }

    private func fault(_ kind: JSONFault.Kind, at offset: Int? = nil, start: Int? = nil) -> JSONFault {
        JSONFault(kind: kind, offset: offset ?? position, start: start ?? offset ?? position, steps: steps)
    }
}
