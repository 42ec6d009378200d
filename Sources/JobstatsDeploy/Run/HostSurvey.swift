import CommandExecution
import Synchronization

/// A look at all hosts of a run at once, before anything is changed on the first of them.
package struct HostSurvey: Sendable {
    let pool: ConnectionPool
    let memory: HostMemory
    let parallel: Int
    /// Whether hosts may remember digests.
    let mayWrite: Bool

    /// The connections of the run; closing one of them leaves it open.
    package var connector: any HostConnector { PooledConnector(pool: pool) }

    /// Asks each host in one question everything that the plan must know of it, and keeps the answers for the run.
    ///
    /// Hosts that give no answer, or not soon, are left out: they are asked again, and longer, when their turn comes.
    package func look(at plan: Plan) async -> [Host: Facts] {
        let found = Mutex<[Host: Facts]>([:])
        await Bounded.forEach(plan.hosts, atOnce: parallel) { host in
            let queries = plan.sections.flatMap { $0.tasks(on: host).flatMap(\.resource.queries) }
            let mark = await memory.mark(for: host)
            let collector = FactCollector(queries, sums: KnownSums(isWritten: mayWrite))
            guard let facts = try? await collector.glance(with: pool.connection(to: host)) else { return }
            await memory.keep(facts, of: host, covering: Set(queries.filter(facts.answers)), mark: mark)
            found.withLock { $0[host] = facts }
        }
        return found.withLock { $0 }
    }
}
