import CommandExecution

/// The work on one host in one section.
///
/// What is true there is asked once. Steps that differ are carried out together as far as they do not depend on one
/// another's effects, and looked at again in the same round trip.
final class HostVisit {
    /// A step and its resource on this host.
    typealias Task = (step: Step, resource: any Resource)

    private let host: Host
    private let tasks: [Task]
    private let connection: any HostConnection
    private let memory: HostMemory
    private let mode: PlanRunner.Mode
    private let consents: Set<String>
    /// Of this section.
    private let queries: [Query]
    /// Of the sections to come.
    private let laterTasks: [Task]
    private var laterQueries: [Query] { laterTasks.flatMap(\.resource.queries) }
    private var facts: Facts?
    /// What was changed before its turn came.
    private var changedAhead: [Int: Change] = [:]
    /// Whether the host cannot be asked any more.
    private(set) var isLost = false

    /// How many bytes are sent together at most: the host keeps them in memory.
    private static let batchLimit = 48 << 20

    init(
        host: Host, tasks: [Task], laterTasks: [Task], connection: any HostConnection, memory: HostMemory,
        mode: PlanRunner.Mode, consents: Set<String>
    ) {
        self.host = host
        self.tasks = tasks
        queries = tasks.flatMap(\.resource.queries)
        self.laterTasks = laterTasks
        self.connection = connection
        self.memory = memory
        self.mode = mode
        self.consents = consents
    }

    /// Looks at a step, and changes it where needed, with those after it that can go along. Steps that are in place are
    /// told together. Gives what came of each, at least of one.
    func work(from index: Int) async -> [StepFinding] {
        do {
            let known = try await knownFacts()
            let (_, resource) = tasks[index]
            let found = resource.assess(known)
            if found.state == .inPlace { return try await inPlace(from: index, known) }
            guard found.state == .differs else { return [StepFinding(.failed, found)] }
            if mode == .check { return [try await difference(of: resource, found, known)] }
            if let consent = missingConsent(index) {
                var finding = StepFinding(.needsConsent, found)
                finding.remedy = "it disturbs running work; to allow it: --allow \(consent)"
                return [finding]
            }
            return try await change(group(from: index, known))
        } catch let error as CommandError {
            isLost = error.code == .connectionLost || error.code == .cancelled || error.executable == "ssh"
            return [StepFinding(failed: "\(error)", remedy: nil)]
        } catch let error as ResourceError {
            return [StepFinding(failed: error.reason, remedy: error.remedy)]
        } catch {
            return [StepFinding(failed: "\(error)", remedy: nil)]
        }
    }

    /// The step, which is in place, and those after it that are, too.
    private func inPlace(from index: Int, _ known: Facts) async throws(CommandError) -> [StepFinding] {
        var findings: [StepFinding] = []
        for index in tasks.indices[index...] {
            let resource = tasks[index].resource
            let found = resource.assess(known)
            guard found.state == .inPlace else { break }
            if let change = changedAhead[index] {
                findings.append(Self.finding(change, found))
                continue
            }
            var finding = StepFinding(.inPlace, found)
            if found.isWarning, !resource.differenceQueries.isEmpty {
                // What is kept although it differs is shown.
                finding.difference = try await difference(of: resource, found, known).difference
            }
            findings.append(finding)
        }
        return findings
    }

    private func difference(
        of resource: any Resource, _ found: Assessment, _ known: Facts
    ) async throws(CommandError) -> StepFinding {
        var facts = known
        facts.merge(try await FactCollector(resource.differenceQueries).collect(with: connection))
        var finding = StepFinding(.wouldChange, found)
        finding.difference = resource.difference(facts)
        return finding
    }

    private func missingConsent(_ index: Int) -> String? {
        guard let consent = tasks[index].step.consent, !consents.contains(consent) else { return nil }
        return consent
    }

    // MARK: - Asking

    private func knownFacts() async throws(CommandError) -> Facts {
        if let facts { return facts }
        let mark = await memory.mark(for: host)
        let known = await memory.knowledge(of: host)
        // A host of which nothing is known is asked for the sections to come, too.
        let asked = known.map { known in queries.filter { !known.queries.contains($0) } } ?? queries + laterQueries
        var facts = known?.facts ?? Facts()
        if !asked.isEmpty {
            facts.merge(try await collector(asked).collect(with: connection), answering: asked)
            await memory.keep(
                facts, of: host, covering: (known?.queries ?? []).union(asked.filter(facts.answers)), mark: mark,
                since: known?.since ?? .now)
        }
        self.facts = facts
        return facts
    }

