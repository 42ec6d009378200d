/// What is known of a host during a run, from section to section.
///
/// The first question to a host covers all sections that are to come, so that a host where everything is in place is
/// asked once. What was learned serves until something is changed that may touch it, on the host itself or on another one
/// with effects beyond it, since hosts share storage and services; and for two minutes at most.
actor HostMemory {
    private struct Entry {
        var facts: Facts
        var queries: Set<Query>
        var changes: Int
        var time: ContinuousClock.Instant
    }

    private var entries: [Host: Entry] = [:]
    /// How often something was changed that all hosts may see.
    private var commonChanges = 0
    /// How often something was changed that only the host itself sees.
    private var ownChanges: [Host: Int] = [:]
    private let lifetime: Duration

    init(lifetime: Duration = .seconds(120)) { self.lifetime = lifetime }

    /// How often something was changed that concerns the host.
    func changes(for host: Host) -> Int { commonChanges + ownChanges[host, default: 0] }

    /// What was learned, if it covers these queries and still counts.
    func facts(of host: Host, covering queries: Set<Query>) -> Facts? {
        guard let entry = entries[host], entry.changes == changes(for: host), entry.queries.isSuperset(of: queries),
            entry.time + lifetime > .now
        else { return nil }
        return entry.facts
    }

    /// The questions whose answers still count, and since when they are known.
    func known(of host: Host) -> (queries: Set<Query>, since: ContinuousClock.Instant) {
        guard let entry = entries[host], entry.changes == changes(for: host) else { return ([], .now) }
        return (entry.queries, entry.time)
    }

    /// Keeps what was learned; `changes` is the count from before the question.
    func keep(
        _ facts: Facts, of host: Host, covering queries: Set<Query>, changes: Int,
        since time: ContinuousClock.Instant = .now
    ) {
        entries[host] = Entry(facts: facts, queries: queries, changes: changes, time: time)
    }

    /// Something is about to be changed on a host, or was just changed.
    ///
    /// - Parameter staysThere: whether no other host sees anything of it.
    func noteChange(on host: Host, staysThere: Bool) {
        if staysThere { ownChanges[host, default: 0] += 1 } else { commonChanges += 1 }
    }
}
