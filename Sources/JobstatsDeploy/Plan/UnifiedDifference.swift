/// Differences between texts, as `diff -u` shows them.
package enum UnifiedDifference {
    /// The difference with three lines of context; nil when the texts are equal.
    package static func text(from old: String, to new: String, path: String) -> String? {
        guard old != new else { return nil }
        let before = lines(old), after = lines(new)
        var removed = Set<Int>(), inserted = Set<Int>()
        for change in after.difference(from: before) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        // Every line of both texts in order, with the numbers it has before and after.
        var rows: [(mark: Character, line: String, before: Int, after: Int)] = []
        var i = 0, j = 0
        while i < before.count || j < after.count {
            if removed.contains(i) {
                rows.append(("-", before[i], i, j))
                i += 1
            } else if inserted.contains(j) {
                rows.append(("+", after[j], i, j))
                j += 1
            } else {
                rows.append((" ", before[i], i, j))
                i += 1
                j += 1
            }
        }
        var output = "--- \(path)\n+++ \(path)\n"
        var row = 0
        while let first = rows[row...].firstIndex(where: { $0.mark != " " }) {
            let start = max(row, first - 3)
            var end = first + 1, quiet = 0
            while end < rows.count, quiet < 7 {
                quiet = rows[end].mark == " " ? quiet + 1 : 0
                end += 1
            }
            end -= max(0, quiet - 3)
            let hunk = rows[start..<end]
            let old = hunk.count { $0.mark != "+" }, new = hunk.count { $0.mark != "-" }
            let oldStart = rows[start].before + (old == 0 ? 0 : 1), newStart = rows[start].after + (new == 0 ? 0 : 1)
            output += "@@ -\(oldStart),\(old) +\(newStart),\(new) @@\n"
            for (mark, line, _, _) in hunk { output += "\(mark)\(line)\n" }
            row = end
            if row >= rows.count { break }
        }
        return output
    }

    private static func lines(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() } else { lines[lines.count - 1] += "\n\\ No newline at end of file" }
        return lines
    }
}
