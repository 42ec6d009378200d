import FoundationEssentials
import Glibc

/// Tells systemd how this program is doing, after sd_notify(3).
///
/// Outside of systemd, and under units that are not told anything (`Type=simple` without `NotifyAccess`), it does
/// nothing. It never blocks: a message that systemd cannot take at once is lost, which each call returns.
public struct ServiceNotifier: Sendable, Hashable {
    /// How long systemd waits for ``feedWatchdog()`` before it ends this program; nil when it does not watch it.
    ///
    /// Feed it at least twice as often.
    public let watchdogInterval: Duration?

    /// The socket's path, with a leading `@` for an abstract name; nil when there is none.
    private let socketPath: String?

    /// Reads where systemd listens from this process's own environment.
    public init() { self.init(environment: ProcessInfo.processInfo.environment) }

    /// Reads where systemd listens.
    ///
    /// - Parameter environment: the variables `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` as systemd set them.
    ///   A watchdog that is meant for another process is none.
    public init(environment: [String: String]) {
        let path = environment["NOTIFY_SOCKET"] ?? ""
        // Other address families (vsock) are not for services on a host.
        let isUsable = (path.hasPrefix("/") || path.hasPrefix("@")) && (2...107).contains(path.utf8.count)
        socketPath = isUsable && !path.utf8.contains(0) ? path : nil
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        let isMine = environment["WATCHDOG_PID"].map { Int32($0) == getpid() } ?? true
        watchdogInterval = microseconds > 0 && isMine && socketPath != nil ? .microseconds(microseconds) : nil
    }

    /// Whether there is a systemd that listens.
    public var isActive: Bool { socketPath != nil }

    /// Says that the program is up (`READY=1`), or has read its configuration again.
    ///
    /// - Parameter status: what it does, in words, if that is to be shown too.
    /// - Returns: whether systemd got it.
    @discardableResult
    public func ready(status: String? = nil) -> Bool {
        send(["READY=1"] + (status.map { [Self.statusLine($0)] } ?? []))
    }

    /// Says in words what the program does; `systemctl status` shows it. It becomes one line of 500 bytes at most.
    ///
    /// - Returns: whether systemd got it.
    @discardableResult
    public func status(_ text: String) -> Bool { send([Self.statusLine(text)]) }

    /// Says that the program is alive (`WATCHDOG=1`).
    ///
    /// - Returns: whether systemd got it.
    @discardableResult
    public func feedWatchdog() -> Bool { send(["WATCHDOG=1"]) }

    /// Says that the program is ending (`STOPPING=1`).
    ///
    /// - Returns: whether systemd got it.
    @discardableResult
    public func stopping() -> Bool { send(["STOPPING=1"]) }

    /// Says that the program reads its configuration again (`RELOADING=1`); ``ready(status:)`` ends that.
    ///
    /// - Returns: whether systemd got it.
    @discardableResult
    public func reloading() -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
        return send(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)"])
    }
}

extension ServiceNotifier {
    /// A line break would begin another assignment.
    private static func statusLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars where line.utf8.count < 497 {
            line.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7f ? " " : scalar)
        }
        return "STATUS=" + line
    }

    private func send(_ lines: [String]) -> Bool {
        guard let socketPath else { return false }
        let type = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(socketPath.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            path.copyBytes(from: name)
            // An abstract name begins with NUL and has no NUL at its end (unix(7)).
            if name[0] == UInt8(ascii: "@") { path[0] = 0 }
        }
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + name.count } ?? 0
        let message = Array((lines.joined(separator: "\n") + "\n").utf8)
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, CInt(MSG_NOSIGNAL), $0, socklen_t(length))
            }
        }
        return sent == message.count
    }
}
