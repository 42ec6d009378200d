import FoundationEssentials
import Glibc

/// Why the state could not be read or written.
public struct StateError: Error, CustomStringConvertible {
    /// What failed, on which file, and why.
    public let description: String
    init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
    init(_ path: String, errno code: Int32) { self.init(path, String(cString: strerror(code))) }
}

/// The folder in which a simulated cluster lives, shared by the REST services and `cmsh`.
///
/// The state is one JSON file. Readers see whole states, because writers replace it by rename; writers take turns with a
/// lock file.
public struct StateStore: Sendable, Hashable {
    /// The folder that is used when none is named.
    public static let defaultDirectory = "/cm/local/apps/bcm-simulator"
    /// The environment variable that names another.
    public static let directoryVariable = "BCM_SIMULATOR_DIRECTORY"

    /// The folder.
    public let directory: String

    /// Names a folder.
    public init(directory: String) { self.directory = directory }

    /// The state file.
    public var path: String { directory + "/state.json" }

    /// What tells two versions of the state file apart.
    public struct Stamp: Sendable, Hashable {
        var inode: UInt
        var seconds: Int
        var nanoseconds: Int
    }

    /// The stamp of the present file; nil when there is none.
    public func stamp() -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(inode: status.st_ino, seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }

    /// Reads the state.
    public func read() throws(StateError) -> ClusterState {
        let bytes = try Self.contents(path)
        do {
            return try JSONDecoder().decode(ClusterState.self, from: Data(bytes))
        } catch {
            throw StateError(path, "not a simulator's state: \(error)")
        }
    }

    /// The state file as it is.
    public func text() throws(StateError) -> String { String(decoding: try Self.contents(path), as: UTF8.self) + "\n" }

    /// Changes the state while no one else can; the closure's error leaves everything as it was.
    @discardableResult
    public func update<Result>(_ body: (inout ClusterState) throws -> Result) throws -> Result {
        try withLock {
            var state = try read()
            let result = try body(&state)
            try write(state)
            return result
        }
    }

    /// Writes a first state.
    public func create(_ state: ClusterState) throws {
        try withLock { try write(state) }
    }

    private func withLock<Result>(_ body: () throws -> Result) throws -> Result {
        let lock = directory + "/state.lock"
        let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StateError(lock, errno: errno) }
        defer { close(descriptor) }
        // A writer holds the lock for milliseconds: ten seconds without it mean that something is wrong.
        for attempt in 0... {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
            guard errno == EWOULDBLOCK || errno == EINTR else { throw StateError(lock, errno: errno) }
            guard attempt < 1000 else { throw StateError(lock, "another program has held the lock for 10 s") }
            usleep(10_000)
        }
        return try body()
    }

    private func write(_ state: ClusterState) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(state)
        let temporary = path + ".\(getpid()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw StateError(temporary, errno: errno) }
        var failure: Int32 = 0
        data.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count, let base = bytes.baseAddress {
                let count = Glibc.write(descriptor, base + done, bytes.count - done)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else {
                    failure = errno
                    return
                }
                done += count
            }
        }
        if failure == 0 && fsync(descriptor) != 0 { failure = errno }
        close(descriptor)
        if failure == 0 && rename(temporary, path) != 0 { failure = errno }
        if failure != 0 {
            unlink(temporary)
            throw StateError(path, errno: failure)
        }
    }

    static func contents(_ path: String) throws(StateError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StateError(path, errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StateError(path, errno: errno) }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }
}
