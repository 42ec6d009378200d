import CommandExecution
import FoundationEssentials
import Testing

@testable import RoleMonitor

struct StateStoreTests {
    private let folder: TemporaryFolder
    private let store: StateStore
    private let host = FakeHost().identity()

    init() throws {
        folder = try TemporaryFolder()
        store = StateStore(directory: folder.path("state"))
    }

    private func full() -> MonitorState {
        var state = MonitorState(host: host)
        state.shownRole = "slurmclient"
        state.settled = .init(role: "slurmclient", isPresent: true, node: "dgx-01")
        state.targets = [.init(directory: "/t", name: "dgx-01", digest: "0123")]
        state.retries = ["node_exporter.service": .init(attempts: 2, lastAttempt: 1234.5, isGivenUp: true)]
        state.pauseEnd = 1_800_000_000.25
        state.keys = ["head-a:8081": "sha256//" + String(repeating: "A", count: 43) + "="]
        state.namespaceRestart = 77
        return state
    }

    @Test func everythingSurvivesSavingAndLoading() throws {
        try store.save(full())
        let loaded = store.load(for: host)
        #expect(loaded.state == full())
        #expect(loaded.notes.isEmpty)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("state/dgx-01_state.json"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func noStateIsAFreshOneWithoutAWord() {
        let loaded = store.load(for: host)
        #expect(loaded.state == MonitorState(host: host))
        #expect(loaded.notes.isEmpty)
    }

    @Test func everyCutOffStateIsSetAsideWithAWarning() throws {
        try store.save(full())
        let whole = Array((folder.read("state/dgx-01_state.json") ?? "").utf8)
        for length in stride(from: 0, to: whole.count - 2, by: 7) {
            try folder.write("state/dgx-01_state.json", String(decoding: whole[..<length], as: UTF8.self))
            let loaded = store.load(for: host)
            #expect(loaded.state == MonitorState(host: host))
            #expect(loaded.notes.count == 1)
            #expect(loaded.notes.first?.contains("dgx-01_state.json: it is damaged") == true)
            #expect(folder.names("state") == ["dgx-01_state.json.damaged"])
        }
    }

    @Test(arguments: [
        "[]", "null", "{}", #"{"version": 1}"#, #"{"version": "x"}"#, "\u{0}\u{1}",
        #"{"version": 2, "hostName": "dgx-01", "machineAddresses": [], "bootID": ""}"#,
        #"{"version": 1, "hostName": "dgx-01", "machineAddresses": [], "bootID": "", "retries": 3}"#,
    ])
    func damagedStateIsSetAside(text: String) throws {
        try folder.makeFolder("state")
        try folder.write("state/dgx-01_state.json", text)
        let loaded = store.load(for: host)
        #expect(loaded.state == MonitorState(host: host))
        #expect(loaded.notes.count == 1)
        #expect(folder.names("state") == ["dgx-01_state.json.damaged"])
    }

    @Test func stateWithFewerMembersIsTaken() throws {
        try folder.makeFolder("state")
        try folder.write(
            "state/dgx-01_state.json",
            #"{"version": 1, "hostName": "dgx-01", "machineAddresses": ["0a:00:00:00:00:01"], "bootID": "boot-1"}"#)
        let loaded = store.load(for: host)
        #expect(loaded.notes.isEmpty)
        #expect(loaded.state == MonitorState(host: host))
    }

    @Test func dryRunSetsNothingAside() throws {
        try folder.makeFolder("state")
        try folder.write("state/dgx-01_state.json", "{")
        #expect(store.load(for: host, setsAside: false).notes.count == 1)
        #expect(folder.names("state") == ["dgx-01_state.json"])
    }

    @Test func stateOfThisMachineUnderAnotherNameIsTakenOver() throws {
        try store.save(full())
        var renamed = host
        renamed.hostName = "dgx-09"
        let loaded = store.load(for: renamed)
        #expect(loaded.formerHostName == "dgx-01")
        #expect(loaded.state.hostName == "dgx-09")
        #expect(loaded.state.targets == full().targets)
    }

    @Test func stateOfAnotherMachineUnderAnotherNameIsNotTouched() throws {
        try store.save(full())
        let other = HostIdentity(hostName: "dgx-09", addresses: ["0a:00:00:00:00:09"], bootID: "b")
        let loaded = store.load(for: other)
        #expect(loaded.state == MonitorState(host: other))
        #expect(loaded.notes.isEmpty)
        #expect(folder.names("state") == ["dgx-01_state.json"])
    }

    @Test func oneCommonAddressIsEnough() throws {
        try store.save(full())
        let grown = HostIdentity(
            hostName: "dgx-01", addresses: ["0a:00:00:00:00:01", "0a:00:00:00:00:07"], bootID: "boot-1")
        let loaded = store.load(for: grown)
        #expect(loaded.state.shownRole == "slurmclient")
        #expect(loaded.state.machineAddresses == ["0a:00:00:00:00:01", "0a:00:00:00:00:07"])
    }

    @Test func hostNameCannotLeaveTheDirectory() {
        #expect(store.path(hostName: "../../etc/x") == folder.path("state/_._.._etc_x_state.json"))
    }

    @Test func halfWrittenFilesOfAKilledMonitorAreRemoved() throws {
        try folder.makeFolder("state")
        for name in [".a_state.json.123.new", ".b_state.json.123.new", "a_state.json", ".a_state.json.new"] {
            try folder.write("state/\(name)", "")
        }
        LeftoverFiles.remove(besides: folder.path("state/a_state.json"))
        #expect(folder.names("state") == [".a_state.json.new", ".b_state.json.123.new", "a_state.json"])
    }

    @Test func readerNeverSeesHalfAState() async throws {
        try store.save(full())
        let path = folder.path("state/dgx-01_state.json")
        let writer = Task.detached { [store, state = full()] in
            var state = state
            while !Task.isCancelled {
                state.namespaceRestart = Double.random(in: 0...1e9)
                try? store.save(state)
            }
        }
        for _ in 1...500 {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            _ = try JSONDecoder().decode(MonitorState.self, from: bytes)
        }
        writer.cancel()
        await writer.value
    }
}