    private func collector(_ queries: [Query]) -> FactCollector {
        FactCollector(queries, sums: KnownSums(isWritten: mode == .apply))
    }

    // MARK: - Changing

    /// A step that is carried out, as it was found, with its commands; none where it is in place already.
    private struct Change {
        var index: Int
        var found: Assessment
        var commands: [Command]
        /// Whether it was judged by what is expected of the steps before it.
        var isExpected = false
        /// What somebody changed on the host and this run puts right.
        var difference: String?
    }

    /// The step, and those after it that can be carried out in the same round trip.
    private func group(from index: Int, _ known: Facts) throws(ResourceError) -> [Change] {
        let first = tasks[index].resource
        var group = [Change(index: index, found: first.assess(known), commands: try first.changes(from: known))]
        var bytes = group[0].commands.reduce(0) { $0 + $1.input.count }
        var effects: Effects? = Effects()
        note(group[0], in: &effects)
        for next in tasks.indices[(index + 1)...] {
            guard missingConsent(next) == nil, let change = follower(next, known, effects) else { break }
            bytes += change.commands.reduce(0) { $0 + $1.input.count }
            guard bytes <= Self.batchLimit else { break }
            group.append(change)
            note(change, in: &effects)
        }
        return group
    }

    /// A step that goes along with those before it; nil when the host must be asked first.
    ///
    /// - Parameter effects: what those before it touch; nil when that is not known.
    private func follower(_ index: Int, _ known: Facts, _ effects: Effects?) -> Change? {
        let resource = tasks[index].resource
        let follows = resource as? any FollowingResource
        guard follows != nil ? effects != nil : !resource.needsFreshFacts else { return nil }
        var change = Change(index: index, found: resource.assess(known), commands: [])
        if let follows, let effects {
            change.isExpected = true
            change.found = follows.assess(known, after: effects)
        }
        switch change.found.state {
        case .inPlace: break
        case .blocked: return nil
        case .differs:
            let commands =
                if let follows, let effects {
                    try? follows.changes(from: known, after: effects)
                } else {
                    try? resource.changes(from: known)
                }
            guard let commands else { return nil }
            change.commands = commands
        }
        return change
    }

    private func note(_ change: Change, in effects: inout Effects?) {
        guard !change.commands.isEmpty else { return }
        if let bounded = tasks[change.index].resource as? any BoundedResource {
            effects?.formUnion(bounded.effects)
        } else {
            effects = nil
        }
    }

    private func change(_ group: [Change]) async throws(CommandError) -> [StepFinding] {
        var group = group
        for index in group.indices where group[index].found.isDrift {
            let resource = tasks[group[index].index].resource
            group[index].difference = try await difference(of: resource, group[index].found, facts ?? Facts())
                .difference
        }
        var effects: Effects? = Effects()
        for change in group { note(change, in: &effects) }
        if effects?.servesOthers == true { effects = nil }
        let scope = Self.scope(of: effects)
        let (known, begun) = await memory.beginChange(on: host, scope)
        let kept = effects.map { Self.untouched(known?.queries ?? [], of: laterTasks, by: $0) } ?? []
        let commands = group.flatMap(\.commands)
        let asked = questions(after: group, effects)
        let outcome: CommandBatch.Outcome
        do throws(CommandError) {
            outcome = try await CommandBatch(commands, then: collector(asked)).run(on: connection)
        } catch {
            _ = await memory.endChange(on: host, scope, begun: begun)
            throw error
        }
        let mark = await memory.endChange(on: host, scope, begun: begun)
        var now = facts ?? Facts()
        now.merge(outcome.facts, answering: asked)
        facts = now
        await memory.keep(
            now, of: host, covering: kept.union(asked.filter(now.answers)), mark: mark,
            since: kept.isEmpty ? .now : known?.since ?? .now)
        var findings: [StepFinding] = []
        var position = 0
        for (place, change) in group.enumerated() {
            if let failure = outcome.failure, failure.index < position + change.commands.count {
                let said = Self.words(of: failure.result, commands[failure.index])
                findings.append(StepFinding(failed: said, remedy: "look at the output, mend it, then run again"))
                break
            }
            position += change.commands.count
            let resource = tasks[change.index].resource
            if outcome.isUnanswered {
                // Its commands ended well; then the host answered no more.
                var finding = StepFinding(change.commands.isEmpty ? .inPlace : .changed, change.found)
                finding.difference = change.difference
                findings.append(finding)
                continue
            }
            let seen = resource.assess(now)
            if change.isExpected, seen.state == .differs {
                // It came otherwise than expected. Now that it is seen, it is changed in its turn.
                // What came about after it counts when its turn comes.
                for later in group[(place + 1)...] {
                    position += later.commands.count
                    guard position <= outcome.failure?.index ?? .max else { break }
                    if !later.commands.isEmpty { changedAhead[later.index] = later }
                }
                break
            }
            let told = change.commands.isEmpty ? changedAhead[change.index] ?? change : change
            findings.append(Self.finding(told, seen))
        }
        return findings
    }

