import CommandExecution
import FoundationEssentials
import Testing

extension LabTests {
    /// guided-setup when something breaks under it. Each ends with a run that leads where an undisturbed one does.
    @Suite struct DeploymentFaultTests {
        /// A run that nothing disturbs, and what it leaves on the hosts.
        static func undisturbed() async throws -> [String: String] {
            let deployment = try await Deployment.blank()
            let result = try await deployment.guidedSetup()
            #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
            return try await GuidedSetupTests.inventories(deployment)
        }

        static func text(_ result: CommandResult) -> String { result.outputText + result.errorText }

        /// Waits until a run has written its first progress.
        static func begun(_ deployment: Deployment) async throws {
            try await eventually(every: .milliseconds(50), "the run has begun") {
                try await deployment.lab.succeeds(
                    "head-a", "grep -q outcome \(Deployment.state)/guided_setup_progress.json 2>/dev/null")
            }
        }

        static var takesMinutes: ConditionTrait {
            .enabled(if: Lab.isPatient, "a minute or two: scripts/test.sh --long")
        }

        @Test func aSecondAdministratorIsRefusedWithOwnerAndAge() async throws {
            let deployment = try await Deployment.blank()
            async let first = deployment.guidedSetup()
            try await Self.begun(deployment)
            let second = try await deployment.guidedSetup()
            #expect(second.status == .exited(1))
            #expect(Self.text(second).contains("root on head-a (process "), "\(Self.text(second))")
            #expect(Self.text(second).contains("has been running this for "))
            try await deployment.lab.output("head-a", "pkill -KILL -x guided-setup")
            _ = try await first
            // The kernel dropped the lock with its process; nothing has to be removed by hand.
            let third = try await deployment.guidedSetup("--resume")
            #expect(third.succeeded, "\(Self.text(third))")
        }

        @Test(Self.takesMinutes) func progressThatCannotBeUsedIsRefusedAndARunWithoutItEndsWell() async throws {
            let wanted = try await Self.undisturbed()
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            let file = "\(Deployment.state)/guided_setup_progress.json"
            #expect(try await deployment.guidedSetup("--limit", "dgx-01").status == .exited(0))
            try await lab.output("head-a", "cp \(file) /root/progress")
            let spoilt = [
                "head -c 700 /root/progress > \(file)", ": > \(file)",
                "sed 's/\"format\":1/\"format\":99/' /root/progress > \(file)",
                "sed 's/\"cluster_name\\\\\":/\"other_name\\\\\":/; s/slurm/other/' /root/progress > \(file)",
            ]
            for command in spoilt {
                try await lab.output("head-a", command)
                let before = try await lab.output("head-a", "sha256sum < \(file)")
                var words = try await deployment.prepareSetup()
                words.removeAll { $0 == "--yes" }
                let result = try await lab.run("head-a", words + ["--resume", "--section", "1"])
                #expect(result.status == .exited(2), "\(command): \(Self.text(result))")
                #expect(try await lab.output("head-a", "sha256sum < \(file)") == before, "\(command)")
            }
            let result = try await deployment.guidedSetup()
            #expect(result.succeeded, "\(Self.text(result))")
            #expect(try await GuidedSetupTests.inventories(deployment) == wanted)
        }

        @Test(Self.takesMinutes) func aCmshThatFailsOrHangsIsSaidAndNothingIsHalfDone() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            let program = "/cm/local/apps/cmd/bin/cmsh"
            try await lab.output("head-a", "cp \(program) /root/cmsh")
            for script in ["echo Connection refused >&2; exit 1", "head -c 5000 /dev/urandom", "exec sleep 600"] {
                try await lab.output(
                    "head-a",
                    "printf '#!/bin/sh\\n\(script)\\n' > /root/broken; chmod 755 /root/broken; "
                        + "cp --remove-destination /root/broken \(program)")
                let result = try await deployment.guidedSetup()
                #expect(result.status == .exited(1), "\(script): \(Self.text(result))")
                #expect(Self.text(result).contains("Active head node"), "\(script): \(Self.text(result))")
                #expect(try await !lab.succeeds("dgx-01", "test -e /etc/bcm-role-monitor"))
            }
            try await lab.output("head-a", "cp --remove-destination /root/cmsh \(program)")
            #expect(try await deployment.guidedSetup().succeeded)
        }

