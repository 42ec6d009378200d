import Testing

/// The streaming scanner against the full parser (``DeviceStreamCheck``), on documents that a seeded generator makes and
/// damages, whole, cut off and in pieces.
struct GeneratedDocumentTests {
    @Test(arguments: 0..<16)
    func generatedDocumentsAreReadAsByTheFullParser(_ seed: Int) throws {
        var generator = DeviceDocuments(seed: UInt64(seed) + 1)
        var accepted = 0
        for _ in 0..<60 {
            let text = generator.document()
            do {
                if try DeviceStreamCheck.check(Array(text.utf8)) { accepted += 1 }
            } catch {
                Issue.record("\(error), in \(text)")
            }
        }
        // Some have a member of the wrong type, or of which half a surrogate pair is left.
        #expect(accepted > 15 && accepted < 60, "\(accepted) of 60")
    }

    @Test(arguments: 0..<16)
    func damagedDocumentsAreRefusedWhereTheFullParserRefusesThem(_ seed: Int) throws {
        var generator = DeviceDocuments(seed: UInt64(seed) + 1000)
        let damage = Array("{}[]\",:\\0e-.+ tfnu\u{1}\u{7f}x".utf8) + [0x80, 0xc0, 0xed, 0xf4, 0xff]
        for _ in 0..<120 {
            var bytes = Array(generator.document().utf8)
            for _ in 0...generator.numbers.number(below: 2) where !bytes.isEmpty {
                let place = generator.numbers.number(below: bytes.count)
                let byte = damage[generator.numbers.number(below: damage.count)]
                switch generator.numbers.number(below: 3) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = byte
                default: bytes.insert(byte, at: place)
                }
            }
            do {
                _ = try DeviceStreamCheck.check(bytes)
            } catch {
                Issue.record("\(error), in \(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    @Test(arguments: 0..<12)
    func aDocumentThatEndsAtAnyByteIsRefusedByBoth(_ seed: Int) throws {
        var generator = DeviceDocuments(seed: UInt64(seed) + 2000)
        let bytes = Array(generator.document().utf8.prefix(1500))
        for end in 0...bytes.count {
            let part = Array(bytes[..<end])
            #expect(DeviceStreamCheck.scan(part, for: nil) == DeviceStreamCheck.parsed(part, for: nil), "\(end) bytes")
        }
    }

    @Test(arguments: 0..<12)
    func aDocumentInPiecesIsReadAsInOne(_ seed: Int) throws {
        var generator = DeviceDocuments(seed: UInt64(seed) + 3000)
        let bytes = Array(generator.document().utf8.prefix(900))
        let expected = DeviceStreamCheck.parsed(bytes, for: nil)
        for place in 0...bytes.count {
            #expect(DeviceStreamCheck.scan(bytes, for: nil, splitAt: [place]) == expected, "two pieces, at \(place)")
        }
        for size in [1, 2, 3, 5, 7, 8, 9, 16, 64] {
            let places = Array(stride(from: size, to: bytes.count, by: size))
            #expect(DeviceStreamCheck.scan(bytes, for: nil, splitAt: places) == expected, "pieces of \(size)")
        }
        for _ in 0..<200 {
            let places = (0..<3).map { _ in generator.numbers.number(below: bytes.count + 1) }.sorted()
            #expect(DeviceStreamCheck.scan(bytes, for: nil, splitAt: places) == expected, "pieces at \(places)")
        }
    }
}

/// Makes device lists with all that JSON allows, and some that are no device lists.
struct DeviceDocuments {
    var numbers: SeededNumbers

    init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

    private mutating func one(of texts: [String]) -> String { texts[numbers.number(below: texts.count)] }
    private mutating func chance(_ of: Int) -> Bool { numbers.number(below: of) == 0 }

    mutating func document() -> String {
        let devices = (0..<numbers.number(below: 5)).map { _ in device() }
        return space() + "[" + space() + devices.joined(separator: space() + "," + space()) + space() + "]" + space()
    }

    private mutating func space() -> String { one(of: ["", "", "", "", " ", "\n", "\t", "\r\n  "]) }

    private mutating func device() -> String {
        var members = [member("hostname", chance(60) ? value(depth: 1) : string())]
        for name in ["category", "cluster", "ip", "mac", "network", "type"] where !chance(3) {
            members.append(member(name, chance(8) ? "null" : chance(80) ? value(depth: 1) : string()))
        }
        if chance(2) {
            let roles = (0..<numbers.number(below: 4)).map { _ in chance(60) ? "1" : string() }
            members.append(
                member("roles", "[" + space() + roles.joined(separator: space() + "," + space()) + space() + "]"))
        }
        // Members that nobody knows, and some a second time: the last one counts.
        for _ in 0..<numbers.number(below: 4) {
            members.append(member("x\(numbers.number(below: 99))", value(depth: 4)))
        }
        if chance(3), let twice = members.randomElement(using: &numbers) { members.append(twice) }
        if chance(3) { members.append(member("hostname", string())) }
        members.shuffle(using: &numbers)
        return "{" + space() + members.joined(separator: space() + "," + space()) + space() + "}"
    }

    private mutating func member(_ name: String, _ value: String) -> String {
        var key = name
        if chance(6), let place = name.unicodeScalars.indices.randomElement(using: &numbers) {
            let hex = String(name.unicodeScalars[place].value, radix: 16, uppercase: chance(2))
            let next = name.unicodeScalars.index(after: place)
            key = name[..<place] + "\\u" + String(repeating: "0", count: 4 - hex.count) + hex + name[next...]
        }
        return "\"" + key + "\"" + space() + ":" + space() + value
    }

    private mutating func string() -> String {
        var text = ""
        for _ in 0..<numbers.number(below: 20) {
            text += one(of: [
                "a", "b", "Z", "0", "-", ".", "_", " ", "dgx", "é", "e\u{301}", "–", "😀", "\u{2028}", "\u{7f}", "\\n",
                "\\\"",
                "\\\\", "\\/", "\\b", "\\f", "\\u0041", "\\u00e9", "\\u0000", "\\uFFFF", "\\ud83d\\ude00",
                "\\uD800\\uDC00",
                "\\uDBFF\\uDFFF", "]", "}", ",", ":", "\\t",
            ])
        }
        if chance(150) { text += one(of: ["\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\n", "\\x", "\\u12g4", "\n"]) }
        return "\"" + text + "\""
    }

    private mutating func number() -> String {
        let wrong = chance(60)
        return one(
            of: wrong
                ? ["01", "-", "1.", ".5", "1e", "+1", "1e+", "0x1", "--1", "NaN"]
                : ["0", "-0", "-1", "3.25", "1e3", "-0.5E-2", "12345678901234567890", "1E+400", "0.0000001", "0e0"])
    }

    private mutating func value(depth: Int) -> String {
        switch numbers.number(below: depth == 0 ? 4 : 7) {
        case 0: return string()
        case 1: return number()
        case 2: return one(of: ["true", "false", "null"])
        case 3: return one(of: ["[]", "{}", "\"\"", "[ ]", "{ }"])
        case 4:
            let values = (0..<numbers.number(below: 4)).map { _ in value(depth: depth - 1) }
            return "[" + space() + values.joined(separator: ",") + space() + "]"
        case 5:
            // Up to the limit of depth and beyond: the value stands in a device in a list.
            guard chance(12) else { return "[[[[]]]]" }
            let levels = 60 + numbers.number(below: 5)
            return String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        default:
            let names = ["hostname", "roles", "k", "ip"]
            let members = (0..<numbers.number(below: 4)).map { member(names[$0], value(depth: depth - 1)) }
            return "{" + members.joined(separator: space() + ",") + "}"
        }
    }
}
