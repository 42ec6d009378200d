package import ServiceManager

/// What the monitor does with units. No call takes longer than ``callLimit``.
package protocol UnitControl: Sendable {
    /// The longest time for one call.
    var callLimit: Duration { get }
    /// The states of units.
    func status(of units: [UnitName]) async throws(ServiceError) -> [UnitName: UnitStatus]
    /// Asks for a unit to be started and does not wait for it.
    func requestStart(_ unit: UnitName) async throws(ServiceError)
    /// Asks for a unit to be stopped and does not wait for it.
    func requestStop(_ unit: UnitName) async throws(ServiceError)
    /// Makes systemd forget a unit's failures.
    func resetFailed(_ unit: UnitName) async throws(ServiceError)
    /// The last lines of a unit's journal.
    func journalTail(of unit: UnitName, lines: Int) async throws(ServiceError) -> [String]
}

extension UnitStatus {
    /// Whether the unit fell over and systemd waits to start it again by itself.
    var isRestarting: Bool { active == .activating && sub.hasPrefix("auto-restart") }
    /// Whether it changes by itself, and soon: not while it waits for its next automatic restart.
    var isSettling: Bool { active.isTransient && !isActive && !isRestarting }
    /// How often it fell over since it was started. systemd counts a restart once its waiting time is over.
    var crashes: Int { restarts + (isRestarting && sub == "auto-restart" ? 1 : 0) }
}

extension Systemd: UnitControl {
    // A program that does not die of SIGTERM is abandoned some seconds after its time-out.
    package var callLimit: Duration { timeout + .seconds(5) }
    package func requestStart(_ unit: UnitName) async throws(ServiceError) { try await start(unit, blocking: false) }
    package func requestStop(_ unit: UnitName) async throws(ServiceError) { try await stop(unit, blocking: false) }
}
