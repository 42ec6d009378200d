import FoundationEssentials
import Testing

@testable import BCMClient

/// The scanner against another reader of JSON, on documents made by a seeded generator.
struct DeviceScannerDifferentialTests {
    private struct Wire: Decodable {
        var hostname: String
        var category: String?
        var cluster: String?
        var ip: String?
        var mac: String?
        var network: String?
        var type: String?
        var roles: [String]?
    }

    @Test(arguments: 0..<20)
    func generatedDocumentsAreReadAsByAnotherReader(_ seed: Int) throws {
        var generator = DocumentGenerator(seed: UInt64(seed) + 1)
        for _ in 0..<25 {
            let text = generator.document()
            let bytes = Array(text.utf8)
            let decoded = try JSONDecoder().decode([Wire].self, from: Data(bytes)).map { wire in
                Device(
                    hostname: wire.hostname, category: wire.category, cluster: wire.cluster, ip: wire.ip, mac: wire.mac,
                    network: wire.network, type: wire.type, roles: wire.roles)
            }
            let expected = Scan(
                matches: decoded, deviceCount: decoded.count,
                devicesShowingRoles: decoded.count { $0.roles?.isEmpty == false })
            #expect(scan(bytes) == expected, "\(text)")
            let places = (0..<4).map { _ in generator.number(below: bytes.count + 1) }.sorted()
            #expect(scan(bytes, splitAt: places) == expected, "split at \(places): \(text)")
            if let wanted = decoded.randomElement(using: &generator) {
                let label = wanted.hostname.prefix { $0 != "." }
                let found = scan(bytes, for: [wanted.hostname], splitAt: places)
                #expect(found.matches.contains(wanted) == !label.isEmpty, "\(wanted.hostname) in \(text)")
                #expect(found.deviceCount == decoded.count)
            }
        }
    }

    @Test(arguments: 0..<20)
    func damagedDocumentsAreRefusedWhereAnotherReaderRefusesThem(_ seed: Int) throws {
        var generator = DocumentGenerator(seed: UInt64(seed) + 1000)
        for _ in 0..<50 {
            var bytes = Array(generator.document().utf8)
            for _ in 0...generator.number(below: 2) {
                let place = generator.number(below: bytes.count)
                switch generator.number(below: 3) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = Array("{}[]\",:\\0e- x".utf8)[generator.number(below: 13)]
                default: bytes.insert(Array("{}[]\",:\\0e- x".utf8)[generator.number(below: 13)], at: place)
                }
                if bytes.isEmpty { break }
            }
            let decoded = try? JSONDecoder().decode([Wire].self, from: Data(bytes))
            let scanned = scan(bytes)
            // The other reader does not look into members that it does not want, so only one direction holds: what the
            // scanner understands, the other understands in the same way.
            if scanned.isUnderstood {
                #expect(
                    decoded?.map(\.hostname) == scanned.matches.map(\.hostname),
                    "\(String(decoding: bytes, as: UTF8.self))")
            }
            let place = generator.number(below: bytes.count + 1)
            #expect(scan(bytes, splitAt: [place]) == scanned)
        }
    }
}

/// Makes device lists with everything that JSON allows: any order, spaces, escapes, nested and unknown members.
struct DocumentGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    mutating func next() -> UInt64 {
        // SplitMix64.
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    mutating func number(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func document() -> String {
        let devices = (0..<number(below: 6)).map { _ in device() }
        return space() + "[" + space() + devices.joined(separator: space() + "," + space()) + space() + "]" + space()
    }

    private mutating func space() -> String {
        ["", "", "", " ", "\n", "\t", "\r\n  "][number(below: 7)]
    }

    private mutating func device() -> String {
        var members = [member("hostname", string())]
        for name in ["category", "cluster", "ip", "mac", "network", "type"] where number(below: 3) > 0 {
            members.append(member(name, number(below: 8) == 0 ? "null" : string()))
        }
        if number(below: 2) == 0 {
            let roles = (0..<number(below: 4)).map { _ in string() }
            members.append(
                member("roles", "[" + space() + roles.joined(separator: space() + "," + space()) + space() + "]"))
        }
        for _ in 0..<number(below: 4) { members.append(member("x\(number(below: 1_000_000))", value(depth: 3))) }
        members.shuffle(using: &self)
        return "{" + space() + members.joined(separator: space() + "," + space()) + space() + "}"
    }

    private mutating func member(_ name: String, _ value: String) -> String {
        let escaped = number(below: 6) == 0
        let first = name.unicodeScalars.first.map { $0.value } ?? 0x78
        let hex = String(first, radix: 16)
        let key = escaped ? "\\u00" + hex + name.dropFirst() : name
        return "\"" + key + "\"" + space() + ":" + space() + value
    }

    private mutating func string() -> String {
        var text = ""
        for _ in 0..<number(below: 24) {
            text +=
                [
                    "a", "b", "Z", "0", "-", ".", "_", " ", "dgx", "é", "–", "😀", "\\n", "\\\"", "\\\\", "\\/",
                    "\\u0041",
                    "\\u00e9", "\\ud83d\\ude00", "]", "}", ",", ":", "\\t",
                ][number(below: 24)]
        }
        return "\"" + text + "\""
    }

    private mutating func value(depth: Int) -> String {
        switch number(below: depth == 0 ? 4 : 6) {
        case 0: return string()
        case 1: return ["0", "-1", "3.25", "1e3", "-0.5E-2", "12345678901"][number(below: 6)]
        case 2: return ["true", "false", "null"][number(below: 3)]
        case 3: return ["[]", "{}", "\"\""][number(below: 3)]
        case 4:
            let values = (0..<number(below: 4)).map { _ in value(depth: depth - 1) }
            return "[" + space() + values.joined(separator: ",") + space() + "]"
        default:
            let names = ["hostname", "roles", "k", "ip"]
            let members = (0..<number(below: 4)).map { member(names[$0], value(depth: depth - 1)) }
            return "{" + members.joined(separator: space() + ",") + "}"
        }
    }
}
