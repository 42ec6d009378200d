package import BCMClient
internal import DurableFiles
package import Logging
internal import PromTargets
internal import ServiceManager

/// Keeps this node's exporters and its target file in step with its role in BCM, one check at a time.
package actor Monitor {
    let seams: MonitorSeams
    let logger: Logger
    let heartbeat: Heartbeat
    let isDryRun: Bool
    private(set) var configuration: MonitorConfiguration
    private(set) var source: any RoleSource
    private(set) var state: MonitorState
    private var savedState: MonitorState?
    private var store: StateStore
    private var conditions: ConditionLog
    private var metrics = MonitorMetrics()
    private var certificateRead: Double?
    private var certificateFacts = CertificateFacts()
    private var shownFinding: String?
    private var shownOthers: [String: String] = [:]
    private var passes = 0
    /// What ``nameForPause(_:)`` found.
    private var pauseName: String?
    /// The host name of a state file that was taken over and is removed once its successor is saved.
    private var formerHostName: String?

    /// Creates a monitor and loads its state.
    ///
    /// - Parameter isDryRun: whether it only says what it would do, and changes nothing at all.
    /// - Throws: ``BCMError`` with the code `invalidConfiguration` when BCM cannot be asked this way.
    package init(
        configuration: MonitorConfiguration, seams: MonitorSeams, logger: Logger, version: String = "",
        isDryRun: Bool = false
    ) throws(BCMError) {
        self.configuration = configuration
        self.seams = seams
        self.logger = logger
        self.isDryRun = isDryRun
        let notifier = seams.notifier
        let interval = notifier.watchdogInterval.map { $0 / 3 } ?? .seconds(60)
        heartbeat = notifier.watchdogInterval == nil ? .none : Heartbeat(every: interval) { notifier.feedWatchdog() }
        conditions = ConditionLog(logger: logger)
        store = StateStore(directory: configuration.stateDirectory)
        let host = seams.host.identity()
        let loaded = store.load(for: host, setsAside: !isDryRun)
        for note in loaded.notes { logger.warning("\(note)") }
        state = loaded.state
        savedState = loaded.formerHostName == nil && loaded.notes.isEmpty ? loaded.state : nil
        source = try seams.makeSource(configuration, Self.pins(loaded.state.keys))
        metrics.version = version
        formerHostName = loaded.formerHostName
        if !isDryRun {
            LeftoverFiles.remove(besides: store.path(hostName: host.hostName))
            configuration.metricsTextfile.map(LeftoverFiles.remove)
        }
    }

    /// When the pause ends, in seconds since 1970; nil while not paused.
    package var pauseEnd: Double? { state.pauseEnd }

    /// One check: observe, decide, act.
    package func pass() async -> PassReport { await pass(retiring: nil) }

    /// What is to know before the monitor is taken out of service.
    private struct Retirement {
        /// As in ``Observation/listed``.
        var listed: [String: String?]?
    }

    private func pass(retiring: Retirement?) async -> PassReport {
        let start = seams.clock.now()
        let host = seams.host.identity()
        followRename(to: host)
        let isPaused = (state.pauseEnd ?? 0) > start.wall || retiring != nil
        if !isPaused, state.pauseEnd != nil { logger.notice("the pause is over") }
        let observed = isPaused ? RoleObservation(.unknown(UnknownRole("paused", "paused"))) : await observeRole(host)
        let name = isPaused ? await nameForPause(host) : nil
        let units = await observeUnits(for: observed, isPaused: isPaused)
        var report = PassReport(role: observed.finding.state)
        guard !Task.isCancelled else {
            report.isInterrupted = true
            return report
        }
        var observation = Observation(host: host, role: observed.finding, listed: observed.listed, units: units)
        observation.otherRoles = observed.others
        observation.name = name
        if let retiring {
            observation.isRetiring = true
            observation.listed = retiring.listed
        }
        let decision = decide(observation, state, configuration, now: seams.clock.now())
        let retriesBefore = state.retries
        state = decision.state
        state.keys = keysToKeep()
        note(observation, decision, &report)
        if isDryRun {
            await describe(decision.actions, &report)
        } else {
            // Attempts count once they were made: a monitor that is ended before that tries again at once. Target files
            // count before they are written: one that is never remembered would never be removed.
            let retries = state.retries
            state.retries = retriesBefore
            save()
            state.retries = retries
            await perform(decision.actions, &report)
            // Cancelled on the way: which attempts were made is not known, and none may count that was not.
            if Task.isCancelled { state.retries = retriesBefore }
            save()
        }
        conclude(&report, start: start, isRetiring: retiring != nil)
        releaseMemory()
        return report
    }

    /// Gives back, after the first check and then now and again, what starting up took: this process sleeps nearly all
    /// of its life beside jobs that want the memory.
    private func releaseMemory() {
        if passes % 60 == 0 { ServiceMemory.release() }
        passes += 1
    }

    /// Takes another configuration into use. What cannot change while the monitor runs stays as it was.
    package func reconfigure(_ new: MonitorConfiguration) throws(BCMError) {
        var new = new
        if new.stateDirectory != configuration.stateDirectory {
            logger.warning("\"state_dir\" changes only when the monitor is restarted")
            new.stateDirectory = configuration.stateDirectory
        }
        source = try seams.makeSource(new, Self.pins(state.keys))
        configuration = new
        certificateRead = nil
    }

    /// Begins a pause, or ends it.
    package func setPause(until end: Double?) {
        state.pauseEnd = end
        state.retries = [:]
        save()
    }

    /// Forgets failed starts, so that every unit is tried again at once, and the keys that were trusted on first use, so
    /// that the next ones are trusted.
    package func reset() {
        state.retries = [:]
        if !state.keys.isEmpty {
            state.keys = [:]
            do throws(BCMError) {
                source = try seams.makeSource(configuration, [:])
            } catch {
                logger.error("the client of BCM stays as it was: \(error)")
            }
        }
        save()
    }

    /// Notes that the monitor restarts for a new mount namespace.
    ///
    /// - Returns: whether it may: not when it did so within the last hour, since then a restart does not help.
    package func mayRestartForNamespace() -> Bool {
        let now = seams.clock.now().sinceBoot
        if let last = state.namespaceRestart, now - last < 3600 { return false }
        state.namespaceRestart = now
        return save()
    }

    /// Stops the exporters and removes the target file for good, whatever the role is.
    package func retire() async -> PassReport {
        let host = seams.host.identity()
        var retirement = Retirement(listed: nil)
        let hasFormerNames = state.targets.contains { $0.name != state.settled?.node }
        if state.settled == nil || hasFormerNames {
            let observed = await observeRole(host)
            retirement.listed = observed.listed
            if state.settled == nil {
                let node = observed.finding.node ?? NodeName.label(host.hostName)
                state.settled = .init(role: configuration.role, isPresent: false, node: node)
            }
        }
        var report = await pass(retiring: retirement)
        let node = state.settled?.node
        for target in state.targets where configuration.managesTargets && target.name != node {
            let file = TargetFile(directory: target.directory, name: target.name)
            guard retirement.listed == nil else {
                logger.warning(
                    "\(file.path) is left: BCM lists \(target.name) as this machine or does not tell whose it is")
                continue
            }
            report.failures.append(
                .init(
                    kind: "not removed",
                    message: "\(file.path) is left: BCM cannot be asked whether another node has that name now; try "
                        + "again, or remove it by hand"))
            report.summary = retirementSummary(report)
        }
        return report
    }

    /// BCM's name of the node, for a pause of which the state tells neither that nor any target file. BCM is asked
    /// once; without its answer it is the host's own name.
    private func nameForPause(_ host: HostIdentity) async -> String? {
        guard configuration.managesTargets, state.settled == nil,
            !state.targets.contains(where: { $0.directory == configuration.targetsDirectory })
        else { return nil }
        if let pauseName { return pauseName }
        let name = await observeRole(host).finding.node ?? NodeName.label(host.hostName)
        guard !Task.isCancelled else { return nil }
        pauseName = name
        return name
    }

    /// Removes state and metrics of a monitor that will not run again.
    package func forget() {
        store.remove(hostName: state.hostName)
        if let file = configuration.metricsTextfile { removeFile(file) }
    }

    /// Writes the state if it changed.
    @discardableResult
    private func save() -> Bool {
        guard !isDryRun, savedState != state else { return true }
        do throws(DurableFileError) {
            try store.save(state)
            savedState = state
            return true
        } catch {
            conditions.note(
                "state", .error, "\(error); a restart of the monitor forgets what it knows", fingerprint: "state",
                ending: "the state can be saved again", now: seams.clock.now())
            metrics.failures["state", default: 0] += 1
            return false
        }
    }

    private func followRename(to host: HostIdentity) {
        if host.hostName != state.hostName, !host.hostName.isEmpty {
            let former = state.hostName
            logger.notice("this host is now called \(host.hostName); it was called \"\(former)\"")
            state.adopt(host)
            pauseName = nil
            formerHostName = former.isEmpty ? nil : former
        }
        if let former = formerHostName, save(), !isDryRun {
            store.remove(hostName: former)
            formerHostName = nil
        }
    }

    private func observeRole(_ host: HostIdentity) async -> RoleObservation {
        let observer = RoleObserver(
            source: source, clock: seams.clock, heartbeat: heartbeat, rules: configuration.rules,
            roleLossDelay: configuration.roleLossDelay, requestTimeout: configuration.requestTimeout)
        return await observer.observe(
            host: host, formerNames: Set(state.targets.map(\.name)).sorted(), state: state)
    }

    private func keysToKeep() -> [String: String] {
        guard configuration.trustsFirstUse else { return state.keys }
        var keys: [String: String] = [:]
        for (headNode, pin) in source.seenKeys { keys[headNode.description] = pin.description }
        return state.keys.merging(keys) { $1 }
    }

    static func pins(_ keys: [String: String]) -> [HeadNode: PublicKeyPin] {
        var pins: [HeadNode: PublicKeyPin] = [:]
        for (name, key) in keys {
            guard let headNode = try? HeadNode(parsing: name), let pin = try? PublicKeyPin(parsing: key) else {
                continue
            }
            pins[headNode] = pin
        }
        return pins
    }

    // MARK: Reporting

    /// Tells what was seen, each thing once for as long as it lasts.
    private func note(_ observation: Observation, _ decision: Decision, _ report: inout PassReport) {
        let now = seams.clock.now()
        report.pauseEnd = decision.state.pauseEnd
        switch observation.role {
        case .present(let node), .absent(let node):
            report.node = node
            let shown = "role \(configuration.role) \(observation.role.state) (\(node))"
            if shown != shownFinding { logger.notice("\(shown)") }
            shownFinding = shown
            metrics.lastSuccess = now.wall
        case .unknown(var reason) where report.pauseEnd == nil && !observation.isRetiring:
            if configuration.trustsFirstUse, reason.kind == BCMError.Code.notTrusted.description {
                reason.message +=
                    "; the remembered keys are in \(store.path(hostName: state.hostName)); if the new one is right, "
                    + "bcm-role-monitor --reset accepts it"
            }
            report.unknownReason = reason.message
            conditions.note(
                "role", .warning, "role \(configuration.role) unknown, nothing is changed: \(reason.message)",
                fingerprint: reason.kind, ending: "the role can be told again", now: now)
            metrics.failures[reason.kind, default: 0] += 1
        case .unknown: conditions.keep("role")
        }
        noteOtherRoles(observation, &report, now)
        switch observation.units {
        case .known(let statuses):
            let known = Set(statuses.keys.map(\.description))
            for exporter in configuration.allExporters where !known.contains(exporter.unit) {
                conditions.keep(exporter.unit)
            }
        case .notAsked where !configuration.managesServices: break
        case .notAsked:
            conditions.keep("units")
            for exporter in configuration.allExporters { conditions.keep(exporter.unit) }
        case .failed(let error):
            fail(&report, "units", error.code.description, "\(error)")
            for exporter in configuration.allExporters { conditions.keep(exporter.unit) }
        }
        for remark in decision.remarks { note(remark, &report, now) }
        certificate(now)
    }

    /// Tells what was learned about the roles of additional rules.
    private func noteOtherRoles(_ observation: Observation, _ report: inout PassReport, _ now: Moment) {
        for (role, finding) in observation.otherRoles.sorted(by: { $0.key < $1.key }) {
            report.otherRoles[role] = finding.state
            let key = "role \(role)"
            switch finding {
            case .present(let node), .absent(let node):
                report.node = report.node ?? node
                let shown = "role \(role) \(finding.state) (\(node))"
                if shown != shownOthers[role] { logger.notice("\(shown)") }
                shownOthers[role] = shown
            // What keeps all roles unknown is told once, about the first.
            case .unknown where report.pauseEnd != nil || finding == observation.role: conditions.keep(key)
            case .unknown(let reason):
                report.notes.append("role \(role) unknown")
                conditions.note(
                    key, .warning, "role \(role) unknown, nothing of it is changed: \(reason.message)",
                    fingerprint: reason.kind, ending: "the role \(role) can be told again", now: now)
            }
        }
    }

    private func note(_ remark: Remark, _ report: inout PassReport, _ now: Moment) {
        switch remark {
        case .missing(let unit):
            report.notes.append("\(unit) does not exist")
            conditions.note(
                "\(unit)", .warning, "\(unit) does not exist; install it, it is started at the next check",
                ending: "\(unit) exists now", now: now)
        case .masked(let unit):
            report.notes.append("\(unit) is masked")
            conditions.note(
                "\(unit)", .warning, "\(unit) is masked and not started; systemctl unmask \(unit) allows it again",
                ending: "\(unit) is not masked any more", now: now)
        case .unsettled(let unit, let state):
            noteDown(unit, "is still \(state)", &report)
            conditions.note(
                "\(unit)", .warning, "\(unit) is still \(state); it is looked at again at the next check",
                ending: "\(unit) has settled", now: now)
        case .waiting(let unit, let seconds):
            noteDown(unit, "is down, next attempt in \(ConditionLog.span(Double(seconds)))", &report)
            conditions.keep("\(unit)")
            logger.debug("\(unit) is down; next attempt in \(seconds) s")
        case .restarting(let unit, let crashes, let isActive):
            let message =
                "\(unit) falls over and systemd restarts it, \(crashes) times since it was started; see journalctl "
                + "--unit=\(unit)"
            if isActive {
                // Whether it stays up is told by a later check.
                report.notes.append("\(unit) was restarted \(crashes) times")
                conditions.note(
                    "\(unit)", .warning, message, fingerprint: "start failed", ending: "\(unit): in order again",
                    now: now)
            } else {
                fail(&report, "\(unit)", "start failed", message)
            }
        case .givenUp(let unit, let attempts): noteGivenUp(unit, attempts, &report)
        case .noTarget(let message): fail(&report, "targets", "invalid name", message)
        }
    }

    private func noteDown(_ unit: UnitName, _ words: String, _ report: inout PassReport) {
        report.notes.append("\(unit) \(words)")
        if !isDryRun { report.downUnits.append(unit.description) }
    }

    func noteGivenUp(_ unit: UnitName, _ attempts: Int, _ report: inout PassReport) {
        let message =
            "\(unit) did not stay up after \(attempts) attempts and is given up: one attempt each "
            + "\(ConditionLog.span(configuration.giveUpInterval.inSeconds)); see journalctl --unit=\(unit), then "
            + "run bcm-role-monitor --reset to have it tried at once"
        logger.critical("\(message)")
        metrics.failures["given up", default: 0] += 1
        report.failures.append(.init(kind: "given up", message: message))
    }

    /// Counts a failure and tells it once for as long as it lasts.
    func fail(_ report: inout PassReport, _ key: String, _ kind: String, _ message: String) {
        report.failures.append(.init(kind: kind, message: message))
        metrics.failures[kind, default: 0] += 1
        conditions.note(
            key, .error, message, fingerprint: kind, ending: "\(key): in order again", now: seams.clock.now())
    }

    func countAttempt(_ unit: UnitName) { metrics.startAttempts[unit.description, default: 0] += 1 }

    func change<Value>(_ path: WritableKeyPath<MonitorState, Value>, _ change: (inout Value) -> Void) {
        change(&state[keyPath: path])
    }

    /// Looks at the certificate once an hour.
    private func certificate(_ now: Moment) {
        if certificateRead.map({ now.sinceBoot - $0 >= 3600 }) ?? true {
            certificateFacts = seams.certificate(configuration)
            certificateRead = now.sinceBoot
        }
        for (index, problem) in certificateFacts.problems.enumerated() {
            conditions.note("certificate \(index)", .warning, problem, now: now)
        }
        if let end = certificateFacts.end, end - now.wall < 30 * 86_400 {
            let days = Int(((end - now.wall) / 86_400).rounded(.down))
            conditions.note(
                "certificate end", .warning,
                "the client certificate \(configuration.certificateFile) "
                    + (days < 0 ? "has ended" : "ends in \(days) days") + "; deploy a new one",
                ending: "the client certificate was renewed", now: now)
        }
    }

    private func conclude(
        _ report: inout PassReport, start: Moment, isRetiring: Bool
    ) {
        let now = seams.clock.now()
        report.isInterrupted = Task.isCancelled
        report.summary = isRetiring ? retirementSummary(report) : summary(report)
        if report.wantsNewNamespace { report.wantsNewNamespace = seams.notifier.isActive }
        guard !isDryRun, !report.isInterrupted else { return }
        metrics.role = configuration.role
        metrics.finding = report.role
        metrics.otherRoles = report.otherRoles
        metrics.checks += 1
        metrics.lastCheck = now.wall
        metrics.duration = now.sinceBoot - start.sinceBoot
        metrics.units = configuration.managesServices ? configuration.allExporters.map(\.unit) : []
        metrics.pendingRetries = state.retries.mapValues(\.attempts)
        metrics.givenUp = Set(state.retries.filter(\.value.isGivenUp).keys)
        metrics.pauseEnd = state.pauseEnd
        metrics.certificateEnd = certificateFacts.end
        metrics.now = now.wall
        writeMetrics(now)
        if configuration.managesTargets, !report.hasTouchedTargets {
            conditions.keep("targets")
            conditions.keep(prefix: "target files in ")
        }
        conditions.endOthers(now: now)
        seams.notifier.status(report.summary)
    }

    private func writeMetrics(_ now: Moment) {
        guard let file = configuration.metricsTextfile else { return }
        do throws(DurableFileError) {
            try DurableFile.write(Array(metrics.rendered.utf8), to: file)
        } catch {
            conditions.note(
                "metrics", .warning, "\(error); the monitor's metrics are missing until then",
                fingerprint: "\(error.errorNumber)", ending: "the metrics are written again", now: now)
            metrics.failures["metrics", default: 0] += 1
        }
    }

    private func retirementSummary(_ report: PassReport) -> String {
        guard let failure = report.failures.first else { return "decommissioned" }
        return "not decommissioned; \(report.failures.count) failed: \(failure.message)"
    }

    private func summary(_ report: PassReport) -> String {
        var parts: [String] = []
        if let end = report.pauseEnd {
            parts.append("paused until \(WallTime.text(end))")
        } else {
            parts.append("role \(configuration.role) \(report.role)" + (report.node.map { " (\($0))" } ?? ""))
            for (role, word) in report.otherRoles.sorted(by: { $0.key < $1.key }) where word != .unknown {
                parts.append("role \(role) \(word)")
            }
        }
        if let reason = report.unknownReason { parts.append("nothing is changed: \(reason)") }
        let givenUp = state.retries.filter(\.value.isGivenUp).keys.sorted()
        if !givenUp.isEmpty { parts.append("given up: \(givenUp.joined(separator: ", "))") }
        if report.failures.isEmpty {
            if report.unknownReason == nil, report.pauseEnd == nil, report.notes.isEmpty {
                parts.append("all in order")
            }
        } else {
            parts.append("\(report.failures.count) failed: \(report.failures[0].message)")
        }
        parts += report.notes
        return parts.joined(separator: "; ")
    }
}
