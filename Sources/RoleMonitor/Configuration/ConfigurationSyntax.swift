/// What a text in the configuration must look like.
enum ConfigurationSyntax: Sendable {
    case absolutePath
    /// One line without control characters.
    case line
    /// One word of letters, digits and `-_.:@`.
    case word
    /// A domain name.
    case domain

    var expected: String {
        switch self {
        case .absolutePath: "an absolute path"
        case .line: "a text of one line, not empty"
        case .word: "one word of letters, digits and the characters - _ . : @"
        case .domain: "a domain name, as in \"example.org\""
        }
    }

    func accepts(_ text: String) -> Bool {
        switch self {
        case .absolutePath:
            text.hasPrefix("/") && Self.isLine(text) && text.utf8.count < 4000
                && !text.split(separator: "/").contains("..")
        case .line: Self.isLine(text)
        case .word: !text.isEmpty && text.utf8.allSatisfy { Self.isLetterOrDigit($0) || "-_.:@".utf8.contains($0) }
        case .domain: text.utf8.count <= 200 && Self.isDomain(text)
        }
    }

    /// Whether this is `name`, `name:port`, `address`, `address:port` or `[address]:port`.
    static func isHeadNode(_ text: String) -> Bool {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            let address = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            return isAddress(address) && (rest.isEmpty || (rest.hasPrefix(":") && isPort(rest.dropFirst())))
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return isDomain(parts[0])
        case 2: return isDomain(parts[0]) && isPort(parts[1])
        default: return isAddress(text[...])
        }
    }

    /// Whether this is `sha256//` and a SHA-256 digest in base 64, as libcurl writes pins.
    static func isPublicKeyPin(_ text: String) -> Bool {
        guard text.hasPrefix("sha256//") else { return false }
        let digest = text.utf8.dropFirst("sha256//".utf8.count)
        return digest.count == 44 && digest.last == UInt8(ascii: "=")
            && digest.dropLast().allSatisfy {
                isLetterOrDigit($0) || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/")
            }
    }

    private static func isLine(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 4096
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }

    private static func isDomain(_ text: some StringProtocol) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy {
                        isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    }
            }
    }

    private static func isAddress(_ text: Substring) -> Bool {
        text.contains(":") && text.utf8.count <= 60
            && text.utf8.allSatisfy {
                isLetterOrDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "%")
            }
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && Int(text).map { (1...65535).contains($0) } ?? false
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
