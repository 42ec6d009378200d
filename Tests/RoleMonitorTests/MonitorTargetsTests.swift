import BCMClient
import ServiceManager
import Testing

@testable import RoleMonitor

/// How checks keep target files and state.
struct MonitorTargetsTests {
    @Test func deletedOrDamagedTargetIsHealedAtTheNextCheck() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        _ = await monitor.pass()
        let whole = node.store.files
        node.store.remove("/t/dgx-01.json")
        _ = await monitor.pass()
        #expect(node.store.files == whole)
        node.store.put("/t/dgx-01.json", "half")
        _ = await monitor.pass()
        #expect(node.store.files == whole)
        #expect(node.store.writes.count == 3)
    }

    @Test(arguments: ["directory missing", "disk full", "stale", "read-only", StorageFailure.hangs])
    func storageFailureIsRetriedAndStopsNoExporter(kind: String) async throws {
        let node = try Node(units: FakeUnits(.active))
        let monitor = try node.monitor()
        node.store.fail(StorageFailure(kind, "/t: \(kind)"))
        for _ in 1...3 {
            let report = await monitor.pass()
            #expect(report.exit == .actionFailed)
            #expect(!report.wantsNewNamespace)
        }
        #expect(node.units.calls.isEmpty)
        #expect(node.log.count("error: /t: \(kind)") == 1)
        node.store.fail(nil)
        #expect(await monitor.pass().exit == .done)
        #expect(node.store.writes == ["write /t/dgx-01.json"])
        #expect(node.log.count("target files in /t: in order again") == 1)
    }

    @Test func renamedHostWritesTheNewFileAndRemovesTheOldOnceBCMDroppedTheName() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.host.rename("dgx-09")
        // BCM does not know the new name yet: nothing changes.
        #expect(await monitor.pass().role == .unknown)
        #expect(node.store.files.keys.sorted() == ["/t/dgx-01.json"])
        #expect(node.folder.names("state") == ["dgx-09_state.json"])
        // BCM lists both for a while, the old one with this machine's address.
        let both: [Device] = [
            .dgx("dgx-01", mac: "0A:00:00:00:00:01"), .dgx("dgx-09", roles: ["slurmclient"]), .head,
        ]
        node.bcm.list(both)
        _ = await monitor.pass()
        #expect(node.store.files.keys.sorted() == ["/t/dgx-01.json", "/t/dgx-09.json"])
        node.bcm.list([both[1], .head])
        _ = await monitor.pass()
        #expect(node.store.files.keys.sorted() == ["/t/dgx-09.json"])
        #expect(node.bcm.asked.last == "*: dgx-09,dgx-01")
    }

    @Test func renameWhileTheMonitorDidNotRunIsHandledToo() async throws {
        let node = try Node()
        _ = await (try node.monitor()).pass()
        node.host.rename("dgx-09")
        node.bcm.list([.dgx("dgx-09", roles: ["slurmclient"]), .head])
        _ = await (try node.monitor()).pass()
        #expect(node.store.files.keys.sorted() == ["/t/dgx-09.json"])
        #expect(node.folder.names("state") == ["dgx-09_state.json"])
    }

    @Test func oldNameOfAnotherMachineIsLeftToIt() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.host.rename("dgx-09")
        node.bcm.list([
            .dgx("dgx-01", mac: "0A:00:00:00:00:77", roles: ["slurmclient"]), .dgx("dgx-09", roles: ["slurmclient"]),
            .head,
        ])
        _ = await monitor.pass()
        node.bcm.list([.dgx("dgx-09", roles: ["slurmclient"]), .head])
        _ = await monitor.pass()
        #expect(node.store.files.keys.sorted() == ["/t/dgx-01.json", "/t/dgx-09.json"])
    }

    @Test func oldFileThatSomebodyChangedIsLeftAlone() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        _ = await monitor.pass()
        node.store.put("/t/dgx-01.json", "somebody else's")
        node.host.rename("dgx-09")
        node.bcm.list([.dgx("dgx-09", roles: ["slurmclient"]), .head])
        for _ in 1...2 { _ = await monitor.pass() }
        #expect(node.store.files["/t/dgx-01.json"] == "somebody else's")
        #expect(node.log.count("/t/dgx-01.json is not as this machine wrote it and is left alone") == 1)
    }

    @Test func stateFromAnImageNeverRemovesAnotherNodesFile() async throws {
        let golden = try Node()
        _ = await (try golden.monitor()).pass()
        let file = try #require(golden.folder.read("state/dgx-01_state.json"))
        // Another machine comes up with the golden machine's state, first under its name, then under its own.
        for name in ["dgx-01", "dgx-02"] {
            let node = try Node(
                [.dgx(name, mac: "0A:00:00:00:00:02", roles: ["slurmclient"])],
                host: FakeHost(name, addresses: ["0a:00:00:00:00:02"]))
            try node.folder.makeFolder("state")
            try node.folder.write("state/dgx-01_state.json", file)
            node.store.put("/t/dgx-01.json", "the golden machine's")
            _ = await (try node.monitor()).pass()
            #expect(node.store.files["/t/\(name).json"] != nil)
            #expect(!node.store.writes.contains { $0.hasPrefix("remove") })
            if name == "dgx-01" {
                #expect(node.folder.names("state") == ["dgx-01_state.json", "dgx-01_state.json.foreign"])
                #expect(node.log.count("another machine wrote it") == 1)
            } else {
                #expect(node.store.files["/t/dgx-01.json"] == "the golden machine's")
            }
        }
    }

    @Test func lostOrUnwritableStateIsNoReasonToStop() async throws {
        let node = try Node(units: FakeUnits(.active))
        try node.folder.write("state", "a file where the directory should be")
        let monitor = try node.monitor()
        for _ in 1...3 { _ = await monitor.pass() }
        #expect(node.store.files.count == 1)
        #expect(node.log.count("a restart of the monitor forgets what it knows") == 1)
        #expect(node.units.calls.isEmpty)
    }
}
