import CommandExecution
import Glibc
import PromTargets
import Synchronization
import Testing

@testable import RoleMonitor

/// Shared storage through the child process, which is the program itself.
struct StorageTests {
    private let folder: TemporaryFolder
    private let store: ChildTargetStore
    private let groups: [TargetGroup]

    init() throws {
        let program = try #require(BuiltProgram.path("bcm-role-monitor"))
        folder = try TemporaryFolder()
        try folder.makeFolder("targets")
        store = ChildTargetStore(
            executor: LocalExecutor(), program: [program, StorageWorker.argument], lockFile: folder.path("lock"))
        groups = try MonitorConfiguration(headNodes: ["head-a"]).targetGroups(of: "dgx-01")
    }

    private func operation(_ kind: StorageOperation.Kind, digest: String? = nil) -> StorageOperation {
        StorageOperation(
            kind: kind, directory: folder.path("targets"), name: "dgx-01", groups: kind == .remove ? nil : groups,
            digest: digest)
    }

    @Test func fileIsWrittenOnceAndRemoved() async throws {
        #expect(await store.perform([operation(.inspect)]) == [.notThere])
        #expect(await store.perform([operation(.write)]) == [.written])
        #expect(await store.perform([operation(.write), operation(.inspect)]) == [.unchanged, .unchanged])
        #expect(folder.names("targets") == ["dgx-01.json"])
        #expect(await store.perform([operation(.remove)]) == [.removed])
        #expect(await store.perform([operation(.remove)]) == [.notThere])
    }

    @Test func fileThatWasChangedIsKept() async throws {
        let digest = ContentDigest.of(TargetGroup.encode(groups))
        try folder.write("targets/dgx-01.json", "[]")
        #expect(await store.perform([operation(.inspect)]) == [.different])
        #expect(await store.perform([operation(.remove, digest: digest)]) == [.kept])
        try folder.write("targets/dgx-01.json", "half a fi")
        #expect(await store.perform([operation(.remove, digest: digest)]) == [.kept])
        #expect(await store.perform([operation(.write)]) == [.written])
        #expect(await store.perform([operation(.remove, digest: digest)]) == [.removed])
    }

    @Test func inspectionComparesBytesAndMode() async throws {
        #expect(await store.perform([operation(.write)]) == [.written])
        let path = folder.path("targets/dgx-01.json")
        #expect(chmod(path, 0o600) == 0)
        #expect(await store.perform([operation(.inspect)]) == [.different])
        #expect(await store.perform([operation(.write)]) == [.written])
        #expect(await store.perform([operation(.inspect)]) == [.unchanged])
        // The same groups in another form.
        let text = String(decoding: TargetGroup.encode(groups), as: UTF8.self)
        try folder.write("targets/dgx-01.json", text + " ")
        #expect(chmod(path, 0o644) == 0)
        #expect(await store.perform([operation(.inspect)]) == [.different])
        let digest = ContentDigest.of(TargetGroup.encode(groups))
        #expect(await store.perform([operation(.remove, digest: digest)]) == [.kept])
    }

    @Test func inspectionSaysWhetherARemovalWouldKeepTheFile() async throws {
        let digest = ContentDigest.of(TargetGroup.encode(groups))
        var inspection = operation(.inspect, digest: digest)
        inspection.groups = nil
        #expect(await store.perform([operation(.write), inspection]) == [.written, .different])
        try folder.write("targets/dgx-01.json", "[]")
        #expect(await store.perform([inspection]) == [.kept])
    }

