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

    /// What counted until a change began.
    struct Beginning {
        /// The questions whose answers counted.
        var queries: Set<Query> = []
        /// Since when they are known.
        var since = ContinuousClock.now
        /// The count with this change.
        var changes = 0
    }

    /// Something is about to be changed on a host. Nothing comes between what counted and the note.
    ///
    /// - Parameter staysThere: whether no other host sees anything of it.
    func beginChange(on host: Host, staysThere: Bool) -> Beginning {
        var beginning = Beginning()
        if let entry = entries[host], entry.changes == changes(for: host) {
            (beginning.queries, beginning.since) = (entry.queries, entry.time)
        }
        if staysThere { ownChanges[host, default: 0] += 1 } else { commonChanges += 1 }
        beginning.changes = changes(for: host)
        return beginning
    }

    /// A change that all hosts may see has ended, or may still come about on a host that was lost: who looked meanwhile may
    /// have looked too early.
    func endCommonChange() { commonChanges += 1 }

    /// Keeps what was learned; `changes` is the count from before the question.
    func keep(
        _ facts: Facts, of host: Host, covering queries: Set<Query>, changes: Int,
        since time: ContinuousClock.Instant = .now
    ) {
        entries[host] = Entry(facts: facts, queries: queries, changes: changes, time: time)
    }
}
