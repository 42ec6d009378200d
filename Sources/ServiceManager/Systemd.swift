public import CommandExecution

/// systemd on one host, through `systemctl` and `journalctl`, or the unit files of an image that is not running.
///
/// ```swift
/// let systemd = Systemd()
/// let unit = try UnitName("node_exporter.service")
/// try await systemd.start(unit)
/// print(try await systemd.status(of: [unit])[unit]?.active ?? .inactive)   // active
/// ```
///
/// Which host it is, the executor decides. Nothing passes a shell, and every call has a time-out.
public struct Systemd: Sendable {
    /// The programs that are run.
    public struct Programs: Sendable, Hashable {
        /// `systemctl`, a name in `PATH` or a path.
        public var systemctl: String
        /// `journalctl`, a name in `PATH` or a path.
        public var journalctl: String

        /// Names the programs.
        public init(systemctl: String = "systemctl", journalctl: String = "journalctl") {
            self.systemctl = systemctl
            self.journalctl = journalctl
        }
    }

    /// What runs the programs.
    public var executor: any CommandExecutor
    /// The root directory of an image; nil for the running system.
    public var root: String?
    /// How long one program may run.
    public var timeout: Duration
    /// The programs that are run.
    public var programs: Programs
    /// How many journal lines a failed start carries.
    public var journalLines: Int

    /// Creates a view of one host's systemd.
    ///
    /// - Parameters:
    ///   - executor: runs the programs; on this machine by default.
    ///   - root: the root directory of an image, in which units can only be enabled, disabled and asked whether they
    ///     are; nil for the running system.
    ///   - timeout: how long one program may run. A blocking start that takes longer throws
    ///     ``ServiceError/Code/timedOut`` while systemd goes on with it.
    ///   - programs: the programs.
    ///   - journalLines: how many journal lines a failed start carries.
    public init(
        executor: any CommandExecutor = LocalExecutor(), root: String? = nil, timeout: Duration = .seconds(30),
        programs: Programs = Programs(), journalLines: Int = 10
    ) {
        self.executor = executor
        self.root = root
        self.timeout = timeout
        self.programs = programs
        self.journalLines = journalLines
    }

    /// The states of many units, in one call of `systemctl`.
    ///
    /// A unit that does not exist or is masked has a status too: see ``UnitStatus/isMissing`` and
    /// ``UnitStatus/isMasked``. An alias is resolved: ``UnitStatus/id`` is then the other name.
    ///
    /// - Throws: ``ServiceError``: `invalidValue` for a template, `managerUnavailable`, `timedOut`, `notUnderstood`.
    public func status(of units: [UnitName]) async throws(ServiceError) -> [UnitName: UnitStatus] {
        try refuseImage("the state of a unit is asked for")
        guard !units.isEmpty else { return [:] }
        if let template = units.first(where: { $0.isTemplate }) {
            throw ServiceError(
                .invalidValue, unit: template, reason: "a template has no state", remedy: "name an instance of it")
        }
        let names = Array(Set(units)).sorted()
        let result = try await run(
            [
                "show", "--no-pager", "--timestamp=utc", "--property=\(UnitStatus.properties.joined(separator: ","))",
                "--",
            ] + names.map(\.description))
        guard result.succeeded else { throw refusal(result, of: "show", unit: nil) }
        return try UnitStatus.parse(result.outputText, asked: names)
    }

    /// The state of one unit.
    public func status(of unit: UnitName) async throws(ServiceError) -> UnitStatus {
        guard let status = try await status(of: [unit])[unit] else {
            throw ServiceError(
                .notUnderstood, unit: unit, reason: "systemctl show did not name it", remedy: "ask again")
        }
        return status
    }

    /// Starts a unit; one that is active stays as it is.
    ///
    /// systemd calls a `Type=simple` service started as soon as its process exists. A blocking start therefore looks
    /// at the unit once more, and with `stayingUp` again and again for that long.
    ///
    /// - Parameters:
    ///   - unit: the unit.
    ///   - blocking: whether to wait until it is up or has failed. Otherwise the job is only queued: see
    ///     ``waitUntilSettled(_:timeout:pollInterval:)``.
    ///   - stayingUp: how long the unit must stay active before its start counts, if blocking. With zero a unit that
    ///     ended well is fine too.
    /// - Throws: ``ServiceError``: `notFound`, `masked`, `badUnitFile`, `startLimitHit` or `startFailed`, the last
    ///   three with the unit's last journal lines; `timedOut`, `notPermitted`, `managerUnavailable`.
    public func start(
        _ unit: UnitName, blocking: Bool = true, stayingUp: Duration = .zero
    ) async throws(ServiceError) {
        try await activate("start", unit, blocking: blocking, stayingUp: stayingUp)
    }

