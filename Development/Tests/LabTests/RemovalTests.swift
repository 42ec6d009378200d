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
                let left = paths.subtracting(before[host] ?? []).filter { path in
                    !Self.staying.contains { path == $0 || path.hasPrefix("\($0)/") }
                }
                #expect(left.isEmpty, "\(host): \(left.sorted())")
            }
            for host in site.deployment.hosts {
                #expect(try await !lab.succeeds(host, "systemctl is-active node_exporter prometheus bcm-role-monitor"))
            }
            for word in ["/cm/shared/apps/jobstats", "grafana-server.service"] {
                #expect(removal.outputText.contains(word), "what stays is named: \(removal.outputText)")
            }
            let again = try await site.guidedSetup("--uninstall", "--allow", "remove-exporters,remove-data")
            #expect(again.succeeded && !again.outputText.contains(": changed"), "\(again.outputText)")
        }

        /// What a removal leaves and says: the host's memory with its backups, packages and what these make, empty
        /// directories that it does not remember, Slurm's settings.
        private static let staying = [
            "/var/lib/bcm-jobstats", "/etc/bcm-jobstats", "/etc/grafana", "/var/lib/grafana", "/var/lib/prometheus",
            "/var/lib/node_exporter", "/etc/systemd/system/grafana-server.service.d",
            "/etc/systemd/system/multi-user.target.wants/grafana-server.service", "/etc/inputrc", "/etc/mime.types",
            "/etc/python3", "/etc/python3.11", "/var/lib/python", "/usr/local/lib/python3.11",
            "/cm/shared/apps/jobstats", "/cm/shared/apps/slurm/var",
        ]
    }
}
