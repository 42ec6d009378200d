/// Bytes as a gzip stream (RFC 1952) of stored blocks: nothing gets smaller, but a reader has to unpack it.
enum GzipStream {
    static func bytes(of content: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
        stream.reserveCapacity(content.count + content.count / 0xFFFF * 5 + 32)
        var start = 0
        repeat {
            let end = min(content.count, start + 0xFFFF)
            let count = UInt16(end - start)
            stream.append(end == content.count ? 1 : 0)
            append(count, 2, to: &stream)
            append(~count, 2, to: &stream)
            stream += content[start..<end]
            start = end
        } while start < content.count
        append(checksum(content), 4, to: &stream)
        append(UInt32(truncatingIfNeeded: content.count), 4, to: &stream)
        return stream
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, _ count: Int, to stream: inout [UInt8]) {
        for index in 0..<count { stream.append(UInt8(truncatingIfNeeded: number >> Number(8 * index))) }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    private static func checksum(_ content: [UInt8]) -> UInt32 {
        let table = table
        var value: UInt32 = 0xFFFF_FFFF
        for byte in content { value = table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8 }
        return ~value
    }
}
