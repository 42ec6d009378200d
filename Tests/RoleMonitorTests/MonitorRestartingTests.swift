import BCMClient
import ServiceManager
import Testing

@testable import RoleMonitor

/// Units that fall over and that systemd restarts by itself.
struct MonitorRestartingTests {
    private let unit = "node_exporter.service"

    private func node() throws -> Node {
        let units = FakeUnits(.active)
        return try Node(units: units)
    }

    /// What a unit with `Restart=on-failure` that ends at once is at the n-th look.
    private func crash(_ node: Node, look: Int) {
        if look % 4 == 3 {
            node.units.set(unit, .active, sub: "running", restarts: look * 10)
        } else {
            node.units.set(unit, .activating, sub: "auto-restart", result: .exitCode, restarts: look * 10)
        }
    }

    @Test func unitThatSystemdRestartsAgainAndAgainIsGivenUpAndStopped() async throws {
        let node = try node()
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.clock.advance(.seconds(60))
        node.units.forgetCalls()
        var minute = 0
        var failures = 0
        while node.units.calls.isEmpty, minute < 60 {
            minute += 1
            crash(node, look: minute)
            let before = node.clock.now().sinceBoot
            failures += await monitor.pass().failures.isEmpty ? 0 : 1
            // It is no use to wait for a unit that waits itself.
            if node.units.calls.isEmpty { #expect(node.clock.now().sinceBoot == before) }
            node.clock.advance(.seconds(60))
        }
        #expect(node.units.calls == ["stop \(unit)"])
        #expect((20...24).contains(minute))
        #expect(failures > 10)
        #expect(node.log.count("critical: \(unit) did not stay up after 3 attempts and is given up") == 1)
        #expect(node.log.count("error: \(unit) falls over and systemd restarts it") == 1)
        #expect(node.log.count("\(unit): in order again") == 0)
        #expect(node.folder.read("metrics.prom")?.contains("unit_given_up{unit=\"\(unit)\"} 1") == true)
        // From then on it is one attempt an hour.
        node.units.forgetCalls()
        for _ in 1...30 {
            _ = await monitor.pass()
            node.clock.advance(.seconds(60))
        }
        #expect(node.units.calls.isEmpty)
        node.clock.advance(.seconds(1800))
        _ = await monitor.pass()
        #expect(node.units.calls == ["start \(unit)"])
        // It falls over again once it was seen up: stopped at once.
        node.units.set(unit, .activating, sub: "auto-restart", result: .exitCode, restarts: 4)
        node.units.forgetCalls()
        node.clock.advance(.seconds(60))
        _ = await monitor.pass()
        #expect(node.units.calls == ["stop \(unit)"])
    }

    @Test func oneFallIsCountedOnceAndForgottenWhenTheUnitStaysUp() async throws {
        let node = try node()
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.units.set(unit, .activating, sub: "auto-restart", result: .exitCode)
        for _ in 1...3 {
            #expect(await monitor.pass().failures.map(\.kind) == ["start failed"])
            node.clock.advance(.seconds(2))
        }
        node.units.set(unit, .active, sub: "running", restarts: 1)
        #expect(await monitor.pass().failures.isEmpty)
        #expect(await monitor.state.retries[unit]?.attempts == 1)
        #expect(await monitor.pass().summary.contains("\(unit) was restarted 1 times"))
        node.clock.advance(.seconds(120))
        #expect(await monitor.pass().summary == "role slurmclient present (dgx-01); all in order")
        #expect(await monitor.state.retries.isEmpty)
        #expect(node.log.count("\(unit): in order again") == 1)
        #expect(node.units.calls.isEmpty)
    }

    @Test func startThatEndsInAnAutomaticRestartFailed() async throws {
        let node = try Node()
        node.units.set(unit, .inactive, sub: "auto-restart")
        node.units.whenStarted(unit, becomes: .activating)
        let before = node.clock.now().sinceBoot
        let report = await (try node.monitor()).pass()
        #expect(report.failures.map(\.kind) == ["start failed"])
        #expect(node.clock.now().sinceBoot - before < 5)
    }

    @Test func unitStartedByHandAfterItWasGivenUpIsForgiven() async throws {
        let node = try node()
        let monitor = try node.monitor()
        _ = await monitor.pass()
        for look in 1...3 {
            node.clock.advance(.seconds(600))
            node.units.set(unit, .activating, sub: "auto-restart", result: .exitCode, restarts: look)
            _ = await monitor.pass()
        }
        #expect(await monitor.state.retries[unit]?.isGivenUp == true)
        node.units.set(unit, .active, sub: "running")
        node.units.forgetCalls()
        _ = await monitor.pass()
        #expect(node.units.calls.isEmpty)
        #expect(await monitor.state.retries.isEmpty)
    }
}

/// What is told as lasting, as over and as in order.
struct MonitorConditionTests {
    private let unit = "node_exporter.service"

