import CommandExecution
import FoundationEssentials
import Glibc
import Testing

extension LabTests {
    /// The plan carried out by other engines: `guided-setup --check` afterwards finds everything in place.
    @Suite struct ExportTests {
        private static let folder = "/root/export"

        /// Exports on the head node of a blank site; the folder is there afterwards.
        private static func export(_ kind: String, _ site: SlurmSite) async throws {
            let lab = site.deployment.lab
            try await lab.output("head-a", "rm -rf \(folder)")
            let result = try await site.guidedSetup("--export", kind, "--output", folder)
            #expect(result.succeeded && result.errorText.isEmpty, "\(result.outputText)\(result.errorText)")
            #expect(result.outputText.contains("Collecting programs"), "said before anything is fetched")
            #expect(try await lab.succeeds("dgx-01", "test ! -e /etc/bcm-role-monitor"), "an export changes no host")
        }

        /// Everything is in place by guided-setup's own account, and a run of its own has nothing to do.
        private static func expectInPlace(_ site: SlurmSite) async throws {
            try await site.deployment.lab.nodesAreIdle()
            let check = try await site.guidedSetup("--check", "--allow", SlurmSite.consents)
            #expect(check.succeeded, "\(check.outputText)\(check.errorText)")
            #expect(!check.outputText.contains("would change"), "\(check.outputText)")
            let run = try await site.guidedSetup("--allow", SlurmSite.consents)
            #expect(run.succeeded && !run.outputText.contains(": changed"), "\(run.outputText)\(run.errorText)")
        }

        // MARK: Shell

        /// What the README says: the folder on every host, and then each stage on its hosts.
        private static func runStages(
            _ site: SlurmSite, _ words: String
        ) async throws -> [(host: String, result: CommandResult)] {
            let lab = site.deployment.lab
            let stages = try await lab.output("head-a", "cat \(folder)/stages").split(separator: "\n")
            var results: [(String, CommandResult)] = []
            for line in stages {
                let words =
                    "\(folder)/hosts/\(line.split(separator: " ")[1]).sh --stage \(line.split(separator: " ")[0]) \(words)"
                let host = String(line.split(separator: " ")[1])
                results.append((host, try await lab.shell(host, "sh \(words)", timeout: .seconds(300))))
            }
            return results
        }

        private static func copyToAllHosts(_ site: SlurmSite) async throws {
            let lab = site.deployment.lab
            for host in lab.hosts() where host != "head-a" {
                try await lab.output(
                    "head-a",
                    "tar -C \(folder) -cf - . | ssh \(host) 'rm -rf \(folder); mkdir \(folder); tar -C \(folder) -xf -'"
                )
            }
        }

        @Test func shellScriptsLeadWhereGuidedSetupDoes() async throws {
            let site = try await SlurmSite.blank()
            try await Self.export("shell", site)
            try await Self.copyToAllHosts(site)
            for (host, result) in try await Self.runStages(site, "--check") {
                #expect(result.outputText.contains("would change"), "\(host): \(result.outputText)\(result.errorText)")
            }
            #expect(try await site.deployment.lab.succeeds("dgx-01", "test ! -e /etc/bcm-role-monitor"))
            for (host, result) in try await Self.runStages(site, "--allow \(SlurmSite.consents)") {
                #expect(result.succeeded, "\(host): \(result.outputText)\(result.errorText)")
            }
            for (host, result) in try await Self.runStages(site, "--allow \(SlurmSite.consents)") {
                #expect(
                    result.succeeded && result.outputText.hasSuffix(": 0 changed, 0 left to a person\n"),
                    "\(host): \(result.outputText)\(result.errorText)")
            }
            try await Self.expectInPlace(site)
        }

        @Test func shellScriptsDisturbNothingWithoutConsent() async throws {
            let site = try await SlurmSite.blank()
            let lab = site.deployment.lab
            let process = "systemctl show --value -p MainPID slurmctld"
            let before = try await lab.output("head-a", process)
            try await Self.export("shell", site)
            let first = try await lab.shell("head-a", "sh \(Self.folder)/hosts/head-a.sh", timeout: .seconds(200))
            #expect(first.status == .exited(3), "\(first.outputText)\(first.errorText)")
            for consent in SlurmSite.consents.split(separator: ",") {
                #expect(first.outputText.contains("(--allow \(consent))"), "\(first.outputText)")
            }
            #expect(try await lab.output("head-a", process) == before)
            let value = try await lab.cmsh("wlm; use slurm; get selecttypeparameters")
            #expect(value.contains("CR_Core") && !value.contains("Memory"))
        }

        // MARK: Ansible

        private static let playbook: String? = ["/usr/bin/ansible-playbook"].first { access($0, X_OK) == 0 }

        /// Plays the head node's folder from this machine, within the lab's network.
        private static func play(_ site: SlurmSite, _ place: String) async throws -> CommandResult {
            let lab = site.deployment.lab
            let words = [
                "ansible-playbook", "-i", "\(place)/inventory.yml", "\(place)/site.yml", "-e", "ansible_become=false",
                "-e",
                "{\"bcm_jobstats_allow\": [\(SlurmSite.consents.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", "))]}",
            ]
            return try await LocalExecutor().run(
                Command(
                    Lab.repository + "/scripts/lab.sh", ["run"] + words,
                    environment: [
                        "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORKS": "8", "ANSIBLE_PIPELINING": "1",
                        "ANSIBLE_HOME": "\(place)/home", "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
                        "ANSIBLE_SSH_ARGS":
                            "-F \(lab.variable("SSH_CONFIG")) -o ControlMaster=auto -o ControlPersist=60s",
                    ], timeout: .seconds(600)))
        }

        @Test(.enabled(if: playbook != nil, "ansible-playbook is not installed (package ansible-core)"))
        func thePlaybookLeadsWhereGuidedSetupDoes() async throws {
            let site = try await SlurmSite.blank()
            let lab = site.deployment.lab
            for host in lab.hosts() {
                let install = "apt-get update && apt-get install -y --no-install-recommends python3"
                try await lab.output(host, "command -v python3 || { \(install); }", timeout: .seconds(120))
            }
            try await Self.export("ansible", site)
            let place = FileManager.default.temporaryDirectory.path + "/jobstats-export-\(getpid())"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: place) }
            let copy = "\"$1\" ssh head-a tar -C \(Self.folder) -cf - . | tar -xf - -C \"$2\""
            let unpacked = try await LocalExecutor().run(
                Command(
                    "sh", ["-c", copy, "sh", Lab.repository + "/scripts/lab.sh", place], timeout: .seconds(120)))
            #expect(unpacked.succeeded, "\(unpacked.errorText)")
            // It was exported on the head node, and Ansible runs elsewhere.
            let edited = try await LocalExecutor().run(
                Command("sed", ["-i", "/ansible_connection/d", "\(place)/inventory.yml"]))
            #expect(edited.succeeded)
            let first = try await Self.play(site, place)
            try #require(first.succeeded, "\(first.outputText.suffix(6000))\(first.errorText)")
            let second = try await Self.play(site, place)
            let recap = second.outputText.split(separator: "\n").filter { $0.contains("unreachable=") }
            #expect(second.succeeded && recap.count == lab.hosts().count, "\(second.outputText.suffix(6000))")
            #expect(recap.allSatisfy { $0.contains("changed=0 ") }, "\(second.outputText)")
            try await Self.expectInPlace(site)
        }
    }
}
