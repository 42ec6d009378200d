import CommandExecution
import Synchronization

/// Brings a plan about, or compares it with the hosts.
///
/// Sections run in their order. Within a section each host is visited once: what is true there is asked in one round
/// trip, then each step that differs is changed and looked at again. The first host goes alone, then a twentieth, then
/// all, a bounded number at a time; where all hosts are known to have everything in place, all go at once. A failed step ends its host's part of the run; other hosts go on.
/// Cancelling the calling task stops the run between steps and within them; the report says so.
public struct PlanRunner: Sendable {
    /// Whether hosts are changed.
    public enum Mode: Sendable, Hashable {
        /// Make it so.
        case apply
        /// Look only.
        case check
    }

    /// How a plan is run.
    public struct Options: Sendable {
        /// Whether hosts are changed.
        public var mode: Mode
        /// How many hosts are worked on at once, 32 by default.
        public var parallel: Int
        /// How many hosts may fail before no further host is begun, 5 by default.
        public var maximumFailures: Int
        /// The consents that were given, by name.
        public var consents: Set<String>

        /// Creates options.
        public init(mode: Mode = .apply, parallel: Int = 32, maximumFailures: Int = 5, consents: Set<String> = []) {
            self.mode = mode
            self.parallel = parallel
            self.maximumFailures = maximumFailures
            self.consents = consents
        }
    }

    let plan: Plan
    let connector: any HostConnector
    let options: Options
    let progress: (any ProgressRecorder)?
    let onEvent: @Sendable (RunEvent) -> Void

    /// Creates a runner. Events arrive in order for each host, from many tasks at once.
    public init(
        plan: Plan, connector: any HostConnector, options: Options = Options(), progress: (any ProgressRecorder)? = nil,
        onEvent: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) {
        self.plan = plan
        self.connector = connector
        self.options = options
        self.progress = progress
        self.onEvent = onEvent
    }

    /// Runs the plan to its end, to its first essential failure, or until the task is cancelled.
    public func run() async -> RunReport {
        await run(followedBy: nil)
    }

    /// Runs the plan, and then another that can only be made when the first one is through, over the same connections.
    ///
    /// - Parameter next: makes the second plan, and may look at its hosts; called only when nothing stopped the first. An
    ///   error it throws stops the run and is told in the report.
    package func run(followedBy next: (@Sendable (HostSurvey) async throws -> Plan)?) async -> RunReport {
        let start = ContinuousClock.now
        // A look changes nothing, so every host is looked at, however many do not answer.
        let ledger = Ledger(maximumFailures: options.mode == .check ? .max : options.maximumFailures)
        let pool = ConnectionPool(connector)
        await carryOut(plan.sections, pool, HostMemory(), ledger)
        if let next, !Task.isCancelled, ledger.report.stopReason == nil {
            do {
                // A new memory: the first question of this plan covers this plan.
                let memory = HostMemory()
                let survey = HostSurvey(
                    pool: pool, memory: memory, parallel: options.parallel, mayWrite: options.mode == .apply)
                await carryOut(try await next(survey).sections, pool, memory, ledger)
            } catch {
                if !Task.isCancelled { ledger.stop("\(error)") }
            }
        }
        var report = ledger.report
        report.connections = await pool.closeAll()
        report.wasInterrupted = Task.isCancelled
        report.duration = ContinuousClock.now - start
        return report
    }

    private func carryOut(
        _ sections: [PlanSection], _ pool: ConnectionPool, _ memory: HostMemory, _ ledger: Ledger
    ) async {
        for (index, section) in sections.enumerated() {
            let later = sections[(index + 1)...]
            let hosts = section.hosts
            guard !hosts.isEmpty else { continue }
            var isCautious = options.mode == .apply && !section.onlyLooks
            if isCautious { isCautious = await !isInPlace(section, memory) }
            let waves = isCautious ? Rollout.waves(hosts) : [hosts]
            onEvent(
                .sectionBegan(number: section.number, title: section.title, hosts: hosts, waves: waves.map(\.count)))
            // What nothing can go on without is known before anybody else is asked.
            let first =
                isCautious
                ? []
                : hosts.filter { host in
                    section.steps.contains { $0.isEssential && $0.hosts.contains(host) }
                }
            let ordered = first.isEmpty ? waves : [first, hosts.filter { !first.contains($0) }]
            for wave in ordered {
                await Bounded.forEach(wave, atOnce: options.parallel) { host in
                    await visit(host, section, later, pool, memory, ledger)
                }
            }
            onEvent(.sectionEnded(number: section.number))
        }
    }

    /// Whether what is known shows each step in place on each host, so that nothing will be changed.
    private func isInPlace(_ section: PlanSection, _ memory: HostMemory) async -> Bool {
        for host in section.hosts {
            let tasks = section.tasks(on: host)
            let queries = Set(tasks.flatMap(\.resource.queries))
            guard let facts = await memory.facts(of: host, covering: queries),
                tasks.allSatisfy({ $0.resource.assess(facts).state == .inPlace })
            else { return false }
        }
        return true
    }

