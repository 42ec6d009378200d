internal import Glibc
internal import Logging
internal import PromTargets
internal import ServiceManager

extension Monitor {
    /// The exporters' states, where something depends on them. Units that change are waited for.
    func observeUnits(for observed: RoleObservation, isPaused: Bool) async -> Observation.Units {
        guard configuration.managesServices else { return .notAsked }
        var asked: [UnitName] = []
        var starting: [UnitName] = []
        for rule in configuration.rules {
            let units = rule.exporters.compactMap { try? UnitName($0.unit) }
            switch rule.role == configuration.role ? observed.finding : observed.others[rule.role] {
            case .present:
                asked += units
                starting += units
            case .absent: asked += units
            case .unknown, nil: if isPaused { asked += units }
            }
        }
        guard !asked.isEmpty else { return .notAsked }
        do throws(ServiceError) {
            var statuses = try await look(asked)
            if !isDryRun, starting.contains(where: { statuses[$0]?.isSettling == true }) {
                let settled = try await settled(starting) { !$0.isSettling }
                statuses.merge(settled) { $1 }
            }
            return .known(statuses)
        } catch {
            return .failed(error)
        }
    }

    /// Does what was decided: units first, since shared storage may hang.
    func perform(_ actions: [Action], _ report: inout PassReport) async {
        var starts: [UnitName] = []
        var stops: [UnitName] = []
        for action in actions {
            guard !Task.isCancelled else { return }
            switch action {
            case .start(let unit, let attempt, let resetsFailures):
                logger.info("starting \(unit)\(attempt > 1 ? ", attempt \(attempt)" : "")")
                countAttempt(unit)
                do throws(ServiceError) {
                    try await start(unit, resetsFailures: resetsFailures)
                    starts.append(unit)
                } catch {
                    await startFailed(unit, error.code.description, "\(error)", &report)
                }
            case .stop(let unit):
                do throws(ServiceError) {
                    try await call { () async throws(ServiceError) in try await seams.units.requestStop(unit) }
                    stops.append(unit)
                } catch {
                    fail(&report, unit.description, error.code.description, "\(error)")
                }
            case .writeTarget, .removeTarget: break
            }
        }
        if !starts.isEmpty { await proveStarts(starts, &report) }
        if !stops.isEmpty { await proveStops(stops, &report) }
        guard !Task.isCancelled else { return }
        await performTargets(actions, &report)
    }

    /// Says what would be done, looking at shared storage but changing nothing.
    func describe(_ actions: [Action], _ report: inout PassReport) async {
        for action in actions {
            switch action {
            case .start, .stop: report.actions.append(action.words)
            case .writeTarget(let file, let groups, let keptOnly):
                await describe(.init(inspecting: file, groups: groups, keptOnly: keptOnly), &report) { outcome in
                    switch outcome {
                    case .unchanged: nil
                    case .notThere: groups == keptOnly ? nil : "write \(file.path)"
                    default: "write \(file.path) anew: it holds something else"
                    }
                }
            case .removeTarget(let file, let digest):
                await describe(.init(inspecting: file, digest: digest), &report) { outcome in
                    outcome == .notThere || outcome == .kept ? nil : "remove \(file.path)"
                }
            }
        }
    }

    private func describe(
        _ operation: StorageOperation, _ report: inout PassReport, words: (StorageOutcome) -> String?
    ) async {
        let outcomes = await heartbeat.during(limit: seams.store.limit) { await seams.store.perform([operation]) }
        switch outcomes.first ?? .failed(StorageFailure("internal", "\(operation.directory): no answer")) {
        case .failed(let failure): report.failures.append(.init(kind: failure.kind, message: failure.message))
        case let outcome: if let words = words(outcome) { report.actions.append(words) }
        }
    }

    // MARK: Units

    /// One bounded call.
    private func call<Result: Sendable>(
        _ body: () async throws(ServiceError) -> Result
    ) async throws(ServiceError) -> Result {
        try await heartbeat.during(limit: seams.units.callLimit, body)
    }

    private func look(_ units: [UnitName]) async throws(ServiceError) -> [UnitName: UnitStatus] {
        try await call { () async throws(ServiceError) in try await seams.units.status(of: units) }
    }

    private func start(_ unit: UnitName, resetsFailures: Bool) async throws(ServiceError) {
        if resetsFailures {
            try await call { () async throws(ServiceError) in try await seams.units.resetFailed(unit) }
        }
        do throws(ServiceError) {
            try await call { () async throws(ServiceError) in try await seams.units.requestStart(unit) }
        } catch {
            guard error.code == .startLimitHit, !resetsFailures else { throw error }
            try await start(unit, resetsFailures: true)
        }
    }

    /// Looks until every unit satisfies the condition, or the time is over.
    private func settled(
        _ units: [UnitName], while isDone: (UnitStatus) -> Bool
    ) async throws(ServiceError) -> [UnitName: UnitStatus] {
        let end = seams.clock.now().sinceBoot + seams.pace.settle.inSeconds
        while true {
            let statuses = try await look(units)
            if statuses.values.allSatisfy(isDone) || seams.clock.now().sinceBoot >= end { return statuses }
            try await pause(seams.pace.poll)
        }
    }

    private func pause(_ duration: Duration) async throws(ServiceError) {
        do {
            try await seams.clock.sleep(for: duration)
        } catch {
            throw ServiceError(.cancelled, reason: "the check was interrupted", remedy: "wait for the next")
        }
        heartbeat.beat()
    }

