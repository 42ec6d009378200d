package import FoundationEssentials

extension UnitStatus {
    /// The properties asked for; systemd 249 (Ubuntu 22.04) has them all.
    static let properties = [
        "Id", "Names", "LoadState", "ActiveState", "SubState", "Result", "NRestarts", "UnitFileState", "FragmentPath",
        "NeedDaemonReload", "ActiveEnterTimestamp", "ActiveExitTimestamp", "InactiveEnterTimestamp",
        "InactiveExitTimestamp",
    ]

    /// Reads what `systemctl show` printed: a block of `NAME=VALUE` lines per unit, an empty line between blocks.
    ///
    /// Properties that are not known are passed over, and so is the order; a unit that is asked for and not there is
    /// an error, as is one without a state.
    static func parse(_ text: String, asked units: [UnitName]) throws(ServiceError) -> [UnitName: UnitStatus] {
        var blocks: [[Substring: Substring]] = [[:]]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                if blocks.last?.isEmpty == false { blocks.append([:]) }
                continue
            }
            guard let sign = line.firstIndex(of: "=") else {
                throw notUnderstood("a line without \"=\": \(ServiceError.quoted(String(line)))")
            }
            blocks[blocks.count - 1][line[..<sign]] = line[line.index(after: sign)...]
        }
        var byName: [Substring: [Substring: Substring]] = [:]
        for block in blocks {
            for name in (block["Names"] ?? "").split(separator: " ") { byName[name] = block }
        }
        // A unit's own name goes before an alias that another unit claims.
        for block in blocks { if let id = block["Id"] { byName[id] = block } }
        var statuses: [UnitName: UnitStatus] = [:]
        for unit in units {
            guard let block = byName[unit.description[...]] else { throw notUnderstood("\(unit) is not in the answer") }
            statuses[unit] = try UnitStatus(block, asked: unit)
        }
        return statuses
    }

    private init(_ block: [Substring: Substring], asked unit: UnitName) throws(ServiceError) {
        guard let id = block["Id"], let load = block["LoadState"], let active = block["ActiveState"], !load.isEmpty,
            !active.isEmpty
        else { throw Self.notUnderstood("\(unit) has no state in the answer") }
        self.init(
            id: String(id), load: Load(rawValue: String(load)), active: Active(rawValue: String(active)),
            sub: String(block["SubState"] ?? ""))
        if let result = block["Result"], !result.isEmpty { self.result = Result(rawValue: String(result)) }
        if let count = block["NRestarts"] {
            guard let count = Int(count), count >= 0 else { throw Self.notUnderstood("NRestarts is \(count)") }
            restarts = count
        }
        if let state = block["UnitFileState"], !state.isEmpty { fileState = UnitFileState(rawValue: String(state)) }
        if let path = block["FragmentPath"], !path.isEmpty { filePath = String(path) }
        needsManagerReload = block["NeedDaemonReload"] == "yes"
        let property: Substring =
            switch self.active {
            case .active, .reloading: "ActiveEnterTimestamp"
            case .activating: "InactiveExitTimestamp"
            case .deactivating: "ActiveExitTimestamp"
            default: "InactiveEnterTimestamp"
            }
        since = block[property].flatMap { Timestamp.parse($0) }
    }

    private static func notUnderstood(_ reason: String) -> ServiceError {
        ServiceError(
            .notUnderstood, reason: "systemctl show: \(reason)", remedy: "run systemctl show by hand and look at it")
    }
}

/// Times as `systemctl --timestamp=utc` (systemd 247 and later) and `--timestamp=unix` (251 and later) print them.
package enum Timestamp {
    /// Reads `Tue 2026-01-06 10:00:00 UTC`, the same with a fraction of seconds, or `@1767693600`; nil for anything
    /// else, `n/a` and the empty text of a time that never was included.
    package static func parse(_ text: Substring) -> Date? {
        if text.first == "@" {
            // Neither infinity nor a number beyond all calendars is a time.
            guard let seconds = Double(text.dropFirst()), abs(seconds) < 1e12 else { return nil }
            return Date(timeIntervalSince1970: seconds)
        }
        let words = text.split(separator: " ")
        guard words.count == 4, words[3] == "UTC" else { return nil }
        let day = words[1].split(separator: "-").compactMap { Int($0) }
        let time = words[2].split(separator: ":")
        // A host can say anything: only what fits is computed with.
        guard day.count == 3, time.count == 3, (1970...9999).contains(day[0]), (1...12).contains(day[1]),
            (1...31).contains(day[2]), let hour = Int(time[0]), (0...23).contains(hour), let minute = Int(time[1]),
            (0...59).contains(minute), let second = Double(time[2]), (0..<61).contains(second)
        else { return nil }
        let days = daysSinceEpoch(year: day[0], month: day[1], day: day[2])
        return Date(timeIntervalSince1970: Double(days * 86_400 + hour * 3600 + minute * 60) + second)
    }

    /// The days from 1970-01-01 in the Gregorian calendar; years are counted from March so that leap days come last.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }
}
