/// A small gzip stream that unpacks to a JSON array of a gigabyte of blanks.
enum GzipBomb {
    /// Bytes that the stream unpacks to, roughly.
    static let unpackedSize = 1 << 30

    /// The stream: 7 MB. Its check sum is not right, which no reader with a bound ever gets to see.
    static let bytes: [UInt8] = {
        // RFC 1951, 3.2.6: fixed codes. A block's start, `[`, a blank, then matches of 258 bytes at distance 1: 13 bits
        // each, so the stream repeats itself every 13 bytes.
        let start = [true, true, false] + code(0x30 + 0x5B, 8) + code(0x30 + 0x20, 8)
        let match = code(0xC0 + 285 - 280, 8) + code(0, 5)
        let opening = pack(start + Array(repeating: match, count: 8).joined() + match.prefix(5))
        // Doubled until it is one long piece: appending a few bytes half a million times takes seconds in a debug build.
        var pattern = Array(opening[3...])
        let repetitions = unpackedSize / (258 * 8)
        while pattern.count < 13 * repetitions { pattern += pattern }
        let end = pack(Array(match.dropFirst(5)) + code(0x30 + 0x5D, 8) + code(0, 7))
        var stream: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
        stream += opening.prefix(3) + pattern.prefix(13 * repetitions)
        return stream + end + Array(repeating: 0, count: 8)
    }()

    /// A Huffman code, highest bit first.
    private static func code(_ value: Int, _ length: Int) -> [Bool] {
        (0..<length).reversed().map { value >> $0 & 1 == 1 }
    }

    /// Bits to bytes, lowest bit first.
    private static func pack(_ bits: [Bool]) -> [UInt8] {
        stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<min(start + 8, bits.count)].enumerated().reduce(0) { $1.element ? $0 | 1 << $1.offset : $0 }
        }
    }
}
