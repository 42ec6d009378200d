import FoundationEssentials
import Glibc
import Synchronization
import Testing

/// The programs that were built with these tests.
enum BuiltProgram {
    /// The path of a program beside the test bundle.
    static func path(_ name: String) -> String? {
        // The bundle is this process's program; the others lie in the same folder.
        guard let bundle = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            let slash = bundle.lastIndex(of: "/")
        else { return nil }
        let path = "\(bundle[..<slash])/\(name)"
        return access(path, X_OK) == 0 ? path : nil
    }
}

/// Waits for something that another process does; fails after ten seconds.
func eventually(_ condition: () throws -> Bool, location: SourceLocation = #_sourceLocation) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try !condition() {
        guard ContinuousClock.now < end else {
            Issue.record("it did not happen within a minute", sourceLocation: location)
            return
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// A program that runs until it is told to end.
final class RunningProgram: Sendable {
    let process: pid_t

    init(_ path: String, _ arguments: [String], log: String, environment: [String: String] = [:]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        let own = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var variables: [UnsafeMutablePointer<CChar>?] = own.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var child = pid_t()
        let status = posix_spawn(&child, path, &actions, nil, &words, &variables)
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: status) ?? .EIO) }
        process = child
    }

    func signal(_ number: Int32) { Glibc.kill(process, number) }

    /// Waits for its end, at most ten seconds, and gives its exit status; nil if a signal ended it.
    func end() async throws -> Int32? {
        var status: Int32 = 0
        var isEnded = false
        try await eventually {
            isEnded = waitpid(process, &status, WNOHANG) == process
            return isEnded
        }
        return isEnded && status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
    }

    /// Ends it if it still runs.
    func kill() {
        Glibc.kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }
}

/// A server that takes connections and never says a word.
final class SilentServer: Sendable {
    let port: Int
    private let listener: Int32

    init() throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) + listen(listener, 16) + getsockname(listener, address, &size)
            }
        }
        guard status == 0 else { throw POSIXError(.EADDRINUSE) }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(listener) }

    /// Whether somebody has connected, which the kernel lets happen without an accept.
    var hasPeer: Bool {
        var poller = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        return poll(&poller, 1, 0) == 1
    }
}

/// A socket that systemd would listen at.
final class DatagramSocket: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = socket(
            AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw POSIXError(.EADDRINUSE) }
    }

    deinit { close(descriptor) }

    /// What came since the last call.
    func receive() -> String {
        var text = ""
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            guard count > 0 else { return text }
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
