extension JSONValue: CustomStringConvertible {
    /// The value as JSON on one line.
    public var description: String { text() }

    /// The value as JSON.
    ///
    /// - Parameter indent: how many spaces each level is set in by; with 0 everything stands on one line, with a space
    ///   after commas and colons as BCM writes it.
    public func text(indent: Int = 0) -> String {
        var output = ""
        write(to: &output, indent: indent, depth: 0)
        return output
    }

    /// The value on one line, cut when it is long; for messages.
    public var excerpt: String {
        switch self {
        case .array(let elements) where elements.count > 8: "an array of \(elements.count) elements"
        case .object(let object) where object.members.count > 8: "an object of \(object.members.count) members"
        default: legible(text(), limit: 60)
        }
    }

    private func write(to output: inout String, indent: Int, depth: Int) {
        switch self {
        case .null: output += "null"
        case .boolean(let truth): output += truth ? "true" : "false"
        case .number(let number): output += number.text
        case .text(let text): Self.quote(text, to: &output)
        case .array(let elements):
            Self.list(elements, "[", "]", to: &output, indent, depth) { element, output in
                element.write(to: &output, indent: indent, depth: depth + 1)
            }
        case .object(let object):
            Self.list(object.members, "{", "}", to: &output, indent, depth) { member, output in
                Self.quote(member.name, to: &output)
                output += ": "
                member.value.write(to: &output, indent: indent, depth: depth + 1)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ start: String, _ end: String, to output: inout String, _ indent: Int, _ depth: Int,
        _ write: (Element, inout String) -> Void
    ) {
        output += start
        for (index, element) in elements.enumerated() {
            if index > 0 { output += indent > 0 ? "," : ", " }
            if indent > 0 { output += "\n" + String(repeating: " ", count: indent * (depth + 1)) }
            write(element, &output)
        }
        if indent > 0 && !elements.isEmpty { output += "\n" + String(repeating: " ", count: indent * depth) }
        output += end
    }

    /// A text as JSON has it: in quotes, with everything escaped that a terminal would act upon.
    private static func quote(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
