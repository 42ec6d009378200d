import CommandExecution

extension Systemd {
    /// Starts or restarts a unit and finds out whether it is up.
    func activate(
        _ verb: String, _ unit: UnitName, blocking: Bool, stayingUp: Duration
    ) async throws(ServiceError) {
        try refuseImage("a unit is started")
        let result = try await run([verb] + (blocking ? [] : ["--no-block"]) + ["--", unit.description], unit: unit)
        guard result.succeeded else {
            let error = refusal(result, of: verb, unit: unit)
            guard error.code == .refused else { throw error }
            throw await startFailure(of: unit, status: try? status(of: unit), words: error.reason)
        }
        guard blocking else { return }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: stayingUp)
        while true {
            let status = try await status(of: unit)
            let isDown = stayingUp > .zero ? !status.isActive : status.active == .failed || status.sub == "auto-restart"
            if isDown { throw await startFailure(of: unit, status: status, words: nil) }
            guard clock.now < deadline else { return }
            do {
                try await clock.sleep(until: min(deadline, clock.now.advanced(by: .milliseconds(250))))
            } catch {
                throw ServiceError(.cancelled, unit: unit, reason: "the task was cancelled", remedy: "look at the unit")
            }
        }
    }

    /// What became of a unit whose start failed: its state says why, its journal says more.
    private func startFailure(of unit: UnitName, status: UnitStatus?, words: String?) async -> ServiceError {
        let journal = (try? await journalTail(of: unit, lines: journalLines)) ?? []
        func failure(_ code: ServiceError.Code, _ reason: String, _ remedy: String) -> ServiceError {
            ServiceError(code, unit: unit, reason: reason, remedy: remedy, journal: journal)
        }
        let look = "look at systemctl status \(unit) and journalctl --unit=\(unit)"
        guard let status else { return failure(.startFailed, words ?? "its state is not known", look) }
        if status.isMissing { return Self.missing(unit) }
        if status.isMasked { return Self.masked(unit) }
        if status.load == .badSetting || status.load == .error {
            return failure(.badUnitFile, "systemd cannot use its file", "run systemd-analyze verify \(unit)")
        }
        // A unit that failed before keeps the result of that failure; then only the manager's own message tells.
        let message = "\(unit): Start request repeated too quickly."
        if status.result == .startLimitHit || journal.suffix(4).contains(message) {
            return failure(
                .startLimitHit, "it was started too often in too short a time",
                "mend the cause, then run systemctl reset-failed \(unit)")
        }
        let state = "it is \(status.active) (\(status.sub)), result \(status.result)"
        return failure(.startFailed, words.map { "\(state); \($0)" } ?? state, look)
    }
}