    @Test func inspectionWithoutALockGoesOnBesideAChildThatHangs() async throws {
        let lock = open(folder.path("lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        let program = try #require(BuiltProgram.path("bcm-role-monitor"))
        let free = ChildTargetStore(
            executor: LocalExecutor(), program: [program, StorageWorker.argument], lockFile: nil)
        #expect(await free.perform([operation(.inspect)]) == [.notThere])
        // Nothing is changed without the lock.
        guard case .failed = await free.perform([operation(.write)]).first else {
            Issue.record("it was written")
            return
        }
        #expect(folder.names("targets") == [])
    }

    @Test func entriesOfARoleThatCannotBeToldAreKeptAndNotMade() async throws {
        var write = operation(.write)
        write.keptOnly = [groups[2]]
        func held() throws -> [TargetGroup]? {
            try TargetDirectory(path: folder.path("targets")).read(named: "dgx-01")
        }
        #expect(await store.perform([write]) == [.written])
        #expect(try held() == Array(groups[..<2]))
        #expect(await store.perform([operation(.write), write]) == [.written, .unchanged])
        #expect(try held() == groups)
        write.keptOnly = groups
        #expect(await store.perform([write]) == [.unchanged])
        #expect(await store.perform([operation(.remove), write]) == [.removed, .notThere])
        #expect(folder.names("targets") == [])
    }

    @Test func whatKilledWritersLeftGoesWithALookEachHour() async throws {
        func put(_ name: String, hoursAgo hours: Int) throws {
            if access(folder.path(name), F_OK) != 0 { try folder.write(name, "") }
            let time = timespec(tv_sec: Glibc.time(nil) - hours * 3600, tv_nsec: 0)
            #expect(utimensat(AT_FDCWD, folder.path(name), [time, time], 0) == 0)
        }
        #expect(await store.perform([operation(.write)]) == [.written])
        try put("targets/.prom-targets-1.tmp", hoursAgo: 25)
        try put("targets/.prom-targets-2.tmp", hoursAgo: 23)
        try put("targets/other.tmp", hoursAgo: 25)
        let left = [".prom-targets-2.tmp", "dgx-01.json", "other.tmp"]
        // The lock is new: not a full look with each check.
        #expect(await store.perform([operation(.write)]) == [.unchanged])
        #expect(folder.names("targets") == [".prom-targets-1.tmp"] + left)
        for hours in [2, -30] {
            try put("lock", hoursAgo: hours)
            #expect(await store.perform([operation(.write)]) == [.unchanged])
            #expect(folder.names("targets") == left, "\(hours) hours")
            try put("targets/.prom-targets-1.tmp", hoursAgo: 25)
            #expect(await store.perform([operation(.write)]) == [.unchanged])
            #expect(folder.names("targets") == [".prom-targets-1.tmp"] + left, "again within the hour")
        }
    }

    @Test func missingDirectoryIsAFailureWithItsRemedy() async throws {
        var lost = operation(.write)
        lost.directory = folder.path("nowhere")
        let outcomes = await store.perform([lost, operation(.write)])
        guard case .failed(let failure) = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(failure.kind == "directory missing")
        #expect(failure.message.hasPrefix(folder.path("nowhere")))
        #expect(outcomes.last == .written)
    }

    @Test func childThatHangsIsAbandonedAtItsTimeOut() async throws {
        let store = ChildTargetStore(
            executor: LocalExecutor(terminationDelay: .milliseconds(100)),
            program: ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 600; done"], lockFile: folder.path("lock"),
            timeout: .milliseconds(300))
        let start = ContinuousClock.now
        let outcomes = await store.perform([operation(.write), operation(.remove)])
        #expect(ContinuousClock.now - start < .seconds(30))
        for outcome in outcomes {
            guard case .failed(let failure) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(failure.kind == StorageFailure.hangs)
            #expect(failure.message.contains("no answer within 0.3 s; check the file server"))
        }
        #expect(outcomes.count == 2)
    }

    @Test func noSecondChildIsStartedWhileOneHangs() async throws {
        let started = RecordingExecutor()
        let store = ChildTargetStore(executor: started, program: ["/bin/true"], lockFile: folder.path("lock"))
        let lock = open(folder.path("lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        let outcomes = await store.perform([operation(.write)])
        #expect(started.commands.isEmpty)
        guard case .failed(let failure) = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(failure.message.contains("an earlier attempt has not come back yet"))
        close(lock)
        _ = await store.perform([operation(.write)])
        #expect(started.commands.count == 1)
    }

    @Test func childHoldsTheLockForAsLongAsItLives() async throws {
        let program = try #require(BuiltProgram.path("bcm-role-monitor"))
        // It waits for the end of its input, as one that hangs waits for storage.
        let child = Task { [folder] in
            try? await LocalExecutor().run(
                Command(
                    "sh",
                    [
                        "-c", "sleep 60 | \"$1\" \"$2\" \"$3\"", "sh", program, StorageWorker.argument,
                        folder.path("lock"),
                    ],
                    timeout: .seconds(60)))
        }
        func isLocked() -> Bool {
            let lock = open(folder.path("lock"), O_RDWR | O_CLOEXEC)
            defer { close(lock) }
            return lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0
        }
        try await eventually { isLocked() }
        let direct = try await LocalExecutor().run(
            Command(program, [StorageWorker.argument, folder.path("lock")]))
        #expect(direct.status == .exited(StorageWorker.busyStatus))
        child.cancel()
        _ = await child.value
        try await eventually { !isLocked() }
        #expect(await store.perform([operation(.write)]) == [.written])
    }

    @Test(arguments: [Command("sh", ["-c", "exit 9"]), Command("echo", ["nonsense"]), Command("/no/such/program")])
    func childThatAnswersNothingIsAFailure(command: Command) async throws {
        let store = ChildTargetStore(
            executor: LocalExecutor(), program: [command.executable] + command.arguments, lockFile: folder.path("lock"))
        let outcomes = await store.perform([operation(.write)])
        guard case .failed(let failure) = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(failure.kind == "internal")
    }

    @Test(arguments: [
        ("36 35 98:0 / /cm/shared ro,noatime master:1 - nfs4 server:/x rw,vers=4.2", true),
        ("36 35 98:0 / /cm/shared ro,noatime - ext4 /dev/sda1 rw", true),
        ("36 35 98:0 / /cm/shared ro,noatime master:1 - nfs4 server:/x ro,vers=4.2", false),
        ("36 35 98:0 / /cm/shared rw,noatime master:1 - nfs4 server:/x rw", false),
        ("37 35 98:0 / /cm/shared ro,noatime master:1 - nfs4 server:/x rw", false),
        ("36 nonsense", false),
        ("", false),
    ])
    func onlyTheNamespaceIsReadOnly(line: String, expected: Bool) {
        #expect(
            MountTable.isReadOnlyHereAlone(mount: 36, table: "22 1 8:1 / / ro - ext4 /dev/a rw\n\(line)\n") == expected)
    }

    @Test(arguments: [
        ("ro", "rw", "/cm/shared/apps/targets", true),
        ("ro", "rw", "/cm/shared", true),
        ("rw", "rw", "/cm/shared/apps/targets", false),
        ("ro", "ro", "/cm/shared/apps/targets", false),
        ("ro", "rw", "/cm/sharedness", false),
        ("ro", "rw", "/srv/targets", false),
    ])
    func aMountThatTheHostReplacedIsSeen(upper: String, lower: String, directory: String, expected: Bool) {
        // As systemd 252 leaves it when the host unmounts lazily and mounts again.
        let table = """
            874 1 254:0 / / ro,relatime shared:5 master:1 - ext4 /dev/vda rw
            1048 1905 0:124 /shared /cm/shared \(upper),relatime shared:167 - fuse old rw,user_id=0
            1679 1048 0:124 /shared/apps/targets /cm/shared/apps/targets rw,relatime shared:168 - fuse old rw,user_id=0
            1905 874 0:159 /shared /cm/shared \(lower),relatime shared:516 master:126 - fuse new rw,user_id=0

            """
        #expect(MountTable.isReplaced(under: directory, table: table) == expected)
    }
}
