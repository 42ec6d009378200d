/// A number of bytes.
public struct ByteCount: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number.
    public let bytes: UInt64

    /// Creates a number of bytes.
    public init(bytes: UInt64) { self.bytes = bytes }

    /// In units of 2^30 bytes.
    public var gibibytes: Double { Double(bytes) / 1_073_741_824 }

    /// Whether the left one is smaller.
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    /// `2.0 GiB`, `512 B`: in the largest unit of which there is at least one, with a digit after the point.
    public var description: String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var (value, unit) = (Double(bytes), 0)
        while value >= 1024, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        guard unit > 0 else { return "\(bytes) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}

extension JSONPlace {
    /// A number of bytes.
    func byteCount() throws(JSONError) -> ByteCount {
        let number = try number()
        guard let bytes = number.unsigned else {
            throw error("expected a number of bytes, found \(legible(number.text, limit: 40))")
        }
        return ByteCount(bytes: bytes)
    }
}
