/// A YAML document as a value, just as much of YAML 1.1 and 1.2 as Prometheus's configuration needs.
///
/// Text that a reader could take for a number, a truth value, a comment or anything but itself is quoted.
indirect enum YAMLText {
    case text(String)
    case number(Int)
    case truth(Bool)
    /// A sequence on one line: `[job, hostname]`.
    case line([String])
    case sequence([YAMLText])
    case mapping([(key: String, value: YAMLText)])
    /// A value with a comment above it, one line of `#` per line.
    case commented(String, YAMLText)

    /// The document's lines, ended by newlines.
    func rendered(indentation: Int = 0) -> String {
        lines.map { $0.isEmpty ? "\n" : String(repeating: " ", count: indentation) + $0 + "\n" }.joined()
    }

    private var lines: [String] {
        switch self {
        case .text(let text): [Self.scalar(text)]
        case .number(let number): [String(number)]
        case .truth(let truth): [truth ? "true" : "false"]
        case .line(let words): ["[" + words.map { Self.scalar($0) }.joined(separator: ", ") + "]"]
        case .sequence(let items): items.flatMap { Self.item($0) }
        case .mapping(let members): members.flatMap { Self.member(Self.scalar($0.key), $0.value) }
        case .commented(let comment, let value): Self.comment(comment) + value.lines
        }
    }

    private var isEmptyCollection: Bool {
        switch self {
        case .sequence(let items): items.isEmpty
        case .mapping(let members): members.isEmpty
        default: false
        }
    }

    private var isOneLine: Bool {
        switch self {
        case .text, .number, .truth, .line: true
        default: false
        }
    }

    private static func item(_ value: YAMLText) -> [String] {
        if case .commented(let comment, let value) = value { return Self.comment(comment) + item(value) }
        if value.isEmptyCollection { return ["- []"] }
        let lines = value.lines
        return lines.enumerated().map { $0.offset == 0 ? "- \($0.element)" : "  \($0.element)" }
    }

    private static func member(_ key: String, _ value: YAMLText) -> [String] {
        if case .commented(let comment, let value) = value { return Self.comment(comment) + member(key, value) }
        if value.isOneLine { return value.lines.map { "\(key): \($0)" } }
        if case .sequence(let items) = value, items.isEmpty { return ["\(key): []"] }
        if case .mapping(let members) = value, members.isEmpty { return ["\(key): {}"] }
        return ["\(key):"] + value.lines.map { "  \($0)" }
    }

    private static func comment(_ text: String) -> [String] {
        text.unicodeScalars.split(omittingEmptySubsequences: false) { isBreak($0) }
            .map { $0.isEmpty ? "#" : "# \(String($0))" }
    }

    private static func scalar(_ text: String) -> String {
        if isPlain(text) || isDuration(text) { return text }
        if !text.unicodeScalars.contains(where: { isBreak($0) }) {
            return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" {
                quoted += "\\\(scalar)"
            } else if isBreak(scalar) {
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
            } else {
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Whether a scalar ends a line or cannot be printed.
    private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
            || scalar.value == 0xfeff
    }

    private static let reserved: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "_") || first == UInt8(ascii: "/")
        else { return false }
        return !reserved.contains(text.lowercased())
            && text.utf8.allSatisfy {
                isLetter($0) || isDigit($0) || "_/.-".utf8.contains($0)
            }
    }

    /// Digits and a unit of time or size, such as `30s` or `64MB`: no reader takes that for a number.
    private static func isDuration(_ text: String) -> Bool {
        let digits = text.utf8.prefix { isDigit($0) }
        let unit = String(text.utf8.dropFirst(digits.count)) ?? ""
        return !digits.isEmpty && ["ms", "s", "m", "h", "d", "KB", "MB", "GB"].contains(unit)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
