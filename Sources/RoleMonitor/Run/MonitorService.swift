internal import BCMClient
internal import CommandExecution
internal import Dispatch
internal import DurableFiles
internal import FoundationEssentials
public import Logging
internal import ServiceManager

/// The role monitor of one node, as a program or a test runs it.
///
/// ```swift
/// let service = MonitorService(configurationFile: "/etc/bcm-role-monitor/config.json", logger: logger)
/// let exit = try await service.run()      // until SIGTERM
/// ```
///
/// Shared storage can hang for ever, so child processes alone touch it: one that is forked to compare a file, and this very
/// program, started again, to change one. Each program that runs a service therefore begins with
///
/// ```swift
/// if let status = MonitorService.storageChildStatus(arguments: CommandLine.arguments) { exit(status) }
/// ```
///
/// What it throws is a ``MonitorConfigurationError`` when the configuration cannot be used, or a ``MonitorError``.
public struct MonitorService: Sendable {
    private let configurationFile: String
    private let targetsDirectory: String?
    private let version: String
    private let logger: Logger
    private let executor = LocalExecutor()
    /// Where systemd makes the folder of a unit's control socket, and where this process has one if it is a unit.
    var standardRuntimeDirectory = MonitorPaths.runtimeDirectory
    var unitRuntimeDirectory = ProcessInfo.processInfo.environment["RUNTIME_DIRECTORY"]

    /// Creates a service. Nothing is read yet.
    ///
    /// - Parameters:
    ///   - configurationFile: the configuration.
    ///   - targetsDirectory: the directory of target files; nil for the one in the configuration.
    ///   - version: the program's version, for its metrics.
    ///   - logger: takes what an operator should read.
    public init(
        configurationFile: String = MonitorPaths.configurationFile, targetsDirectory: String? = nil,
        version: String = "", logger: Logger
    ) {
        self.configurationFile = configurationFile
        self.targetsDirectory = targetsDirectory
        self.version = version
        self.logger = logger
    }

    /// Does the work of the child that touches shared storage, if that is what this process was started for. Blocks.
    ///
    /// - Parameter arguments: the command line, the program's name first.
    /// - Returns: the exit status with which the process is to end now; nil for a process that is no such child.
    public static func storageChildStatus(arguments: [String]) -> Int32? {
        guard arguments.count == 3, arguments[1] == StorageWorker.argument else { return nil }
        return StorageWorker.main(lockFile: arguments[2])
    }

    /// Runs until SIGTERM or SIGINT, or until a new start is needed. SIGHUP reads the configuration again.
    ///
    /// systemd is told that the service is ready once the configuration is valid and the lock is held, whether or not
    /// BCM answers.
    ///
    /// - Returns: why it ended, with the exit status that says so.
    /// - Throws: ``MonitorConfigurationError``; ``MonitorError``, also when another monitor runs on this node.
    public func run() async throws -> MonitorExit {
        let configuration = try loadConfiguration()
        let lock = try InstanceLock(directory: configuration.runtimeDirectory)
        defer { withExtendedLifetime(lock) {} }
        let seams = seams(configuration)
        let monitor = try makeMonitor(configuration, seams)
        logger.notice(
            "bcm-role-monitor \(version) runs; head nodes: \(configuration.headNodes.joined(separator: ", "))")
        let loop = MonitorLoop(
            monitor: monitor, notifier: seams.notifier, clock: seams.clock, host: seams.host, logger: logger,
            reload: { [self] in await reload(monitor) })
        // Whoever cannot read the configuration still finds a unit there.
        let unit = unitRuntimeDirectory.map { "\($0)/control" }
        return await loop.run(controlPaths: Set([configuration.controlPath] + [unit].compactMap { $0 }))
    }

    /// Makes one check.
    ///
    /// - Returns: what it did; ``PassReport/exit`` is the exit status that says so.
    /// - Throws: ``MonitorConfigurationError`` or ``MonitorError``.
    public func runOnce() async throws -> PassReport {
        let configuration = try loadConfiguration()
        let lock = try InstanceLock(directory: configuration.runtimeDirectory)
        defer { withExtendedLifetime(lock) {} }
        return await (try makeMonitor(configuration, seams(configuration))).pass()
    }

