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
        if labels.isEmpty {
            let label = name.prefix { $0 != UInt8(ascii: ".") }
            return !set.isEmpty && set.contains(label.map(Self.lowercased))
        }
        for label in labels where Self.begins(name, with: label) { return true }
        return false
    }

    /// Whether the first label of a name is this one, which holds no dot and no capital letter.
    @inline(__always)
    private static func begins(_ name: UnsafeRawBufferPointer, with label: [UInt8]) -> Bool {
        let count = label.count
        guard name.count == count || name.count > count && name[count] == UInt8(ascii: ".") else { return false }
        // The last bytes first: names on a cluster differ in their numbers.
        var index = count
        while index > 0 {
            index -= 1
            if lowercased(name[index]) != label[index] { return false }
        }
        return true
    }

    @inline(__always)
    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
