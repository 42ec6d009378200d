public import BCMClient
public import CommandExecution
import DurableFiles
import FoundationEssentials
import Glibc
public import Logging
import Synchronization

/// A guided setup from its options to its exit status: reads and checks the configuration, makes the plan, describes,
/// checks or runs it, and writes document and progress.
///
/// ```swift
/// let setup = SetupRun(options: options, console: console, logger: logger)
/// let status = await setup.run()
/// ```
public struct SetupRun: Sendable {
    let options: SetupOptions
    let console: any Console
    let logger: Logger
    let connector: any HostConnector
    let cmsh: Cmsh
    let paths: SiteDiscovery.Paths

    /// Creates a run.
    ///
    /// - Parameters:
    ///   - options: what the command line says.
    ///   - console: where people read and answer.
    ///   - logger: takes what an operator should read.
    ///   - connector: how hosts are reached; SSH with the options' settings by default.
    ///   - cmsh: BCM's shell on this machine.
    ///   - paths: where BCM keeps certificates.
    public init(
        options: SetupOptions, console: any Console, logger: Logger, connector: (any HostConnector)? = nil,
        cmsh: Cmsh = Cmsh(executor: LocalExecutor()), paths: SiteDiscovery.Paths = SiteDiscovery.Paths()
    ) {
        self.options = options
        self.console = console
        self.logger = logger
        var ssh = options.ssh
        ssh.locksHosts = options.mode == .run
        self.connector = connector ?? SSHConnector(options: ssh)
        self.cmsh = cmsh
        self.paths = paths
    }

    /// Ends a run early with a status.
    struct Stop: Error {
        let status: Int32
        let message: String
    }

    /// Runs to the end. Returns 0 when all is well, 1 when a host or step failed or needs consent, 2 for a wrong command
    /// line or configuration, 130 when the task was cancelled.
    public func run() async -> Int32 {
        do {
            if let problem = Consent.problem(with: options.consents) { throw Stop(status: 2, message: problem) }
            if let decided = try await decidingAboutExporters() { return await decided.run() }
            let configuration = try readConfiguration()
            let limit = try hostLimit(configuration)
            if let kind = options.export { return try await export(kind, configuration, limit) }
            if let image = options.image { return try await workOnImage(image, configuration) }
            if options.mode == .dryRun { return try await describe(configuration, limit) }
            return try await work(configuration, limit)
        } catch let stop as Stop {
            console.writeError(stop.message + "\n")
            return stop.status
        } catch {
            console.writeError("\(error)\n")
            return 1
        }
    }

    var sections: Set<Int> { options.sections ?? JobstatsPlan.availableSections }

    func plan(
        _ configuration: DeploymentConfiguration, _ programs: ProgramFinder.Findings, _ facts: SiteFacts?,
        _ sections: Set<Int>, _ limit: Set<String>?, agreed: Set<String> = []
    ) throws -> Plan {
        var context = DeploymentContext(
            localHost: Self.localHost, programs: programs.programs, facts: facts,
            consents: options.consents.union(agreed),
            prometheusComparesAddresses: programs.prometheusComparesAddresses)
        context.exporterAbilities = programs.exporterAbilities
        context.packages = programs.packages
        if options.takesAway {
            let removal = try removalPlan(configuration, context)
            return limit.map { removal.limited(to: $0) } ?? removal
        }
        let plan = try JobstatsPlan(configuration: configuration, context: context).plan(sections: sections)
        return limit.map { plan.limited(to: $0) } ?? plan
    }

    /// The DGX nodes, those of the limit when there is one; this machine may be among them.
    func dgxNodes(_ configuration: DeploymentConfiguration, _ limit: Set<String>?) -> [Host] {
        let context = DeploymentContext(localHost: Self.localHost)
        return configuration.systems.dgxNodes.filter { limit?.contains($0) ?? true }.map { context.host($0) }
    }

    static var localHost: Host { Host(hostName, isLocal: true) }

