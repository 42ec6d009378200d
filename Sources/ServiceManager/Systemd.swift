public import CommandExecution

/// systemd on one host, through `systemctl` and `journalctl`, or the unit files of an image that is not running.
///
/// ```swift
/// let systemd = Systemd(executor: LocalExecutor())
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
    ///   - executor: runs the programs.
    ///   - root: the root directory of an image, in which units can only be enabled, disabled and asked whether they
    ///     are; nil for the running system.
    ///   - timeout: how long one program may run. A blocking start that takes longer throws
    ///     ``ServiceError/Code/timedOut`` while systemd goes on with it.
    ///   - programs: the programs.
    ///   - journalLines: how many journal lines a failed start carries.
    public init(
        executor: any CommandExecutor, root: String? = nil, timeout: Duration = .seconds(30),
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
    /// - Parameter blocking: whether to wait until it is up or has failed. Otherwise the job is only queued: see
    ///   ``waitUntilSettled(_:timeout:pollInterval:)``.
    /// - Throws: ``ServiceError``: `notFound`, `masked`, `badUnitFile`, `startLimitHit` or `startFailed`, the last two
    ///   with the unit's last journal lines; `timedOut`, `notPermitted`, `managerUnavailable`.
    public func start(_ unit: UnitName, blocking: Bool = true) async throws(ServiceError) {
        try await activate("start", unit, blocking: blocking)
    }

    /// Stops a unit and starts it, or only starts it where it does not run. Throws as ``start(_:blocking:)`` does.
    public func restart(_ unit: UnitName, blocking: Bool = true) async throws(ServiceError) {
        try await activate("restart", unit, blocking: blocking)
    }

    /// Stops a unit. One that is not active, or does not exist, is stopped already.
    ///
    /// - Parameter blocking: whether to wait until it has stopped.
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

    /// Disables a unit. It is not stopped.
    public func disable(_ unit: UnitName) async throws(ServiceError) { try await change("disable", unit) }

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

    private func refuseImage(_ what: String) throws(ServiceError) {
        guard let root else { return }
        throw ServiceError(
            .notSupported, reason: "\(what) in the image \(root), where no systemd runs",
            remedy: "do it on a host that runs")
    }

    private func run(_ arguments: [String], unit: UnitName? = nil) async throws(ServiceError) -> CommandResult {
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

    private func activate(_ verb: String, _ unit: UnitName, blocking: Bool) async throws(ServiceError) {
        try refuseImage("a unit is started")
        let result = try await run([verb] + (blocking ? [] : ["--no-block"]) + ["--", unit.description], unit: unit)
        guard !result.succeeded else { return }
        let error = refusal(result, of: verb, unit: unit)
        guard error.code == .refused else { throw error }
        throw await startFailure(of: unit, error)
    }

    /// What became of a unit whose start failed: its state says why, its journal says more.
    private func startFailure(of unit: UnitName, _ error: ServiceError) async -> ServiceError {
        let status = try? await status(of: unit)
        let journal = (try? await journalTail(of: unit, lines: journalLines)) ?? []
        guard let status else {
            return ServiceError(
                .startFailed, unit: unit, reason: error.reason, remedy: "look at systemctl status \(unit)",
                journal: journal)
        }
        if status.isMissing { return Self.missing(unit) }
        if status.isMasked { return Self.masked(unit) }
        if status.load == .badSetting || status.load == .error {
            return ServiceError(
                .badUnitFile, unit: unit, reason: error.reason, remedy: "run systemd-analyze verify \(unit)",
                journal: journal)
        }
        if status.result == .startLimitHit {
            return ServiceError(
                .startLimitHit, unit: unit, reason: "it was started too often in too short a time",
                remedy: "mend the cause, then run systemctl reset-failed \(unit)", journal: journal)
        }
        return ServiceError(
            .startFailed, unit: unit, reason: "it is \(status.active) (\(status.sub)), result \(status.result)",
            remedy: "look at journalctl --unit=\(unit)", journal: journal)
    }

    private static func missing(_ unit: UnitName) -> ServiceError {
        ServiceError(.notFound, unit: unit, reason: "there is no such unit", remedy: "install it")
    }

    private static func masked(_ unit: UnitName) -> ServiceError {
        ServiceError(
            .masked, unit: unit, reason: "it is masked, someone forbade it to be started",
            remedy: "run systemctl unmask \(unit) if it is to run")
    }

    /// The error for a program that ended with a failure, told by what it printed.
    private func refusal(_ result: CommandResult, of verb: String, unit: UnitName?) -> ServiceError {
        let text = result.errorText
        func says(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
        if says("has not been booted with systemd", "Failed to connect to bus", "Failed to get D-Bus connection") {
            return ServiceError(
                .managerUnavailable, unit: unit, reason: "\(verb): \(Self.firstLine(text))",
                remedy: "use a host that systemd booted")
        }
        if says("Access denied", "Interactive authentication required", "Permission denied", "Operation not permitted")
        {
            return ServiceError(
                .notPermitted, unit: unit, reason: "\(verb): \(Self.firstLine(text))", remedy: "run as root")
        }
        if let unit {
            if says(" is masked") { return Self.masked(unit) }
            if says("not found", "not loaded", "does not exist", "No such file or directory") {
                return Self.missing(unit)
            }
        }
        if case .signalled = result.status {
            return ServiceError(
                .managerUnavailable, unit: unit, reason: "\(verb) was ended by \(result.status)", remedy: "try again")
        }
        return ServiceError(
            .refused, unit: unit,
            reason: "\(verb) ended with \(result.status)\(text.isEmpty ? "" : ": \(Self.firstLine(text))")",
            remedy: "run systemctl \(verb) by hand and look at it")
    }

    private static func firstLine(_ text: String) -> String {
        shown(text.split(separator: "\n").first ?? "it said nothing")
    }

    private static func shown(_ line: Substring) -> String {
        let scalars = line.unicodeScalars
        let shown = scalars.prefix(500).map {
            $0.value < 0x20 || $0.value == 0x7f ? $0.escaped(asASCII: true) : "\($0)"
        }
        return shown.joined() + (scalars.count > 500 ? "..." : "")
    }
}
