import CommandExecution

/// Takes a person through a plan, section by section, over one connection for each host.
///
/// ``Walk`` holds the rules; this shows, asks, and works.
final class WalkRun {
    /// Where plans come from.
    struct Source: Sendable {
        /// What is there to walk through, as far as it is known without asking anybody.
        let outline: Plan
        /// The present plan of a section's number.
        ///
        /// - Parameters:
        ///   - consents: consents given beside those of the command line.
        ///   - mayChange: whether something may be changed on the way to the plan, such as a certificate made.
        let plan:
            @Sendable (
                _ section: Int, _ consents: Set<String>, _ mayChange: Bool, _ connector: any HostConnector
            ) async throws -> Plan
    }

    private var walk: Walk
    private let source: Source
    private let console: any Console
    private let style: Style
    private let pool: ConnectionPool
    private let options: PlanRunner.Options
    private let progress: (any ProgressRecorder)?
    private var results: [Key: StepResult] = [:]
    private var problems: [String] = []
    /// Why the section's plan could not be made.
    private var obstacle: String?

    private struct Key: Hashable {
        let step: String
        let host: Host
    }

    /// Creates a walk through a plan that has a section.
    init(
        _ source: Source, startingAt number: Int?, console: any Console, pool: ConnectionPool,
        options: PlanRunner.Options, progress: (any ProgressRecorder)?
    ) {
        self.source = source
        self.console = console
        self.pool = pool
        self.options = options
        self.progress = progress
        style = Style(usesColour: console.usesColour)
        var stages: [Walk.Stage] = []
        for section in source.outline.sections where stages.last?.number != section.number {
            stages.append(Walk.Stage(number: section.number, title: section.title))
        }
        walk = Walk(stages, startingAt: number)
    }

    /// Goes to the end, or to where the person quits or the task is cancelled.
    ///
    /// - Returns: every step's last result, and what became of each section.
    func run() async -> (report: RunReport, stages: [Walk.Stage]) {
        let start = ContinuousClock.now
        var actions: [Walk.Action] = [.introduce]
        while !Task.isCancelled {
            if actions.isEmpty {
                let line = await console.ask(prompt)
                // What was typed has its own line end; the end of input and an interrupt have none.
                if line == nil { console.write("\n") }
                actions = Task.isCancelled ? [.finish] : walk.answer(line)
            }
            let action = actions.removeFirst()
            if action == .finish { break }
            actions += await perform(action)
        }
        var report = RunReport()
        report.results = Array(results.values)
        report.problems = problems
        report.wasInterrupted = Task.isCancelled
        if !walk.isThrough, !report.wasInterrupted {
            report.stopReason = "you left at section \(walk.stage.number), \(walk.stage.title)"
        }
        report.duration = ContinuousClock.now - start
        return (report, walk.stages)
    }

    private var prompt: String {
        if case .consent = walk.question {
            return "Agree to exactly this, once? Type yes in full; anything else is no [no]: "
        }
        let choices = walk.choices
        return choices.map(\.word).joined(separator: ", ") + ", ? [\(choices[0].word)]: "
    }

    /// Does what the walk says.
    ///
    /// - Returns: what follows from it; nothing when the next answer is awaited.
    private func perform(_ action: Walk.Action) async -> [Walk.Action] {
        switch action {
        case .introduce:
            console.write(
                SectionText.introduction(outline, state: walk.stage.state, columns: console.columns, style: style))
        case .run(let agreed): return await carryOut(agreed)
        case .look(let showsDifferences): await look(showsDifferences)
        case .showCommands:
            await Pager(console: console).show(
                SectionText.commands(outline, columns: console.columns, style: style))
        case .showOutput:
            let failed = results.values.filter { $0.section == walk.stage.number }
            let text = obstacle.map { Words.wrap($0, console.columns, indent: "   ") + "\n" }
            await Pager(console: console).show(
                text ?? SectionText.output(failed, columns: console.columns, style: style))
        case .explain: explain()
        case .remark(let text): console.write(Words.wrap(text, console.columns, indent: "   ") + "\n")
        case .describe(let request): console.write(request.text(columns: console.columns, style: style))
        case .finish: break
        }
        return []
    }

    private var outline: [PlanSection] { source.outline.sections.filter { $0.number == walk.stage.number } }

    private func explain() {
        if case .consent = walk.question {
            return console.write(
                Words.wrap(
                    "With yes, exactly what stands above is done, on these hosts, now. With anything else it is left "
                        + "as it is, and the rest goes on; a later run asks again.", console.columns, indent: "   ")
                    + "\n")
        }
        for choice in walk.choices {
            let text = Words.wrap(choice.explanation, console.columns - 13).split(separator: "\n")
            for (index, line) in text.enumerated() {
                console.write("   \(Words.fit(index == 0 ? choice.word : "", 9)) \(line)\n")
            }
        }
        console.write(
            Words.wrap(
                "The beginning of a word will do, Enter takes the one in brackets, and Ctrl-D quits.", console.columns,
                indent: "   ") + "\n")
    }

