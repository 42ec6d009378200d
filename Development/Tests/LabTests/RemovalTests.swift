import CommandExecution
import Testing

extension LabTests {
    /// `guided-setup --uninstall` on the whole site.
    @Suite struct RemovalTests {
        /// Every path on a host's own disk that a deployment can have made: what changes by itself, and what packages
        /// and their databases hold, aside.
        private static let paths = """
            find /etc /root /srv /opt /usr/local /var/lib /cm/local -xdev \
                -not -path '/var/lib/apt/*' -not -path '/var/lib/dpkg/*' -not -path '/var/lib/systemd/*' \
                -not -path '/var/lib/mysql/*' -not -path '/var/lib/slurm*' -not -path '/cm/local/apps/bcm-simulator/*' \
                -not -path '/root/setup*' -not -name '*.json' -not -path '/root/.cache*' 2>/dev/null | sort
            """
        private static let shared = "find /cm/shared -not -path '*/prometheus-targets/*' | sort"

        private static func paths(_ lab: Lab) async throws -> [String: Set<Substring>] {
            var all: [String: Set<Substring>] = [:]
            for host in lab.hosts() { all[host] = Set(try await lab.output(host, paths).split(separator: "\n")) }
            all["shared"] = Set(try await lab.output("head-a", shared).split(separator: "\n"))
            return all
        }

        @Test func whatWasDeployedIsGoneAndWhatStaysIsNamed() async throws {
            let site = try await SlurmSite.blank()
            let lab = site.deployment.lab
            let before = try await Self.paths(lab)
            let result = try await site.guidedSetup("--allow", SlurmSite.consents)
            #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
            let removal = try await site.guidedSetup("--uninstall", "--allow", "remove-exporters,remove-data")
            #expect(removal.succeeded, "\(removal.outputText)\(removal.errorText)")
            let after = try await Self.paths(lab)
            for (host, paths) in after {
                let left = paths.subtracting(before[host] ?? [])
                print(host, left.sorted())
            }
            print(removal.outputText)
        }
    }
}
