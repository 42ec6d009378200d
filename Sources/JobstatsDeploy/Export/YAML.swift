/// A YAML 1.2 value as Ansible reads it, written so that every text stays this text.
indirect enum YAML: Sendable, Hashable {
    /// Text; Ansible's own template marks in it mean nothing.
    case text(String)
    /// A template that Ansible fills in.
    case template(String)
    /// A script of printable ASCII, shown line by line.
    case script(String)
    case number(Int)
    case flag(Bool)
    case list([YAML])
    case map([Entry])

    /// A key of ours and its value.
    struct Entry: Sendable, Hashable {
        let key: String
        let value: YAML
    }

    static func texts(_ texts: [String]) -> YAML { .list(texts.map { .text($0) }) }

    static func object(_ entries: KeyValuePairs<String, YAML?>) -> YAML {
        .map(entries.compactMap { key, value in value.map { Entry(key: key, value: $0) } })
    }

    /// The document.
    var document: String { "---\n" + body(0) }

    /// The value on lines of its own.
    private func body(_ depth: Int) -> String {
        let indent = String(repeating: " ", count: depth)
        switch self {
        case .list(let values) where !values.isEmpty:
            return values.map { value in
                // A value's first line stands beside its dash.
                let lines =
                    value.isBlock ? String(value.body(depth + 2).dropFirst(depth + 2)) : value.inline(depth) + "\n"
                return "\(indent)- \(lines)"
            }.joined()
        case .map(let entries) where !entries.isEmpty:
            return entries.map { entry in
                entry.value.isBlock
                    ? "\(indent)\(entry.key):\n\(entry.value.body(depth + 2))"
                    : "\(indent)\(entry.key): \(entry.value.inline(depth))\n"
            }.joined()
        default: return "\(indent)\(inline(depth))\n"
        }
    }

    private var isBlock: Bool {
        switch self {
        case .list(let values): !values.isEmpty
        case .map(let entries): !entries.isEmpty
        default: false
        }
    }

    private func inline(_ depth: Int) -> String {
        switch self {
        case .text(let text): (Self.holdsTemplateMarks(text) ? "!unsafe " : "") + Self.quoted(text)
        case .template(let text): Self.quoted(text)
        case .script(let text):
            "!unsafe |\n"
                + text.split(separator: "\n", omittingEmptySubsequences: false).map {
                    $0.isEmpty ? "" : String(repeating: " ", count: depth + 2) + $0
                }.joined(separator: "\n")
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .list: "[]"
        case .map: "{}"
        }
    }

    /// Jinja's marks: `{{`, `{%` and `{#`.
    static func holdsTemplateMarks(_ text: String) -> Bool {
        text.contains("{{") || text.contains("{%") || text.contains("{#")
    }

    /// A double-quoted scalar of printable ASCII (YAML 1.2.2, 7.3.1).
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case " "..."~": quoted.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let width = scalar.value < 0x100 ? 2 : scalar.value < 0x10000 ? 4 : 8
                quoted += (width == 2 ? "\\x" : width == 4 ? "\\u" : "\\U")
                quoted += String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return quoted + "\""
    }
}

extension YAML {
    /// One tree for several of the same shape: texts that differ become what `place` makes of their number.
    ///
    /// - Returns: the tree, and for each of the given ones the values at the numbered places; nil when their shapes differ.
    static func unified(_ trees: [YAML], _ place: (Int) -> YAML) -> (tree: YAML, values: [[YAML]])? {
        var values = trees.map { _ in [YAML]() }
        func unify(_ nodes: [YAML]) -> YAML? {
            guard let first = nodes.first else { return nil }
            if nodes.allSatisfy({ $0 == first }) { return first }
            switch first {
            case .text, .template:
                guard
                    nodes.allSatisfy({ if case .text = $0 { true } else if case .template = $0 { true } else { false } }
                    )
                else { return nil }
                for (index, node) in nodes.enumerated() { values[index].append(node) }
                return place(values[0].count - 1)
            case .list(let members):
                var lists: [[YAML]] = []
                for node in nodes {
                    guard case .list(let other) = node, other.count == members.count else { return nil }
                    lists.append(other)
                }
                var result: [YAML] = []
                for index in members.indices {
                    guard let member = unify(lists.map { $0[index] }) else { return nil }
                    result.append(member)
                }
                return .list(result)
            case .map(let members):
                var maps: [[Entry]] = []
                for node in nodes {
                    guard case .map(let other) = node, other.map(\.key) == members.map(\.key) else { return nil }
                    maps.append(other)
                }
                var result: [Entry] = []
                for index in members.indices {
                    guard let value = unify(maps.map { $0[index].value }) else { return nil }
                    result.append(Entry(key: members[index].key, value: value))
                }
                return .map(result)
            case .script, .number, .flag: return nil
            }
        }
        return unify(trees).map { ($0, values) }
    }
}