    // MARK: - Looking

    private func look(_ showsDifferences: Bool) async {
        let display = RunDisplay(console: console, showsResults: false)
        do {
            let plan = try await source.plan(walk.stage.number, [], false, PooledConnector(pool: pool))
            console.write("   Looking at \(Words.count(plan.hosts.count, "host")); nothing is changed.\n")
            var options = options
            options.mode = .check
            let report = await PlanRunner(
                plan: plan, connector: PooledConnector(pool: pool), options: options, onEvent: { display.show($0) }
            ).run()
            display.end()
            await dropFailed(report)
            guard !report.wasInterrupted else { return }
            if let reason = report.stopReason {
                console.write(Words.wrap(reason, console.columns, indent: "   ") + "\n")
            }
            await Pager(console: console).show(
                SectionFindings.text(
                    report.results, of: plan, showsDifferences: showsDifferences, columns: console.columns,
                    style: style))
        } catch {
            tell(error)
        }
    }

    /// A connection that may have broken is not used again.
    private func dropFailed(_ report: RunReport) async {
        await pool.drop(Set(report.results.filter { $0.outcome == .failed }.map(\.host)))
    }

    private func tell(_ error: any Error) {
        guard !Task.isCancelled else { return }
        obstacle = ForeignText.printable("\(error)")
        console.writeError(Words.wrap(obstacle ?? "", console.columns, indent: "   ") + "\n")
    }

    // MARK: - Working

    private func carryOut(_ agreed: [ConsentRequest]) async -> [Walk.Action] {
        obstacle = nil
        let number = walk.stage.number
        var plan: Plan
        do {
            plan = try await source.plan(number, Set(agreed.map(\.name)), true, PooledConnector(pool: pool))
        } catch {
            tell(error)
            return Task.isCancelled ? [] : walk.ended(Walk.Outcome(hasFailed: true))
        }
        let whole = plan
        // What was agreed to was agreed to for these hosts.
        if !agreed.isEmpty { plan = plan.limited(to: Set(agreed.flatMap(\.hosts).map(\.name))) }
        plan = withoutFailedHosts(plan)
        let display = RunDisplay(console: console)
        var options = options
        options.consents.formUnion(agreed.map(\.name))
        let report = await PlanRunner(
            plan: plan, connector: PooledConnector(pool: pool), options: options, progress: progress,
            onEvent: { display.show($0) }
        ).run()
        display.end()
        await dropFailed(report)
        for result in report.results { results[Key(step: result.step, host: result.host)] = result }
        for problem in report.problems where !problems.contains(problem) { problems.append(problem) }
        guard !report.wasInterrupted else { return [] }
        if let reason = report.stopReason {
            console.write(Words.wrap("Stopped: \(reason).", console.columns, indent: "   ") + "\n")
        }
        return walk.ended(outcome(of: whole, number))
    }

    /// The plan without the hosts on which another section failed: a host gets no further than its first failure.
    private func withoutFailedHosts(_ plan: Plan) -> Plan {
        let number = walk.stage.number
        let failures = results.values.filter { $0.outcome == .failed && $0.section != number }
        let failed = Set(failures.map(\.host)).intersection(plan.hosts)
        guard !failed.isEmpty else { return plan }
        let sections = Set(failures.map(\.section)).sorted().map { "back \($0)" }.joined(separator: ", ")
        let names = Words.hosts(failed.sorted().map(\.name))
        console.write(
            Words.wrap(
                "Left out, since a step failed there before: \(names). To retry it: \(sections).", console.columns,
                indent: "   ") + "\n")
        for section in plan.sections {
            for step in section.steps where !step.isEssential {
                for host in step.hosts where failed.contains(host) {
                    results[Key(step: step.id, host: host)] = StepResult(
                        step: step.id, title: step.title, section: number, host: host, outcome: .notBegun,
                        detail: "an earlier step failed on this host", remedy: nil, isWarning: false, difference: nil,
                        duration: .zero)
                }
            }
        }
        return plan.limited(to: Set(plan.hosts.filter { !failed.contains($0) }.map(\.name)))
    }

    private func outcome(of plan: Plan, _ number: Int) -> Walk.Outcome {
        let mine = results.values.filter { $0.section == number }.sorted { ($0.step, $0.host) < ($1.step, $1.host) }
        let essential = Set(plan.sections.flatMap(\.steps).filter(\.isEssential).map(\.id))
        let failed = mine.filter { $0.outcome == .failed }
        return Walk.Outcome(
            hasFailed: !failed.isEmpty, isEssential: failed.contains { essential.contains($0.step) },
            needsConsent: mine.contains { $0.outcome == .needsConsent },
            isPartial: mine.contains { $0.outcome == .notBegun },
            requests: ConsentRequest.requests(in: mine, of: plan))
    }
}
