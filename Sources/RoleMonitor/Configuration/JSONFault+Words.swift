internal import BCMClient

extension JSONFault {
    /// What is wrong with a configuration file, with its line and column.
    func described(in bytes: UnsafeRawBufferPointer) -> String {
        let isAtEnd = offset == bytes.count
        var place = offset
        let words: String
        switch kind {
        case .empty,
            .value where isAtEnd:
            words = "the file ends where a value is expected"
        case .value: words = "expected a value; texts stand in double quotes"
        case .nothing: words = "expected nothing after the value"
        case .name: words = "expected a key in double quotes"
        case .colon(let name): words = "expected a colon after the key \(JSONValue.text(name).excerpt)"
        case .commaOrBrace: words = "expected a comma or a closing brace"
        case .commaOrBracket: words = "expected a comma or a closing bracket"
        case .duplicate(let name): words = "the key \(JSONValue.text(name).excerpt) stands here a second time"
        case .tooDeep: words = "nested too deeply"
        case .tooLarge, .tooManyValues: words = "larger than any configuration"
        case .number: words = "no number as JSON writes it"
        case .openString: words = "the text has no closing quote"
        case .string(let fault):
            switch fault {
            case .control:
                words = "the text has no closing quote on its line"
                place = start
            case .encoding: words = "the text is not UTF-8"
            case .surrogate: words = "half of a surrogate pair"
            case .escape: words = "no such escape"
            case .hex: words = "expected four hexadecimal digits"
            }
        }
        return "\(JSONError.Location(place, in: bytes)): \(words)"
    }
}