    /// This machine's short name.
    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(name.prefix { $0 != "." })
    }

    // MARK: - Dry run

    private func describe(_ configuration: DeploymentConfiguration, _ limit: Set<String>?) async throws -> Int32 {
        try prepareStateDirectory()
        let programs = try await supplies(configuration)
        tell(programs.issues)
        let plan = try plan(configuration, programs, nil, sections, limit)
        try writeDocument(configuration, plan, nil)
        console.write(PlanOutline.text(plan, columns: console.columns, style: Style(usesColour: console.usesColour)))
        console.write(dryRunEnd)
        return 0
    }

    /// Warns of what is missing here; on a terminal in lines that fit, in a log each on one.
    func tell(_ issues: [ConfigurationIssue]) {
        for issue in issues {
            let text = "warning: \(issue.keyPath): \(issue.message)"
            console.writeError((console.isTerminal ? Words.wrap(text, console.columns) : text) + "\n")
        }
    }

    /// What a dry run took for granted, and where its document is.
    var dryRunEnd: String {
        let isHeadNode = access(BCMPaths.cmsh, X_OK) == 0
        let machine =
            "This machine, \(Self.hostName), is taken for the active head node"
            + (isHeadNode ? "; BCM was not asked whether it is." : ", although there is no cmsh at \(BCMPaths.cmsh).")
        return "\n" + Words.wrap(machine, console.columns) + "\n"
            + Words.wrap(
                "Nothing was contacted and nothing was changed. The whole plan, as a manual:", console.columns)
            + "\n   \(options.documentPath)\n"
    }

    // MARK: - Check and run

    private func work(_ configuration: DeploymentConfiguration, _ limit: Set<String>?) async throws -> Int32 {
        try requireRootAndAnswers()
        try prepareStateDirectory()
        let locks = options.mode == .run ? try await takeLocks() : []
        defer { withExtendedLifetime(locks) {} }
        let pool = ConnectionPool(connector)
        let status: Result<Int32, any Error>
        do {
            status = .success(try await work(configuration, limit, pool))
        } catch {
            status = .failure(error)
        }
        _ = await pool.closeAll()
        return try status.get()
    }

    private func work(
        _ configuration: DeploymentConfiguration, _ limit: Set<String>?, _ pool: ConnectionPool
    ) async throws -> Int32 {
        let earlier = try await earlierProgress(configuration)
        if options.mode == .check || options.isNonInteractive {
            // Nobody is asked whether to go on with these hosts. Programs are verified while they are connected to.
            let hosts = try plan(configuration, ProgramFinder.Findings(), nil, sections, limit).hosts
            await pool.open(hosts.prefix(options.parallel))
        }
        let programs = try await supplies(configuration)
        if Task.isCancelled { throw Stop(status: 130, message: "Interrupted. Nothing was done.") }
        let wrong = programs.issues.filter { $0.severity == .error }
        guard wrong.isEmpty else {
            throw Stop(status: 2, message: wrong.map(\.description).joined(separator: "\n"))
        }
        let outline = try plan(configuration, programs, nil, sections, limit)
        if isWalk { return try await walk(configuration, limit, programs, outline, earlier) }
        let first = try firstPlan(configuration, programs, limit)
        try await agree(to: outline)

        let display = RunDisplay(console: console)
        let known = Collected(Plan(sections: first.sections))
        let progress = options.mode == .run ? ProgressFile(path: options.progressPath, continuing: earlier) : nil
        let runner = PlanRunner(
            plan: first, connector: PooledConnector(pool: pool),
            options: .init(
                mode: options.mode == .check ? .check : .apply, parallel: options.parallel,
                maximumFailures: options.maximumFailures, consents: options.consents),
            progress: progress, onEvent: { display.show($0) })
        let report = await runner.run { survey in
            let rest = sections.subtracting([1])
            let found = try await siteFacts(
                configuration, rest, limit, mayCreate: options.mode == .run, connector: survey.connector)
            var plan = try plan(configuration, programs, found, rest, limit)
            if !options.takesAway {
                known.lookIntoImages { [plan] in await imageAgreements(plan, found, configuration, limit) }
            }
            // What is asked does not depend on the programs, but which programs are needed depends on the answers.
            let architectures = Self.architectures(await survey.look(at: plan))
            if let more = try await self.programs(programs, for: architectures, configuration) {
                plan = try self.plan(configuration, more, found, rest, limit)
                known.lookIntoImages { [plan] in await imageAgreements(plan, found, configuration, limit) }
            }
            known.complete(with: plan)
            if await progress?.begin(planDigest: PlanDigest.hex(known.plan)) == true {
                console.write(Self.otherPlan)
            }
            return plan
        }
        display.end()
        let style = Style(usesColour: console.usesColour)
        console.write(
            RunSummary.text(
                report, mode: options.mode == .check ? .check : .apply, columns: console.columns, style: style,
                rerun: advice(report)))
        if options.takesAway { console.write(leftBehind(report)) }
        sayWhetherImagesAgree(await known.agreements(isInterrupted: report.wasInterrupted), report)
        // Last, so that a full disk does not keep back what came of the run.
        try writeDocument(configuration, known.plan, report)
        console.write("Document: \(options.documentPath)\n")
        return report.exitStatus
    }

    static let otherPlan =
        "   The plan is not the one that was interrupted: a program, or what BCM says, has changed since.\n"

    /// What BCM says, where these sections need it; otherwise nil.
    func siteFacts(
        _ configuration: DeploymentConfiguration, _ sections: Set<Int>, _ limit: Set<String>?, mayCreate: Bool,
        connector: any HostConnector
    ) async throws -> SiteFacts? {
        let nodes = dgxNodes(configuration, limit)
        guard sections.contains(10), configuration.deploysRoleMonitor, !options.takesAway, !nodes.isEmpty else {
            return nil
        }
        console.write("   Asking BCM for head nodes, certificates and roles\n")
        let found = try await SiteDiscovery(
            cmsh: cmsh, paths: paths, port: configuration.monitorTimes.port, logger: logger
        ).facts(
            nodes: nodes, choice: options.certificate, renews: options.renewsCertificate, mayCreate: mayCreate,
            connector: connector)
        for remark in found.remarks { console.write(Words.wrap(remark, console.columns, indent: "   ") + "\n") }
        return found
    }

    /// Section 1; without it, what nothing can go on without all the same: root, and the active head node.
    private func firstPlan(
        _ configuration: DeploymentConfiguration, _ programs: ProgramFinder.Findings, _ limit: Set<String>?
    ) throws -> Plan {
        if sections.contains(1), !options.takesAway {
            return try plan(configuration, programs, nil, sections, limit).limited(toSections: [1])
        }
        return try essentialPlan(configuration)
    }

    /// What nothing can go on without.
    func essentialPlan(_ configuration: DeploymentConfiguration) throws -> Plan {
        let context = DeploymentContext(localHost: Self.localHost)
        let overview = try JobstatsPlan(configuration: configuration, context: context).plan(sections: [1])
        return Plan(
            sections: overview.sections.prefix(1).map { section in
                var section = section
                section.steps = section.steps.filter(\.isEssential)
                section.notes = ""
                return section
            })
    }

    /// What everything but a dry run needs: root, and somebody to answer or leave not to ask.
    func requireRootAndAnswers() throws(Stop) {
        guard options.isNonInteractive || options.assumesYes || options.mode == .check || console.isTerminal else {
            throw Stop(
                status: 2,
                message: "There is no terminal to answer questions on. Add "
                    + (options.canResume ? "--non-interactive to run without questions" : "--yes to agree beforehand")
                    + ", or --dry-run to see the plan.")
        }
        guard getuid() == 0 else {
            throw Stop(status: 2, message: "This must run as root on the active head node; --dry-run needs neither.")
        }
    }

    func prepareStateDirectory() throws(Stop) {
        do {
            try FileManager.default.createDirectory(atPath: options.stateDirectory, withIntermediateDirectories: true)
        } catch {
            throw Stop(
                status: 2,
                message: "\(options.stateDirectory) cannot be made (--state-dir): "
                    + Self.hindrance(to: options.stateDirectory, error))
        }
    }

    /// What is in a directory's way, as far as a look at it tells.
    private static func hindrance(to path: String, _ error: any Error) -> String {
        var place = path
        var status = stat()
        while stat(place, &status) != 0 {
            guard let slash = place.lastIndex(of: "/"), slash > place.startIndex else {
                place = path.hasPrefix("/") ? "/" : "."
                _ = stat(place, &status)
                break
            }
            place = String(place[..<slash])
        }
        if status.st_mode & S_IFMT != S_IFDIR { return "\(place) is not a directory" }
        if access(place, W_OK) != 0 { return "\(place): \(String(cString: strerror(errno)))" }
        return "\(error)"
    }

    /// The lock of this machine, and the one on shared storage where that is there: the first run makes its folder.
    func takeLocks() async throws(Stop) -> [RunLock] {
        let shared = "/cm/shared/apps/jobstats"
        let isThere: Bool
        do {
            // A program that can be left alone asks: a dead file server would hold this one for ever.
            isThere = try await LocalExecutor().run(Command("test", ["-d", shared], timeout: .seconds(10))).succeeded
        } catch {
            throw Stop(status: 1, message: "\(shared) does not answer (\(error)): mend the shared storage first")
        }
        let folders = isThere ? [options.stateDirectory, shared] : [options.stateDirectory]
        let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "user \(getuid())"
        var locks: [RunLock] = []
        for folder in folders {
            do {
                locks.append(try RunLock(path: "\(folder)/.guided-setup.lock", user: user, host: Self.hostName))
            } catch {
                throw Stop(status: 1, message: error.description)
            }
        }
        return locks
    }

    func earlierProgress(_ configuration: DeploymentConfiguration) async throws(Stop) -> Progress {
        let text = String(decoding: configuration.encoded(), as: UTF8.self)
        let fresh = Progress(configuration: text, plan: "", began: Int(Date().timeIntervalSince1970))
        guard options.resumes else { return fresh }
        var earlier: Progress
        do {
            earlier = try ProgressFile.load(options.progressPath)
        } catch {
            throw Stop(status: 2, message: error.description)
        }
        if let difference = UnifiedDifference.text(from: earlier.configuration, to: text, path: "configuration") {
            console.write("The progress belongs to another configuration. What differs:\n\(difference)")
            guard try await consents("Continue with the present configuration?") else {
                throw Stop(
                    status: 2,
                    message: "Not resumed. To continue with the present configuration add --yes; to begin anew leave "
                        + "--resume out.")
            }
            // What was reached is another end now, and a walk begins at its first section again.
            console.write("Each step is looked at again by the present configuration.\n")
            earlier.configuration = text
            earlier.hosts = [:]
            return earlier
        }
        let reached = earlier.hosts.values.reduce(0) { sum, steps in
            sum + steps.values.reduce(0) { $0 + ($1.outcome == "changed" || $1.outcome == "in place" ? 1 : 0) }
        }
        let which = isWalk ? "a walk begins at the first section that was not" : "each is looked at again"
        console.write("Resuming: \(Words.count(reached, "step")) reached before; \(which).\n")
        return earlier
    }

    func agree(to plan: Plan) async throws(Stop) {
        guard options.mode == .run, !options.isNonInteractive else { return }
        console.write(PlanOutline.text(plan, columns: console.columns, style: Style(usesColour: console.usesColour)))
        guard try await consents("Go on with these hosts?") else {
            throw Stop(status: 1, message: "Nothing was done.")
        }
    }

    /// Asks for consent. The end of input, or no terminal, is no.
    private func consents(_ question: String) async throws(Stop) -> Bool {
        if options.assumesYes { return true }
        guard console.isTerminal, !options.isNonInteractive else { return false }
        let answer = await console.ask("\(question) [y/N] ")
        if Task.isCancelled { throw Stop(status: 130, message: "Interrupted. Nothing was done.") }
        return answer == "y" || answer == "yes" || answer == "Y"
    }

    func writeDocument(
        _ configuration: DeploymentConfiguration, _ plan: Plan, _ report: RunReport?
    ) throws(Stop) {
        let kind: DeploymentDocument.Kind =
            switch options.mode {
            case .dryRun: .dryRun
            case .check: .check
            case .run: .run
            }
        let text = DeploymentDocument(
            plan: plan, configuration: configuration, kind: options.takesAway ? .removal(kind) : kind,
            headNode: Self.hostName, report: report, date: Date()
        ).markdown
        do {
            // It shows what differs in files, also in some that not everybody may read.
            try DurableFile.write(Array(text.utf8), to: options.documentPath, mode: 0o600)
        } catch {
            throw Stop(status: 1, message: "\(error)")
        }
    }

    /// What to run next: the command as it was typed, with only that changed which must be.
    func advice(_ report: RunReport) -> String {
        var words = options.invocation.isEmpty ? [options.commandName] : options.invocation
        let again = "the same command finds what is in place and goes on: "
        if options.mode == .check { return "mend what failed, then look again: " + ShellQuoting.quote(words) }
        guard options.canResume, !options.takesAway else {
            return again + ShellQuoting.quote(words)
        }
        let failed = Set(report.results.filter { $0.outcome == .failed || $0.outcome == .notBegun }.map(\.host))
        if failed.isEmpty, report.stopReason == nil, !report.wasInterrupted {
            return "agree to what disturbs (see above), then: " + ShellQuoting.quote(words)
        }
        if !words.contains("--resume"), FileManager.default.fileExists(atPath: options.progressPath) {
            words.append("--resume")
        }
        if report.wasInterrupted || failed.isEmpty { return ShellQuoting.quote(words) }
        words.removeAll { $0.hasPrefix("--limit=") }
        while let limit = words.firstIndex(of: "--limit") {
            let end = words[(limit + 1)...].firstIndex { $0.hasPrefix("-") } ?? words.endIndex
            words.removeSubrange(limit..<end)
        }
        words.append("--limit")
        words += Words.hosts(failed.sorted().map(\.name)).split(separator: ", ").map(String.init)
        return "mend what failed, then: " + ShellQuoting.quote(words)
    }

    /// The plan as it becomes known, and what is found out meanwhile.
    private final class Collected: Sendable {
        private struct State {
            var sections: [PlanSection]
            var isComplete = false
            var images: Task<[NodeImage], Never>?
        }
        private let state: Mutex<State>

        init(_ plan: Plan) { state = Mutex(State(sections: plan.sections)) }

        var plan: Plan { Plan(sections: state.withLock { $0.sections }) }

        /// Adds what was to come.
        func complete(with plan: Plan) {
            state.withLock { state in
                state.sections += plan.sections
                state.isComplete = true
            }
        }

        /// Begins to look into images, anew where that was begun. It changes nothing, so it goes on beside the run.
        func lookIntoImages(_ look: @escaping @Sendable () async -> [NodeImage]) {
            state.withLock { state in
                state.images?.cancel()
                state.images = Task { await look() }
            }
        }

        /// What the images hold; nothing when that was not looked at, the plan did not come about, or the run was
        /// interrupted.
        func agreements(isInterrupted: Bool) async -> [NodeImage] {
            let (images, isWanted) = state.withLock { ($0.images, $0.isComplete && !isInterrupted) }
            if !isWanted { images?.cancel() }
            let found = await images?.value ?? []
            return isWanted ? found : []
        }
    }
}
