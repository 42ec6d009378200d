import CommandExecution
import Testing

extension LabTests {
    /// What an operator does with the whole fleet from a head node.
    @Suite struct FleetCommandsTests {
        private func command(_ deployment: Deployment, _ arguments: String...) async throws -> CommandResult {
            try await deployment.lab.run("head-a", ["guided-setup"] + arguments, timeout: .seconds(120))
        }

        @Test func exportersArePausedAndResumedOnTwoNodesAndWhatIsNotReachedIsSaid() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            for node in ["dgx-01", "dgx-02"] { try await deployment.giveRole(node) }
            for node in ["dgx-01", "dgx-02"] { try await deployment.expectRunning(node) }

            let paused = try await command(deployment, "pause", "dgx-[01-02]", "--for", "1h")
            #expect(paused.succeeded, "\(paused.outputText)\(paused.errorText)")
            #expect(paused.outputText.hasSuffix("2 hosts: 2 done\n"))
            for node in ["dgx-01", "dgx-02"] {
                #expect(try await deployment.exporters(of: node, are: "inactive"))
            }
            #expect(try await deployment.targetFiles() == [])

            try await lab.script("isolate", "dgx-02")
            let partly = try await command(deployment, "resume", "dgx-[01-02]")
            #expect(partly.status == .exited(1))
            #expect(partly.outputText.contains("dgx-02  not reached"), "\(partly.outputText)")
            #expect(partly.outputText.hasSuffix("2 hosts: 1 not reached, 1 done\n"))
            try await deployment.expectRunning("dgx-01")

            try await lab.script("join", "dgx-02")
            let resumed = try await command(deployment, "resume", "dgx-02")
            #expect(resumed.succeeded, "\(resumed.outputText)\(resumed.errorText)")
            try await deployment.expectRunning("dgx-02")
            try await lab.output("dgx-02", "systemctl stop bcm-role-monitor")
            let failed = try await command(deployment, "pause", "dgx-02", "--for", "1m")
            #expect(failed.succeeded, "\(failed.outputText)\(failed.errorText)")
            #expect(failed.outputText.contains("no monitor runs on this node: paused"), "\(failed.outputText)")
        }

        @Test func theStatusFollowsTheFleetWithoutSSH() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            _ = try await deployment.prepareSetup()
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            var shown = ""
            func status(is number: Int32) async throws -> Bool {
                // It finds no ssh, and needs none.
                let result = try await lab.run(
                    "head-a",
                    ["env", "PATH=/nowhere", "/usr/local/bin/guided-setup", "status", "--config", "/root/config.json"],
                    timeout: .seconds(120))
                shown = result.outputText + result.errorText
                return result.status == .exited(number)
            }
            try await eventually(within: .seconds(120), "the fleet is well: \(shown)") { try await status(is: 0) }
            #expect(shown.contains("\nok   dgx-01"), "\(shown)")
            #expect(shown.contains("\noff  dgx-02"), "\(shown)")

            try await lab.output("dgx-01", "systemctl stop bcm-role-monitor cgroup_exporter")
            try await eventually(within: .seconds(120), "the silent exporter is seen: \(shown)") {
                try await status(is: 1)
            }
            #expect(shown.contains("FAIL  dgx-01"), "\(shown)")

            try await lab.output("mon-01", "systemctl stop prometheus")
            #expect(try await status(is: 3), "\(shown)")
            #expect(shown.contains("Prometheus  not seen"), "\(shown)")
        }
    }
}
