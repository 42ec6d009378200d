import Synchronization

// The interactive run: a person is taken through the sections, one after the other.
extension SetupRun {
    /// Whether a person is asked before each section.
    var isWalk: Bool {
        options.walks && options.mode == .run && !options.isNonInteractive && !options.assumesYes
            && !options.takesAway
    }

    /// Walks through the outline, then says and writes down what came of it.
    ///
    /// - Parameters:
    ///   - outline: the plan as far as it is known without BCM.
    ///   - earlier: what an earlier run reached.
    /// - Returns: the exit status.
    func walk(
        _ configuration: DeploymentConfiguration, _ limit: Set<String>?, _ programs: ProgramFinder.Findings,
        _ outline: Plan, _ earlier: Progress
    ) async throws -> Int32 {
        guard !outline.sections.isEmpty else { throw Stop(status: 2, message: "There is no section to go through.") }
        let pool = ConnectionPool(connector)
        let essential = await PlanRunner(
            plan: try essentialPlan(configuration), connector: PooledConnector(pool: pool), options: runnerOptions,
            onEvent: { [display = RunDisplay(console: console)] event in
                // In place goes without saying here; section 1 shows it.
                if case .stepEnded(let result) = event, !result.outcome.isGood { display.show(event) }
            }
        ).run()
        guard essential.exitStatus == 0 else {
            _ = await pool.closeAll()
            throw Stop(status: essential.exitStatus, message: "Nothing was done.")
        }

        let progress = ProgressFile(path: options.progressPath, continuing: earlier)
        let facts = WalkFacts()
        let found = programs
        let source = WalkRun.Source(outline: outline) { number, agreed, mayChange, connector in
            // Hosts that did not answer before are asked again; what is known is not fetched again.
            var programs = found
            if number != 1, !options.takesAway {
                let architectures = await architectures(configuration, connector, limit)
                programs = try await self.programs(found, for: architectures, configuration) ?? found
            }
            if number == 10 {
                try await facts.look(mayCreate: mayChange) { mayCreate in
                    try await siteFacts(configuration, [number], limit, mayCreate: mayCreate, connector: connector)
                }
            }
            let whole = try plan(configuration, programs, facts.known, sections, limit, agreed: agreed)
            if mayChange {
                // Before BCM was asked, the plan is not known in full, and no other can be compared with it.
                let isComplete = facts.known != nil || !sections.contains(10) || !configuration.deploysRoleMonitor
                let differs = await progress.begin(planDigest: isComplete ? PlanDigest.hex(whole) : "")
                if differs, isComplete { console.write(Self.otherPlan) }
            }
            return whole.limited(toSections: [number])
        }
        let start = options.resumes ? Self.firstOpenSection(of: outline, after: earlier) : nil
        if options.resumes, start == nil {
            console.write("Every section was done; the walk begins anew, and what is in place is left alone.\n")
        }
        var (report, stages) = await WalkRun(
            source, startingAt: start, console: console, pool: pool, options: runnerOptions, progress: progress
        ).run()
        report.connections = await pool.closeAll()
        let style = Style(usesColour: console.usesColour)
        if report.results.isEmpty {
            console.write("Nothing was done.\n")
            return report.exitStatus == 0 ? 1 : report.exitStatus
        }
        console.write(WalkSummary.text(stages, columns: console.columns, style: style))
        console.write(
            RunSummary.text(
                report, mode: .apply, columns: console.columns, style: style, rerun: advice(report)))
        let whole = try plan(configuration, programs, facts.known, sections, limit)
        let done = stages.filter { $0.state == .done || $0.state == .before }
        let reached = whole.limited(toSections: Set(done.map(\.number)))
        if !report.wasInterrupted {
            let agreements = await imageAgreements(reached, facts.known, configuration, limit)
            sayWhetherImagesAgree(agreements, report)
        }
        try writeDocument(configuration, whole, report)
        console.write("Document: \(options.documentPath)\n")
        return report.exitStatus
    }

    private var runnerOptions: PlanRunner.Options {
        .init(
            mode: .apply, parallel: options.parallel, maximumFailures: options.maximumFailures,
            consents: options.consents)
    }

    /// The first section that progress does not show as reached on each of its hosts; nil when there is none.
    static func firstOpenSection(of outline: Plan, after progress: Progress) -> Int? {
        outline.sections.first { section in
            section.steps.contains { step in
                step.hosts.contains { host in
                    let word = progress.hosts[host.name]?[step.id]?.outcome
                    return word.flatMap(StepOutcome.saved)?.isGood != true
                }
            }
        }?.number
    }
}

/// What BCM said on a walk: asked when a section first needs it, and once more when a certificate may be made.
private final class WalkFacts: Sendable {
    private struct State {
        var facts: SiteFacts?
        var mayCreate = false
    }
    private let state = Mutex(State())

    var known: SiteFacts? { state.withLock { $0.facts } }

    func look(mayCreate: Bool, _ ask: (_ mayCreate: Bool) async throws -> SiteFacts?) async throws {
        let isKnown = state.withLock { $0.facts != nil && ($0.mayCreate || !mayCreate) }
        guard !isKnown else { return }
        let facts = try await ask(mayCreate)
        state.withLock { $0 = State(facts: facts, mayCreate: mayCreate) }
    }
}
