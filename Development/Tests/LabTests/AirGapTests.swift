import CommandExecution
import FoundationEssentials
import Testing

extension LabTests {
    /// A bundle that is made where there is a network, and a deployment where there is none. `--long`.
    @Suite(.enabled(if: Lab.isPatient, "fetches packages: scripts/test.sh --long")) struct AirGapTests {
        private static let artifacts = "/opt/bcm-jobstats/artifacts"
        private let folder = FileManager.default.temporaryDirectory.appending(path: "air-gap-\(UUID().uuidString)").path

        /// Runs a command on this machine.
        private func here(_ program: String, _ arguments: String..., timeout: Duration = .seconds(300)) async throws {
            let result = try await LocalExecutor().run(Command(program, arguments, timeout: timeout))
            guard result.succeeded else {
                throw Lab.Failure(description: "\(program): \(result.outputText)\(result.errorText)")
            }
        }

        @Test func aSiteWithoutPackageSourcesProgramsAndNetworkIsDeployedFromABundle() async throws {
            let site = try await SlurmSite.blank()
            let lab = site.deployment.lab
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let copied = try await LocalExecutor().run(
                Command(
                    "ip",
                    [
                        "netns", "exec", lab.variable("NAMESPACE"), "scp", "-F", lab.variable("SSH_CONFIG"), "-rq",
                        "head-a:\(Self.artifacts)", folder,
                    ], timeout: .seconds(120)))
            #expect(copied.succeeded, "\(copied.errorText)")
            let configuration = try await lab.script("config").replacing(Self.artifacts, with: "\(folder)/artifacts")
            try Data(configuration.utf8).write(to: URL(filePath: "\(folder)/config.json"))
            try await here(
                Lab.repository + "/.build-static/release/guided-setup", "bundle", "--output", "\(folder)/site.tar",
                "--config", "\(folder)/config.json", "--state-dir", "\(folder)/state")

            _ = try await lab.shell("head-a", "cat > /root/bundled.json", input: Array(configuration.utf8))
            try await here(
                "ip", "netns", "exec", lab.variable("NAMESPACE"), "scp", "-F", lab.variable("SSH_CONFIG"), "-q",
                "\(folder)/site.tar", "head-a:/root/site.tar")
            for host in lab.hosts() {
                try await lab.output(
                    host,
                    """
                    mkdir -p /root/away && cp -r /etc/apt/sources.list.d /root/away/ && rm -f /etc/apt/sources.list.d/*
                    rm -rf /var/lib/apt/lists/* && mv /srv/packages /srv/packages.away
                    """)
            }
            try await lab.output("head-a", "mv \(Self.artifacts) \(Self.artifacts).away")
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await deploy(site)) } catch { outcome = .failure(error) }
            try await lab.output("head-a", "mv \(Self.artifacts).away \(Self.artifacts); rm -f /root/site.tar")
            for host in lab.hosts() {
                try await lab.output(
                    host,
                    "cp -r /root/away/sources.list.d /etc/apt/ && rm -rf /root/away && mv /srv/packages.away /srv/packages"
                )
            }
            try outcome.get()
        }

        private func deploy(_ site: SlurmSite) async throws {
            let lab = site.deployment.lab
            let command = [
                "guided-setup", "--config", "/root/bundled.json", "--state-dir", Deployment.state, "--non-interactive",
                "--yes", "--bundle", "/root/site.tar", "--allow", SlurmSite.consents,
            ]
            let first = try await lab.run("head-a", command, timeout: .seconds(400))
            #expect(first.succeeded, "\(first.outputText)\(first.errorText)")
            let second = try await lab.run("head-a", command, timeout: .seconds(400))
            #expect(second.succeeded && !second.outputText.contains(": changed"), "\(second.outputText)")
            #expect(try await lab.succeeds("mon-01", "systemctl is-active --quiet grafana-server prometheus"))
            #expect(try await lab.succeeds("login-01", "jobstats --help"))
        }
    }
}
