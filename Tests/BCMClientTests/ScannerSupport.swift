@testable import BCMClient

/// What a scan came to, in a form that can be compared.
struct Scan: Equatable, CustomStringConvertible {
    var matches: [Device] = []
    var deviceCount = 0
    var devicesShowingRoles = 0
    var isUnderstood = true

    static let refused = Scan(isUnderstood: false)

    var description: String {
        isUnderstood ? "\(deviceCount) devices, \(devicesShowingRoles) with roles, \(matches)" : "not understood"
    }
}

/// Scans bytes that arrive in chunks which end at the given places; nil asks for every device.
func scan(_ bytes: [UInt8], for names: [String]? = nil, splitAt places: [Int] = []) -> Scan {
    var scanner = DeviceScanner(wanted: names.map { HostNameSet($0) })
    var start = 0
    for end in places + [bytes.count] {
        // A copy of its own for each chunk: a read beyond it would be seen by the address sanitizer.
        let chunk = Array(bytes[start..<end])
        if !chunk.withUnsafeBytes({ scanner.scan($0) }) { return .refused }
        start = end
    }
    guard scanner.finish() else { return .refused }
    return Scan(
        matches: scanner.matches, deviceCount: scanner.deviceCount, devicesShowingRoles: scanner.devicesShowingRoles)
}

func scan(_ text: String, for names: [String]? = nil, splitAt places: [Int] = []) -> Scan {
    scan(Array(text.utf8), for: names, splitAt: places)
}
