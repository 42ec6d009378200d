/// Finds the name that a person may have meant.
enum NearestName {
    /// The candidate with the fewest edits from the text, or nil when none is near.
    static func find(_ text: String, in candidates: [String]) -> String? {
        let wanted = Array(text.lowercased().unicodeScalars.prefix(64))
        let allowed = max(2, wanted.count / 3)
        let best = candidates.map { ($0, distance(wanted, Array($0.lowercased().unicodeScalars))) }
            .min { $0.1 < $1.1 }
        return best.flatMap { $0.1 <= allowed ? $0.0 : nil }
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var older: [Int] = []
        var previous = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let same = left[row] == right[column]
                var cost = min(previous[column + 1] + 1, current[column] + 1, previous[column] + (same ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, older[column - 1] + 1)
                }
                current.append(cost)
            }
            older = previous
            previous = current
        }
        return previous[right.count]
    }
}