    /// Stops a unit and starts it, or only starts it where it does not run.
    ///
    /// Takes and throws what ``start(_:blocking:stayingUp:)`` does.
    public func restart(
        _ unit: UnitName, blocking: Bool = true, stayingUp: Duration = .zero
    ) async throws(ServiceError) {
        try await activate("restart", unit, blocking: blocking, stayingUp: stayingUp)
    }

    /// Stops a unit. One that is not active, or does not exist, is stopped already.
    ///
    /// - Parameters:
    ///   - unit: the unit.
    ///   - blocking: whether to wait until it has stopped.
    /// - Throws: ``ServiceError``.
    public func stop(_ unit: UnitName, blocking: Bool = true) async throws(ServiceError) {
        try refuseImage("a unit is stopped")
        let result = try await run(["stop"] + (blocking ? [] : ["--no-block"]) + ["--", unit.description], unit: unit)
        guard !result.succeeded else { return }
        let error = refusal(result, of: "stop", unit: unit)
        // Status 5 is what systemctl(1) returns for a unit that is not loaded.
        if error.code == .notFound || result.status == .exited(5) { return }
        throw error
    }

    /// Enables a unit: it is started at boot, or by what its `[Install]` section names. It is not started now.
    public func enable(_ unit: UnitName) async throws(ServiceError) { try await change("enable", unit) }

    /// Disables a unit; one that does not exist is disabled already. It is not stopped.
    public func disable(_ unit: UnitName) async throws(ServiceError) {
        do { try await change("disable", unit) } catch  where error.code == .notFound {}
    }

    /// Whether and how a unit is enabled; ``UnitFileState/notFound`` for a unit that does not exist.
    public func fileState(of unit: UnitName) async throws(ServiceError) -> UnitFileState {
        let result = try await run(rootOption + ["is-enabled", "--", unit.description], unit: unit)
        // The status says enabled or not; the word is on the output either way. Earlier versions print no word for a
        // unit that does not exist.
        let word = result.outputText.split(whereSeparator: \.isWhitespace).first
        if let word { return UnitFileState(rawValue: String(word)) }
        let error = refusal(result, of: "is-enabled", unit: unit)
        if error.code == .notFound { return .notFound }
        throw error
    }

    /// Whether a unit is enabled, for good or until the next boot.
    public func isEnabled(_ unit: UnitName) async throws(ServiceError) -> Bool {
        try await fileState(of: unit).isEnabled
    }

    /// Makes systemd read all unit files again; in an image there is nothing to do.
    public func reloadManager() async throws(ServiceError) {
        guard root == nil else { return }
        let result = try await run(["daemon-reload"])
        guard result.succeeded else { throw refusal(result, of: "daemon-reload", unit: nil) }
    }

    /// Makes systemd forget a unit's failure and its start limit. For a unit that is not loaded there is none.
    public func resetFailed(_ unit: UnitName) async throws(ServiceError) {
        try refuseImage("a failure is reset")
        let result = try await run(["reset-failed", "--", unit.description], unit: unit)
        guard !result.succeeded else { return }
        let error = refusal(result, of: "reset-failed", unit: unit)
        if error.code == .notFound { return }
        throw error
    }

    /// The last lines of a unit's journal since the host booted, oldest first, without times.
    ///
    /// - Parameters:
    ///   - unit: the unit.
    ///   - lines: how many lines, 1000 at most. Each is cut after 500 characters, and control characters are shown
    ///     as escapes.
    public func journalTail(of unit: UnitName, lines: Int) async throws(ServiceError) -> [String] {
        try refuseImage("a journal is read")
        let command = Command(
            programs.journalctl,
            [
                "--no-pager", "--quiet", "--boot", "--output=cat", "--lines=\(min(max(lines, 1), 1000))",
                "--unit=\(unit)",
            ], timeout: timeout, outputLimit: 8 << 20)
        let result: CommandResult
        do { result = try await executor.run(command) } catch { throw ServiceError(error, unit: unit) }
        guard result.succeeded else { throw refusal(result, of: "journalctl", unit: unit) }
        return result.outputText.split(separator: "\n").suffix(lines).map { Self.shown($0) }
    }
}

extension Systemd {
    private var rootOption: [String] { root.map { ["--root=\($0)"] } ?? [] }

    func refuseImage(_ what: String) throws(ServiceError) {
        guard let root else { return }
        throw ServiceError(
            .notSupported, reason: "\(what) in the image \(root), where no systemd runs",
            remedy: "do it on a host that runs")
    }

    func run(_ arguments: [String], unit: UnitName? = nil) async throws(ServiceError) -> CommandResult {
        do {
            return try await executor.run(Command(programs.systemctl, arguments, timeout: timeout))
        } catch {
            throw ServiceError(error, unit: unit)
        }
    }

    private func change(_ verb: String, _ unit: UnitName) async throws(ServiceError) {
        let result = try await run(rootOption + [verb, "--quiet", "--", unit.description], unit: unit)
        guard result.succeeded else { throw refusal(result, of: verb, unit: unit) }
    }
}