    private static func scope(of effects: Effects?) -> HostMemory.Scope {
        guard let effects else { return .all }
        return effects.staysOnHost ? .host : .paths(effects.sharedPaths)
    }

    /// What to ask after these changes: what was changed, and of what is to come all that this may have touched.
    ///
    /// - Parameter effects: what the changes touch; nil when that is not known.
    private func questions(after group: [Change], _ effects: Effects?) -> [Query] {
        let rest = Array(tasks[group[0].index...])
        guard let effects, let facts else {
            // Of the sections to come once, when this one ends: some of their questions take long.
            let asksAll = group[group.count - 1].index == tasks.count - 1
            return rest.flatMap(\.resource.queries) + (asksAll ? laterQueries : [])
        }
        let changed = group.filter { !$0.commands.isEmpty }.flatMap { tasks[$0.index].resource.queries }
        let known = Set(rest.flatMap(\.resource.queries).filter(facts.answers))
        let untouched = Self.untouched(known, of: rest, by: effects).subtracting(changed)
        return rest.flatMap(\.resource.queries).filter { !untouched.contains($0) }
    }

    /// What of the answers to these questions is as true as before for these tasks.
    private static func untouched(_ known: Set<Query>, of tasks: [Task], by effects: Effects) -> Set<Query> {
        var fresh = Set<Query>()
        var steady = Set<Query>()
        for (_, resource) in tasks {
            if resource.needsFreshFacts && !(resource is any FollowingResource) {
                fresh.formUnion(resource.queries)
            } else {
                steady.formUnion(resource.queries)
            }
        }
        return known.intersection(steady.subtracting(fresh)).filter { query in
            switch query {
            case .file(let path), .content(let path), .contentUnless(let path, _), .link(let path):
                !effects.paths.contains(path)
            case .unit(let name): !effects.touches(unit: name)
            case .command: effects.staysOnHost
            case .user, .package: true
            }
        }
    }

    private static func finding(_ change: Change, _ now: Assessment) -> StepFinding {
        guard !change.commands.isEmpty else {
            return StepFinding(now.state == .inPlace ? .inPlace : .failed, now)
        }
        guard now.state == .inPlace else {
            return StepFinding(failed: "still not so after the change: \(now.detail)", remedy: now.remedy)
        }
        var finding = StepFinding(.changed, now)
        finding.detail = change.found.detail
        finding.difference = change.difference
        return finding
    }

    private static func words(of result: CommandResult, _ command: Command) -> String {
        let said = result.errorText.isEmpty ? result.outputText : result.errorText
        let lines = said.split(whereSeparator: \.isNewline).suffix(12).joined(separator: "\n")
        let name = command.executable == "sh" ? "" : "\(command.executable): "
        return "\(name)\(result.status)" + (lines.isEmpty ? "" : ": \(lines.prefix(2000))")
    }
}

/// What came of a step on a host.
struct StepFinding: Sendable {
    var outcome: StepOutcome
    var detail: String
    var remedy: String?
    var isWarning: Bool
    var difference: String?

    init(_ outcome: StepOutcome, _ assessment: Assessment) {
        self.outcome = outcome
        detail = assessment.detail
        remedy = assessment.remedy
        isWarning = assessment.isWarning
    }

    init(failed detail: String, remedy: String?) {
        outcome = .failed
        self.detail = detail
        self.remedy = remedy
        isWarning = false
    }
}