    /// Makes one check that changes nothing, and takes no lock.
    ///
    /// - Returns: what a check would do; ``PassReport/exit`` is the exit status that says so.
    /// - Throws: ``MonitorConfigurationError`` or ``MonitorError``.
    public func dryRun() async throws -> PassReport {
        let configuration = try loadConfiguration()
        let monitor = try makeMonitor(configuration, seams(configuration, isDryRun: true), isDryRun: true)
        return await monitor.pass()
    }

    /// Asks every head node, and takes no lock.
    ///
    /// - Throws: ``MonitorConfigurationError`` or ``MonitorError``.
    public func checkConnectivity() async throws -> ConnectivityTable {
        let configuration = try loadConfiguration()
        let store = StateStore(directory: configuration.stateDirectory)
        let host = LocalHost().identity()
        let state = store.load(for: host, setsAside: false).state
        return await ConnectivityTable(
            configuration: configuration,
            source: try makeSource(configuration, Monitor.pins(state.keys)), host: host,
            now: SystemClock().now())
    }

    /// Hands a request to the running monitor and waits until it is done. Where none runs, it is done here.
    ///
    /// A monitor that runs with the configuration it read earlier is found also when the file has become bad.
    ///
    /// - Returns: what was done, in words.
    /// - Throws: ``MonitorConfigurationError`` or ``MonitorError``.
    public func send(_ request: ControlRequest) async throws -> String {
        let configuration: MonitorConfiguration
        do throws(MonitorConfigurationError) {
            configuration = try loadConfiguration()
        } catch let mistake {
            do {
                return try await ask(request, path: "\(standardRuntimeDirectory)/control")
            } catch let error as MonitorError where error.code == .notRunning {
                throw mistake
            }
        }
        do {
            return try await ask(request, path: configuration.controlPath)
        } catch let error as MonitorError where error.code == .notRunning {
            let lock = try InstanceLock(directory: configuration.runtimeDirectory)
            defer { withExtendedLifetime(lock) {} }
            return try await apply(request, configuration)
        }
    }

    /// Takes the monitor out of service: its unit is disabled and stopped, the exporters are stopped, the target file,
    /// the state and the metrics are removed. Configuration and certificate stay.
    ///
    /// - Returns: what was done, and what failed.
    /// - Throws: ``MonitorConfigurationError`` or ``MonitorError``.
    public func decommission() async throws -> PassReport {
        let configuration = try loadConfiguration()
        let systemd = Systemd(executor: executor)
        var done: [String] = []
        do {
            let unit = try UnitName(MonitorPaths.unitName)
            if try await systemd.fileState(of: unit) != .notFound {
                try await systemd.disable(unit)
                done.append("disabled \(unit)")
            }
            try await systemd.stop(unit)
            done.append("stopped \(unit)")
        } catch {
            throw MonitorError(.refused, "the monitor cannot be taken out of service: \(error)")
        }
        let lock = try InstanceLock(directory: configuration.runtimeDirectory)
        defer { withExtendedLifetime(lock) {} }
        let monitor = try makeMonitor(configuration, seams(configuration))
        var report = await monitor.retire()
        report.actions = done + report.actions
        if report.failures.isEmpty { await monitor.forget() }
        return report
    }
}

