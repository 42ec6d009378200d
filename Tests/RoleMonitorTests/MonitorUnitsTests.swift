import BCMClient
import FoundationEssentials
import ServiceManager
import Synchronization
import Testing

@testable import RoleMonitor

/// How checks start and stop units.
struct MonitorUnitsTests {
    private let unit = "node_exporter.service"

    /// A node whose other exporters are missing, so that one unit can be watched alone.
    private func node(_ active: UnitStatus.Active = .inactive) throws -> Node {
        let units = FakeUnits()
        for other in exporterUnits.dropFirst() { units.set(other, .inactive, load: .notFound) }
        units.set(unit, active)
        return try Node(units: units)
    }

    @Test func unitThatDoesNotStartIsTriedThreeTimesInHalfAnHourThenOncePerHour() async throws {
        let node = try node()
        node.units.whenStarted(unit, becomes: .failed)
        let monitor = try node.monitor()
        var attempts: [Int] = []
        let start = node.clock.now().sinceBoot
        while node.clock.now().sinceBoot < start + 3 * 3600 {
            let minute = Int((node.clock.now().sinceBoot - start) / 60)
            node.units.forgetCalls()
            _ = await monitor.pass()
            if node.units.calls.contains("start \(unit)") { attempts.append(minute) }
            node.clock.advance(.seconds(60))
        }
        #expect(attempts == [0, 10, 20, 80, 140])
        #expect(node.log.count("critical: \(unit) did not stay up after 3 attempts and is given up") == 1)
    }

