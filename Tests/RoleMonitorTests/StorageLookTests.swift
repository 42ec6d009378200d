import CommandExecution
import Glibc
import PromTargets
import Synchronization
import Testing

@testable import RoleMonitor

/// The look at a target file by a forked process, which saves starting the program.
@Suite(.serialized) struct StorageLookTests {
    private let folder: TemporaryFolder
    private let started = RecordingExecutor()
    private let groups: [TargetGroup]
    /// Where the program would be started, that is noted and nothing else happens.
    private let store: ChildTargetStore

    init() throws {
        folder = try TemporaryFolder()
        try folder.makeFolder("targets")
        try folder.write("lock", "")
        groups = try MonitorConfiguration(headNodes: ["head-a"]).targetGroups(of: "dgx-01")
        store = ChildTargetStore(executor: started, program: ["/bin/true"], lockFile: folder.path("lock"))
        try writeFile()
    }

    private func writeFile() throws {
        #expect(try TargetDirectory(path: folder.path("targets")).write(groups, named: "dgx-01") == .written)
    }

    private func operation(_ directory: String) -> StorageOperation {
        StorageOperation(kind: .write, directory: directory, name: "dgx-01", groups: groups)
    }

    private var write: StorageOperation { operation(folder.path("targets")) }

    private func isFree(_ name: String) -> Bool {
        let lock = open(folder.path(name), O_RDWR | O_CLOEXEC)
        defer { close(lock) }
        return lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0
    }

