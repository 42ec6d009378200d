/// The range notations of BCM (`dgx001..dgx127`) and Slurm (`dgx-[001-127]`, `dgx-[01-03,07]`) for lists of hosts.
///
/// Zeros in front are kept: the width of the lower bound is the least width of each number.
enum HostRange {
    /// Why a notation names no hosts.
    struct Problem: Error {
        let message: String
    }

    /// The names that an entry stands for, in its order; commas outside brackets separate further entries.
    ///
    /// - Parameter limit: how many names there may be; more are refused before they are made.
    static func expand(_ entry: String, limit: Int) throws(Problem) -> [String] {
        var names: [String] = []
        for part in try split(entry) {
            let left = limit - names.count
            let more = part.contains("..") ? try between(part, limit: left) : try brackets(part, limit: left)
            names += more
        }
        return names
    }

    /// Splits at the commas that stand outside brackets.
    private static func split(_ entry: String) throws(Problem) -> [String] {
        var parts = [""]
        var inBrackets = false
        for scalar in entry.unicodeScalars {
            switch scalar {
            case "[":
                guard !inBrackets else { throw Problem(message: "holds a [ inside brackets") }
                inBrackets = true
            case "]":
                guard inBrackets else { throw Problem(message: "holds a ] without its [") }
                inBrackets = false
            case "," where !inBrackets:
                parts.append("")
                continue
            default: break
            }
            parts[parts.count - 1].unicodeScalars.append(scalar)
        }
        guard !inBrackets else { throw Problem(message: "holds a [ without its ]") }
        return parts
    }

    // MARK: Slurm's brackets

    private static func brackets(_ part: String, limit: Int) throws(Problem) -> [String] {
        var names = [""]
        var rest = part[...]
        while let open = rest.firstIndex(of: "[") {
            // `split` has seen that brackets come in pairs.
            guard let close = rest[open...].firstIndex(of: "]") else { break }
            let literal = rest[..<open]
            var numbers: [String] = []
            for range in rest[rest.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false) {
                let bounds = range.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
                guard let low = bounds.first, let high = bounds.last, isNumber(low), isNumber(high) else {
                    throw Problem(message: "holds [\(printable(range))], which is no range of numbers such as 01-16")
                }
                numbers += try sequence(from: low, through: high, limit: limit - numbers.count)
            }
            guard names.count * numbers.count <= limit else { throw tooMany }
            // All are about as long, and too long for a host before they are many.
            guard names[0].utf8.count + literal.utf8.count + numbers[0].utf8.count <= lengthLimit else { throw tooLong }
            names = names.flatMap { name in numbers.map { name + literal + $0 } }
            rest = rest[rest.index(after: close)...]
        }
        guard names.count <= limit else { throw tooMany }
        guard names[0].utf8.count + rest.utf8.count <= lengthLimit else { throw tooLong }
        return names.map { $0 + rest }
    }

    // MARK: BCM's two dots

    private static func between(_ part: String, limit: Int) throws(Problem) -> [String] {
        let ends = part.split(separator: "..", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = ends.first, let last = ends.last, !first.isEmpty, !last.isEmpty else {
            throw Problem(message: "is no range of the form node001..node004")
        }
        guard first.utf8.count <= lengthLimit, last.utf8.count <= lengthLimit else { throw tooLong }
        let (low, high) = (tokens(first), tokens(last))
        let differing = zip(low, high).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset)
        guard low.count == high.count, differing.count <= 1 else {
            throw Problem(message: "is no range: its two ends must be the same but for one number")
        }
        guard let place = differing.first ?? low.lastIndex(where: { isNumber($0) }),
            isNumber(low[place]), isNumber(high[place])
        else { throw Problem(message: "is no range: its two ends must be the same but for one number") }
        return try sequence(from: low[place], through: high[place], limit: limit).map { number in
            low[..<place].joined() + number + low[(place + 1)...].joined()
        }
    }

    /// The runs of digits and of other characters, in their order.
    private static func tokens(_ text: Substring) -> [Substring] {
        var tokens: [Substring] = []
        var start = text.startIndex
        while start < text.endIndex {
            let digits = isDigit(text[start])
            let end = text[start...].firstIndex { isDigit($0) != digits } ?? text.endIndex
            tokens.append(text[start..<end])
            start = end
        }
        return tokens
    }

