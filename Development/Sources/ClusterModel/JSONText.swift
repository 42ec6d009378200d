/// A JSON value whose members keep their order, as text.
public indirect enum JSONText: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
    /// A text.
    case string(String)
    /// A whole number.
    case number(Int)
    /// A number as it is to stand there.
    case literal(String)
    /// A truth value.
    case boolean(Bool)
    /// A list.
    case array([JSONText])
    /// Members in their order.
    case object([Member])

    /// A member of an object.
    public struct Member: Sendable, Hashable {
        var name: String
        var value: JSONText
        /// Creates a member.
        public init(_ name: String, _ value: JSONText) {
            self.name = name
            self.value = value
        }
    }

    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .number(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }

    /// A list.
    public init(arrayLiteral elements: JSONText...) { self = .array(elements) }

    /// A number with a fraction.
    public static func decimal(_ value: Double) -> JSONText { .literal("\(value)") }

    /// An object with these members.
    public static func members(_ members: (String, JSONText)...) -> JSONText {
        .object(members.map { Member($0.0, $0.1) })
    }

    /// The text; with an indentation every element stands on a line of its own.
    public func text(indent: Int = 0) -> String {
        var output = ""
        write(to: &output, indent: indent, depth: 0)
        return output
    }

    private func write(to output: inout String, indent: Int, depth: Int) {
        switch self {
        case .string(let text): Self.quote(text, to: &output)
        case .number(let number): output += "\(number)"
        case .literal(let number): output += number
        case .boolean(let truth): output += truth ? "true" : "false"
        case .array(let elements):
            Self.list(elements, "[", "]", to: &output, indent, depth) { element, output in
                element.write(to: &output, indent: indent, depth: depth + 1)
            }
        case .object(let members):
            Self.list(members, "{", "}", to: &output, indent, depth) { member, output in
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

    private static func quote(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
