/// What is known of a host during a run, from section to section.
///
/// The first question to a host covers all sections that are to come, so that a host where everything is in place is
/// asked once. What was learned serves until something is changed anywhere, since hosts share storage and services, and
/// for two minutes at most.
actor HostMemory {
    private struct Entry {
        var facts: Facts
        var queries: Set<Query>
        var changes: Int
        var time: ContinuousClock.Instant
    }

    private var entries: [Host: Entry] = [:]
    private(set) var changes = 0
    private let lifetime: Duration

    init(lifetime: Duration = .seconds(120)) { self.lifetime = lifetime }

    /// Whether the host was asked before.
    func knows(_ host: Host) -> Bool { entries[host] != nil }

    /// What was learned, if it covers these queries and still counts.
    func facts(of host: Host, covering queries: Set<Query>) -> Facts? {
        guard let entry = entries[host], entry.changes == changes, entry.queries.isSuperset(of: queries),
            entry.time + lifetime > .now
        else { return nil }
        return entry.facts
    }

    /// Keeps what was learned; `changes` is the count from before the question.
    func keep(_ facts: Facts, of host: Host, covering queries: Set<Query>, changes: Int) {
        entries[host] = Entry(facts: facts, queries: queries, changes: changes, time: .now)
    }

    /// Something is about to be changed on some host.
    func noteChange() { changes += 1 }
}
