import Glibc
import ServiceManager
import Testing

struct ServiceNotifierTests {
    @Test(arguments: [true, false])
    func messagesReachASocketOfEitherKind(isAbstract: Bool) throws {
        let manager = try ListeningSocket(isAbstract: isAbstract)
        defer { manager.close() }
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name])
        #expect(notifier.isActive)
        #expect(notifier.ready())
        #expect(manager.receive() == "READY=1\n")
        #expect(notifier.ready(status: "The role is present."))
        #expect(manager.receive() == "READY=1\nSTATUS=The role is present.\n")
        #expect(notifier.status("Waiting for BCM."))
        #expect(manager.receive() == "STATUS=Waiting for BCM.\n")
        #expect(notifier.feedWatchdog())
        #expect(manager.receive() == "WATCHDOG=1\n")
        #expect(notifier.stopping())
        #expect(manager.receive() == "STOPPING=1\n")
        #expect(manager.receive() == nil)
    }

    @Test func reloadingTellsTheMonotonicTime() throws {
        let manager = try ListeningSocket(isAbstract: true)
        defer { manager.close() }
        func now() -> Int64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        }
        let before = now()
        #expect(ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name]).reloading())
        let lines = try #require(manager.receive()).split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == "RELOADING=1")
        let time = try #require(Int64(lines[1].dropFirst("MONOTONIC_USEC=".count)))
        #expect((before...now()).contains(time))
    }

    @Test func aStatusStaysOneLineOfBoundedLength() throws {
        let manager = try ListeningSocket(isAbstract: true)
        defer { manager.close() }
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name])
        notifier.status("two\nREADY=1\0 lines")
        #expect(manager.receive() == "STATUS=two READY=1  lines\n")
        notifier.status(String(repeating: "\u{1f600}", count: 1000))
        let text = try #require(manager.receive())
        #expect(text.utf8.count <= 510 && text.hasPrefix("STATUS=\u{1f600}") && text.hasSuffix("\u{1f600}\n"))
    }

    @Test(arguments: [
        [:], ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "relative"], ["NOTIFY_SOCKET": "vsock:2:1234"],
        ["NOTIFY_SOCKET": "/"], ["NOTIFY_SOCKET": "/nul\0"],
        ["NOTIFY_SOCKET": "/" + String(repeating: "a", count: 107)],
        ["NOTIFY_SOCKET": "/nonexistent/socket"], ["NOTIFY_SOCKET": "@nobody-listens-here"],
    ])
    func withoutAManagerNothingHappens(environment: [String: String]) {
        let notifier = ServiceNotifier(environment: environment)
        #expect(!notifier.ready())
        #expect(!notifier.status("x"))
        #expect(!notifier.reloading())
    }

    @Test(
        arguments: [
            (["WATCHDOG_USEC": "30000000"], Duration.seconds(30)),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "own"], .seconds(30)),
            (["WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"], nil),
            (["WATCHDOG_USEC": "1", "WATCHDOG_PID": "x"], nil),
            (["WATCHDOG_USEC": "0"], nil), (["WATCHDOG_USEC": "-5"], nil), (["WATCHDOG_USEC": "often"], nil),
            ([:], nil),
            (["WATCHDOG_USEC": "99999999999999999999"], nil),
        ] as [([String: String], Duration?)])
    func theWatchdogIsForThisProcessOrNone(variables: [String: String], expected: Duration?) {
        let own = variables.mapValues { $0 == "own" ? "\(getpid())" : $0 }
        let environment = own.merging(["NOTIFY_SOCKET": "@x"]) { $1 }
        #expect(ServiceNotifier(environment: environment).watchdogInterval == expected)
        // Nobody to feed.
        #expect(ServiceNotifier(environment: own).watchdogInterval == nil)
    }

    @Test func aManagerThatDoesNotReadNeverBlocksTheProgram() throws {
        let manager = try ListeningSocket(isAbstract: true)
        defer { manager.close() }
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name])
        var lost = 0
        for _ in 0..<5000 where !notifier.feedWatchdog() { lost += 1 }
        #expect(lost > 0)
        while manager.receive() != nil {}
        #expect(notifier.feedWatchdog())
    }
}

/// A datagram socket as systemd listens on.
private struct ListeningSocket {
    let name: String
    private let descriptor: CInt

    init(isAbstract: Bool) throws {
        let identifier = "service-notifier-tests-\(getpid())-\(UInt32.random(in: .min ... .max))"
        name = isAbstract ? "@\(identifier)" : "/tmp/\(identifier)"
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(result == 0)
    }

    /// The next message, or nil when there is none.
    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    func close() {
        Glibc.close(descriptor)
        if !name.hasPrefix("@") { unlink(name) }
    }
}