    /// Waits until the started units are up, and a little longer: a unit that falls over at once was not started.
    private func proveStarts(_ units: [UnitName], _ report: inout PassReport) async {
        let statuses: [UnitName: UnitStatus]
        do throws(ServiceError) {
            var looked = try await settled(units) { !$0.isSettling }
            if looked.values.contains(where: \.isActive) {
                try await pause(seams.pace.proof)
                looked = try await look(units)
            }
            statuses = looked
        } catch {
            guard error.code != .cancelled else { return }
            for unit in units { await startFailed(unit, error.code.description, "\(unit): \(error)", &report) }
            return
        }
        for unit in units {
            guard let status = statuses[unit] else { continue }
            if status.isActive {
                logger.notice("started \(unit)")
                report.actions.append("started \(unit)")
            } else if status.isRestarting {
                await startFailed(
                    unit, "start failed",
                    "\(unit): it ended at once, result \(status.result), and systemd restarts it again and again",
                    &report)
            } else if status.active.isTransient {
                await startFailed(
                    unit, "start failed",
                    "\(unit): still \(status.active) (\(status.sub)) after "
                        + "\(ConditionLog.span(seams.pace.settle.inSeconds))", &report)
            } else {
                await startFailed(
                    unit, "start failed", "\(unit): the start failed: \(status.active), result \(status.result)",
                    &report)
            }
        }
    }

    private func startFailed(_ unit: UnitName, _ kind: String, _ message: String, _ report: inout PassReport) async {
        guard !Task.isCancelled else { return }
        let journal = try? await call { () async throws(ServiceError) in
            try await seams.units.journalTail(of: unit, lines: 5)
        }
        let lines = (journal ?? []).map { "\n    \($0)" }.joined()
        fail(&report, unit.description, kind, message + (lines.isEmpty ? "" : "\n  last lines of its journal:\(lines)"))
        var givenUp: Int?
        change(\.retries) { retries in
            guard var retry = retries[unit.description], !retry.isGivenUp,
                retry.attempts >= configuration.maximumRetries
            else { return }
            retry.isGivenUp = true
            retries[unit.description] = retry
            givenUp = retry.attempts
        }
        if let givenUp { noteGivenUp(unit, givenUp, &report) }
    }

    private func proveStops(_ units: [UnitName], _ report: inout PassReport) async {
        do throws(ServiceError) {
            let statuses = try await settled(units) { [.inactive, .failed].contains($0.active) }
            for unit in units {
                guard let status = statuses[unit] else { continue }
                if [.inactive, .failed].contains(status.active) {
                    logger.notice("stopped \(unit)")
                    report.actions.append("stopped \(unit)")
                } else {
                    fail(
                        &report, unit.description, "stop failed",
                        "\(unit): still \(status.active) \(ConditionLog.span(seams.pace.settle.inSeconds)) after its "
                            + "stop; see systemctl status \(unit)")
                }
            }
        } catch {
            guard error.code != .cancelled else { return }
            fail(&report, "units", error.code.description, "\(error)")
        }
    }

    // MARK: Target files

    private func performTargets(_ actions: [Action], _ report: inout PassReport) async {
        let operations = actions.compactMap(StorageOperation.init)
        guard !operations.isEmpty else { return }
        let outcomes = await heartbeat.during(limit: seams.store.limit) { await seams.store.perform(operations) }
        guard !Task.isCancelled else { return }
        report.hasTouchedTargets = true
        for (operation, outcome) in zip(operations, outcomes) {
            let file = TargetFile(directory: operation.directory, name: operation.name)
            switch outcome {
            case .written:
                logger.notice("wrote \(file.path)")
                report.actions.append("wrote \(file.path)")
            case .unchanged: break
            case .removed, .notThere:
                forget(file)
                guard outcome == .removed else { break }
                logger.notice("removed \(file.path)")
                report.actions.append("removed \(file.path)")
            case .kept, .different:
                forget(file)
                logger.warning("\(file.path) is not as this machine wrote it and is left alone")
            case .failed(let failure):
                fail(&report, "target files in \(file.directory)", failure.kind, failure.message)
                if file.directory == configuration.targetsDirectory {
                    report.wantsNewNamespace =
                        failure.isNamespaceOnly || MountTable.isReplaced(under: file.directory)
                }
            }
        }
    }

    private func forget(_ file: TargetFile) {
        change(\.targets) { $0.removeAll { $0.directory == file.directory && $0.name == file.name } }
    }

    nonisolated func removeFile(_ path: String) { unlink(path) }
}

extension StorageOperation {
    /// The operation that says what writing or removing a file would find.
    init(
        inspecting file: TargetFile, groups: [TargetGroup]? = nil, keptOnly: [TargetGroup]? = nil, digest: String? = nil
    ) {
        self.init(
            kind: .inspect, directory: file.directory, name: file.name, groups: groups, keptOnly: keptOnly,
            digest: digest)
    }

    /// The operation that does an action, if it is about a target file.
    init?(_ action: Action) {
        switch action {
        case .start, .stop: return nil
        case .writeTarget(let file, let groups, let keptOnly):
            self.init(
                kind: .write, directory: file.directory, name: file.name, groups: groups,
                keptOnly: keptOnly.isEmpty ? nil : keptOnly)
        case .removeTarget(let file, let digest):
            self.init(kind: .remove, directory: file.directory, name: file.name, digest: digest)
        }
    }
}
