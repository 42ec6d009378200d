import BCMClient
import FoundationEssentials
import Glibc
import Logging
import PromTargets
import RoleMonitor
import ServiceManager
import Testing

@testable import FleetTargets

/// A fleet on a real directory, with head nodes as a test wants them.
struct FleetTests {
    private static let down = BCMError(.notReachable, at: headA, reason: "down")

    @Test func dryRunSaysWhatWouldGoAndAppliedItGoes() async throws {
        let site = try Site(FakeHeadNodes([.head(), .node("dgx-01"), .node("dgx-02", ["docker"])]))
        try site.monitorsWrite("dgx-01", "dgx-02", "dead")
        try site.put("switches.json", #"[{"targets": ["switch:9116"], "labels": {"job": "snmp"}}]"#)
        try site.put("README", "by hand")
        let dry = try await site.fleet.prune()
        #expect(
            dry.short == [
                "README: foreign", "dead.json: gone, would remove", "dgx-01.json: current",
                "dgx-02.json: orphaned, would remove", "switches.json: foreign",
            ])
        #expect(dry.outcome == .fine)
        #expect(site.names.count == 5)
        let report = try await site.fleet.prune(isDryRun: false)
        #expect(report.files.filter { $0.action == .removed }.map(\.fileName) == ["dead.json", "dgx-02.json"])
        #expect(report.outcome == .fine)
        #expect(site.names == ["README", "dgx-01.json", "switches.json"])
    }

    static let unknown: [(String, FakeHeadNodes.Answer, FleetReport.Outcome)] = [
        ("unreachable", .failure(down), .unknown),
        ("truncated", .failure(BCMError(.connectionLost, at: headA, reason: "half an answer")), .unknown),
        ("not trusted", .failure(BCMError(.notTrusted, at: headA, reason: "another key")), .notAuthorised),
        ("not authorised", .failure(BCMError(.notAuthorised, at: headA, reason: "403")), .notAuthorised),
        ("empty", .success([]), .unknown),
        ("roles hidden", .success([.head(), .node("dgx-01", nil)]), .unknown),
    ]

    @Test(arguments: unknown)
    func unknownAnswerRemovesAndWritesNothing(
        name: String, answer: FakeHeadNodes.Answer, outcome: FleetReport.Outcome
    ) async throws {
        let site = try Site(FakeHeadNodes([(headA, [answer])]))
        try site.monitorsWrite("dgx-01", "dead")
        for report in [
            try await site.fleet.prune(isDryRun: false, removing: .atMost(1000)), try await site.fleet.check(),
            try await site.fleet.synchronize(removing: .atMost(1000)),
        ] {
            #expect(report.outcome == outcome)
            #expect(report.short == ["dead.json: undecided", "dgx-01.json: undecided"])
            #expect(report.problems.count == 1)
        }
        #expect(site.names == ["dead.json", "dgx-01.json"])
    }

    @Test func otherHeadNodeIsAskedAndStaysTheFirst() async throws {
        let site = try Site(FakeHeadNodes([(headA, [.failure(Self.down)]), (headB, [.success([.node("dgx-01")])])]))
        try site.monitorsWrite("dgx-01")
        let fleet = site.fleet
        #expect(try await fleet.check().outcome == .fine)
        #expect(try await fleet.check().outcome == .fine)
        #expect(site.headNodes.asked == [headA, headB, headB])
    }

    @Test func nothingGoesThatTheSecondLookDoesNotConfirm() async throws {
        let first = [Device.node("other"), .node("dgx-01", nil)]
        let site = try Site(
            FakeHeadNodes([(headA, [.success(first), .success([.node("other"), .node("dgx-01")])])]))
        try site.monitorsWrite("dgx-01")
        let report = try await site.fleet.prune(isDryRun: false)
        #expect(report.short == ["dgx-01.json: undecided"])
        #expect(report.outcome == .unknown)
        #expect(site.names == ["dgx-01.json"])
    }

