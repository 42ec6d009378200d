/// The host names of a lookup, reduced to what decides: their first labels in lower case. Two names that are equal have
/// equal first labels, so that comparing those finds exact matches as well.
struct HostNameSet: Sendable {
    private let labels: [[UInt8]]
    private let set: Set<[UInt8]>

    init(_ names: [String]) {
        var set: Set<[UInt8]> = []
        for name in names {
            let label = name.utf8.prefix { $0 != UInt8(ascii: ".") }.map(Self.lowercased)
            if !label.isEmpty { set.insert(label) }
        }
        self.set = set
        labels = set.count <= 4 ? Array(set) : []
    }

    /// Whether a device of this name was asked for.
    func contains(_ name: UnsafeRawBufferPointer) -> Bool {
        let count = name.firstIndex(of: UInt8(ascii: ".")) ?? name.count
        guard labels.isEmpty else {
            return labels.contains { label in
                guard label.count == count else { return false }
                // The last bytes first: names on a cluster differ in their numbers.
                for index in stride(from: count - 1, through: 0, by: -1)
                where Self.lowercased(name[index]) != label[index] { return false }
                return true
            }
        }
        return !set.isEmpty && set.contains(name[..<count].map(Self.lowercased))
    }

    @inline(__always)
    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
