import CommandExecution
import FoundationEssentials
import Glibc
import Testing

extension LabTests.DeploymentFaultTests {
    /// A cmsh that takes five seconds for each call costs time, and nothing else: the run says and leaves the same.
    @Test(takesMinutes) func aCmshThatIsMerelySlowChangesNothingButTheTime() async throws {
        // Head nodes are not given back the disks that they had: from here on they are as a run leaves them.
        let wanted = try await Self.undisturbed()
        var deployment = try await Deployment.blank()
        let quick = try await deployment.guidedSetup()
        #expect(quick.succeeded, "\(Self.text(quick))")
        deployment = try await Deployment.blank()
        let lab = deployment.lab
        let program = "/cm/local/apps/cmd/bin/cmsh"
        try await lab.output(
            "head-a",
            """
            cp \(program) /root/cmsh; rm -f /root/cmsh-calls
            printf '#!/bin/sh\\necho call >>/root/cmsh-calls\\nsleep 5\\nexec /root/cmsh "$@"\\n' > /root/slow
            chmod 755 /root/slow; cp --remove-destination /root/slow \(program)
            """)
        let slow = try await deployment.guidedSetup()
        try await lab.output("head-a", "cp --remove-destination /root/cmsh \(program)")
        #expect(slow.succeeded, "\(Self.text(slow))")
        #expect(Int(try await lab.output("head-a", "wc -l < /root/cmsh-calls")) ?? 0 >= 3)
        #expect(try await LabTests.GuidedSetupTests.inventories(deployment) == wanted)
        // Lines without times and counts of them; which host comes first is chance.
        let said = Self.lines(quick)
        for line in Self.lines(slow).subtracting(said) { Issue.record("said of a slow cmsh alone: \(line)") }
    }

    private static func lines(_ result: CommandResult) -> Set<String> {
        Set(
            text(result).split(separator: "\n").map { line in
                line.filter { !$0.isNumber && $0 != "." }.split(separator: " ").joined(separator: " ")
            })
    }

    /// sshd and its sessions are stopped while a node is worked on: the node is named within its time-outs, the other
    /// one finishes, and the next run completes it.
    @Test(takesMinutes) func anSshdThatStopsInMidSessionIsNamedAndTheNextRunCompletesTheNode() async throws {
        let wanted = try await Self.undisturbed()
        let deployment = try await Deployment.blank()
        let lab = deployment.lab
        let listener = try #require(
            try await Self.processes(of: "dgx-02", saying: "[listener]", lab).first, "no sshd on dgx-02")
        let run = Task { try await deployment.guidedSetup() }
        let progress = "\(Deployment.state)/guided_setup_progress.json"
        try await eventually(every: .milliseconds(50), "dgx-02 is worked on") {
            try await lab.succeeds("head-a", "grep -q '\"dgx-02\":{[^}]*outcome' \(progress) 2>/dev/null")
        }
        let daemons = [listener] + Self.children(of: listener)
        for daemon in daemons { kill(daemon, SIGSTOP) }
        let stopped = ContinuousClock.now
        let outcome = await run.result
        let time = ContinuousClock.now - stopped
        for daemon in daemons { kill(daemon, SIGCONT) }
        let result = try outcome.get()
        #expect(daemons.count > 1, "no session was stopped")
        #expect(result.status == .exited(1), "\(Self.text(result))")
        let named = Self.text(result).split(separator: "\n").filter { $0.contains("dgx-02") }
        #expect(named.contains { $0.contains("ssh") || $0.contains("connection") }, "\(Self.text(result))")
        #expect(time < .seconds(90), "\(time)")
        #expect(try await deployment.monitor("ActiveState", on: "dgx-01") == "active")
        let rest = try await deployment.guidedSetup("--resume")
        #expect(rest.succeeded, "\(Self.text(rest))")
        #expect(try await LabTests.GuidedSetupTests.inventories(deployment) == wanted)
    }

    /// The processes that a process has started, as this machine numbers them: of sshd its sessions.
    private static func children(of process: pid_t) -> [pid_t] {
        let bytes = FileManager.default.contents(atPath: "/proc/\(process)/task/\(process)/children") ?? Data()
        return String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    }

    /// Two administrators on two head nodes: the lock on shared storage keeps them apart, and without it what else does.
    @Test(takesMinutes) func anAdministratorOnTheOtherHeadNodeIsRefused() async throws {
        let deployment = try await Deployment.blank()
        let lab = deployment.lab
        // As every run but the very first one finds it.
        let folder = "/cm/shared/apps/jobstats"
        try await lab.output("head-a", "mkdir -p \(folder)")
        let first = Task { try await deployment.guidedSetup() }
        try await Self.begun(deployment)
        let second = try await deployment.guidedSetup(on: "head-b")
        #expect(second.status == .exited(1))
        for words in ["root on head-a (process ", "has been running this for ", "\(folder)/.guided-setup.lock"] {
            #expect(Self.text(second).contains(words), "\(Self.text(second))")
        }
        try await lab.output("head-a", "pkill -KILL -x guided-setup")
        _ = try await first.value
        // The lock went with its process. The other head node is refused all the same, for it is not the active one.
        let third = try await deployment.guidedSetup(on: "head-b")
        #expect(third.status == .exited(1))
        #expect(!Self.text(third).contains("has been running this for "), "\(Self.text(third))")
        #expect(Self.text(third).contains("Active head node"), "\(Self.text(third))")
        for host in deployment.nodes { #expect(try await !lab.succeeds(host, "pgrep -f guided-setup")) }
        let fourth = try await deployment.guidedSetup("--resume")
        #expect(fourth.succeeded, "\(Self.text(fourth))")
    }
}