    /// The processes that were forked for a look, until they are waited for: their numbers and states.
    private func looks() throws -> [(process: pid_t, state: Character)] {
        let processes = try #require(opendir("/proc"))
        defer { closedir(processes) }
        var found: [(process: pid_t, state: Character)] = []
        while let entry = readdir(processes) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let number = pid_t(name), let file = fopen("/proc/\(name)/stat", "r") else { continue }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 512)
            guard fgets(&line, 512, file) != nil else { continue }
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // PID (NAME) STATE PARENT ...
            let words = text.split(separator: " ")
            guard words.count > 3, words[1] == "(storage)", words[3] == "\(getpid())" else { continue }
            found.append((number, words[2].first ?? "?"))
        }
        return found
    }

    /// Waits for a look that hangs. Its name shows that it has no descriptor and no signal of ours any more.
    private func lookThatHangs() async throws -> pid_t {
        var process: pid_t?
        try await eventually {
            process = try looks().first { $0.state == "S" || $0.state == "D" }?.process
            return process != nil
        }
        return try #require(process)
    }

    private func noLookIsLeft() async throws { try await eventually { try looks().isEmpty } }

    @Test func aFileThatIsAsItShouldBeStartsNoProgram() async throws {
        for _ in 0..<20 { #expect(await store.perform([write]) == [.unchanged]) }
        #expect(started.commands.isEmpty)
        try await noLookIsLeft()
        #expect(isFree("lock"))
    }

    @Test func anythingElseIsForTheProgram() async throws {
        let path = folder.path("targets/dgx-01.json"), text = try #require(folder.read("targets/dgx-01.json"))
        let differences: [(String, () throws -> Void)] = [
            ("longer", { try folder.write("targets/dgx-01.json", text + " ") }),
            ("shorter", { try folder.write("targets/dgx-01.json", String(text.dropLast())) }),
            ("empty", { try folder.write("targets/dgx-01.json", "") }),
            ("another byte at the end", { try folder.write("targets/dgx-01.json", String(text.dropLast()) + " ") }),
            ("not readable by all", { #expect(chmod(path, 0o640) == 0) }),
            ("writable by others", { #expect(chmod(path, 0o646) == 0) }),
            ("missing", { #expect(unlink(path) == 0) }),
            ("a pipe", { #expect(unlink(path) == 0 && mkfifo(path, 0o644) == 0) }),
            ("a folder", { #expect(unlink(path) == 0 && mkdir(path, 0o755) == 0) }),
            (
                "a link to the same",
                { #expect(rename(path, path + ".other") == 0 && symlink(path + ".other", path) == 0) }
            ),
        ]
        for (name, change) in differences {
            try change()
            let before = started.commands.count
            _ = await store.perform([write])
            #expect(started.commands.count == before + 1, "\(name)")
            if rmdir(path) != 0 { unlink(path) }
            try writeFile()
        }
        for other in [operation(folder.path("nowhere")), operation(path)] {
            let before = started.commands.count
            _ = await store.perform([other])
            #expect(started.commands.count == before + 1, "\(other.directory)")
        }
    }

    @Test func whatIsMoreThanOneFileToWriteIsForTheProgram() async throws {
        var removal = write, kept = write, inspection = write
        (removal.kind, removal.groups) = (.remove, nil)
        kept.keptOnly = groups
        inspection.kind = .inspect
        for operations in [[write, write], [removal], [kept], [inspection]] {
            let before = started.commands.count
            _ = await store.perform(operations)
            #expect(started.commands.count == before + 1, "\(operations)")
        }
        let free = ChildTargetStore(executor: started, program: ["/bin/true"], lockFile: nil)
        let before = started.commands.count
        _ = await free.perform([write])
        #expect(started.commands.count == before + 1, "no lock")
    }

    @Test(arguments: [2, -30]) func afterAnHourTheProgramLooksToo(hours: Int) async throws {
        let time = timespec(tv_sec: Glibc.time(nil) - hours * 3600, tv_nsec: 0)
        #expect(utimensat(AT_FDCWD, folder.path("lock"), [time, time], 0) == 0)
        _ = await store.perform([write])
        #expect(started.commands.count == 1)
    }

    private static let canHang: ConditionTrait = .enabled(
        if: geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0, "a file system that hangs takes root and /dev/fuse"
    )

    /// Runs with a folder on a file system that answers nothing: one in user space without anybody behind it.
    private func withFileSystemThatHangs(_ body: (String) async throws -> Void) async throws {
        let path = folder.path("hanging")
        try folder.makeFolder("hanging")
        let device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        try #require(device >= 0)
        let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0"
        try #require(mount("hanging", path, "fuse", 0, options) == 0)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(path)) } catch { outcome = .failure(error) }
        umount2(path, CInt(MNT_DETACH))
        close(device)
        try outcome.get()
    }

    @Test(canHang) func aLookThatHangsIsEndedAtItsTimeOutAndKeepsNothingOfTheMonitor() async throws {
        let store = ChildTargetStore(
            executor: started, program: ["/bin/true"], lockFile: folder.path("lock"), timeout: .seconds(5))
        try await withFileSystemThatHangs { path in
            try folder.write("own", "")
            let own = open(folder.path("own"), O_RDWR | O_CLOEXEC)
            #expect(flock(own, LOCK_EX | LOCK_NB) == 0)
            async let outcomes = store.perform([operation(path)])
            _ = try await lookThatHangs()
            close(own)
            #expect(isFree("own"), "the process that hangs holds a lock of ours")
            let second = await store.perform([write])
            guard case .failed(let failure) = await outcomes.first, case .failed(let busy) = second.first else {
                Issue.record("\(second)")
                return
            }
            #expect(failure.kind == StorageFailure.hangs)
            #expect(failure.message == "\(path): the file system hangs: no answer within 5 s; check the file server")
            #expect(busy.message.contains("an earlier attempt has not come back yet"))
            #expect(started.commands.isEmpty)
            try await noLookIsLeft()
            #expect(await store.perform([write]) == [.unchanged])
        }
    }

    @Test(canHang) func aLookThatHangsEndsWithTheTaskThatAskedForIt() async throws {
        try await withFileSystemThatHangs { path in
            let task = Task { [store, operation = operation(path)] in await store.perform([operation]) }
            _ = try await lookThatHangs()
            task.cancel()
            guard case .failed(let failure) = await task.value.first else {
                Issue.record("no failure")
                return
            }
            #expect(failure.kind == "cancelled")
            #expect(isFree("lock"), "who asks next would be told that storage hangs")
            try await noLookIsLeft()
        }
    }

    @Test(canHang) func aLookThatEndsWithoutAWordLeavesItToTheProgram() async throws {
        try await withFileSystemThatHangs { path in
            async let outcomes = store.perform([operation(path)])
            #expect(kill(try await lookThatHangs(), SIGKILL) == 0)
            guard case .failed(let failure) = await outcomes.first else {
                Issue.record("no failure")
                return
            }
            #expect(failure.kind == "internal", "what the program here says")
            #expect(started.commands.count == 1)
            try await noLookIsLeft()
        }
    }
}
