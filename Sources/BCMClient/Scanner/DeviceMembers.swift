/// The members of a device that a client knows.
enum DeviceMember: UInt8, CaseIterable {
    case category, cluster, hostname, ip, mac, network, roles, type

    var name: String {
        switch self {
        case .category: "category"
        case .cluster: "cluster"
        case .hostname: "hostname"
        case .ip: "ip"
        case .mac: "mac"
        case .network: "network"
        case .roles: "roles"
        case .type: "type"
        }
    }

    fileprivate var word: UInt64 { Self.word(Array(name.utf8)) }

    fileprivate static func word(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// The values of the known members of the device at hand, as raw JSON: places in the chunk at hand, and, when a chunk
/// ends within the device, copies.
struct DeviceMembers: ~Copyable {
    /// The most bytes that are copied for one device.
    static let limit = 1 << 20

    private struct Place {
        var start = 0
        var end = 0
    }

    private let places: UnsafeMutablePointer<Place>
    private let words: UnsafeMutablePointer<UInt64>
    /// Which members were seen, a bit for each.
    private var seen: UInt8 = 0
    /// Which of them lie in the copies.
    private var copied: UInt8 = 0
    private var copies: [UInt8] = []
    /// Where the copy of an unfinished token begins.
    private var partialStart: Int?
    /// Whether one device's members are larger than the limit.
    private(set) var isOverfull = false

    init() {
        places = .allocate(capacity: 8)
        places.initialize(repeating: Place(), count: 8)
        words = .allocate(capacity: 8)
        for member in DeviceMember.allCases { words[Int(member.rawValue)] = member.word }
    }

    deinit {
        places.deallocate()
        words.deallocate()
    }

    /// Whether a token began in an earlier chunk.
    var hasPartial: Bool { partialStart != nil }

    /// Which known member a key without escapes names.
    @inline(__always)
    func member(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ limit: Int) -> DeviceMember? {
        let count = end &- start
        guard count >= 2 && count <= 8 else { return nil }
        let word: UInt64
        if start &+ 8 <= limit {
            let loaded = UInt64(
                littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: start, as: UInt64.self))
            word = loaded & (UInt64.max &>> UInt64(64 &- 8 &* count))
        } else {
            word = DeviceMember.word(UnsafeBufferPointer(start: base + start, count: count))
        }
        return match(word, count)
    }

    @inline(__always)
    private func match(_ word: UInt64, _ count: Int) -> DeviceMember? {
        func test(_ member: DeviceMember) -> Bool { words[Int(member.rawValue)] == word }
        switch count {
        case 2: return test(.ip) ? .ip : nil
        case 3: return test(.mac) ? .mac : nil
        case 4: return test(.type) ? .type : nil
        case 5: return test(.roles) ? .roles : nil
        case 7: return test(.cluster) ? .cluster : test(.network) ? .network : nil
        case 8: return test(.hostname) ? .hostname : test(.category) ? .category : nil
        default: return nil
        }
    }

    /// Which known member a key with escapes, or one in several chunks, names.
    mutating func member(finishing bytes: UnsafeRawBufferPointer) -> DeviceMember? {
        var key = bytes
        if let start = partialStart {
            copies += bytes
            partialStart = nil
            defer { copies.removeSubrange(start...) }
            return copies[start...].withUnsafeBytes { Self.decodedMember($0) }
        }
        key = bytes
        return Self.decodedMember(key)
    }

    private static func decodedMember(_ key: UnsafeRawBufferPointer) -> DeviceMember? {
        // Eight characters, each at most an escape of six.
        guard key.count <= 48 else { return nil }
        let bytes = JSONText.unescaped(key)
        return DeviceMember.allCases.first { bytes.elementsEqual($0.name.utf8) }
    }

    /// Notes a value that lies in the chunk at hand; an earlier one under the same name no longer counts.
    @inline(__always)
    mutating func set(_ member: DeviceMember, _ start: Int, _ end: Int) {
        let bit: UInt8 = 1 &<< member.rawValue
        places[Int(member.rawValue)] = Place(start: start, end: end)
        seen |= bit
        copied &= ~bit
    }

    /// Notes a value that ends in the chunk at hand and may have begun before it.
    mutating func finish(_ member: DeviceMember, _ bytes: UnsafeRawBufferPointer, at start: Int) {
        guard let partial = partialStart else { return set(member, start, start + bytes.count) }
        copies += bytes
        partialStart = nil
        places[Int(member.rawValue)] = Place(start: partial, end: copies.count)
        seen |= 1 << member.rawValue
        copied |= 1 << member.rawValue
    }

    /// Copies what lies in a chunk that is about to go: values of the unfinished device, then an unfinished token.
    mutating func keep(_ chunk: UnsafeRawBufferPointer, unfinishedFrom mark: Int?) {
        if seen & ~copied != 0 {
            for index in 0..<8 where seen & ~copied & (1 << index) != 0 {
                let place = places[index]
                places[index].start = copies.count
                copies += chunk[place.start..<place.end]
                places[index].end = copies.count
            }
            copied = seen
        }
        if let mark {
            if partialStart == nil { partialStart = copies.count }
            copies += chunk[mark...]
        }
        if copies.count > Self.limit { isOverfull = true }
    }

    /// Forgets the device.
    @inline(__always)
    mutating func clear() {
        seen = 0
        if copied != 0 || !copies.isEmpty {
            copied = 0
            copies.removeAll(keepingCapacity: copies.capacity <= 4096)
        }
    }

    /// Hands the raw value of a member to the closure; nil when there is none.
    @inline(__always)
    func withValue<Result>(
        _ member: DeviceMember, in chunk: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        let bit: UInt8 = 1 &<< member.rawValue
        guard seen & bit != 0 else { return nil }
        let place = places[Int(member.rawValue)]
        if copied & bit == 0 { return body(UnsafeRawBufferPointer(rebasing: chunk[place.start..<place.end])) }
        return copies.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[place.start..<place.end])) }
    }
}
