/// What is known of a host during a run, from section to section.
///
/// The first question to a host covers all sections that are to come, so that a host where everything is in place is
/// asked once. What was learned serves until something is changed that may touch it, on the host itself or on another one
/// with effects beyond it, since hosts share storage and services; and for two minutes at most.
actor HostMemory {
    /// Who may see a change.
    enum Scope: Sendable, Hashable {
        /// The host itself.
        case host
        /// Every host, at these paths, and by what commands tell of them.
        case paths(Set<String>)
        /// Every host, anywhere.
        case all
    }

    /// A moment of the run, by what had been changed until then.
    struct Mark: Sendable, Hashable {
        /// How often something was changed on this host, or anywhere for all to see.
        var changes = 0
        /// How often something was changed at paths that all see.
        var shared = 0
    }

    private struct Entry {
        var facts: Facts
        var queries: Set<Query>
        var mark: Mark
        var time: ContinuousClock.Instant
    }

    private var entries: [Host: Entry] = [:]
    private var commonChanges = 0
    private var ownChanges: [Host: Int] = [:]
    private var sharedChanges: [Set<String>] = []
    private let lifetime: Duration

    init(lifetime: Duration = .seconds(120)) { self.lifetime = lifetime }

    /// This moment, for a host that is about to be asked.
    func mark(for host: Host) -> Mark {
        Mark(changes: commonChanges + ownChanges[host, default: 0], shared: sharedChanges.count)
    }

    /// What was learned and still counts.
    struct Knowledge: Sendable {
        var facts: Facts
        /// The questions whose answers count.
        var queries: Set<Query>
        /// Since when they are known.
        var since: ContinuousClock.Instant
    }

    /// What of a host is known and still counts; nil for nothing.
    func knowledge(of host: Host) -> Knowledge? {
        guard let entry = entries[host], entry.mark.changes == mark(for: host).changes, entry.time + lifetime > .now
        else { return nil }
        var queries = entry.queries
        if entry.mark.shared < sharedChanges.count {
            let paths = sharedChanges[entry.mark.shared...].reduce(into: Set()) { $0.formUnion($1) }
            queries = queries.filter { !Self.concerns($0, paths) }
        }
        return Knowledge(facts: entry.facts, queries: queries, since: entry.time)
    }

    /// What was learned, if it covers these queries and still counts.
    func facts(of host: Host, covering queries: Set<Query>) -> Facts? {
        guard let known = knowledge(of: host), known.queries.isSuperset(of: queries) else { return nil }
        return known.facts
    }

    /// Whether the answer may be another one after a change at these paths on shared storage. A command may look anywhere.
    static func concerns(_ query: Query, _ paths: Set<String>) -> Bool {
        switch query {
        case .file(let path), .content(let path), .contentUnless(let path, _), .link(let path): paths.contains(path)
        case .command: true
        case .unit, .user, .package: false
        }
    }

    /// Something is about to be changed on a host. Nothing comes between what counted and the note.
    ///
    /// - Returns: what counted until now, and the moment with this change.
    func beginChange(on host: Host, _ scope: Scope) -> (known: Knowledge?, mark: Mark) {
        let known = knowledge(of: host)
        ownChanges[host, default: 0] += 1
        note(scope)
        return (known, mark(for: host))
    }

    /// A change has ended, or may still come about on a host that was lost: who looked meanwhile may have looked too early.
    ///
    /// - Returns: the moment with it, if nothing else was changed since it began; else the one when it began.
    func endChange(on host: Host, _ scope: Scope, begun: Mark) -> Mark {
        let isAlone = mark(for: host) == begun
        note(scope)
        return isAlone ? mark(for: host) : begun
    }

    private func note(_ scope: Scope) {
        switch scope {
        case .host: break
        case .paths(let paths): sharedChanges.append(paths)
        case .all: commonChanges += 1
        }
    }

    /// Keeps what was learned; the mark is of before the question.
    func keep(
        _ facts: Facts, of host: Host, covering queries: Set<Query>, mark: Mark,
        since time: ContinuousClock.Instant = .now
    ) {
        entries[host] = Entry(facts: facts, queries: queries, mark: mark, time: time)
    }
}
