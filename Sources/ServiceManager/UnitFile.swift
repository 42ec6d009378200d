/// A unit file as a value, after systemd.syntax(7).
///
/// ```swift
/// let unit = UnitFile(sections: [
///     .init("Unit", [try .init("Description", "Node exporter")]),
///     .init("Service", [
///         try .init("ExecStart", arguments: ["/usr/local/bin/node_exporter", "--web.listen-address=:9100"]),
///         try .init("ProtectHostname", "no", comment: "A rename of the host must be seen."),
///     ]),
/// ])
/// ```
public struct UnitFile: Sendable, Hashable {
    /// One `Name=value` line with the comment above it.
    public struct Directive: Sendable, Hashable {
        /// The name: `ExecStart`.
        public let name: String
        /// The value as it stands in the file, escaped where that is needed.
        public let value: String
        /// The comment above it, without `#`; a line each.
        public let comment: [String]

        /// Creates a directive with a value that is written as it is: specifiers such as `%i` count.
        ///
        /// An empty value makes systemd forget earlier values of a list.
        ///
        /// - Throws: ``ServiceError/Code/invalidValue`` when the name is not of letters and digits, or the value would
        ///   not be read as it is written: it holds a control character, ends with a backslash, or begins or ends with
        ///   a space.
        public init(_ name: String, _ value: String, comment: String = "") throws(ServiceError) {
            guard !name.isEmpty, name.utf8.allSatisfy({ UnitFile.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") })
            else {
                throw UnitFile.refusal("\(ServiceError.quoted(name)) is no directive", "use letters and digits")
            }
            guard value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
                throw UnitFile.refusal(
                    "the value of \(name) holds a newline or another control character", "leave it out")
            }
            guard value.first != " ", value.last != " ", value.last != "\\" else {
                throw UnitFile.refusal(
                    "the value of \(name) begins or ends with a space, or ends with a backslash", "leave that out")
            }
            self.name = name
            self.value = value
            self.comment = UnitFile.lines(of: comment)
        }

        /// Creates a directive whose value is a command line: `ExecStart`, `ExecStartPre` and the like.
        ///
        /// - Parameters:
        ///   - name: the directive.
        ///   - arguments: the program, an absolute path, and its arguments. The program gets exactly these: `%`, `$`,
        ///     quotes, backslashes and spaces are escaped (systemd.service(5), "Command lines").
        ///   - prefix: special executable prefixes of systemd.service(5), such as `-`.
        ///   - comment: the comment above it.
        /// - Throws: ``ServiceError/Code/invalidValue`` when the program is no absolute path or holds a `$`, or an
        ///   argument holds a newline or another control character.
        public init(
            _ name: String, arguments: [String], prefix: String = "", comment: String = ""
        ) throws(ServiceError) {
            guard let program = arguments.first, program.hasPrefix("/"), !program.hasSuffix("/"),
                !program.contains("$")
            else {
                throw UnitFile.refusal(
                    "\(ServiceError.quoted(arguments.first ?? "")) cannot be the program of \(name)",
                    "name an absolute path without \"$\"")
            }
            guard prefix.allSatisfy({ "@-:+!".contains($0) }) else {
                throw UnitFile.refusal("\(ServiceError.quoted(prefix)) is no prefix of a program", "use one of @-:+!")
            }
            // With ":" systemd leaves variables alone, so a dollar sign stands for itself.
            let words = arguments.map { UnitFile.word($0, escapesDollar: !prefix.contains(":")) }
            try self.init(name, prefix + words.joined(separator: " "), comment: comment)
        }

        /// Creates a directive whose value is a list of words in quotes where they need it: `Environment`,
        /// `ReadWritePaths` and the like. A `%` stands for itself.
        public init(_ name: String, words: [String], comment: String = "") throws(ServiceError) {
            try self.init(
                name, words.map { UnitFile.word($0, escapesDollar: false) }.joined(separator: " "), comment: comment)
        }
    }

    /// One section: `[Service]` and its directives.
    public struct Section: Sendable, Hashable {
        /// The name without brackets.
        public let name: String
        /// The directives in their order; one name may come several times.
        public var directives: [Directive]

        /// Creates a section. What cannot stand in a section's name is left out of it.
        public init(_ name: String, _ directives: [Directive]) {
            self.name = String(
                decoding: name.utf8.filter { UnitFile.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }, as: UTF8.self)
            self.directives = directives
        }
    }

    /// The comment at the top, without `#`; a line each.
    public let comment: [String]
    /// The sections in their order.
    public var sections: [Section]

    /// Creates a unit file.
    public init(comment: String = "", sections: [Section]) {
        self.comment = Self.lines(of: comment)
        self.sections = sections
    }

    /// The file's text. Equal values give equal texts.
    public var rendered: String {
        var parts: [String] = []
        if !comment.isEmpty { parts.append(Self.commentText(comment)) }
        for section in sections {
            parts.append(
                "[\(section.name)]\n"
                    + section.directives.map { "\(Self.commentText($0.comment))\($0.name)=\($0.value)\n" }.joined())
        }
        return parts.joined(separator: "\n")
    }

    /// A text in which `%` stands for itself, for directives that expand specifiers (systemd.unit(5), "Specifiers").
    public static func escapingSpecifiers(_ text: String) -> String {
        text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    }
}

extension UnitFile {
    private static func commentText(_ lines: [String]) -> String {
        lines.map { $0.isEmpty ? "#\n" : "# \($0)\n" }.joined()
    }

    fileprivate static func refusal(_ reason: String, _ remedy: String) -> ServiceError {
        ServiceError(.invalidValue, reason: "unit file: \(reason)", remedy: remedy)
    }

    /// The lines of a comment. Every control character ends a line, so none can end the comment.
    fileprivate static func lines(of comment: String) -> [String] {
        guard !comment.isEmpty else { return [] }
        return comment.unicodeScalars
            .split(omittingEmptySubsequences: false) { $0.value < 0x20 || $0.value == 0x7f || $0.value == 0x2028 }
            .map { String($0) }
    }

    fileprivate static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// One word of a command line or list, such that systemd reads just this text.
    fileprivate static func word(_ text: String, escapesDollar: Bool) -> String {
        var escaped = ""
        var isPlain = !text.isEmpty
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": escaped += "%%"
            case "$": escaped += escapesDollar ? "$$" : "$"
            case "\\", "\"":
                escaped += "\\\(scalar)"
                isPlain = false
            default:
                escaped.unicodeScalars.append(scalar)
                if scalar.properties.isWhitespace || scalar == "'" || scalar == ";" { isPlain = false }
            }
        }
        return isPlain ? escaped : "\"\(escaped)\""
    }
}
