/// Names of nodes as BCM takes them: `node001`, `node001..node004`, several of them with commas between.
public enum NodeRange {
    /// The names that a range stands for; nil when its ends do not fit together or there are more than 100,000.
    public static func names(_ text: String) -> [String]? {
        var names: [String] = []
        for part in text.split(separator: ",") {
            guard let dots = part.firstRange(of: "..") else {
                names.append(String(part))
                continue
            }
            let first = split(part[..<dots.lowerBound])
            let last = split(part[dots.upperBound...])
            guard let first, let last, first.prefix == last.prefix, first.number <= last.number,
                last.number - first.number < 100_000
            else { return nil }
            for number in first.number...last.number {
                let digits = "\(number)"
                names.append(first.prefix + String(repeating: "0", count: max(0, first.width - digits.count)) + digits)
            }
        }
        return names
    }

    private static func split(_ name: Substring) -> (prefix: String, number: Int, width: Int)? {
        let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
        guard digits > 0, let number = Int(name.suffix(digits)) else { return nil }
        return (String(name.dropLast(digits)), number, digits)
    }
}
