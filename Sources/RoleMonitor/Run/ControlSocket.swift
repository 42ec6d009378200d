internal import Dispatch
internal import FoundationEssentials
internal import Glibc

/// The socket through which `--pause`, `--resume` and `--reset` reach the running monitor. Only root, and the user that
/// the monitor runs as, are heard.
final class ControlSocket {
    private let source: any DispatchSourceRead
    private let path: String

    /// Listens.
    ///
    /// - Parameters:
    ///   - path: the socket's path; an old socket there is replaced, so the caller must hold the lock.
    ///   - handle: is called with each request and a closure that takes the answer.
    init(
        path: String, handle: @escaping @Sendable (ControlRequest, @escaping @Sendable (ControlAnswer) -> Void) -> Void
    ) throws(MonitorError) {
        self.path = path
        unlink(path)
        let descriptor = UnixSocket.make(nonBlocking: true)
        let status = descriptor < 0 ? -1 : UnixSocket.with(path) { bind(descriptor, $0, $1) }
        guard status == 0, chmod(path, 0o600) == 0, listen(descriptor, 8) == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw MonitorError(.unusable, "cannot listen at \(path): \(reason)")
        }
        let queue = DispatchQueue(label: "bcm-role-monitor.control")
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { Self.accept(descriptor, handle) }
        source.setCancelHandler { close(descriptor) }
        source.resume()
    }

    deinit {
        unlink(path)
        source.cancel()
    }

    private static func accept(
        _ listener: Int32, _ handle: @Sendable (ControlRequest, @escaping @Sendable (ControlAnswer) -> Void) -> Void
    ) {
        let peer = Glibc.accept(listener, nil, nil)
        guard peer >= 0 else { return }
        _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
        UnixSocket.setTimeout(peer, seconds: 2)
        let answer: @Sendable (ControlAnswer) -> Void = { answer in
            if let data = try? JSONEncoder().encode(answer) { UnixSocket.send(peer, Array(data)) }
            close(peer)
        }
        guard let user = UnixSocket.peerUser(peer), user == 0 || user == geteuid() else {
            answer(ControlAnswer(isDone: false, message: "only root may do this"))
            return
        }
        guard let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(UnixSocket.receive(peer))) else {
            answer(ControlAnswer(isDone: false, message: "the request was not understood"))
            return
        }
        handle(request, answer)
    }

    /// Sends a request to the monitor that listens at a path, and waits for its answer. Blocks.
    ///
    /// - Throws: ``MonitorError``: `notRunning` when nobody listens, `refused` with the monitor's words.
    static func ask(_ request: ControlRequest, path: String, seconds: Int) throws(MonitorError) -> String {
        let descriptor = UnixSocket.make(nonBlocking: false)
        guard descriptor >= 0 else { throw MonitorError(.unusable, "no socket can be made") }
        defer { close(descriptor) }
        guard UnixSocket.with(path, { connect(descriptor, $0, $1) }) == 0 else {
            let number = errno
            if number == ENOENT || number == ECONNREFUSED {
                throw MonitorError(.notRunning, "no bcm-role-monitor runs on this node")
            }
            throw MonitorError(.unusable, "cannot reach \(path): \(String(cString: strerror(number))); run as root")
        }
        UnixSocket.setTimeout(descriptor, seconds: seconds)
        if let data = try? JSONEncoder().encode(request) { UnixSocket.send(descriptor, Array(data)) }
        shutdown(descriptor, Int32(SHUT_WR))
        guard let answer = try? JSONDecoder().decode(ControlAnswer.self, from: Data(UnixSocket.receive(descriptor)))
        else {
            throw MonitorError(
                .refused, "the monitor took the request but did not confirm it; see journalctl --unit=bcm-role-monitor")
        }
        guard answer.isDone else { throw MonitorError(.refused, answer.message) }
        return answer.message
    }
}

/// A few calls for unix(7) sockets.
private enum UnixSocket {
    static func make(nonBlocking: Bool) -> Int32 {
        let flags = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        return socket(AF_UNIX, nonBlocking ? flags | CInt(SOCK_NONBLOCK.rawValue) : flags, 0)
    }

    /// Calls with the address of a path; -1 with ENAMETOOLONG where it does not fit.
    static func with(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    static func setTimeout(_ descriptor: Int32, seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
    }

    static func peerUser(_ descriptor: Int32) -> uid_t? {
        var credentials = (pid: pid_t(0), user: uid_t(0), group: gid_t(0))
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
        return credentials.user
    }

    /// Everything up to the end of the other side's sending, at most 64 KiB.
    static func receive(_ descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 16 {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    static func send(_ descriptor: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
