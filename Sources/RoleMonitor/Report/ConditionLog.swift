package import Logging

/// Logs what lasts once: when it begins, when it changes, once an hour with a count, and when it ends.
package struct ConditionLog {
    private struct Entry {
        var fingerprint: String
        var since: Double
        var shown: Double
        var count: Int
        var ending: String?
    }

    private let logger: Logger
    private let repetition: Double
    private var entries: [String: Entry] = [:]
    private var seen: Set<String> = []

    package init(logger: Logger, repeatedEvery repetition: Duration = .seconds(3600)) {
        self.logger = logger
        self.repetition = repetition.inSeconds
    }

    /// Notes that something is so at this check.
    ///
    /// - Parameters:
    ///   - key: what it is about; one condition for each key.
    ///   - fingerprint: what makes it another one; the message by default.
    ///   - ending: what to log when it has ended; nil for nothing.
    package mutating func note(
        _ key: String, _ level: Logger.Level, _ message: String, fingerprint: String? = nil, ending: String? = nil,
        now: Moment
    ) {
        seen.insert(key)
        let fingerprint = fingerprint ?? message
        guard var entry = entries[key], entry.fingerprint == fingerprint else {
            logger.log(level: level, "\(message)")
            entries[key] = Entry(
                fingerprint: fingerprint, since: now.sinceBoot, shown: now.sinceBoot, count: 1, ending: ending)
            return
        }
        entry.count += 1
        if now.sinceBoot - entry.shown >= repetition {
            logger.log(level: level, "\(message) (for \(Self.span(now.sinceBoot - entry.since)), \(entry.count) times)")
            entry.shown = now.sinceBoot
        }
        entries[key] = entry
    }

    /// Notes that this check could not tell whether something is still so: if it was, it is not taken for ended.
    mutating func keep(_ key: String) { seen.insert(key) }

    /// The same for all conditions whose key begins this way.
    mutating func keep(prefix: String) { seen.formUnion(entries.keys.filter { $0.hasPrefix(prefix) }) }

    /// Ends every condition that was not noted since the last call.
    package mutating func endOthers(now: Moment) {
        for (key, entry) in entries.sorted(by: { $0.key < $1.key }) where !seen.contains(key) {
            entries[key] = nil
            guard let ending = entry.ending else { continue }
            logger.notice("\(ending) (after \(Self.span(now.sinceBoot - entry.since)), \(entry.count) times)")
        }
        seen = []
    }

    /// `45 s`, `12 min`, `3 h 5 min`.
    static func span(_ seconds: Double) -> String {
        let seconds = Int(seconds.rounded())
        if seconds < 120 { return "\(seconds) s" }
        if seconds < 7200 { return "\(seconds / 60) min" }
        return "\(seconds / 3600) h" + (seconds % 3600 / 60 > 0 ? " \(seconds % 3600 / 60) min" : "")
    }
}
