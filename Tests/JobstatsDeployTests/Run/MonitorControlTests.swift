import CommandExecution
import Synchronization
import Testing

@testable import JobstatsDeploy

struct MonitorControlTests {
    private typealias Answer = @Sendable (Command) throws(CommandError) -> CommandResult

    /// Hosts that answer as a test wants, and what they were asked.
    private final class Hosts: HostConnector {
        let asked = Mutex<[String]>([])
        let answer: @Sendable (String, Command) throws(CommandError) -> CommandResult

        init(_ answer: @escaping @Sendable (String, Command) throws(CommandError) -> CommandResult) {
            self.answer = answer
        }

        func connect(to host: Host) async -> any HostConnection { Connection(host: host.name, hosts: self) }

        struct Connection: HostConnection {
            let host: String
            let hosts: Hosts
            var attempts: Int { 1 }
            func close() async {}
            func run(_ command: Command) async throws(CommandError) -> CommandResult {
                hosts.asked.withLock { $0.append("\(host): \(command)") }
                return try hosts.answer(host, command)
            }
        }
    }

    private func failure(_ reason: String) -> CommandError {
        CommandError(.connectionLost, executable: "ssh", host: "x", reason: reason)
    }

    @Test func eachHostIsAskedOnceAndTheWorstComesFirst() async {
        let failure = failure("the host gave no answer")
        let hosts = Hosts { host, command throws(CommandError) in
            if host == "dgx-04" { throw failure }
            if host == "dgx-05", command.executable == "test" { return makeResult("", 1) }
            guard command.executable != "test" else { return makeResult("") }
            if host == "dgx-03" { throw failure }
            if host == "dgx-02" {
                return CommandResult(
                    status: .exited(1),
                    standardError: Array("bcm-role-monitor: no bcm-role-monitor runs on this node\n".utf8))
            }
            return makeResult("paused for 2 h\n")
        }
        let results = await MonitorControl(connector: hosts, parallel: 2).send(
            .pause(seconds: 7200), to: (1...5).map { Host("dgx-0\($0)") })
        #expect(results.map(\.host.name) == ["dgx-04", "dgx-03", "dgx-02", "dgx-05", "dgx-01"])
        #expect(results.map(\.outcome) == [.notReached, .unknown, .failed, .failed, .done])
        #expect(results[1].message.hasPrefix("it may have been done: "))
        #expect(results[2].message == "no bcm-role-monitor runs on this node")
        #expect(results[4].message == "paused for 2 h")
        let asked = hosts.asked.withLock { $0 }
        #expect(asked.count { $0.hasSuffix("/usr/local/bin/bcm-role-monitor --pause 7200s") } == 3)
        #expect(Set(asked).count == asked.count)
        let table = MonitorControl.table(results)
        #expect(table.hasPrefix("HOST    RESULT       WHAT\ndgx-04  not reached  "), "\(table)")
        #expect(table.hasSuffix("5 hosts: 1 not reached, 1 unknown, 2 failed, 1 done\n"), "\(table)")
    }

    @Test func resumeIsTheMonitorsOwn() async {
        let hosts = Hosts { _, _ in makeResult("") }
        _ = await MonitorControl(connector: hosts).send(.resume, to: [Host("dgx-01")])
        #expect(hosts.asked.withLock { $0.last } == "dgx-01: /usr/local/bin/bcm-role-monitor --resume")
    }

    @Test func rangesNameHostsOnce() throws {
        let hosts = try MonitorControl.hosts(["dgx-[01-03]", "DGX-02", "head-a"], localHost: "head-a")
        #expect(hosts.map(\.name) == ["dgx-01", "dgx-02", "dgx-03", "head-a"])
        #expect(hosts.map(\.isLocal) == [false, false, false, true])
        for entry in ["dgx-[01-", "-oProxyCommand=x", "a b", "all", "dgx-[1-99999999]"] {
            #expect(throws: HostListProblem.self) { try MonitorControl.hosts([entry], localHost: "x") }
        }
    }
}
