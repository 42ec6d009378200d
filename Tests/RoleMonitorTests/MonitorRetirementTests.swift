import BCMClient
import PromTargets
import ServiceManager
import Testing

@testable import RoleMonitor

/// How a monitor is taken out of service, and paused without any memory.
struct MonitorRetirementTests {
    private let digest: String = {
        let groups = try? MonitorConfiguration(headNodes: ["head-a"]).targetGroups(of: "old")
        return ContentDigest.of(TargetGroup.encode(groups ?? []))
    }()

    /// A node that ran under the name `old` and has its target file still, with the monitor's state.
    private func renamedNode(listing devices: [Device]) async throws -> Node {
        let host = FakeHost("old")
        let node = try Node([.dgx("old", roles: ["slurmclient"])], units: FakeUnits(.active), host: host)
        _ = await (try node.monitor()).pass()
        node.bcm.list(devices + [.head])
        host.rename("dgx-01")
        return node
    }

    @Test func failedRetirementLeavesNoPause() async throws {
        let node = try Node(units: FakeUnits(.active))
        _ = await (try node.monitor()).pass()
        node.store.fail(StorageFailure("disk full", "/t: disk full"))
        let monitor = try node.monitor()
        await monitor.setPause(until: node.clock.now().wall + 60)
        let report = await monitor.retire()
        #expect(report.exit == .actionFailed)
        #expect(report.summary == "not decommissioned; 1 failed: /t: disk full")
        #expect(await monitor.pauseEnd == nil)
        // A later deployment finds a node that runs as its role says.
        node.store.fail(nil)
        let later = try node.monitor()
        #expect(await later.pauseEnd == nil)
        #expect(await later.pass().summary == "role slurmclient present (dgx-01); all in order")
        #expect(node.units.active("node_exporter.service") == .active)
    }

    @Test func retirementSaysWhatItIs() async throws {
        let node = try Node(units: FakeUnits(.active))
        let report = await (try node.monitor()).retire()
        #expect(report.summary == "decommissioned")
        #expect(report.exit == .done)
        #expect(report.pauseEnd == nil)
    }

    @Test func targetFilesUnderFormerNamesAreRemovedToo() async throws {
        let node = try await renamedNode(listing: [.dgx("dgx-01", roles: ["slurmclient"])])
        #expect(node.store.files.keys.sorted() == ["/t/old.json"])
        let report = await (try node.monitor()).retire()
        #expect(report.failures.isEmpty)
        #expect(node.store.files.isEmpty)
    }

    @Test func targetFileUnderANameThatIsAnothersNowStays() async throws {
        let node = try await renamedNode(listing: [
            .dgx("dgx-01", roles: ["slurmclient"]), .dgx("old", mac: "0a:00:00:00:00:99", roles: []),
        ])
        let monitor = try node.monitor()
        _ = await monitor.pass()
        let report = await monitor.retire()
        #expect(report.failures.isEmpty)
        #expect(node.store.files.keys.sorted() == ["/t/old.json"])
    }

    @Test func pauseWithoutStateAsksForTheNameOnce() async throws {
        let node = try Node([.dgx("DGX-01", roles: [])], units: FakeUnits(.active))
        node.store.put("/t/DGX-01.json", "left over")
        let monitor = try node.monitor()
        await monitor.setPause(until: node.clock.now().wall + 600)
        let report = await monitor.pass()
        #expect(report.actions.last == "removed /t/DGX-01.json")
        let asked = node.bcm.asked.count
        _ = await monitor.pass()
        #expect(node.bcm.asked.count == asked)
    }

    @Test func pauseWithoutStateAndWithoutBCMUsesTheHostsOwnName() async throws {
        let node = try Node(units: FakeUnits(.active), host: FakeHost("dgx-01.example.org"))
        node.store.put("/t/dgx-01.json", "left over")
        node.bcm.answer(.failure(BCMError(.timedOut, reason: "no answer")))
        let monitor = try node.monitor()
        await monitor.setPause(until: node.clock.now().wall + 600)
        #expect(await monitor.pass().actions.last == "removed /t/dgx-01.json")
    }
}