        @Test(Self.takesMinutes, arguments: ["/usr/local/bin", "/etc/systemd/system"])
        func aFullDiskOnANodeFailsItsStepAndIsCompletedLater(_ folder: String) async throws {
            let wanted = try await Self.undisturbed()
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            // What is there shows through; new files find no space.
            try await lab.output(
                "dgx-02",
                """
                mkdir -p /run/full && mount -t tmpfs -o size=16k,nr_inodes=64 full /run/full
                mkdir /run/full/u /run/full/w
                mount -t overlay -o lowerdir=\(folder),upperdir=/run/full/u,workdir=/run/full/w full \(folder)
                dd if=/dev/zero of=/run/full/taken bs=1k 2>/dev/null || true
                """)
            let result = try await deployment.guidedSetup()
            #expect(result.status == .exited(1), "\(Self.text(result))")
            #expect(Self.text(result).contains("No space left on device"), "\(Self.text(result))")
            #expect(try await deployment.monitor("ActiveState", on: "dgx-01") == "active")
            try await lab.output("dgx-02", "umount -l \(folder); umount -l /run/full")
            let rest = try await deployment.guidedSetup("--resume")
            #expect(rest.succeeded, "\(Self.text(rest))")
            #expect(try await GuidedSetupTests.inventories(deployment) == wanted)
        }

        @Test func sshThatHangsOrRefusesOnOneNodeIsNamedAndTheOtherFinishes() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            let faults = [
                ("p=$(systemctl show --value -p MainPID ssh); (sleep 0.3; kill -STOP $p) >/dev/null 2>&1 &", "time"),
                ("(sleep 0.3; systemctl stop ssh ssh.socket) >/dev/null 2>&1 &", "refused"),
            ]
            for (command, word) in faults {
                try await lab.output("dgx-02", command)
                try await Task.sleep(for: .seconds(1))
                let result = try await deployment.guidedSetup()
                #expect(result.status == .exited(1), "\(word): \(Self.text(result))")
                #expect(Self.text(result).lowercased().contains(word), "\(Self.text(result))")
                #expect(try await deployment.monitor("ActiveState", on: "dgx-01") == "active", "\(word)")
                try await lab.script("crash", "dgx-02")
                try await lab.script("on", "dgx-02")
            }
            let rest = try await deployment.guidedSetup("--resume")
            #expect(rest.succeeded, "\(Self.text(rest))")
            // Another machine in the node's place (sshd reads its keys for each connection): no command reaches it, and nothing is learned of its own accord.
            try await lab.output("dgx-02", "cp -a /etc/ssh /root/ssh; rm /etc/ssh/ssh_host_*; ssh-keygen -A")
            let changed = try await deployment.guidedSetup()
            #expect(changed.status == .exited(1))
            #expect(Self.text(changed).contains("Its host key is unknown or has changed"), "\(Self.text(changed))")
            try await lab.script("reimage", "dgx-02", "blank-dgx-02")
        }

        @Test(Self.takesMinutes) func aHeadNodeThatIsRebootedInTheMiddleIsResumedToTheSameEnd() async throws {
            let wanted = try await Self.undisturbed()
            let deployment = try await Deployment.blank()
            async let run = deployment.guidedSetup()
            try await Self.begun(deployment)
            try await deployment.lab.script("crash", "head-a")
            _ = try? await run
            try await deployment.lab.script("on", "head-a")
            let result = try await deployment.guidedSetup("--resume")
            #expect(result.succeeded, "\(Self.text(result))")
            #expect(try await GuidedSetupTests.inventories(deployment) == wanted)
            for host in deployment.nodes {
                let left = try await deployment.lab.output(host, "ls -d /run/bcm-jobstats.*.* 2>/dev/null || true")
                #expect(left.isEmpty, "\(host): \(left)")
            }
        }
    }
}
