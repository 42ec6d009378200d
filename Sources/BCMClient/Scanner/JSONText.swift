/// Decodes pieces of JSON that the scanner has found to be well formed.
enum JSONText {
    /// A string, its quotes included. Nil when it is something else.
    static func string(_ raw: UnsafeRawBufferPointer) -> String? {
        guard raw.count >= 2, raw[0] == UInt8(ascii: "\"") else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: raw[1..<(raw.count - 1)])
        guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
        return String(decoding: unescaped(content), as: UTF8.self)
    }

    /// The content of a string without its quotes and escapes, as UTF-8.
    static func unescaped(_ content: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content.count)
        var high: UInt32?
        var index = 0
        while index < content.count {
            let byte = content[index]
            index += 1
            guard byte == UInt8(ascii: "\\"), index < content.count else {
                bytes.append(byte)
                continue
            }
            let escape = content[index]
            index += 1
            switch escape {
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0c)
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"):
                var unit: UInt32 = 0
                for _ in 0..<4 where index < content.count {
                    unit = unit << 4 | UInt32(hexValue(content[index]) ?? 0)
                    index += 1
                }
                if (0xd800..<0xdc00).contains(unit) {
                    high = unit
                } else if let first = high {
                    high = nil
                    append(0x10000 + (first - 0xd800) << 10 + (unit &- 0xdc00) & 0x3ff, to: &bytes)
                } else {
                    append(unit, to: &bytes)
                }
            default: bytes.append(escape)
            }
        }
        return bytes
    }

    /// An array of strings. Nil when it is something else.
    static func strings(_ raw: UnsafeRawBufferPointer) -> [String]? {
        guard raw.first == UInt8(ascii: "[") else { return nil }
        var strings: [String] = []
        var index = 1
        while index < raw.count {
            let byte = raw[index]
            switch byte {
            case UInt8(ascii: "\""):
                var end = index + 1
                while end < raw.count, raw[end] != UInt8(ascii: "\"") { end += raw[end] == UInt8(ascii: "\\") ? 2 : 1 }
                guard end < raw.count,
                    let text = string(UnsafeRawBufferPointer(rebasing: raw[index...end]))
                else { return nil }
                strings.append(text)
                index = end + 1
            case UInt8(ascii: ","), 0x20, 0x0a, 0x0d, 0x09: index += 1
            case UInt8(ascii: "]"): return strings
            default: return nil
            }
        }
        return nil
    }

    /// Whether an array has no elements. Only its beginning is looked at.
    static func isEmptyArray(_ raw: UnsafeRawBufferPointer) -> Bool {
        for byte in raw.dropFirst() where byte > 0x20 { return byte == UInt8(ascii: "]") }
        return true
    }

    /// The value of a hexadecimal digit.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        bytes += Unicode.Scalar(scalar).map { Array(String($0).utf8) } ?? [0xef, 0xbf, 0xbd]
    }
}
