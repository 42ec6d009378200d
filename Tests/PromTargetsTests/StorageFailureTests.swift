import Glibc
import PromTargets
import Synchronization
import Testing

/// Failures of real file systems, mounted in a mount namespace of one thread that ends with it.
struct StorageFailureTests {
    private func groups(_ count: Int) throws -> [TargetGroup] {
        try (0..<count).map { _ in
            try TargetGroup(targets: ["dgx-01:9100"], labels: ["job": "node_exporter", "hostname": "dgx-01"])
        }
    }

    @Test func aMissingDirectoryIsNamedWithItsRemedy() throws {
        let directory = TargetDirectory(path: "/nonexistent/targets")
        let error = #expect(throws: PromTargetsError.self) { try directory.write(groups(1), named: "dgx-01") }
        #expect(
            error?.description == "/nonexistent/targets: directory missing: cannot open the directory: "
                + "No such file or directory; mount the shared storage or make the directory")
        let missing = PromTargetsError(.directoryMissing, reason: "", remedy: "")
        #expect(throws: missing) { try directory.read(named: "dgx-01") }
        #expect(throws: missing) { try directory.remove(named: "dgx-01") }
        #expect(throws: missing) { try directory.names() }
        #expect(throws: missing) { try TargetDirectory(path: "/etc/passwd").write(groups(1), named: "dgx-01") }
        #expect(throws: missing) { try TargetDirectory(path: "").names() }
        #expect(throws: missing) { try TargetDirectory(path: "/tmp\0/x").names() }
    }

    @Test(.enabled(if: MountNamespace.isAllowed, "mounting is not allowed here"))
    func aFullDiskKeepsTheEarlierFileAndLeavesNothingBehind() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let failure = try MountNamespace.run {
            guard mount("tmpfs", path, "tmpfs", 0, "size=16k") == 0 else { return "cannot mount: \(errno)" }
            let directory = TargetDirectory(path: path)
            guard try directory.write(groups(1), named: "dgx-01") == .written else { return "not written" }
            do {
                try directory.write(groups(500), named: "dgx-01")
                return "the disk took everything"
            } catch let error as PromTargetsError {
                guard error == PromTargetsError(.diskFull, reason: "", remedy: "") else { return "\(error)" }
                guard error.path == "\(path)/dgx-01.json" else { return "path: \(error.path ?? "none")" }
            }
            guard try directory.read(named: "dgx-01") == groups(1) else { return "the earlier file is gone" }
            return try entries(path) == ["dgx-01.json"] ? nil : "left behind: \(try entries(path))"
        }
        #expect(failure == nil)
    }

    @Test(.enabled(if: MountNamespace.isAllowed, "mounting is not allowed here"))
    func aReadOnlyFileSystemIsReportedAndAnUnchangedFileIsNot() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let failure = try MountNamespace.run {
            guard mount("tmpfs", path, "tmpfs", 0, nil) == 0 else { return "cannot mount: \(errno)" }
            let directory = TargetDirectory(path: path)
            try directory.write(groups(1), named: "dgx-01")
            guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 else {
                return "cannot remount: \(errno)"
            }
            guard try directory.write(groups(1), named: "dgx-01") == .unchanged else { return "written" }
            let readOnly = PromTargetsError(.readOnly, reason: "", remedy: "")
            do {
                try directory.write(groups(2), named: "dgx-01")
                return "written although read-only"
            } catch let error as PromTargetsError {
                guard error == readOnly else { return "write: \(error)" }
            }
            do {
                try directory.remove(named: "dgx-01")
                return "removed although read-only"
            } catch let error as PromTargetsError {
                guard error == readOnly else { return "remove: \(error)" }
            }
            return nil
        }
        #expect(failure == nil)
    }

    @Test(.enabled(if: MountNamespace.isAllowed, "changing the user is not allowed here"))
    func aForeignDirectoryIsNotPermitted() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        chmod(temporary.path, 0o755)
        let path = temporary.path
        let failure = try MountNamespace.run {
            // The file-system user identifier belongs to the thread, and capabilities for files go with it.
            try call("setfsuid", 65_534)
            do {
                try TargetDirectory(path: path).write(groups(1), named: "dgx-01")
                return "written"
            } catch let error as PromTargetsError {
                return error == PromTargetsError(.notPermitted, reason: "", remedy: "") ? nil : "\(error)"
            }
        }
        #expect(failure == nil)
    }

    @Test func theModeIs0644WhateverTheUmask() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        // The umask belongs to the process, but for a thread that shares it with no other.
        let failure = try MountNamespace.run {
            guard try call("unshare", 0x200) == 0 else { return "cannot leave the umask of others: \(errno)" }
            umask(0o077)
            try TargetDirectory(path: path).write(groups(1), named: "dgx-01")
            return nil
        }
        #expect(failure == nil)
        #expect(mode("\(path)/dgx-01.json") == 0o644)
    }
}

/// Runs a body on a thread of its own, whose mounts nobody else sees and which end with it.
enum MountNamespace {
    static let isAllowed: Bool = {
        let result = try? run {
            let path = "/tmp"
            return mount("tmpfs", path, "tmpfs", 0, "size=16k") == 0 ? nil : "no"
        }
        return geteuid() == 0 && result == .some(nil)
    }()

    private final class Task: Sendable {
        let body: @Sendable () throws -> String?
        let outcome = Mutex<Result<String?, any Error>>(.success("the thread did not run"))
        init(_ body: @escaping @Sendable () throws -> String?) { self.body = body }
    }

    static func run(_ body: @escaping @Sendable () throws -> String?) throws -> String? {
        let task = Task {
            if geteuid() == 0 {
                guard try call("unshare", 0x20000) == 0,
                    mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0
                else { return "no mount namespace: \(errno)" }
            }
            return try body()
        }
        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let task = Unmanaged<Task>.fromOpaque(argument).takeRetainedValue()
                let result = Result { try task.body() }
                task.outcome.withLock { $0 = result }
                return nil
            }, Unmanaged.passRetained(task).toOpaque())
        guard started == 0 else { return "no thread" }
        pthread_join(thread, nil)
        return try task.outcome.withLock { $0 }.get()
    }
}

/// Calls a function of the C library that takes and gives one number and that Swift's Glibc module does not show:
/// unshare(2) with CLONE_FS (0x200) or CLONE_NEWNS (0x20000), setfsuid(2).
@discardableResult
private func call(_ name: String, _ argument: CInt) throws -> CInt {
    let symbol = try #require(dlsym(nil, name))
    return unsafeBitCast(symbol, to: (@convention(c) (CInt) -> CInt).self)(argument)
}
