import FoundationEssentials

@testable import BCMClient

/// What a scan of a device list came to. Texts are kept as bytes, since equal texts may differ in theirs.
struct DeviceScan: Hashable {
    var devices: [[[UInt8]?]] = []
    var deviceCount = 0
    var devicesShowingRoles = 0

    mutating func add(_ device: Device) {
        let texts = [
            device.hostname, device.category, device.cluster, device.ip, device.mac, device.network, device.type,
        ]
        var fields = texts.map { text in text.map { Array($0.utf8) } }
        fields.append(device.roles.map { [UInt8($0.count & 0xff)] })
        fields += device.roles?.map { Array($0.utf8) } ?? []
        devices.append(fields)
    }
}

/// The streaming scanner finds what the full parser finds in the same bytes, however they are cut.
enum DeviceStreamCheck {
    static func check(_ bytes: [UInt8]) throws -> Bool {
        let expected = parsed(bytes, for: nil)
        let scanned = scan(bytes, for: nil)
        try promise(scanned == expected, "the scanner: \(words(scanned)); the full parser: \(words(expected))")
        try agreesWithAnotherReader(bytes, scanned)
        var numbers = SeededNumbers(bytes)
        for _ in 0..<2 {
            let places = (0..<3).map { _ in numbers.number(below: bytes.count + 1) }.sorted()
            try promise(scan(bytes, for: nil, splitAt: places) == expected, "cut at \(places) it is read otherwise")
        }
        if bytes.count <= 300 {
            try promise(
                scan(bytes, for: nil, splitAt: Array(bytes.indices)) == expected, "byte by byte it is read otherwise")
        }
        // One device of the list, one name in other letters, and one that is nowhere.
        let names = (try? JSONValue(parsing: bytes))?.elements?.compactMap { $0["hostname"]?.string } ?? []
        for name in [names.last, names.first?.uppercased(), "dgx-01.cluster"].compactMap({ $0 }) {
            let places = [numbers.number(below: bytes.count + 1)]
            try promise(
                scan(bytes, for: name, splitAt: places) == parsed(bytes, for: name),
                "asked for \(name.debugDescription), cut at \(places), it is read otherwise")
        }
        return scanned != nil
    }

    private static func words(_ scan: DeviceScan?) -> String {
        guard let scan else { return "refused" }
        return "\(scan.deviceCount) devices, \(scan.devicesShowingRoles) with roles"
    }

    /// Scans bytes in pieces; nil when they are refused.
    static func scan(_ bytes: [UInt8], for name: String?, splitAt places: [Int] = []) -> DeviceScan? {
        var scanner = DeviceScanner(wanted: name.map { HostNameSet([$0]) })
        var start = 0
        for end in places + [bytes.count] {
            // A copy for each piece: the address sanitizer sees a read beyond it.
            let piece = Array(bytes[start..<end])
            if !piece.withUnsafeBytes({ scanner.scan($0) }) { return nil }
            start = end
        }
        guard scanner.finish() else { return nil }
        var scan = DeviceScan(
            deviceCount: scanner.deviceCount, devicesShowingRoles: scanner.devicesShowingRoles)
        for device in scanner.matches { scan.add(device) }
        return scan
    }

    /// The same out of the full parser; nil when the list is not to be understood.
    static func parsed(_ bytes: [UInt8], for name: String?) -> DeviceScan? {
        // The full parser passes over a byte order mark. BCM sends none, and the scanner refuses it.
        guard !bytes.starts(with: [0xef, 0xbb, 0xbf]),
            let value = try? JSONValue(parsing: bytes, limits: .init(depth: DeviceScanner.depthLimit)),
            let elements = value.elements
        else { return nil }
        var scan = DeviceScan()
        for element in elements {
            guard let object = element.object, let hostname = object["hostname"]?.string else { return nil }
            scan.deviceCount += 1
            if object["roles"]?.elements?.isEmpty == false { scan.devicesShowingRoles += 1 }
            if let name, !isSame(hostname, name) { continue }
            guard let device = device(object, hostname) else { return nil }
            scan.add(device)
        }
        return scan
    }

    private static func device(_ object: JSONObject, _ hostname: String) -> Device? {
        var isWrong = false
        func text(_ name: String) -> String? {
            guard let value = object[name], !value.isNull else { return nil }
            if value.string == nil { isWrong = true }
            return value.string
        }
        var device = Device(
            hostname: hostname, category: text("category"), cluster: text("cluster"), ip: text("ip"), mac: text("mac"),
            network: text("network"), type: text("type"))
        if let roles = object["roles"], !roles.isNull {
            guard let elements = roles.elements else { return nil }
            device.roles = elements.compactMap(\.string)
            if device.roles?.count != elements.count { return nil }
        }
        return isWrong ? nil : device
    }

    /// Whether the first labels are the same, ASCII letter case aside, and not empty.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        func label(_ name: String) -> [UInt8] {
            name.utf8.prefix { $0 != UInt8(ascii: ".") }.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        }
        return label(left) == label(right) && !label(left).isEmpty
    }

    private struct Named: Decodable { var hostname: String }

    /// What the scanner understands, a reader that shares nothing with it understands, too. The other direction does not
    /// hold: that reader does not look into strings and numbers that nobody asks for.
    private static func agreesWithAnotherReader(_ bytes: [UInt8], _ scanned: DeviceScan?) throws(BrokenPromise) {
        // Which of two values of a name counts, readers may decide for themselves.
        guard let scanned, let elements = (try? JSONValue(parsing: bytes))?.elements,
            elements.allSatisfy({ $0.object?.members.count { $0.name == "hostname" } == 1 })
        else { return }
        let decoded = try? JSONDecoder().decode([Named].self, from: Data(bytes))
        try promise(decoded?.count == scanned.deviceCount, "another reader finds \(decoded?.count ?? -1) devices")
        for (named, device) in zip(decoded ?? [], scanned.devices) {
            try promise(Array(named.hostname.utf8) == device[0], "another reader finds another name")
        }
    }
}