    @Test func moreThanATenthIsRefusedAsAWhole() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        try site.monitorsWrite("dgx-01", "a", "b", "c", "d")
        let report = try await site.fleet.prune(isDryRun: false)
        #expect(report.outcome == .wrong)
        #expect(report.files.count { $0.action == .refused } == 4)
        #expect(
            report.problems == [
                "4 of 5 files would go at once, and at most 3 may: nothing is removed; see whether these nodes have really "
                    + "lost the role, then allow it with --max-removals 4"
            ])
        #expect(site.names.count == 5)
        #expect(try await site.fleet.prune(isDryRun: false, removing: .atMost(4)).outcome == .fine)
        #expect(site.names == ["dgx-01.json"])
    }

    @Test func foreignFilesDoNotMakeRoomForRemovals() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        try site.monitorsWrite("dgx-01", "a", "b", "c", "d")
        for number in 0..<60 { try site.put("note-\(number).json", "x") }
        #expect(try await site.fleet.prune(isDryRun: false).outcome == .wrong)
        #expect(site.names.count == 65)
    }

    @Test func symbolicLinksAndForeignOwnersStay() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        try site.monitorsWrite("dgx-01", "old", "owned")
        rename("\(site.path)/old.json", "\(site.path)/elsewhere")
        symlink("elsewhere", "\(site.path)/old.json")
        try #require(chown("\(site.path)/owned.json", 65_534, 65_534) == 0)
        let report = try await site.fleet.prune(isDryRun: false)
        #expect(
            report.short == [
                "dgx-01.json: current", "elsewhere: foreign", "old.json: foreign", "owned.json: foreign",
            ])
        #expect(site.names.count == 4)
    }

    @Test func fileThatChangedSinceItWasLookedAtStays() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        try site.monitorsWrite("old")
        let directory = TargetDirectory(path: site.path)
        let entry = try #require(try directory.entries().first)
        #expect(try directory.remove(named: "old"))
        try site.monitorsWrite("old")
        #expect(try directory.remove(entry) == .changed)
        let again = try #require(try directory.entries().first)
        #expect(try directory.remove(again) == .removed)
        #expect(try directory.remove(again) == .notThere)
    }

    @Test func checkFindsEveryDifference() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01"), .node("dgx-02"), .node("dgx-03", nil)]))
        try site.monitorsWrite("dgx-01", "dgx-03")
        let report = try await site.fleet.check()
        #expect(report.short == ["dgx-01.json: current", "dgx-02.json: missing", "dgx-03.json: orphaned"])
        #expect(report.outcome == .wrong)
        #expect(report.summary == "2 files in \(site.path): 1 current, 1 missing, 1 orphaned")
        #expect(site.names == ["dgx-01.json", "dgx-03.json"])
    }

    @Test func syncWritesWhatMonitorsWriteAndOnlyWhatDiffers() async throws {
        let site = try Site(FakeHeadNodes([.head(), .node("dgx-01"), .node("dgx-02"), .node("dgx-03", nil)]))
        try site.monitorsWrite("dgx-01", "dgx-03")
        try site.put("dgx-02.json", "half a fi")
        let untouched = try TargetDirectory(path: site.path).entries()[0].version
        let fleet = site.fleet
        let report = try await fleet.synchronize()
        #expect(
            report.short == [
                "dgx-01.json: current", "dgx-02.json: different, written", "dgx-03.json: orphaned, removed",
            ])
        let entries = try TargetDirectory(path: site.path).entries()
        #expect(entries.map(\.fileName) == ["dgx-01.json", "dgx-02.json"])
        #expect(entries[0].version == untouched)
        #expect(entries[1].groups == (try site.configuration.targetGroups(of: "dgx-02")))
        #expect(try await fleet.synchronize().files.allSatisfy { $0.action == .none })
        #expect(try TargetDirectory(path: site.path).entries().map(\.version) == entries.map(\.version))
    }

    @Test func syncSaysThatOthersWriteThereToo() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01"), .node("dgx-02")]))
        try site.monitorsWrite("dgx-01")
        let fleet = site.fleet
        #expect(try await fleet.synchronize().notes.first?.hasPrefix("1 files were here before") == true)
        #expect(try await fleet.synchronize().notes == [])
        try TargetDirectory(path: site.path).remove(named: "dgx-02")
        try site.monitorsWrite("dgx-02")
        let notes = try await fleet.synchronize().notes
        #expect(
            notes.count == 1 && notes[0].contains("something else wrote or removed 1 files")
                && notes[0].contains("manage_targets"))
        #expect(try await fleet.synchronize().notes == [])
        try TargetDirectory(path: site.path).remove(named: "dgx-02")
        #expect(try await fleet.synchronize().notes.count == 1)
        #expect(site.names == ["dgx-01.json", "dgx-02.json"])
    }

    @Test func textInTheRecordReachesNoTerminal() async throws {
        let site = try Site(FakeHeadNodes([.head(), .node("dgx-01")]))
        let holder = #"{"holder":"\u001b[2J\nme","files":{"\u001b[31mx.json":"1"}}"#
        try site.put(SyncRecord.fileName, holder)
        let report = try await site.fleet.synchronize()
        #expect(report.notes.contains { $0.contains("\\u{1b}[31mx.json") }, "\(report.notes)")
        #expect(!report.table().contains("\u{1B}"))
        guard case .held(let lock) = try SyncRecord.take(in: site.path) else {
            Issue.record("another has the lock")
            return
        }
        try lock.write(SyncRecord.Content(holder: "\u{1B}[2J\nme", files: nil))
        let error = await #expect(throws: FleetError.self) { _ = try await site.fleet.synchronize() }
        #expect(error?.description.contains("(\\u{1b}[2J me)") == true, "\(error?.description ?? "")")
    }

    @Test func oneSyncAtATimeAndTheOtherTakesOver() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        var first: Fleet? = site.fleet
        _ = try await first?.synchronize()
        let second = site.fleet
        await #expect(throws: FleetError(.locked, reason: "", remedy: "")) { try await second.synchronize() }
        first = nil
        #expect(try await second.synchronize().notes == [], "the record outlives its writer")
    }

    @Test func syncKeepsWritingWhenTooManyWouldGo() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        try site.monitorsWrite("a", "b", "c", "d")
        let report = try await site.fleet.synchronize()
        #expect(report.outcome == .wrong)
        #expect(site.names == ["a.json", "b.json", "c.json", "d.json", "dgx-01.json"])
    }

    @Test func missingDirectoryIsAnErrorThatNamesIt() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        site.configuration.targetsDirectory = "\(site.path)/nowhere"
        for body in [{ (fleet: Fleet) in try await fleet.prune() }, { try await $0.synchronize() }] {
            let fleet = site.fleet
            let error = await #expect(throws: FleetError.self) { try await body(fleet) }
            #expect(error?.code == .directory && error?.description.hasPrefix("\(site.path)/nowhere") == true)
        }
    }

    @Test func hangingStorageIsGivenUpAndNotTriedTwice() async throws {
        let storage = BoundedStorage(directory: "/t", timeout: .milliseconds(100))
        let gate = DispatchGate()
        let error = await #expect(throws: FleetError.self) {
            try await storage.run { () throws(PromTargetsError) in gate.wait() }
        }
        #expect(error?.description == "/t: the file system hangs: no answer within 0.1 seconds; check the file server")
        let second = await #expect(throws: FleetError.self) {
            try await storage.run { () throws(PromTargetsError) in }
        }
        #expect(second?.description.contains("has not come back yet") == true)
        gate.open()
        var isFree = false
        for _ in 0..<1000 where !isFree {
            isFree = (try? await storage.run { () throws(PromTargetsError) in }) != nil
            if !isFree { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(isFree)
    }

    @Test func anInterruptionEndsWorkOnStorageThatHangs() async throws {
        let storage = BoundedStorage(directory: "/t", timeout: .seconds(600))
        let gate = DispatchGate()
        let began = ContinuousClock.now
        let work = Task { () async throws -> Void in
            try await storage.run { () throws(PromTargetsError) in gate.wait() }
        }
        work.cancel()
        let error = await #expect(throws: FleetError.self) { try await work.value }
        #expect(error?.code == .cancelled && ContinuousClock.now - began < .seconds(30))
        gate.open()
    }

    @Test func whatIsUnderWayAtAnInterruptionIsKnown() async throws {
        let storage = BoundedStorage(directory: "/t", timeout: .seconds(600))
        let work = Task { () async throws -> Int in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await storage.run { () throws(PromTargetsError) in 5 }
        }
        #expect(try await work.value == 5)
    }

    @Test func anInterruptionBetweenChangesLeavesTheRestAndTheRecordIsRight() async throws {
        let names = (0..<300).map { "dgx-\($0)" }
        let site = try Site(FakeHeadNodes(names.map { .node($0) }))
        let (fleet, path) = (site.fleet, site.path)
        let pass = Task { try await fleet.synchronize() }
        for _ in 0..<5000 {
            guard site.names.isEmpty else { break }
            try await Task.sleep(for: .milliseconds(1))
        }
        pass.cancel()
        let error = await #expect(throws: FleetError.self) { try await pass.value }
        #expect(error?.code == .cancelled)
        #expect(error?.description.hasPrefix("\(path): interrupted after \(site.names.count) changes; ") == true)
        #expect(site.names.count < 300)
        let report = try await fleet.synchronize()
        #expect(report.notes == [], "what was written before the interruption is its own")
        #expect(site.names.count == 300)
    }

    @Test func theWatchdogIsFedDuringAPass() async throws {
        let site = try Site(FakeHeadNodes([.head(), .node("dgx-01"), .node("dgx-02", ["docker"])]))
        site.configuration.roleLossDelay = .seconds(3600)
        try site.monitorsWrite("dgx-02")
        let socket = "\(site.path)-notify"
        let manager = try NotifySocket(path: socket)
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "150000"])
        // The second look never comes: all that is fed, is fed within the pass.
        let fleet = site.fleet { _ in try await Task.sleep(for: .seconds(3600)) }
        let loop = Task { try await fleet.keepSynchronized(every: .seconds(1), notifier: notifier) }
        var fed = 0
        for _ in 0..<500 where fed < 5 {
            while let message = manager.receive() { if message.contains("WATCHDOG=1") { fed += 1 } }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(fed >= 5)
        loop.cancel()
        try await loop.value
        #expect(site.names == ["dgx-02.json"])
    }

    @Test(arguments: [(Duration.zero, Duration.zero), (.milliseconds(999), .zero), (.seconds(60), .seconds(-1))])
    func aLoopWithoutPausesIsRefused(interval: Duration, jitter: Duration) async throws {
        let fleet = try Site(FakeHeadNodes([.node("dgx-01")])).fleet
        let error = await #expect(throws: FleetError.self) {
            try await fleet.keepSynchronized(every: interval, jitter: jitter)
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func errorsSayWhatFailedWhyAndWhatToDo() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        site.configuration.targetsDirectory = "\(site.path)/nowhere"
        let missing = await #expect(throws: FleetError.self) { try await site.fleet.list() }
        #expect(missing?.path == "\(site.path)/nowhere" && missing?.reason.hasPrefix("directory missing: ") == true)
        #expect(missing?.remedy == "mount the shared storage or make the directory")
        let role = await #expect(throws: FleetError.self) { try await site.fleet.write(["a"], roles: ["x"]) }
        #expect(
            role?.description == "the configuration has no rule for the role x; name one of slurmclient")
        #expect(role?.path == nil)
    }

    @Test func trustOnFirstUseDoesNotServe() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        let fleet = Fleet(configuration: site.configuration, logger: .init(label: "test"))
        let error = await #expect(throws: FleetError.self) { try await fleet.prune() }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.description.contains("\"ca_path\"") == true)
    }

    @Test func writtenFilesAreTheMonitors() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        try site.put("dgx-02.json", "[]")
        let report = try await site.fleet.write(["dgx-01", "dgx-02", "dgx-01"], roles: ["slurmclient", "slurmclient"])
        #expect(report.short == ["dgx-01.json: missing, written", "dgx-02.json: different, written"])
        #expect(report.files.allSatisfy { $0.targets.count == 3 }, "what it holds now")
        #expect(try await site.fleet.list().files.map(\.state) == [.current, .current])
        #expect(try await site.fleet.write(["dgx-01"]).short == ["dgx-01.json: current"])
        await #expect(throws: FleetError(.invalidConfiguration, reason: "", remedy: "")) {
            try await site.fleet.write(["new", "../x"])
        }
        await #expect(throws: FleetError(.invalidConfiguration, reason: "", remedy: "")) {
            try await site.fleet.write(["new"], roles: ["unheard-of"])
        }
        #expect(site.names == ["dgx-01.json", "dgx-02.json"])
    }

    @Test func jsonNamesEveryFileAndTheStatus() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01")]))
        try site.monitorsWrite("dgx-01")
        let report = try await site.fleet.check()
        #expect(
            report.json == """
                {
                  "command" : "check",
                  "counts" : {
                    "current" : 1,
                    "different" : 0,
                    "foreign" : 0,
                    "gone" : 0,
                    "missing" : 0,
                    "orphaned" : 0,
                    "undecided" : 0
                  },
                  "directory" : "\(site.path)",
                  "files" : [
                    {
                      "action" : "none",
                      "name" : "dgx-01.json",
                      "state" : "current",
                      "targets" : [
                        "dgx-01:9100",
                        "dgx-01:9306",
                        "dgx-01:9445"
                      ]
                    }
                  ],
                  "notes" : [

                  ],
                  "outcome" : "all well",
                  "problems" : [

                  ],
                  "status" : 0,
                  "version" : 1
                }

                """)
    }
}

/// The socket of a systemd that listens.
final class NotifySocket {
    private let descriptor: Int32
    private let path: String

    init(path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}

/// Something that a thread can wait at.
final class DispatchGate: @unchecked Sendable {
    private var ends: [Int32] = [-1, -1]
    init() { pipe(&ends) }
    deinit { for end in ends { close(end) } }
    func wait() {
        var byte: UInt8 = 0
        _ = read(ends[0], &byte, 1)
    }
    func open() {
        var byte: UInt8 = 1
        _ = write(ends[1], &byte, 1)
    }
}