    @Test func failedStartCarriesTheJournal() async throws {
        let node = try node()
        node.units.whenStarted(unit, becomes: .failed)
        let report = await (try node.monitor()).pass()
        #expect(report.exit == .actionFailed)
        #expect(
            report.failures.map(\.message) == [
                "node_exporter.service: the start failed: failed, result exit-code\n  last lines of its journal:\n"
                    + "    it said why"
            ])
    }

    @Test func countersSurviveARestartButNotAReboot() async throws {
        let node = try node()
        node.units.whenStarted(unit, becomes: .failed)
        _ = await (try node.monitor()).pass()
        node.units.forgetCalls()
        node.clock.advance(.seconds(60))
        _ = await (try node.monitor()).pass()
        #expect(node.units.calls.isEmpty)
        node.host.reboot("boot-2")
        _ = await (try node.monitor()).pass()
        #expect(node.units.calls == ["start \(unit)"])
    }

    @Test func monitorThatEndsBeforeAStartIsProvedTriesAgainAtOnce() async throws {
        let node = try node()
        let file = node.folder.path("state/dgx-01_state.json")
        let units = KillingUnits(node.units) { try? Data(contentsOf: URL(fileURLWithPath: file)) }
        let bcm = node.bcm
        _ = await
            (try Monitor(
                configuration: node.configuration,
                seams: MonitorSeams(
                    makeSource: { _, _ in bcm }, units: units, store: node.store, clock: node.clock, host: node.host),
                logger: node.log.logger)).pass()
        // What lay on the disk when the unit was to be started is what a killed monitor leaves.
        try #require(units.left).write(to: URL(fileURLWithPath: file))
        node.units.set(unit, .inactive)
        node.units.forgetCalls()
        _ = await (try node.monitor()).pass()
        #expect(node.units.calls == ["start \(unit)"])
    }

    @Test func resetForgetsTheKeysOfTrustOnFirstUse() async throws {
        let node = try Node()
        let pins = ["A", "B"].compactMap { try? PublicKeyPin(parsing: "sha256//\(String(repeating: $0, count: 43))=") }
        let known = Mutex<[[HeadNode: PublicKeyPin]]>([])
        let bcm = node.bcm
        bcm.show(pins[0])
        let monitor = try Monitor(
            configuration: node.configuration,
            seams: MonitorSeams(
                makeSource: { _, keys in
                    known.withLock { $0.append(keys) }
                    return bcm
                }, units: node.units, store: node.store, clock: node.clock, host: node.host), logger: node.log.logger)
        _ = await monitor.pass()
        #expect(await monitor.state.keys == ["head-a:8081": pins[0].description])
        bcm.show(pins[1])
        await monitor.reset()
        #expect(known.withLock { $0 } == [[:], [:]])
        #expect(await monitor.state.keys == [:])
        _ = await monitor.pass()
        #expect(await monitor.state.keys == ["head-a:8081": pins[1].description])
    }

    @Test func resetTriesAUnitThatWasGivenUpAtOnce() async throws {
        let node = try node()
        node.units.whenStarted(unit, becomes: .failed)
        let monitor = try node.monitor()
        for _ in 1...3 {
            _ = await monitor.pass()
            node.clock.advance(.seconds(600))
        }
        node.units.forgetCalls()
        _ = await monitor.pass()
        #expect(node.units.calls.isEmpty)
        await monitor.reset()
        _ = await monitor.pass()
        #expect(node.units.calls == ["start \(unit)"])
    }

    @Test func unitThatFallsOverAtOnceWasNotStarted() async throws {
        let node = try node()
        node.units.then(unit, .inactive, .active, .failed)
        let monitor = try node.monitor()
        let report = await monitor.pass()
        #expect(report.failures.count == 1)
        node.units.forgetCalls()
        node.clock.advance(.seconds(60))
        _ = await monitor.pass()
        #expect(node.units.calls.isEmpty)
    }

    @Test func unitThatIsSeenActiveHasNoFailuresAnyMore() async throws {
        let node = try node()
        node.units.whenStarted(unit, becomes: .failed)
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.units.set(unit, .active)
        _ = await monitor.pass()
        node.units.set(unit, .failed)
        node.units.forgetCalls()
        _ = await monitor.pass()
        #expect(node.units.calls == ["start \(unit)"])
    }

    @Test func changingUnitIsWaitedForAndThenStarted() async throws {
        let node = try node(.deactivating)
        node.units.then(unit, .deactivating, .deactivating, .inactive)
        _ = await (try node.monitor()).pass()
        #expect(node.units.calls == ["start \(unit)"])
        #expect(node.units.active(unit) == .active)
    }

    @Test func unitThatChangesForEverIsWaitedForOnlySoLong() async throws {
        let node = try node(.activating)
        let before = node.clock.now().sinceBoot
        _ = await (try node.monitor()).pass()
        #expect(node.units.calls.isEmpty)
        #expect((30...31).contains(node.clock.now().sinceBoot - before))
        #expect(node.log.count("\(unit) is still activating") == 1)
        #expect(node.store.writes.count == 1)
    }

    @Test func startLimitIsResetFirst() async throws {
        let node = try node()
        node.units.set(unit, .failed, result: .startLimitHit)
        _ = await (try node.monitor()).pass()
        #expect(node.units.calls == ["reset \(unit)", "start \(unit)"])
    }

    @Test func missingAndMaskedUnitsAreReportedOnceAndPickedUpLater() async throws {
        let node = try node()
        node.units.set(unit, .inactive, load: .masked)
        let monitor = try node.monitor()
        for _ in 1...3 { _ = await monitor.pass() }
        #expect(node.units.calls.isEmpty)
        #expect(node.log.count("\(unit) is masked and not started") == 1)
        #expect(node.log.count("\(exporterUnits[1]) does not exist") == 1)
        for name in exporterUnits { node.units.set(name, .inactive) }
        _ = await monitor.pass()
        #expect(node.units.calls == exporterUnits.map { "start \($0)" })
        #expect(node.log.count("\(unit) is not masked any more") == 1)
    }

    @Test func systemdThatDoesNotAnswerIsAFailureAndTheTargetIsWrittenAllTheSame() async throws {
        let node = try Node()
        node.units.fail(ServiceError(.timedOut, reason: "no end after 30 s", remedy: "look at it"))
        let report = await (try node.monitor()).pass()
        #expect(report.failures.map(\.kind) == ["timed out"])
        #expect(node.store.writes == ["write /t/dgx-01.json"])
    }

    @Test func pauseStopsAndRemovesAndResumeBringsBack() async throws {
        let node = try Node(units: FakeUnits(.active))
        let monitor = try node.monitor()
        _ = await monitor.pass()
        await monitor.setPause(until: node.clock.now().wall + 600)
        let asked = node.bcm.asked.count
        let report = await monitor.pass()
        #expect(report.pauseEnd == node.clock.now().wall + 600)
        #expect(report.exit == .done)
        #expect(report.actions == exporterUnits.map { "stopped \($0)" } + ["removed /t/dgx-01.json"])
        // BCM has no say in it, so an outage does not either.
        #expect(node.bcm.asked.count == asked)
        // The state keeps it over a restart, and the time ends it.
        let later = try node.monitor()
        node.clock.advance(.seconds(599))
        _ = await later.pass()
        #expect(node.units.active(unit) == .inactive)
        node.clock.advance(.seconds(1))
        _ = await later.pass()
        #expect(node.units.active(unit) == .active)
        #expect(node.store.files.count == 1)
        #expect(node.folder.read("metrics.prom")?.contains("bcm_role_monitor_paused 0\n") == true)
    }

    @Test func dryRunChangesNothingAndSaysWhatItWouldDo() async throws {
        let node = try Node()
        let report = await (try node.monitor(isDryRun: true)).pass()
        #expect(report.actions == exporterUnits.map { "start \($0)" } + ["write /t/dgx-01.json"])
        #expect(node.units.calls.isEmpty)
        #expect(node.store.writes.isEmpty)
        #expect(node.folder.names().isEmpty)
    }

    @Test func servicesThatAreNotManagedAreNotEvenLookedAt() async throws {
        var node = try Node()
        node.configuration.managesServices = false
        _ = await (try node.monitor()).pass()
        #expect(node.units.looks == 0)
        #expect(node.store.writes.count == 1)
    }

    @Test func retiredNodeHasNothingLeft() async throws {
        let node = try Node(units: FakeUnits(.active))
        let monitor = try node.monitor()
        _ = await monitor.pass()
        let report = await (try node.monitor()).retire()
        #expect(report.failures.isEmpty)
        await monitor.forget()
        #expect(node.units.active(unit) == .inactive)
        #expect(node.store.files.isEmpty)
        #expect(node.folder.names("state").isEmpty)
        #expect(node.folder.read("metrics.prom") == nil)
    }
}

/// Units that keep what lies on the disk at the first start, as if the monitor was killed then.
private final class KillingUnits: UnitControl {
    let callLimit = Duration.seconds(1)
    private let units: FakeUnits
    private let look: @Sendable () -> Data?
    private let kept = Mutex<Data?>(nil)

    init(_ units: FakeUnits, look: @escaping @Sendable () -> Data?) {
        self.units = units
        self.look = look
    }

    var left: Data? { kept.withLock { $0 } }

    func requestStart(_ unit: UnitName) async throws(ServiceError) {
        let data = look()
        kept.withLock { if $0 == nil { $0 = data } }
        try await units.requestStart(unit)
    }
    func status(of names: [UnitName]) async throws(ServiceError) -> [UnitName: UnitStatus] {
        try await units.status(of: names)
    }
    func requestStop(_ unit: UnitName) async throws(ServiceError) { try await units.requestStop(unit) }
    func resetFailed(_ unit: UnitName) async throws(ServiceError) { try await units.resetFailed(unit) }
    func journalTail(of unit: UnitName, lines: Int) async throws(ServiceError) -> [String] {
        try await units.journalTail(of: unit, lines: lines)
    }
}
