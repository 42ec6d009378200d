/// How far the scanner is inside a JSON number (RFC 8259, 6).
enum NumberState: UInt8 {
    case minus, zero, integer, point, fraction, exponentMark, exponentSign, exponent

    /// The state after a number's first byte; nil when no number begins with it.
    init?(first byte: UInt8) {
        switch byte {
        case UInt8(ascii: "-"): self = .minus
        case 0x30: self = .zero
        case 0x31...0x39: self = .integer
        default: return nil
        }
    }

    /// Whether a number may end here.
    var isComplete: Bool {
        switch self {
        case .zero, .integer, .fraction, .exponent: true
        case .minus, .point, .exponentMark, .exponentSign: false
        }
    }

    /// The state after one more byte; nil when the number does not go on with it.
    func next(_ byte: UInt8) -> NumberState? {
        let isDigit = (0x30...0x39).contains(byte)
        let isMark = byte | 0x20 == UInt8(ascii: "e")
        switch self {
        case .minus: return byte == 0x30 ? .zero : isDigit ? .integer : nil
        case .zero: return byte == UInt8(ascii: ".") ? .point : isMark ? .exponentMark : nil
        case .integer: return isDigit ? .integer : byte == UInt8(ascii: ".") ? .point : isMark ? .exponentMark : nil
        case .point: return isDigit ? .fraction : nil
        case .fraction: return isDigit ? .fraction : isMark ? .exponentMark : nil
        case .exponentMark:
            return isDigit ? .exponent : byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") ? .exponentSign : nil
        case .exponentSign, .exponent: return isDigit ? .exponent : nil
        }
    }
}
