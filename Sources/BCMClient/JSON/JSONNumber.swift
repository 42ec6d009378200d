/// A number of a JSON text, kept as it was written: nothing is rounded until somebody asks.
public struct JSONNumber: Sendable, Hashable, CustomStringConvertible {
    /// The number as it was written, such as `281474976710657` or `1.50e3`.
    public let text: String

    /// Reads a number in JSON's grammar (RFC 8259, 6); nil for anything else.
    public init?(_ text: String) {
        var state: NumberState?
        for byte in text.utf8 {
            guard let next = state.map({ $0.next(byte) }) ?? NumberState(first: byte) else { return nil }
            state = next
        }
        guard state?.isComplete == true else { return nil }
        self.text = text
    }

    /// A whole number.
    public init(_ value: some BinaryInteger) { text = "\(value)" }

    /// A number with a fraction; nil for what JSON cannot write: infinity and NaN.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        self.init("\(value)")
    }

    /// What a parser has found to be a number.
    init(verified text: String) { self.text = text }

    /// The number, when it is whole and fits; nil otherwise. `5.0` and `5e3` are whole, as far as 2^53.
    public var integer: Int? { whole() }

    /// The number, when it is whole, not negative and fits; nil otherwise.
    public var unsigned: UInt64? { whole() }

    /// The nearest floating-point number; nil when it is too large for one.
    public var double: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The text.
    public var description: String { text }

    private func whole<Integer: FixedWidthInteger>() -> Integer? {
        if let value = Integer(text) { return value }
        guard text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }),
            let value = double, abs(value) <= 9_007_199_254_740_992
        else { return nil }
        return Integer(exactly: value)
    }
}