    @Test func failedUnitIsNotCalledInOrderWhileItWaitsForItsNextAttempt() async throws {
        let node = try Node()
        node.units.whenStarted(unit, becomes: .failed)
        let monitor = try node.monitor()
        for _ in 1...5 {
            _ = await monitor.pass()
            node.clock.advance(.seconds(60))
        }
        node.bcm.answer(.failure(BCMError(.timedOut, reason: "no answer")))
        _ = await monitor.pass()
        _ = await monitor.pass()
        #expect(node.log.count("in order again") == 0)
        node.units.set(unit, .active)
        _ = await monitor.pass()
        #expect(node.log.count("\(unit): in order again") == 1)
    }

    @Test func pauseDuringAnOutageDoesNotEndTheOutage() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        _ = await monitor.pass()
        let failure = BCMError(.timedOut, reason: "no answer")
        node.bcm.answer(.failure(failure), .failure(failure))
        _ = await monitor.pass()
        await monitor.setPause(until: node.clock.now().wall + 60)
        _ = await monitor.pass()
        #expect(node.log.count("the role can be told again") == 0)
        await monitor.setPause(until: nil)
        _ = await monitor.pass()
        _ = await monitor.pass()
        #expect(node.log.count("the role can be told again") == 1)
    }

    @Test func failingTargetFileIsNotInOrderWhileTheRoleIsUnknown() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        node.store.fail(StorageFailure("disk full", "/t: disk full"))
        _ = await monitor.pass()
        node.bcm.answer(.failure(BCMError(.timedOut, reason: "no answer")))
        _ = await monitor.pass()
        #expect(node.log.count("target files in /t: in order again") == 0)
        node.store.fail(nil)
        _ = await monitor.pass()
        #expect(node.log.count("target files in /t: in order again") == 1)
    }

    @Test func downUnitIsNeitherInOrderNorSuccess() async throws {
        let node = try Node()
        node.units.whenStarted(unit, becomes: .failed)
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.clock.advance(.seconds(60))
        let report = await monitor.pass()
        #expect(report.exit == .actionFailed)
        #expect(report.failures.isEmpty)
        #expect(
            report.summary.hasPrefix("role slurmclient present (dgx-01); \(unit) is down, next attempt in 8 min"),
            "\(report.summary)")
    }

    @Test(arguments: [(UnitStatus.Load.notFound, "does not exist"), (.masked, "is masked")])
    func unitThatCannotBeStartedIsNamedInTheStatus(load: UnitStatus.Load, words: String) async throws {
        let node = try Node(units: FakeUnits(.active))
        node.units.set(unit, .inactive, load: load)
        let report = await (try node.monitor()).pass()
        #expect(report.summary == "role slurmclient present (dgx-01); \(unit) \(words)")
        #expect(report.exit == .done)
    }

    @Test func givenUpUnitIsNamedAtOnceAndStays() async throws {
        let node = try Node()
        node.units.whenStarted(unit, becomes: .failed)
        let monitor = try node.monitor()
        for _ in 1...2 {
            _ = await monitor.pass()
            node.clock.advance(.seconds(600))
        }
        #expect(await monitor.pass().summary.contains("given up: \(unit)"))
        let later = await monitor.pass()
        #expect(later.summary.contains("given up: \(unit)"))
        #expect(!later.summary.contains("all in order"))
        #expect(later.exit == .actionFailed)
    }
}
