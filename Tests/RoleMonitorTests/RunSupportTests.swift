import Glibc
import Logging
import Synchronization
import Testing

@testable import RoleMonitor

/// The small parts that a running monitor is made of.
struct RunSupportTests {
    private func moment(_ seconds: Double) -> Moment { Moment(wall: 0, sinceBoot: seconds) }

    @Test func lastingConditionIsLoggedOnceAnHourWithACount() {
        let log = MemoryLog()
        var conditions = ConditionLog(logger: log.logger)
        for minute in 0..<130 {
            conditions.note("disk", .error, "it is full", ending: "it has room", now: moment(Double(minute) * 60))
            conditions.endOthers(now: moment(Double(minute) * 60))
        }
        #expect(
            log.all == [
                "error: it is full", "error: it is full (for 60 min, 61 times)",
                "error: it is full (for 2 h, 121 times)",
            ])
        conditions.endOthers(now: moment(130 * 60))
        #expect(log.all.last == "notice: it has room (after 2 h 10 min, 130 times)")
        conditions.endOthers(now: moment(131 * 60))
        #expect(log.all.count == 4)
    }

    @Test func changedConditionIsLoggedAtOnce() {
        let log = MemoryLog()
        var conditions = ConditionLog(logger: log.logger)
        conditions.note("disk", .error, "full: 1", fingerprint: "full", now: moment(0))
        conditions.note("disk", .error, "full: 2", fingerprint: "full", now: moment(1))
        conditions.note("disk", .error, "stale", fingerprint: "stale", now: moment(2))
        #expect(log.all == ["error: full: 1", "error: stale"])
    }

    @Test func mailboxKeepsTheOrderAndWaitsOnlySoLong() async {
        let mailbox = Mailbox<Int>()
        #expect(await mailbox.next(within: .milliseconds(10)) == nil)
        mailbox.put(1)
        mailbox.put(2)
        #expect(await mailbox.next(within: .seconds(10)) == 1)
        #expect(await mailbox.next(within: .zero) == 2)
        let task = Task { await mailbox.next(within: .seconds(10)) }
        try? await Task.sleep(for: .milliseconds(5))
        mailbox.put(3)
        #expect(await task.value == 3)
    }

    @Test func watchdogIsFedDuringAStep() async throws {
        let fed = Mutex(0)
        let heartbeat = Heartbeat(every: .milliseconds(5)) { fed.withLock { $0 += 1 } }
        await heartbeat.during(limit: .seconds(60)) {
            while fed.withLock({ $0 }) < 3 { try? await Task.sleep(for: .milliseconds(1)) }
        }
        #expect(fed.withLock { $0 } >= 4)
    }

    @Test func stepPastItsLimitIsNotFedUntilItEnds() async throws {
        let fed = Mutex(0)
        let heartbeat = Heartbeat(every: .milliseconds(5)) { fed.withLock { $0 += 1 } }
        let duringTheStep = await heartbeat.during(limit: .zero) {
            try? await Task.sleep(for: .milliseconds(100))
            return fed.withLock { $0 }
        }
        #expect(duringTheStep == 0)
        #expect(fed.withLock { $0 } == 1)
    }

    @Test func lockTellsWhoHoldsIt() throws {
        let folder = try TemporaryFolder()
        var first: InstanceLock? = try InstanceLock(directory: folder.path("run"))
        do {
            _ = try InstanceLock(directory: folder.path("run"))
            Issue.record("two monitors hold the lock")
        } catch {
            #expect(error.code == .alreadyRunning)
            #expect(
                error.description
                    == "another bcm-role-monitor runs on this node, process \(getpid()); it holds \(folder.path("run/lock"))"
            )
        }
        _ = first
        first = nil
        _ = try InstanceLock(directory: folder.path("run"))
    }

    @Test func requestIsHandedOverAndAnswered() throws {
        let folder = try TemporaryFolder()
        let seen = Mutex<[ControlRequest]>([])
        let socket = try ControlSocket(path: folder.path("control")) { request, answer in
            seen.withLock { $0.append(request) }
            answer(ControlAnswer(isDone: request != .reset, message: "heard"))
        }
        defer { withExtendedLifetime(socket) {} }
        #expect(try ControlSocket.ask(.pause(seconds: 60), path: folder.path("control"), seconds: 5) == "heard")
        #expect(throws: MonitorError(.refused, "")) {
            try ControlSocket.ask(.reset, path: folder.path("control"), seconds: 5)
        }
        #expect(seen.withLock { $0 } == [.pause(seconds: 60), .reset])
    }

    @Test func nobodyListensIsNotRunning() throws {
        let folder = try TemporaryFolder()
        #expect(throws: MonitorError(.notRunning, "")) {
            try ControlSocket.ask(.resume, path: folder.path("control"), seconds: 1)
        }
        // A socket that a killed monitor left behind is the same.
        var socket: ControlSocket? = try ControlSocket(path: folder.path("control")) { _, _ in }
        #expect(rename(folder.path("control"), folder.path("left")) == 0)
        _ = socket
        socket = nil
        try? waitUntilRefused(folder.path("left"))
        #expect(throws: MonitorError(.notRunning, "")) {
            try ControlSocket.ask(.resume, path: folder.path("left"), seconds: 1)
        }
    }

    /// The listener is closed on its own queue.
    private func waitUntilRefused(_ path: String) throws {
        for _ in 1...200 {
            do {
                _ = try ControlSocket.ask(.resume, path: path, seconds: 1)
            } catch {
                if error.code == .notRunning { return }
            }
            usleep(10_000)
        }
    }

    @Test func addressesOfRealCardsTellMachinesApart() throws {
        let folder = try TemporaryFolder()
        func interface(_ name: String, _ address: String, _ marks: [String] = []) throws {
            try folder.makeFolder("net/\(name)")
            try folder.write("net/\(name)/address", address + "\n")
            for mark in marks { try folder.makeFolder("net/\(name)/\(mark)") }
        }
        try interface("lo", "00:00:00:00:00:00")
        try interface("virbr0", "52:54:00:AA:BB:CC", ["bridge"])
        try interface("host0", "02:00:00:00:00:01")
        try interface("empty", "")
        let container = LocalHost(interfaces: folder.path("net")).identity()
        #expect(container.machineAddresses == ["02:00:00:00:00:01"])
        #expect(container.addresses == ["02:00:00:00:00:01", "52:54:00:aa:bb:cc"])
        try interface("eth0", "0A:00:00:00:00:01", ["device"])
        try interface("eth1", "0a:00:00:00:00:01", ["device", "bonding_slave"])
        try folder.write("net/eth1/bonding_slave/perm_hwaddr", "0a:00:00:00:00:02\n")
        #expect(
            LocalHost(interfaces: folder.path("net")).identity().machineAddresses
                == ["0a:00:00:00:00:01", "0a:00:00:00:00:02"])
        // A card with an address of its maker's tells more than one with an address that was made up.
        try interface("eth2", "b8:ce:f6:00:00:03", ["device"])
        #expect(LocalHost(interfaces: folder.path("net")).identity().machineAddresses == ["b8:ce:f6:00:00:03"])
    }
}
