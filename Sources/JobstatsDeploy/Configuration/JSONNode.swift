/// A JSON value that knows where it stands in its file, so that a message can point there.
///
/// Members keep their order and their duplicates: a person's file is judged, not just decoded.
struct JSONNode: Sendable {
    /// What the value is.
    indirect enum Value: Sendable {
        case null
        case bool(Bool)
        /// The literal as written; whether it is a whole number is the reader's question.
        case number(String)
        case string(String)
        case array([JSONNode])
        case object([Member])
    }

    /// One `"name": value` of an object.
    struct Member: Sendable {
        let name: String
        let location: ConfigurationIssue.Location?
        let node: JSONNode
    }

    let value: Value
    let location: ConfigurationIssue.Location?

    init(_ value: Value, location: ConfigurationIssue.Location? = nil) {
        self.value = value
        self.location = location
    }

    /// The value in words for a message: `the string "9090"`, `a list`.
    var inWords: String {
        switch value {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .number(let literal): "the number \(literal.prefix(40))"
        case .string(let text): "the string \(Quoted(text))"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension JSONNode {
    /// An object of these members, in this order, without those that have no value.
    static func object(_ members: [(String, JSONNode?)]) -> JSONNode {
        JSONNode(
            .object(members.compactMap { name, node in node.map { Member(name: name, location: nil, node: $0) } }))
    }

    /// A list of strings.
    static func strings(_ texts: [String]) -> JSONNode { JSONNode(.array(texts.map { JSONNode(.string($0)) })) }

    /// The value as JSON text, two spaces per level, with a newline at the end.
    ///
    /// - Parameter inlineWidth: lists of strings that end before this column stand on one line; by default none does.
    func encoded(inlineWidth: Int = 0) -> [UInt8] {
        var text = ""
        write(to: &text, indentation: "", inlineWidth)
        return Array((text + "\n").utf8)
    }

    /// The list on one line, when it holds strings only.
    private var inline: String? {
        guard case .array(let nodes) = value else { return nil }
        var words: [String] = []
        for node in nodes {
            guard case .string(let text) = node.value else { return nil }
            words.append(Self.literal(text))
        }
        return "[\(words.joined(separator: ", "))]"
    }

    private func write(to text: inout String, indentation: String, _ inlineWidth: Int) {
        let inner = indentation + "  "
        if inlineWidth > 0, let inline {
            let column = text.utf8.reversed().prefix { $0 != UInt8(ascii: "\n") }.count
            if column + inline.utf8.count <= inlineWidth { return text += inline }
        }
        switch value {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .number(let literal): text += literal
        case .string(let string): text += Self.literal(string)
        case .array(let nodes):
            guard !nodes.isEmpty else { return text += "[]" }
            text += "[\n"
            for (index, node) in nodes.enumerated() {
                text += inner
                node.write(to: &text, indentation: inner, inlineWidth)
                text += index + 1 < nodes.count ? ",\n" : "\n"
            }
            text += indentation + "]"
        case .object(let members):
            guard !members.isEmpty else { return text += "{}" }
            text += "{\n"
            for (index, member) in members.enumerated() {
                text += inner + Self.literal(member.name) + ": "
                member.node.write(to: &text, indentation: inner, inlineWidth)
                text += index + 1 < members.count ? ",\n" : "\n"
            }
            text += indentation + "}"
        }
    }

    private static func literal(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case let scalar where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

/// A foreign text in quotes, fit for a terminal and a log: cut when long, with everything invisible escaped.
struct Quoted: CustomStringConvertible {
    private let text: String

    init(_ text: String) { self.text = text }

    var description: String {
        var shown = "\""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            if count == 100 { return shown + "...\"" }
            switch scalar {
            case "\"": shown += "\\\""
            case "\\": shown += "\\\\"
            case "\n": shown += "\\n"
            case "\r": shown += "\\r"
            case "\t": shown += "\\t"
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                    shown += "\\u{\(String(scalar.value, radix: 16))}"
                default: shown.unicodeScalars.append(scalar)
                }
            }
        }
        return shown + "\""
    }
}
