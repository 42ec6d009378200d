import CommandExecution
import Testing

extension LabTests {
    /// The walk and the wizard as an administrator sees them: on a terminal of the head node.
    @Suite struct TerminalTests {
        private static func setup(_ arguments: String...) -> [String] {
            ["guided-setup", "--config", "/root/config.json", "--state-dir", Deployment.state] + arguments
        }

        @Test func aWalkLooksSkipsRunsAndIsResumedAfterControlC() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            _ = try await deployment.prepareSetup()
            let question = "expect ? [run]: "
            let first = try await lab.onTerminal(
                "head-a", Self.setup("--section", "4", "6"),
                [
                    "expect Node statistics", question, "type check", "expect would change", question, "type commands",
                    "expect useradd", "expect q stops: ", "type q", question, "type", "expect Prometheus", question,
                    "press ^C",
                ])
            #expect(first.contains("ended with 130"), "\(first)")
            #expect(try await lab.succeeds("dgx-03", "test -x /usr/local/bin/node_exporter"))
            #expect(try await !lab.succeeds("mon-01", "test -e /etc/prometheus"))
            let second = try await lab.onTerminal(
                "head-a", Self.setup("--section", "4", "6", "--resume"),
                ["expect Prometheus", question, "type diff", "expect q stops: ", "type q", question, "type"])
            #expect(second.contains("ended with 0"), "\(second)")
            #expect(try await lab.succeeds("mon-01", "systemctl is-active --quiet prometheus"))
        }

        @Test func aConsentIsAskedForOnItsOwnAndOnlyYesInFullRestartsSlurm() async throws {
            let site = try await SlurmSite.blank()
            let lab = site.deployment.lab
            try await site.writeConfiguration()
            let process = "systemctl show --value -p MainPID slurmctld"
            let before = try await lab.output("head-a", process)
            let command = [
                "guided-setup", "--config", "/root/full.json", "--state-dir", Deployment.state, "--section", "2",
            ]
            let question = "expect ? [run]: "
            let consent = "expect anything else is no [no]: "
            let no = try await lab.onTerminal(
                "head-a", command, [question, "type run", consent, "type y", consent, "type", question, "press ^D"])
            #expect(no.contains("select-type") && no.contains("slurm-restart"), "\(no)")
            #expect(try await lab.output("head-a", process) == before, "\(no)")
            let yes = try await lab.onTerminal(
                "head-a", command, [question, "type run", consent, "type yes", consent, "type yes"])
            #expect(yes.contains("ended with 0"), "\(yes)")
            #expect(try await lab.output("head-a", process) != before)
            #expect(try await lab.output("head-a", "scontrol show config").contains("CR_CORE_MEMORY"))
        }

        @Test func theWizardTakesNodesFromBCMAndWritesAConfigurationThatDeploys() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            for host in ["dgx-01", "dgx-03"] { try await deployment.giveRole(host) }
            try await lab.output("head-a", "rm -f /root/wizard.json")
            let result = try await lab.run(
                "head-a",
                [
                    "setup-wizard", "--config", "/root/wizard.json", "--non-interactive", "--set", "cluster_name=slurm",
                    "--set", "dgx_nodes=bcm:role:slurmclient", "--set", "systems.prometheus_server=mon-01",
                    "--set", "systems.grafana_server=mon-01", "--set", "systems.slurm_controller=head-a",
                ])
            #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
            let written = try await lab.output("head-a", "cat /root/wizard.json")
            #expect(
                written.contains("\"dgx-[01,03]\""), "\(written)")
            let dryRun = try await lab.run(
                "head-a",
                [
                    "guided-setup", "--config", "/root/wizard.json", "--state-dir", Deployment.state, "--dry-run",
                    "--section", "4", "10",
                ])
            #expect(
                dryRun.succeeded && dryRun.outputText.contains("on dgx-[01,03] (2 hosts)"),
                "\(dryRun.outputText)\(dryRun.errorText)")
            try await deployment.takeAllRoles()
        }
    }
}
