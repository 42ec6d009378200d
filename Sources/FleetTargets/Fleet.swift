internal import BCMClient
public import Logging
internal import PromTargets
public import RoleMonitor

/// The target files of all nodes of a cluster, looked at from one place, such as a head node.
///
/// ```swift
/// let (configuration, _) = try MonitorConfiguration.load(file: "/etc/bcm-role-monitor/config.json")
/// let fleet = Fleet(configuration: configuration, logger: logger)
/// print(try await fleet.prune().table())              // a dry run
/// let report = try await fleet.prune(isDryRun: false)
/// ```
///
/// The configuration is that of the role monitors, and so are the files' content and the rules by which a role is
/// present, absent or unknown. Unknown removes nothing.
public actor Fleet {
    /// The monitors' configuration, named here so that who imports this library alone can make one.
    public typealias Configuration = MonitorConfiguration

    /// The monitors' configuration.
    public let configuration: MonitorConfiguration
    let logger: Logger
    let storage: BoundedStorage
    let directory: TargetDirectory
    let sleep: @Sendable (Duration) async throws -> Void
    private let makeSource: DeviceSourceMaker
    private var source: (any DeviceSource)?
    var record: SyncRecord?
    /// Keeps systemd's watchdog fed while a step of a pass is at work.
    var heartbeat = Heartbeat.none

    /// Creates a fleet. Nothing is asked or read yet.
    ///
    /// - Parameters:
    ///   - configuration: the monitors' configuration. Head nodes must be verified by `ca_path` or `pinned_keys`: keys
    ///     seen first are not remembered here.
    ///   - storageTimeout: how long the file system may take for one look at the directory, or one round of changes.
    ///   - logger: takes what an operator should read.
    public init(configuration: MonitorConfiguration, storageTimeout: Duration = .seconds(60), logger: Logger) {
        self.init(configuration: configuration, storageTimeout: storageTimeout, logger: logger) { () throws(BCMError) in
            guard !configuration.trustsFirstUse else {
                throw BCMError(
                    .invalidConfiguration,
                    reason: "neither \"ca_path\" nor \"pinned_keys\" says which head nodes to trust",
                    remedy: "set one of them; bcm-role-monitor --check-connectivity shows the keys")
            }
            return try RESTClient(configuration: configuration.clientConfiguration(knownKeys: [:]), logger: logger)
        }
    }

    package init(
        configuration: MonitorConfiguration, storageTimeout: Duration = .seconds(60), logger: Logger,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        makeSource: @escaping DeviceSourceMaker
    ) {
        self.configuration = configuration
        self.logger = logger
        self.sleep = sleep
        self.makeSource = makeSource
        directory = TargetDirectory(path: configuration.targetsDirectory)
        storage = BoundedStorage(directory: configuration.targetsDirectory, timeout: storageTimeout)
    }

    /// Lists the target files, and which of them no monitor of this cluster wrote. BCM is not asked.
    ///
    /// - Throws: ``FleetError`` when the directory cannot be read.
    public func list() async throws(FleetError) -> FleetReport {
        let judgement = FleetJudgement(try await entries(), nil, configuration)
        return FleetReport("list", directory: directory.path, files: judgement.files)
    }

    /// Compares the target files with what BCM says. Nothing is changed.
    ///
    /// - Parameter categories: where not empty, files are missed only for nodes of these categories.
    /// - Throws: ``FleetError`` when the directory cannot be read, or the configuration does not serve.
    public func check(categories: Set<String> = []) async throws(FleetError) -> FleetReport {
        let judgement = try await judge(categories: categories)
        var report = FleetReport("check", directory: directory.path, files: judgement.files)
        let fine: [FleetFile.State] = [.current, .undecided]
        if judgement.files.contains(where: { !fine.contains($0.state) }) { report.outcome = .wrong }
        report.conclude(judgement.unknown)
        return report
    }

    /// Removes the files of nodes that lost the role or are gone from BCM.
    ///
    /// - Parameters:
    ///   - isDryRun: whether it is only said what would be removed.
    ///   - limit: with more to remove, nothing is.
    /// - Throws: ``FleetError`` when the directory cannot be read, or the configuration does not serve.
    public func prune(
        isDryRun: Bool = true, removing limit: RemovalLimit = .tenth
    ) async throws(FleetError) -> FleetReport {
        var judgement = try await judge()
        var report = FleetReport("prune", directory: directory.path)
        await remove(&judgement, isDryRun: isDryRun, limit, &report)
        report.files = judgement.files.filter { $0.state != .missing }
        try report.endIfInterrupted()
        report.conclude(judgement.unknown)
        return report
    }

    /// Writes the target files of nodes as a monitor does, whatever BCM says. What stands there already is not written.
    ///
    /// - Parameters:
    ///   - nodes: BCM's names of the nodes. One that is named twice counts once, and so does a role.
    ///   - roles: the roles whose exporters the files list; nil for those of jobstats.
    /// - Throws: ``FleetError`` when a name or a role does not serve, or the directory cannot be read, before anything is
    ///   written.
    public func write(_ nodes: [String], roles: [String]? = nil) async throws(FleetError) -> FleetReport {
        var exporters: [Exporter] = []
        for role in Self.once(roles ?? [configuration.role]) {
            guard let rule = configuration.rules.first(where: { $0.role == role }) else {
                throw FleetError(
                    .invalidConfiguration, reason: "the configuration has no rule for the role \(role)",
                    remedy: "name one of \(configuration.rules.map(\.role).joined(separator: ", "))")
            }
            exporters += roles == nil ? configuration.exporters : rule.exporters
        }
        var contents: [(name: String, groups: [TargetGroup])] = []
        do throws(PromTargetsError) {
            for node in Self.once(nodes) {
                _ = try directory.filePath(named: node)
                contents.append((node + ".json", try configuration.targetGroups(of: node, exporters: exporters)))
            }
        } catch {
            throw FleetError(
                .invalidConfiguration, path: error.path, reason: "\(error.code): \(error.reason)", remedy: error.remedy)
        }
        let entries = Dictionary(try await entries().map { ($0.fileName, $0) }) { first, _ in first }
        let files = contents.map { name, groups in
            let entry = entries[name]
            let isCurrent = entry.map { $0.isAsWritten && $0.groups == groups && $0.isReadableByAll } ?? false
            return FleetFile(
                name, entry == nil ? .missing : isCurrent ? .current : .different, entry: entry, wanted: groups)
        }
        var report = FleetReport("write", directory: directory.path, files: files)
        let outcomes = await change(files.map { ($0, $0.wanted) })
        for index in report.files.indices {
            guard let outcome = outcomes[report.files[index].fileName] else { continue }
            report.files[index].note(outcome.action, outcome.reason)
            if let reason = outcome.reason { report.fail(reason) }
        }
        report.isInterrupted = outcomes.count < files.count
        try report.endIfInterrupted()
        return report
    }

    private static func once(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

extension Fleet {
    func entries() async throws(FleetError) -> [TargetDirectory.Entry] {
        let directory = directory
        return try await onStorage { () throws(PromTargetsError) in try directory.entries() }
    }

    /// Work on the directory, bounded in time.
    func onStorage<Value: Sendable>(
        _ work: @escaping @Sendable () throws(PromTargetsError) -> Value
    ) async throws(FleetError) -> Value {
        let storage = storage
        return try await heartbeat.during(limit: storage.timeout + .seconds(5)) { () throws(FleetError) in
            try await storage.run(work)
        }
    }

    /// Looks at the directory first and at BCM then: what changes between the two looks is left alone.
    func judge(categories: Set<String> = []) async throws(FleetError) -> FleetJudgement {
        let source: any DeviceSource
        do throws(BCMError) {
            if let known = self.source { source = known } else { source = try makeSource() }
        } catch {
            throw FleetError(
                .invalidConfiguration, reason: "\(error.code): \(error.reason)",
                remedy: error.remedy ?? "mend the role monitors' configuration")
        }
        self.source = source
        let entries = try await entries()
        var judgement = FleetJudgement(entries, await ask(source), configuration, categories: categories)
        if judgement.needsConfirmation {
            await pause(configuration.roleLossDelay)
            if Task.isCancelled { throw Self.interrupted("before the second look") }
            var answers: [(headNode: HeadNode, answer: Result<FleetAnswer, BCMError>)] = []
            for headNode in source.headNodes { answers.append((headNode, await ask(source, headNode))) }
            judgement.confirm(with: answers)
        }
        if Task.isCancelled { throw Self.interrupted("before anything was changed") }
        return judgement
    }

    private static func interrupted(_ when: String) -> FleetError {
        FleetError(.cancelled, reason: "interrupted \(when)", remedy: "run it again")
    }

    /// Sleeps until the time is over or the task is cancelled.
    func pause(_ time: Duration) async {
        let sleep = sleep
        await heartbeat.during(limit: time + .seconds(5)) { try? await sleep(time) }
    }

    private func ask(_ source: any DeviceSource, _ headNode: HeadNode) async -> Result<FleetAnswer, BCMError> {
        do throws(BCMError) {
            // Connecting has a time-out of its own.
            let limit = configuration.requestTimeout * 2 + .seconds(30)
            let devices = try await heartbeat.during(limit: limit) { () throws(BCMError) in
                try await source.devices(of: headNode)
            }
            return .success(FleetAnswer(devices, from: headNode, rules: configuration.rules))
        } catch {
            return .failure(error)
        }
    }

    /// The first answer: from the head node that answered last, else from another.
    private func ask(_ source: any DeviceSource) async -> FleetAnswer {
        var failures: [BCMError] = []
        for headNode in source.candidates {
            switch await ask(source, headNode) {
            case .success(let answer): return answer
            case .failure(let error): failures.append(error)
            }
        }
        return .unknown(UnknownFleet(failures))
    }

    /// Removes what has no reason to be there, or says that it would.
    func remove(
        _ judgement: inout FleetJudgement, isDryRun: Bool, _ limit: RemovalLimit, _ report: inout FleetReport
    ) async {
        let orphans = judgement.files.filter(\.isOrphan)
        guard !orphans.isEmpty else { return }
        func note(_ action: FleetFile.Action) {
            judgement.note(Dictionary(uniqueKeysWithValues: orphans.map { ($0.fileName, (action, nil)) }))
        }
        let allowed = limit.removals(among: judgement.ownCount)
        guard orphans.count <= allowed else {
            note(.refused)
            report.fail(
                "\(orphans.count) of \(judgement.ownCount) files would go at once, and at most \(allowed) may: nothing is "
                    + "removed; see whether these nodes have really lost the role, then allow it with --max-removals "
                    + "\(orphans.count)")
            return
        }
        guard !isDryRun else { return note(.wouldRemove) }
        await apply(orphans.map { ($0, nil) }, &judgement, &report)
    }

    /// Changes files and notes what came of it.
    func apply(
        _ changes: [(file: FleetFile, groups: [TargetGroup]?)], _ judgement: inout FleetJudgement,
        _ report: inout FleetReport
    ) async {
        let outcomes = await change(changes)
        judgement.note(outcomes)
        if outcomes.count < changes.count { report.isInterrupted = true }
        for (_, outcome) in outcomes.sorted(by: { $0.key < $1.key }) where outcome.action == .failed {
            report.fail(outcome.reason ?? "")
        }
    }

    typealias Outcomes = [String: (action: FleetFile.Action, reason: String?)]

    /// Writes files with groups, and removes those without. After an interruption the rest has no outcome.
    private func change(_ changes: [(file: FleetFile, groups: [TargetGroup]?)]) async -> Outcomes {
        let directory = directory
        let logger = logger
        var outcomes: Outcomes = [:]
        // In pieces, each with the whole time-out: a first pass over thousands of files takes its time.
        for start in stride(from: 0, to: changes.count, by: 50) {
            if Task.isCancelled { break }
            let piece = Array(changes[start..<min(start + 50, changes.count)])
            do throws(FleetError) {
                let done = try await onStorage { () throws(PromTargetsError) in
                    piece.map { ($0.file.fileName, Self.change($0.file, $0.groups, directory, logger)) }
                }
                for (name, outcome) in done { outcomes[name] = outcome }
            } catch {
                for (file, _) in piece { outcomes[file.fileName] = (.failed, error.description) }
            }
        }
        return outcomes
    }

    private static func change(
        _ file: FleetFile, _ groups: [TargetGroup]?, _ directory: TargetDirectory, _ logger: Logger
    ) -> (FleetFile.Action, String?) {
        do throws(PromTargetsError) {
            if let groups {
                guard try directory.write(groups, named: String(file.fileName.dropLast(5))) == .written else {
                    return (.none, nil)
                }
                logger.notice("wrote \(directory.path)/\(file.fileName)")
                return (.written, nil)
            }
            guard let entry = file.entry else { return (.none, nil) }
            switch try directory.remove(entry) {
            case .removed:
                logger.notice("removed \(directory.path)/\(file.fileName): \(file.reason)")
                return (.removed, nil)
            case .notThere: return (.none, nil)
            case .changed: return (.changed, nil)
            }
        } catch {
            logger.error("\(error)")
            return (.failed, error.description)
        }
    }
}
