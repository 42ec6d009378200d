/// What is wrong with a JSON text, and where: for readers of files that say it in words of their own.
package struct JSONFault: Error, Sendable {
    /// What is wrong, or what was expected where something else stands.
    package enum Kind: Sendable {
        case tooLarge, tooManyValues, tooDeep, empty
        case value, nothing, name, commaOrBracket
        /// With the name of the member.
        case colon(after: String), commaOrBrace(after: String)
        case openString
        case string(StringKind)
        case number
        /// The name stands in the object already.
        case duplicate(String)
    }

    /// What is wrong within a string.
    package enum StringKind: UInt8, Sendable {
        case control, escape, hex, surrogate, encoding

        var words: String {
            switch self {
            case .control: "a control character in a string"
            case .escape: "an unknown escape in a string"
            case .hex: "a \\u escape without four hexadecimal digits"
            case .surrogate: "half of a surrogate pair in a string"
            case .encoding: "a string that is not UTF-8"
            }
        }
    }

    /// What is wrong.
    package let kind: Kind
    /// How many bytes stand before the place.
    package let offset: Int
    /// How many bytes stand before the string or number that is wrong; the offset for anything else.
    package let start: Int
    /// The path of the value at hand.
    let steps: [JSONPath.Step]

    /// The error of this library.
    func error(in bytes: UnsafeRawBufferPointer, _ limits: JSONValue.Limits) -> JSONError {
        let byte = offset < bytes.count ? bytes[offset] : nil
        let here =
            byte.map { byte in
                byte > 0x20 && byte < 0x7f ? "\(Unicode.Scalar(byte))" : "the byte 0x" + String(byte, radix: 16)
            } ?? "the end of the text"
        var place = offset
        let reason: String
        switch kind {
        case .tooLarge: reason = "the text is larger than \(limits.bytes) bytes"
        case .tooManyValues: reason = "the text holds more than \(limits.values) values"
        case .tooDeep: reason = "more than \(limits.depth) levels"
        case .empty: reason = "the text is empty"
        case .value where byte == nil: reason = "the text ends where a value is expected"
        case .value: reason = "expected a value, found \(here)"
        case .nothing: reason = "expected nothing after the value, found \(here)"
        case .name: reason = "expected a name in double quotes, found \(here)"
        case .colon: reason = "expected a colon after the name, found \(here)"
        case .commaOrBrace: reason = "expected a comma or a closing brace, found \(here)"
        case .commaOrBracket: reason = "expected a comma or a closing bracket, found \(here)"
        case .openString: reason = "a string without a closing quote"
        case .string(let fault): reason = fault.words
        case .number:
            reason = "a number that is not one"
            place = start
        case .duplicate: reason = "the name stands twice"
        }
        return JSONError(JSONPath(steps), reason, location: JSONError.Location(place, in: bytes))
    }
}
