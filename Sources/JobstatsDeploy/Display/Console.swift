/// Where a run shows itself and asks: a terminal, a pipe, or a test. Libraries write nowhere else.
public protocol Console: Sendable {
    /// Whether a person watches and text can be painted over.
    var isTerminal: Bool { get }
    /// Whether colours are welcome (not with `NO_COLOR`, see no-color.org).
    var usesColour: Bool { get }
    /// The width in columns now; 80 where it is not known.
    var columns: Int { get }
    /// The height in lines now; 24 where it is not known.
    var rows: Int { get }
    /// Writes text, line ends included, where results go.
    func write(_ text: String)
    /// Writes text where errors and warnings go.
    func writeError(_ text: String)
    /// Paints lines over those painted last; an empty list takes them away.
    func paint(_ lines: [String])
    /// Asks and waits for a line; nil at the end of input, which is never consent.
    func ask(_ question: String) async -> String?
}

extension Console {
    /// 24, as on the smallest terminals.
    public var rows: Int { 24 }
}

/// Text for people: widths, counts and times.
package enum Words {
    /// `1 host`, `3 hosts`.
    package static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// `0.4 s`, `12 s`, `3 min 20 s`.
    package static func time(_ duration: Duration) -> String {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        if seconds < 10 { return "\((seconds * 10).rounded() / 10) s" }
        if seconds < 120 { return "\(Int(seconds.rounded())) s" }
        return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
    }

    /// The text in exactly this many columns: padded, or cut with an ellipsis.
    package static func fit(_ text: String, _ width: Int) -> String {
        if text.count <= width { return text + String(repeating: " ", count: width - text.count) }
        return width < 1 ? "" : String(text.prefix(width - 1)) + "…"
    }

    /// The text cut to this many columns.
    package static func cut(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
    }

    /// The text in lines of at most this many columns, broken at spaces, each line after an indentation.
    package static func wrap(_ text: String, _ width: Int, indent: String = "") -> String {
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = indent
            for word in words(of: paragraph, atMost: max(8, width - indent.count)) {
                if line.count > indent.count, line.count + 1 + word.count > width {
                    lines.append(line)
                    line = indent
                }
                line += (line.count > indent.count ? " " : "") + word
            }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }

    /// The words of a paragraph; a list of numbers that is longer than a line is broken after commas.
    private static func words(of paragraph: Substring, atMost limit: Int) -> [Substring] {
        paragraph.split(separator: " ").flatMap { word -> [Substring] in
            guard word.count > limit, word.contains("["), word.contains(",") else { return [word] }
            var parts: [Substring] = []
            var rest = word
            while rest.count > limit, let comma = rest.prefix(limit).lastIndex(of: ",") {
                parts.append(rest[...comma])
                rest = rest[rest.index(after: comma)...]
            }
            return parts + [rest]
        }
    }

    /// Host names with runs of numbers folded: `dgx-[001-004,007], mon-01`.
    package static func hosts(_ names: [String]) -> String {
        var groups: [(prefix: String, suffix: String, width: Int, numbers: [Int])] = []
        for name in names {
            guard let last = name.lastIndex(where: \.isNumber) else {
                groups.append((name, "", 0, []))
                continue
            }
            let suffix = String(name[name.index(after: last)...])
            let digits = String(name[...last].reversed().prefix { $0.isNumber }.reversed())
            let prefix = String(name[...last].dropLast(digits.count))
            guard digits.count <= 9, let number = Int(digits) else {
                groups.append((name, "", 0, []))
                continue
            }
            if let index = groups.lastIndex(where: {
                $0.prefix == prefix && $0.suffix == suffix && $0.width == digits.count && !$0.numbers.isEmpty
            }) {
                groups[index].numbers.append(number)
            } else {
                groups.append((prefix, suffix, digits.count, [number]))
            }
        }
        return groups.map { group in
            if group.numbers.isEmpty { return group.prefix }
            let runs = ranges(group.numbers.sorted(), group.width)
            return group.numbers.count == 1
                ? group.prefix + runs + group.suffix : "\(group.prefix)[\(runs)]\(group.suffix)"
        }.joined(separator: ", ")
    }

    private static func ranges(_ numbers: [Int], _ width: Int) -> String {
        func padded(_ number: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        var runs: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound + 1 == number {
                runs[runs.count - 1] = last.lowerBound...number
            } else {
                runs.append(number...number)
            }
        }
        return runs.map { $0.count == 1 ? padded($0.lowerBound) : "\(padded($0.lowerBound))-\(padded($0.upperBound))" }
            .joined(separator: ",")
    }
}
