/// How far the scanner is inside a JSON string that has escapes or bytes beyond ASCII, or that lies in several chunks.
struct StringState {
    typealias Fault = JSONFault.StringKind

    private enum Expectation: UInt8 { case any, escape, hex, continuation }

    private var expected = Expectation.any
    /// Hexadecimal digits, or bytes of a character, still to come.
    private var left: UInt8 = 0
    private var unit: UInt16 = 0
    private var awaitsLowSurrogate = false
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xbf
    private(set) var fault: Fault?

    /// Moves on to the string's closing quote.
    ///
    /// - Returns: its index, or the end of the bytes when it lies beyond them, or where the fault is.
    mutating func findEnd(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end {
            switch expected {
            case .any:
                if awaitsLowSurrogate {
                    if base[index] != UInt8(ascii: "\\") { return fail(.surrogate, index) }
                } else {
                    index = skipPlain(base, from: index, to: end)
                    if index == end { return end }
                }
                let byte = base[index]
                if byte == UInt8(ascii: "\"") { return index }
                if byte < 0x20 { return fail(.control, index) }
                if byte == UInt8(ascii: "\\") {
                    expected = .escape
                } else if !beginCharacter(byte) {
                    return fail(.encoding, index)
                }
            case .escape:
                switch base[index] {
                case UInt8(ascii: "u"):
                    expected = .hex
                    left = 4
                    unit = 0
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                    UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                    if awaitsLowSurrogate { return fail(.surrogate, index) }
                    expected = .any
                default: return fail(.escape, index)
                }
            case .hex:
                guard let digit = JSONText.hexValue(base[index]) else { return fail(.hex, index) }
                unit = unit << 4 | UInt16(digit)
                left -= 1
                if left == 0 {
                    let isLow = (0xdc00...0xdfff).contains(unit)
                    if isLow != awaitsLowSurrogate { return fail(.surrogate, index) }
                    awaitsLowSurrogate = (0xd800...0xdbff).contains(unit)
                    expected = .any
                }
            case .continuation:
                guard (lowest...highest).contains(base[index]) else { return fail(.encoding, index) }
                lowest = 0x80
                highest = 0xbf
                left -= 1
                if left == 0 { expected = .any }
            }
            index += 1
        }
        return end
    }

    /// The first byte of a character beyond ASCII: what may follow it (The Unicode Standard, table 3-7).
    private mutating func beginCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xc2...0xdf: left = 1
        case 0xe0...0xef:
            left = 2
            if byte == 0xe0 { lowest = 0xa0 }
            if byte == 0xed { highest = 0x9f }
        case 0xf0...0xf4:
            left = 3
            if byte == 0xf0 { lowest = 0x90 }
            if byte == 0xf4 { highest = 0x8f }
        default: return false
        }
        expected = .continuation
        return true
    }

    private mutating func fail(_ fault: Fault, _ index: Int) -> Int {
        self.fault = fault
        return index
    }
}
