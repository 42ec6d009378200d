/// Something to do: equal troubles of several hosts, or of several checks, told once.
struct ValidationProblem: Hashable {
    /// Failed, not seen, or a warning.
    let state: ValidationState
    /// The checks that found it; several where the same was seen on the same hosts, as when a host gives no answer.
    var checks: [ValidationReport.Check]
    /// What to do, with ``StepGroup/placeholder`` in place of a name where the hosts differ in nothing else.
    let advice: String?
    /// What was seen, and on which hosts: several where it differs between them, as numbers do.
    var sights: [Sight]

    /// What some hosts showed alike.
    struct Sight: Hashable {
        let seen: String
        var hosts: [String]
    }

    /// The hosts, in the order of the report.
    let hosts: [String]

    /// How many cells of the matrix it stands for.
    var cellCount: Int { hosts.count * checks.count }

    /// The number of the group, where all checks belong to one.
    var group: Int? { checks.allSatisfy { $0.group == checks.first?.group } ? checks.first?.group : nil }

    /// The text with the host's name back in it where it is about one host alone.
    private static func text(_ general: String, of hosts: [String]) -> String {
        hosts.count == 1 ? general.replacing(StepGroup.placeholder, with: hosts[0]) : general
    }

    /// The problems of a report: failures first, then what could not be looked at, then warnings; what concerns more
    /// comes earlier.
    static func all(of report: ValidationReport) -> [ValidationProblem] {
        let matrix = ValidationMatrix(report)
        var places: [String: Int] = [:]
        for (place, host) in (report.hosts.map(\.name) + matrix.hosts.map(\.name)).enumerated()
        where places[host] == nil {
            places[host] = place
        }
        let rows = matrix.hosts.indices.sorted {
            (places[matrix.hosts[$0].name] ?? 0) < (places[matrix.hosts[$1].name] ?? 0)
        }
        var merged: [Whole: ValidationProblem] = [:]
        var order: [Whole] = []
        for (column, check) in matrix.checks.enumerated() {
            for problem in problems(of: check, rows: rows, column: column, matrix) {
                let whole = Whole(state: problem.state, advice: problem.advice, sights: problem.sights)
                if merged[whole] == nil {
                    merged[whole] = problem
                    order.append(whole)
                } else {
                    merged[whole]?.checks.append(check)
                }
            }
        }
        // The numbers of checks in the report decide where all else is equal.
        let numbers = Dictionary(report.checks.enumerated().map { ($1.id, $0) }) { first, _ in first }
        func number(_ problem: ValidationProblem) -> Int { problem.checks.compactMap { numbers[$0.id] }.min() ?? .max }
        return order.compactMap { merged[$0] }.map { problem in
            var problem = problem
            problem.checks.sort { (numbers[$0.id] ?? .max, $0.id) < (numbers[$1.id] ?? .max, $1.id) }
            return problem
        }.enumerated().sorted {
            ($0.element.state, -$0.element.cellCount, number($0.element), $0.offset)
                < ($1.element.state, -$1.element.cellCount, number($1.element), $1.offset)
        }.map(\.element)
    }

    /// Problems with the same state, advice and sights are one.
    private struct Whole: Hashable {
        let state: ValidationState
        let advice: String?
        let sights: [Sight]
    }

    private static func problems(
        of check: ValidationReport.Check, rows: [Int], column: Int, _ matrix: ValidationMatrix
    ) -> [ValidationProblem] {
        struct Key: Hashable {
            let state: ValidationState
            let advice: String?
        }
        var order: [Key] = []
        var sights: [Key: [Sight]] = [:]
        var indices: [Key: [String: Int]] = [:]
        for row in rows {
            guard let verdict = matrix.cells[row][column], verdict.state.isTrouble else { continue }
            let host = matrix.hosts[row].name
            let key = Key(state: verdict.state, advice: verdict.advice.map { general($0, host) })
            let seen = general(verdict.seen, host)
            if sights[key] == nil { order.append(key) }
            if let index = indices[key]?[seen] {
                sights[key]?[index].hosts.append(host)
            } else {
                indices[key, default: [:]][seen] = sights[key]?.count ?? 0
                sights[key, default: []].append(Sight(seen: seen, hosts: [host]))
            }
        }
        return order.map { key in
            let found = sights[key] ?? []
            // Sights come in the order of their first hosts; the hosts of all of them in that of the report.
            let names = Set(found.flatMap(\.hosts))
            let hosts = rows.map { matrix.hosts[$0].name }.filter { names.contains($0) }
            return ValidationProblem(
                state: key.state, checks: [check], advice: key.advice.map { text($0, of: hosts) },
                sights: found.map { Sight(seen: text($0.seen, of: $0.hosts), hosts: $0.hosts) }, hosts: hosts)
        }
    }

    /// Hosts that differ in nothing but their names say the same. A name within a longer one stays.
    static func general(_ text: String, _ host: String) -> String {
        let (bytes, name) = (Array(text.utf8), Array(host.utf8))
        guard let first = name.first, bytes.count >= name.count else { return text }
        var result: [UInt8] = []
        var copied = 0
        var position = 0
        while position + name.count <= bytes.count {
            let end = position + name.count
            if bytes[position] == first, bytes[position..<end].elementsEqual(name),
                position == 0 || !isPart(bytes[position - 1]), end == bytes.count || !isPart(bytes[end])
            {
                result += bytes[copied..<position]
                result += StepGroup.placeholder.utf8
                (position, copied) = (end, end)
            } else {
                position += 1
            }
        }
        return copied == 0 ? text : String(decoding: result + bytes[copied...], as: UTF8.self)
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: byte >= 0x80
        }
    }
}