extension MonitorService {
    private func ask(_ request: ControlRequest, path: String) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try ControlSocket.ask(request, path: path, seconds: 180) })
            }
        }
    }

    private func loadConfiguration() throws(MonitorConfigurationError) -> MonitorConfiguration {
        var (configuration, warnings) = try MonitorConfiguration.load(file: configurationFile)
        for warning in warnings { logger.warning("\(configurationFile): \(warning)") }
        if let targetsDirectory {
            guard ConfigurationSyntax.absolutePath.accepts(targetsDirectory) else {
                throw MonitorConfigurationError(
                    .invalidValues, file: "command line",
                    problems: [
                        .init(
                            key: "--prometheus-targets-dir",
                            "found \(JSONValue.text(targetsDirectory).excerpt), expected "
                                + ConfigurationSyntax.absolutePath.expected)
                    ])
            }
            configuration.targetsDirectory = targetsDirectory
        }
        return configuration
    }

    private func makeSource(
        _ configuration: MonitorConfiguration, _ keys: [HeadNode: PublicKeyPin]
    ) throws(BCMError) -> any RoleSource {
        try RESTClient(configuration: configuration.clientConfiguration(knownKeys: keys), logger: logger)
    }

    /// - Parameter isDryRun: whether shared storage is only looked at, for which no lock is needed.
    private func seams(_ configuration: MonitorConfiguration, isDryRun: Bool = false) -> MonitorSeams {
        MonitorSeams(
            makeSource: { (configuration, keys) throws(BCMError) in try makeSource(configuration, keys) },
            units: Systemd(executor: executor, timeout: .seconds(30)),
            store: ChildTargetStore(
                executor: executor, lockFile: isDryRun ? nil : "\(configuration.runtimeDirectory)/storage.lock"),
            clock: SystemClock(), host: LocalHost(), notifier: ServiceNotifier(), certificate: CertificateFacts.init)
    }

    private func makeMonitor(
        _ configuration: MonitorConfiguration, _ seams: MonitorSeams, isDryRun: Bool = false
    ) throws -> Monitor {
        do throws(BCMError) {
            return try Monitor(
                configuration: configuration, seams: seams, logger: logger, version: version, isDryRun: isDryRun)
        } catch {
            throw MonitorConfigurationError(
                .invalidValues, file: configurationFile, problems: [.init(error.description)])
        }
    }

    /// Reads the configuration again; one that is wrong changes nothing.
    private func reload(_ monitor: Monitor) async -> Bool {
        do {
            try await monitor.reconfigure(try loadConfiguration())
            logger.notice("\(configurationFile) was read again")
            return true
        } catch {
            logger.error("\(error)\nthe configuration stays as it was")
            return false
        }
    }

    /// Does a request without a running monitor.
    private func apply(_ request: ControlRequest, _ configuration: MonitorConfiguration) async throws -> String {
        let monitor = try makeMonitor(configuration, seams(configuration))
        let missing = "no monitor runs on this node: "
        switch request {
        case .pause(let seconds):
            await monitor.setPause(until: SystemClock().now().wall + seconds)
            let answer = MonitorLoop.answer(request, await monitor.pass())
            guard answer.isDone else { throw MonitorError(.refused, missing + answer.message) }
            return missing + answer.message
        case .resume:
            await monitor.setPause(until: nil)
            return missing + "the pause is taken back; exporters are started once the monitor runs"
        case .reset:
            await monitor.reset()
            return missing + "failed starts and keys of head nodes are forgotten"
        }
    }
}

extension MonitorConfiguration {
    /// Reads a configuration file.
    ///
    /// - Returns: the configuration, and warnings for keys that are not known and settings that have no effect.
    /// - Throws: ``MonitorConfigurationError`` with every mistake at once, naming the file.
    public static func load(
        file: String
    ) throws(MonitorConfigurationError) -> (configuration: MonitorConfiguration, warnings: [String]) {
        let bytes: [UInt8]?
        do throws(DurableFileError) {
            bytes = try DurableFile.read(file, limit: 1 << 20)
        } catch {
            throw MonitorConfigurationError(.unreadable, file: file, problems: [.init(error.description)])
        }
        guard let bytes else {
            throw MonitorConfigurationError(
                .missing, file: file,
                problems: [
                    .init(
                        "there is no such file; deploy-role-monitor makes one, or write one with at least "
                            + "{\"bcm_headnodes\": [\"HEAD-NODE\"]}")
                ])
        }
        do throws(MonitorConfigurationError) {
            return try parse(bytes)
        } catch {
            throw error.inFile(file)
        }
    }

    /// The folder of lock and control socket: the standard one with the standard state directory, else the state
    /// directory, so that a monitor under test disturbs no other.
    var runtimeDirectory: String {
        stateDirectory == MonitorPaths.stateDirectory ? MonitorPaths.runtimeDirectory : stateDirectory
    }

    var controlPath: String { "\(runtimeDirectory)/control" }
}

extension PassReport {
    /// The exit status of a single check.
    public var exit: MonitorExit {
        if !failures.isEmpty || !downUnits.isEmpty || isInterrupted { return .actionFailed }
        return unknownReason == nil ? .done : .roleUnknown
    }
}
