/// A machine that a plan touches.
public struct Host: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The name that SSH and the configuration use.
    public let name: String
    /// Whether it is the machine that this program runs on; such a host is reached without SSH.
    public let isLocal: Bool

    /// Creates a host.
    public init(_ name: String, isLocal: Bool = false) {
        self.name = name
        self.isLocal = isLocal
    }

    /// The name.
    public var description: String { name }

    /// Orders by name, runs of digits by their value: `dgx-2` before `dgx-10`.
    public static func < (left: Host, right: Host) -> Bool {
        HostOrder.precedes(left.name, right.name)
    }
}

/// The order in which people expect host names.
package enum HostOrder {
    package static func precedes(_ left: String, _ right: String) -> Bool {
        var a = Substring(left).utf8, b = Substring(right).utf8
        while let x = a.first, let y = b.first {
            if isDigit(x), isDigit(y) {
                let m = a.prefix(while: isDigit), n = b.prefix(while: isDigit)
                let p = m.drop { $0 == UInt8(ascii: "0") }, q = n.drop { $0 == UInt8(ascii: "0") }
                if p.count != q.count { return p.count < q.count }
                if !p.elementsEqual(q) { return p.lexicographicallyPrecedes(q) }
                if m.count != n.count { return m.count < n.count }
                a = a.dropFirst(m.count)
                b = b.dropFirst(n.count)
            } else {
                if x != y { return x < y }
                a = a.dropFirst()
                b = b.dropFirst()
            }
        }
        return a.isEmpty && !b.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
