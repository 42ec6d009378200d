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
    private let laterQueries: [Query]
    private var facts: Facts?
    /// Whether the host cannot be asked any more.
    private(set) var isLost = false

    /// How many bytes are sent together at most: the host keeps them in memory.
    private static let batchLimit = 48 << 20

    init(
        host: Host, tasks: [Task], laterQueries: [Query], connection: any HostConnection, memory: HostMemory,
        mode: PlanRunner.Mode, consents: Set<String>
    ) {
        self.host = host
        self.tasks = tasks
        queries = tasks.flatMap(\.resource.queries)
        self.laterQueries = laterQueries
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
        for (_, resource) in tasks[index...] {
            let found = resource.assess(known)
            guard found.state == .inPlace else { break }
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
        let needed = Set(queries)
        if let facts = await memory.facts(of: host, covering: needed) {
            self.facts = facts
            return facts
        }
        let isFirst = await !memory.knows(host)
        let asked = isFirst ? queries + laterQueries : queries
        let changes = await memory.changes
        let answer = try await collector(asked).collect(with: connection)
        await memory.keep(answer, of: host, covering: needed.union(asked), changes: changes)
        facts = answer
        return answer
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
        /// What somebody changed on the host and this run puts right.
        var difference: String?
    }

    /// The step, and those after it that can be carried out in the same round trip.
    private func group(from index: Int, _ known: Facts) throws(ResourceError) -> [Change] {
        let first = tasks[index].resource
        var group = [Change(index: index, found: first.assess(known), commands: try first.changes(from: known))]
        var bytes = group[0].commands.reduce(0) { $0 + $1.input.count }
        for next in tasks.indices[(index + 1)...] {
            let resource = tasks[next].resource
            guard !resource.needsFreshFacts, missingConsent(next) == nil else { break }
            let found = resource.assess(known)
            guard found.state != .blocked else { break }
            var commands: [Command] = []
            if found.state == .differs {
                guard let wanted = try? resource.changes(from: known) else { break }
                commands = wanted
            }
            bytes += commands.reduce(0) { $0 + $1.input.count }
            guard bytes <= Self.batchLimit else { break }
            group.append(Change(index: next, found: found, commands: commands))
        }
        return group
    }

    private func change(_ group: [Change]) async throws(CommandError) -> [StepFinding] {
        var group = group
        for index in group.indices where group[index].found.isDrift {
            let resource = tasks[group[index].index].resource
            group[index].difference = try await difference(of: resource, group[index].found, facts ?? Facts())
                .difference
        }
        await memory.noteChange()
        let commands = group.flatMap(\.commands)
        let changes = await memory.changes
        let outcome = try await CommandBatch(commands, then: collector(queries)).run(on: connection)
        var known = facts ?? Facts()
        known.merge(outcome.facts, answering: queries)
        facts = known
        await memory.keep(known, of: host, covering: Set(queries), changes: changes)
        var findings: [StepFinding] = []
        var position = 0
        for change in group {
            if let failure = outcome.failure, failure.index < position + change.commands.count {
                let said = Self.words(of: failure.result, commands[failure.index])
                findings.append(StepFinding(failed: said, remedy: "look at the output, mend it, then run again"))
                break
            }
            position += change.commands.count
            findings.append(Self.finding(change, tasks[change.index].resource.assess(known)))
        }
        return findings
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
