import CommandExecution
import Testing

extension LabTests {
    /// Hosts that are reached as sites reach them: as another user through sudo, by way of a jump host.
    @Suite struct AccessTests {
        @Test func aDeploymentThroughSudoAndAJumpHostIsTheSameAsOneAsRoot() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            #expect(try await deployment.guidedSetup().succeeded)
            let wanted = try await GuidedSetupTests.inventories(deployment)
            _ = try await Deployment.blank()
            for host in deployment.hosts {
                try await lab.output(
                    host,
                    """
                    set -e; useradd --create-home --shell /bin/sh siteadmin
                    cp -r /root/.ssh /home/siteadmin/.ssh && chown -R siteadmin: /home/siteadmin/.ssh
                    echo 'siteadmin ALL=(root) NOPASSWD: ALL' > /etc/sudoers.d/siteadmin && chmod 440 /etc/sudoers.d/siteadmin
                    """)
            }
            // The DGX nodes answer the monitoring node alone.
            try await lab.output(
                "head-a",
                """
                { printf 'Host dgx-*\\n    ProxyJump mon-01\\nHost dgx-* mon-01\\n    User siteadmin\\n'
                  cat /root/.ssh/config; } > /root/jump.config
                """)
            let result = try await deployment.guidedSetup("--sudo", "--ssh-config", "/root/jump.config")
            #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
            #expect(try await GuidedSetupTests.inventories(deployment) == wanted)
            let logins = "journalctl -u ssh --no-pager -o cat | grep 'Accepted publickey for siteadmin from'"
            let jump = try await lab.output("mon-01", "hostname -I")
            #expect(try await lab.output("dgx-01", logins).contains("from \(jump.prefix { $0 != " " }) "))
            let again = try await deployment.guidedSetup("--sudo", "--ssh-config", "/root/jump.config")
            #expect(again.succeeded && !again.outputText.contains(": changed"), "\(again.outputText)")
        }

        @Test func aUserWithoutSudoIsNamedWithWhatToDoAndNothingIsChanged() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            let files = try await GuidedSetupTests.inventories(deployment)
            try await lab.output(
                "dgx-02",
                """
                set -e; useradd --create-home --shell /bin/sh siteadmin
                cp -r /root/.ssh /home/siteadmin/.ssh && chown -R siteadmin: /home/siteadmin/.ssh
                """)
            try await lab.output(
                "head-a",
                "{ printf 'Host dgx-02\\n    User siteadmin\\n'; cat /root/.ssh/config; } > /root/jump.config")
            let result = try await deployment.guidedSetup(
                "--sudo", "--ssh-config", "/root/jump.config", "--limit", "dgx-02")
            #expect(result.status == .exited(1), "\(result.outputText)\(result.errorText)")
            let said = result.outputText + result.errorText
            #expect(said.contains("dgx-02") && said.contains("sudo"), "\(said)")
            #expect(try await GuidedSetupTests.inventories(deployment) == files)
        }
    }
}