    // MARK: Writing

    /// Host names in the brackets' notation, in their natural order: `dgx-[01-03,07],mon-01`.
    static func compress(_ names: [String]) -> String {
        var groups: [(key: String, prefix: Substring, suffix: Substring, numbers: [Substring])] = []
        for name in names.sorted(by: HostOrder.precedes) {
            // The last number in the part before the first dot is what counts nodes.
            let label = name.prefix { $0 != "." }
            guard let last = label.lastIndex(where: isDigit) else {
                groups.append((name, name[...], "", []))
                continue
            }
            let first = label[..<last].lastIndex { !isDigit($0) }.map { label.index(after: $0) } ?? label.startIndex
            let digits = label[first...last]
            // What `expand` takes for no number stands by itself.
            guard digits.utf8.count <= digitLimit else {
                groups.append((name, name[...], "", []))
                continue
            }
            let (prefix, suffix) = (name[..<first], name[name.index(after: last)...])
            // Numbers of one width can stand in one range; so can those that have no zeros in front.
            let isPadded = digits.hasPrefix("0") && digits.count > 1
            let key = "\(prefix)\n\(suffix)\n\(isPadded ? digits.count : 0)"
            if groups.last?.key == key || (groups.last.map { continues($0, prefix, suffix, digits) } ?? false) {
                groups[groups.count - 1].numbers.append(digits)
            } else {
                groups.append((key, prefix, suffix, [digits]))
            }
        }
        let texts = groups.map { group -> String in
            switch group.numbers.count {
            case 0: return String(group.prefix)
            case 1: return "\(group.prefix)\(group.numbers[0])\(group.suffix)"
            default: return "\(group.prefix)[\(ranges(group.numbers))]\(group.suffix)"
            }
        }
        return texts.joined(separator: ",")
    }

    /// Whether a number goes on after padded ones of the same width: 099, 100.
    private static func continues(
        _ group: (key: String, prefix: Substring, suffix: Substring, numbers: [Substring]), _ prefix: Substring,
        _ suffix: Substring, _ digits: Substring
    ) -> Bool {
        group.prefix == prefix && group.suffix == suffix && group.numbers.last?.count == digits.count
    }

    private static func ranges(_ numbers: [Substring]) -> String {
        var parts: [(first: Substring, last: Substring)] = []
        for number in numbers {
            if let end = parts.last?.last, let value = Int(end), Int(number) == value + 1,
                end.count == number.count || !end.hasPrefix("0")
            {
                parts[parts.count - 1].last = number
            } else {
                parts.append((number, number))
            }
        }
        return parts.map { $0.first == $0.last ? String($0.first) : "\($0.first)-\($0.last)" }.joined(separator: ",")
    }

    // MARK: Numbers

    /// The most digits of a number.
    private static let digitLimit = 9
    /// The most characters of a host name (RFC 1123, 2.1), as bytes.
    private static let lengthLimit = 255

    private static var tooLong: Problem {
        Problem(message: "is no host name (RFC 1123): more than \(lengthLimit) characters")
    }

    static var tooMany: Problem { Problem(message: "stands for too many hosts") }

    private static func sequence(
        from low: Substring, through high: Substring, limit: Int
    ) throws(Problem) -> [String] {
        guard low.count <= digitLimit, high.count <= digitLimit, let first = Int(low), let last = Int(high) else {
            throw Problem(message: "holds a number of more than nine digits")
        }
        guard first <= last else { throw Problem(message: "runs backwards, from \(low) to \(high)") }
        guard low.count == high.count || (high.count > low.count && !high.hasPrefix("0")) else {
            throw Problem(message: "has bounds of unlike width, \(low) and \(high): write the same zeros in front")
        }
        guard last - first < limit else { throw tooMany }
        return (first...last).map { number in
            let digits = String(number)
            return String(repeating: "0", count: max(0, low.count - digits.count)) + digits
        }
    }

    private static func isNumber(_ text: Substring) -> Bool { !text.isEmpty && text.allSatisfy(isDigit) }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) && character.isASCII }

    private static func printable(_ text: Substring) -> String {
        String("\(Quoted(String(text)))".dropFirst().dropLast())
    }
}