    private func visit(
        _ host: Host, _ section: PlanSection, _ later: ArraySlice<PlanSection>, _ pool: ConnectionPool,
        _ memory: HostMemory, _ ledger: Ledger
    ) async {
        let tasks = section.tasks(on: host)
        func skip(_ tasks: some Sequence<HostVisit.Task>, _ reason: String) {
            for (step, _) in tasks { end(result(step, section, host, .notBegun, reason), ledger) }
        }
        if let reason = Task.isCancelled
            ? "the run was interrupted" : ledger.reasonToSkip(host, looks: section.onlyLooks)
        {
            return skip(tasks, reason)
        }
        onEvent(.hostBegan(host, section: section.number))
        defer { onEvent(.hostEnded(host, section: section.number)) }
        let visit = HostVisit(
            host: host, tasks: tasks, laterTasks: later.flatMap { $0.tasks(on: host) },
            connection: await pool.connection(to: host), memory: memory, mode: options.mode,
            consents: options.consents)
        var failure: String?
        var index = 0
        while index < tasks.count {
            if let failure, !section.onlyLooks || visit.isLost {
                return skip(tasks[index...], "after the failure of: \(failure)")
            }
            if Task.isCancelled { return skip(tasks[index...], "the run was interrupted") }
            onEvent(.stepBegan(host, section: section.number, title: tasks[index].step.title))
            let begin = ContinuousClock.now
            let findings = await visit.work(from: index)
            // Steps that were carried out together share their time.
            let time = (ContinuousClock.now - begin) / findings.count
            var reached: [StepResult] = []
            for (task, finding) in zip(tasks[index...], findings) {
                var result = result(task.step, section, host, finding)
                result.duration = time
                if Task.isCancelled, result.outcome == .failed {
                    result.outcome = .notBegun
                    result.detail = "the run was interrupted: \(result.detail)"
                }
                if result.outcome == .failed {
                    failure = task.step.title
                    ledger.noteFailure(host, task.step)
                }
                end(result, ledger)
                if options.mode == .apply, result.outcome != .notBegun { reached.append(result) }
            }
            if !reached.isEmpty, let problem = await progress?.record(reached), ledger.noteProblem(problem) {
                onEvent(.notice(problem))
            }
            index += findings.count
        }
    }

    private func end(_ result: StepResult, _ ledger: Ledger) {
        // Hosts, and whoever stands between, may say anything; what is shown and kept is harmless for a terminal.
        var result = result
        result.detail = ForeignText.printable(result.detail)
        result.remedy = result.remedy.map(ForeignText.printable)
        result.difference = result.difference.map(ForeignText.printable)
        ledger.add(result)
        onEvent(.stepEnded(result))
    }

    private func result(
        _ step: Step, _ section: PlanSection, _ host: Host, _ outcome: StepOutcome, _ detail: String
    ) -> StepResult {
        result(step, section, host, StepFinding(outcome, .inPlace(detail)))
    }

    private func result(_ step: Step, _ section: PlanSection, _ host: Host, _ finding: StepFinding) -> StepResult {
        StepResult(
            step: step.id, title: step.title, section: section.number, host: host, outcome: finding.outcome,
            detail: finding.detail, remedy: finding.remedy, isWarning: finding.isWarning,
            difference: finding.difference, duration: .zero)
    }
}

/// What all hosts of a run share.
private final class Ledger: Sendable {
    private struct State {
        var report = RunReport()
        var failed = Set<Host>()
        /// Whether too many hosts failed, and nothing worse: a section that only looks goes on to the others.
        var mayLook = true
    }
    private let state = Mutex(State())
    private let maximumFailures: Int

    init(maximumFailures: Int) { self.maximumFailures = maximumFailures }

    var report: RunReport { state.withLock { $0.report } }

    func add(_ result: StepResult) { state.withLock { $0.report.results.append(result) } }

    /// Whether the problem is new.
    func noteProblem(_ problem: String) -> Bool {
        state.withLock { state in
            guard !state.report.problems.contains(problem) else { return false }
            state.report.problems.append(problem)
            return true
        }
    }

    func noteFailure(_ host: Host, _ step: Step) {
        state.withLock { state in
            state.failed.insert(host)
            if step.isEssential { state.mayLook = false }
            guard state.report.stopReason == nil else { return }
            if step.isEssential {
                state.report.stopReason = "\(step.title) failed on \(host), and nothing can go on without it"
            } else if state.failed.count > maximumFailures {
                state.report.stopReason =
                    "\(state.failed.count) hosts failed, more than the \(maximumFailures) allowed (--max-failures)"
            }
        }
    }

    func stop(_ reason: String) {
        state.withLock {
            $0.mayLook = false
            if $0.report.stopReason == nil { $0.report.stopReason = reason }
        }
    }

    func reasonToSkip(_ host: Host, looks: Bool) -> String? {
        state.withLock { state in
            if state.failed.contains(host) { return "an earlier step failed on this host" }
            return looks && state.mayLook ? nil : state.report.stopReason
        }
    }
}
