import CommandExecution
import Testing

extension LabTests {
    /// deploy-role-monitor on real hosts: certificates, removal, hidden roles.
    @Suite struct DeployRoleMonitorTests {
        private func deploy(_ lab: Lab, _ arguments: String...) async throws -> CommandResult {
            try await lab.run(
                "head-a",
                ["deploy-role-monitor", "--dgx-nodes", "dgx-[01-02]", "--state-dir", Deployment.state] + arguments,
                timeout: .seconds(200))
        }

        @Test func whereNodesMayNotReadDevicesALesserCertificateIsMadeAndRenewedAndRevoked() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            try await lab.script("simulator", "set", "node-certificates-may-read", "off")
            let first = try await deploy(lab)
            #expect(first.succeeded, "\(first.outputText)\(first.errorText)")
            // Lines are broken to fit, wherever that is.
            #expect(
                first.outputText.split { $0 == "\n" || $0 == " " }.joined(separator: " ")
                    .contains("may read devices and nothing else"))
            let look = "stat -c '%a %U' /etc/bcm-role-monitor /etc/bcm-role-monitor/*"
            for mode in try await lab.output("dgx-01", look).split(separator: "\n") {
                #expect(mode == "700 root" || mode == "600 root", "readable by others: \(mode)")
            }
            // The administrator's key stays where it was.
            let key = try await lab.output("head-a", "sha256sum < /root/.cm/admin.key")
            #expect(try await !lab.output("dgx-01", "sha256sum /etc/bcm-role-monitor/*").contains(key.prefix(64)))
            let sum = "sha256sum < /etc/bcm-role-monitor/monitor.pem"
            let before = try await lab.output("dgx-01", sum)

            let second = try await deploy(lab)
            #expect(second.succeeded && !second.outputText.contains(" changed"), "\(second.outputText)")
            #expect(try await lab.output("dgx-01", sum) == before)

            let renewed = try await deploy(lab, "--renew")
            #expect(renewed.succeeded, "\(renewed.outputText)\(renewed.errorText)")
            #expect(try await lab.output("dgx-01", sum) != before)

            let unasked = try await lab.run("head-a", ["deploy-role-monitor", "--revoke"])
            #expect(unasked.status == .exited(2) && unasked.errorText.contains("--yes"), "\(unasked.outputText)")
            let revoked = try await lab.run("head-a", ["deploy-role-monitor", "--revoke", "--yes"])
            #expect(
                revoked.succeeded && revoked.outputText.contains("\nRevoked: "),
                "\(revoked.outputText)\(revoked.errorText)")
            let connectivity = try await lab.shell("dgx-01", "bcm-role-monitor --check-connectivity")
            #expect(!connectivity.succeeded, "\(connectivity.outputText)")
        }

        @Test func removalStopsEverythingOfTheMonitorAndNothingElse() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            let result = try await deploy(lab, "--uninstall", "--yes", "--allow", "remove-exporters")
            #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
            try await deployment.expectStopped("dgx-01")
            #expect(
                try await !lab.succeeds(
                    "dgx-01", "ls /usr/local/bin/bcm-role-monitor /etc/bcm-role-monitor/config.json"))
            let left = try await lab.output("dgx-01", "ls -A /etc/bcm-role-monitor 2>/dev/null || true")
            #expect(left.isEmpty, "\(left)")
            #expect(try await !lab.succeeds("dgx-01", "test -e /usr/local/bin/node_exporter"))
            #expect(try await deployment.monitor("ActiveState", on: "dgx-03") == "active")
            let again = try await deploy(lab, "--uninstall", "--yes", "--allow", "remove-exporters")
            #expect(again.succeeded && !again.outputText.contains(": changed"), "\(again.outputText)")
        }

        @Test func rolesThatRESTHidesAreSaidAtDeployment() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            try await deployment.giveRole("dgx-01")
            try await lab.script("simulator", "set", "fault", "roles-invisible")
            let result = try await deploy(lab)
            #expect(result.outputText.contains("REST does not show the role slurmclient"), "\(result.outputText)")
            #expect(
                try await lab.output("dgx-01", "grep roles_visible /etc/bcm-role-monitor/config.json").contains("false")
            )
            #expect(try await deployment.exporters(of: "dgx-01", are: "inactive"))
        }

        @Test func checkSaysWhatDiffersAndChangesNothing() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await lab.output(
                "dgx-02", "sed -i s/Restart=on-failure/Restart=no/ /etc/systemd/system/bcm-role-monitor.service")
            let before = try await lab.output("dgx-02", GuidedSetupTests.inventory)
            let result = try await deployment.guidedSetup("--check")
            #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
            #expect(result.outputText.contains("-Restart=no"), "\(result.outputText)")
            #expect(result.outputText.contains("dgx-02: Unit file: would change"))
            #expect(!result.outputText.contains("dgx-01: Unit file"))
            #expect(try await lab.output("dgx-02", GuidedSetupTests.inventory) == before)
            let repair = try await deployment.guidedSetup()
            #expect(repair.succeeded && repair.outputText.contains("dgx-02: Unit file: changed"))
        }
    }
}
