extension Systemd {
    /// Waits until none of the units is activating, deactivating or reloading.
    ///
    /// A unit that systemd restarts again and again counts as activating all the while.
    ///
    /// - Parameters:
    ///   - units: the units.
    ///   - timeout: how long to wait in all.
    ///   - pollInterval: how long to wait between two looks.
    /// - Returns: their states then.
    /// - Throws: ``ServiceError``: `timedOut` naming the units that did not settle, `cancelled`, and what
    ///   ``status(of:)-([UnitName])`` throws.
    @discardableResult
    public func waitUntilSettled(
        _ units: [UnitName], timeout: Duration, pollInterval: Duration = .milliseconds(250)
    ) async throws(ServiceError) -> [UnitName: UnitStatus] {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: timeout)
        while true {
            let statuses = try await status(of: units)
            let moving = statuses.filter { $0.value.active.isTransient }.sorted { $0.key < $1.key }
            guard let first = moving.first else { return statuses }
            guard clock.now < deadline else {
                let list = moving.map { "\($0.key) is \($0.value.active)" }.joined(separator: ", ")
                throw ServiceError(
                    .timedOut, unit: first.key, reason: "not settled after \(timeout): \(list)",
                    remedy: "look at systemctl list-jobs")
            }
            do {
                try await clock.sleep(until: min(deadline, clock.now.advanced(by: pollInterval)))
            } catch {
                throw ServiceError(.cancelled, unit: first.key, reason: "the task was cancelled", remedy: "try again")
            }
        }
    }
}
