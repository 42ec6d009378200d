import BCMClient
import ServiceManager
import Testing

@testable import RoleMonitor

/// How one check sees the role.
struct MonitorRoleTests {
    private static let without = FakeBCM.lookUp(
        ["dgx-01"], in: [.dgx("dgx-01"), .head], at: HeadNode(host: "head-a"))
    private static let with = FakeBCM.lookUp(
        ["dgx-01"], in: [.dgx("dgx-01", roles: ["slurmclient"]), .head], at: HeadNode(host: "head-a"))
    private static let down = BCMError(.notReachable, reason: "nobody answers")

    @Test func presentRoleStartsExportersAndWritesTheTargetInOneCheckWithOneRequest() async throws {
        let node = try Node()
        let report = await (try node.monitor()).pass()
        #expect(report.role == .present)
        #expect(report.exit == .done)
        #expect(node.bcm.asked == ["*: dgx-01"])
        #expect(node.units.calls == exporterUnits.map { "start \($0)" })
        #expect(node.store.writes == ["write /t/dgx-01.json"])
    }

    @Test func laterChecksChangeNothing() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        // The second check sees the units active, which ends the counting of attempts.
        for _ in 1...2 { _ = await monitor.pass() }
        let state = node.folder.read("state/dgx-01_state.json")
        node.units.forgetCalls()
        for _ in 1...5 {
            node.clock.advance(.seconds(60))
            #expect(await monitor.pass().actions.isEmpty)
        }
        #expect(node.units.calls.isEmpty)
        #expect(node.store.writes.count == 1)
        #expect(node.bcm.asked.count == 7)
        #expect(node.folder.read("state/dgx-01_state.json") == state)
    }

    @Test func lostRoleIsConfirmedAtEveryHeadNodeBeforeAnythingIsStopped() async throws {
        let node = try Node(units: FakeUnits(.active))
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.bcm.list([.dgx("dgx-01"), .head])
        let before = node.clock.now().sinceBoot
        let report = await monitor.pass()
        #expect(report.role == .absent)
        #expect(node.bcm.asked == ["*: dgx-01", "*: dgx-01", "head-a: dgx-01", "head-b: dgx-01"])
        #expect(node.clock.now().sinceBoot - before >= 15)
        #expect(node.units.calls == exporterUnits.map { "stop \($0)" })
        #expect(node.store.files.isEmpty)
        // Once it is certain, one request is enough.
        _ = await monitor.pass()
        #expect(node.bcm.asked.count == 5)
        // And a restart of the monitor remembers it.
        _ = await (try node.monitor()).pass()
        #expect(node.bcm.asked.count == 6)
    }

    /// The answers of both head nodes at the second look, and the finding.
    static let confirmations: [(String, [FakeBCM.Answer], String)] = [
        ("both agree", [.success(without), .success(without)], "absent"),
        ("one agrees, the other is down", [.success(without), .failure(down)], "absent"),
        ("one is down, the other agrees", [.failure(down), .success(without)], "absent"),
        ("the second disagrees", [.success(without), .success(with)], "unknown"),
        ("the first disagrees", [.success(with), .success(without)], "unknown"),
        ("both are down", [.failure(down), .failure(down)], "unknown"),
        (
            "one does not list the node",
            [
                .success(without),
                .success(
                    DeviceLookup(
                        matches: [], deviceCount: 1, devicesShowingRoles: 1, headNode: HeadNode(host: "head-b"))),
            ], "unknown"
        ),
        (
            "one shows no roles at all",
            [
                .success(without),
                .success(
                    DeviceLookup(
                        matches: [.dgx("dgx-01")], deviceCount: 2, devicesShowingRoles: 0,
                        headNode: HeadNode(host: "head-b"))),
            ], "unknown"
        ),
    ]

    @Test(arguments: confirmations)
    func disagreementIsUnknown(name: String, answers: [FakeBCM.Answer], expected: String) async throws {
        let node = try Node(units: FakeUnits(.active))
        node.bcm.answer(.success(Self.without))
        for answer in answers { node.bcm.answer(answer) }
        let report = await (try node.monitor()).pass()
        #expect(report.role.rawValue == expected, "\(name)")
        #expect(node.units.calls.isEmpty == (expected == "unknown"), "\(name)")
    }

    @Test func unknownChangesNothing() async throws {
        let node = try Node(units: FakeUnits(.active))
        let monitor = try node.monitor()
        _ = await monitor.pass()
        for code in [
            BCMError.Code.notReachable, .notTrusted, .notAuthorised, .notUnderstood, .timedOut, .tooLarge, .unavailable,
        ] {
            node.bcm.answer(.failure(BCMError(code, reason: "so")))
            let report = await monitor.pass()
            #expect(report.role == .unknown)
            #expect(report.exit == .roleUnknown)
        }
        #expect(node.units.calls.isEmpty)
        #expect(node.store.files.count == 1)
    }

    @Test func certificateThatSeesNoRolesStopsNothing() async throws {
        let node = try Node([.dgx("dgx-01", roles: ["slurmclient"])], units: FakeUnits(.active))
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.bcm.list([.dgx("dgx-01"), Device(hostname: "head-a", type: "HeadNode")])
        #expect(await monitor.pass().role == .unknown)
        #expect(node.units.calls.isEmpty)
    }

    @Test func roleThatWasNeverShownIsNotAbsentUntilItOnceWas() async throws {
        var node = try Node([.dgx("dgx-01")], units: FakeUnits(.active))
        node.configuration.areRolesVisible = false
        let monitor = try node.monitor()
        #expect(await monitor.pass().role == .unknown)
        node.bcm.list([.dgx("dgx-01", roles: ["slurmclient"]), .head])
        #expect(await monitor.pass().role == .present)
        node.bcm.list([.dgx("dgx-01"), .head])
        // The state remembers it over a restart.
        #expect(await (try node.monitor()).pass().role == .absent)
    }

    @Test func qualifiedHostNameUsesTheNameOfBCM() async throws {
        let node = try Node(host: FakeHost("dgx-01.cluster.example"))
        let report = await (try node.monitor()).pass()
        #expect(report.node == "dgx-01")
        #expect(node.store.files.keys.sorted() == ["/t/dgx-01.json"])
        #expect(node.folder.names("state") == ["dgx-01.cluster.example_state.json"])
    }

    @Test func hostWithoutANameAsksNobody() async throws {
        let node = try Node(host: FakeHost(""))
        #expect(await (try node.monitor()).pass().role == .unknown)
        #expect(node.bcm.asked.isEmpty)
    }

    @Test func sameFailureIsLoggedOnceAndItsEndToo() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        for _ in 1...59 {
            node.bcm.answer(.failure(Self.down))
            _ = await monitor.pass()
            node.clock.advance(.seconds(60))
        }
        #expect(node.log.count("role slurmclient unknown") == 1)
        for _ in 1...2 {
            node.bcm.answer(.failure(Self.down))
            _ = await monitor.pass()
            node.clock.advance(.seconds(60))
        }
        #expect(node.log.count("(for 60 min, 61 times)") == 1)
        _ = await monitor.pass()
        #expect(node.log.count("the role can be told again (after 61 min, 61 times)") == 1)
    }

    @Test func anotherFailureIsLoggedAtOnce() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        node.bcm.answer(.failure(Self.down), .failure(BCMError(.notAuthorised, reason: "may not")))
        _ = await monitor.pass()
        _ = await monitor.pass()
        #expect(node.log.count("role slurmclient unknown") == 2)
    }

    @Test func changedKeyAfterFirstUseSaysHowToAcceptIt() async throws {
        var node = try Node()
        node.bcm.answer(.failure(BCMError(.notTrusted, reason: "another key")))
        let first = await (try node.monitor()).pass()
        #expect(
            first.unknownReason?.hasSuffix("if the new one is right, bcm-role-monitor --reset accepts it") == true)
        #expect(first.unknownReason?.contains("/state/dgx-01_state.json") == true)
        node.configuration.authorityFile = "/ca.pem"
        node.bcm.answer(.failure(BCMError(.notTrusted, reason: "another key")))
        #expect(await (try node.monitor()).pass().unknownReason == "not trusted: another key")
    }

    @Test func interruptedCheckChangesNothing() async throws {
        let node = try Node(units: FakeUnits(.active))
        node.bcm.list([.dgx("dgx-01"), .head])
        let monitor = try node.monitor()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await monitor.pass()
        }
        #expect(await task.value.isInterrupted)
        #expect(node.units.calls.isEmpty)
        #expect(node.store.writes.isEmpty)
    }

    @Test func startsThatWereNeverMadeDoNotCountAsAttempts() async throws {
        let node = try Node()
        node.bcm.list([.dgx("dgx-01", roles: ["slurmclient"]), .head])
        node.units.cancelAtStart()
        let monitor = try node.monitor()
        let task = Task { await monitor.pass() }
        _ = await task.value
        #expect(node.units.calls.count == 1)
        #expect(await monitor.state.retries.isEmpty)
    }
}
