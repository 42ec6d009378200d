/// Text as Markdown (CommonMark 0.31) that shows just these characters.
enum Markdown {
    /// Escapes everything that could be markup, so that a value from outside stays a value. Line ends become spaces.
    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in visible(text).unicodeScalars {
            if scalar == "\n" {
                escaped += " "
                continue
            }
            if "\\`*_{}[]<>#|~!&".unicodeScalars.contains(scalar) { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
        return escaped
    }

    /// A code span; the fence is longer than any run of backquotes inside.
    static func code(_ text: String) -> String {
        let line = visible(text).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " ")
        let fence = String(repeating: "`", count: longestRun(of: "`", in: line) + 1)
        let needsSpace = line.hasPrefix("`") || line.hasSuffix("`")
        return needsSpace ? "\(fence) \(line) \(fence)" : fence + line + fence
    }

    /// A fenced block; the fence is longer than any run of backquotes inside.
    static func block(_ text: String, language: String = "") -> String {
        let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: text) + 1))
        let body = visible(text)
        return "\(fence)\(language)\n\(body)\(body.hasSuffix("\n") || body.isEmpty ? "" : "\n")\(fence)\n"
    }

    private static func longestRun(of character: Unicode.Scalar, in text: String) -> Int {
        var (longest, current) = (0, 0)
        for scalar in text.unicodeScalars {
            current = scalar == character ? current + 1 : 0
            longest = max(longest, current)
        }
        return longest
    }

    /// Control characters that a terminal obeys become visible; tabs and line ends stay.
    static func visible(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            let isHarmless = scalar == "\n" || scalar == "\t"
            switch scalar.properties.generalCategory {
            case .control where !isHarmless, .format, .lineSeparator, .paragraphSeparator:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}
