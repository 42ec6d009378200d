import BCMClient
import RoleMonitor

/// Checks that look at several keys at once, after each has been read.
struct CrossChecks {
    let configuration: DeploymentConfiguration
    let sections: Set<Int>

    mutating func run(_ reader: inout ConfigurationReader) {
        targetsDirectory(&reader)
        names(&reader)
        ports(&reader)
        monitorRules(&reader)
        existing(&reader)
        neededHosts(&reader)
    }

    private func targetsDirectory(_ reader: inout ConfigurationReader) {
        let (key, toggle) = ("prometheus_targets_dir", "use_custom_prometheus_targets_dir")
        guard let path = configuration.customTargetsDirectory else {
            if configuration.hasChosenSwitch, configuration.usesCustomTargetsDirectory, !reader.found(key) {
                reader.warning(
                    toggle,
                    "is true, but \(key) is not set: \(DeploymentConfiguration.defaultTargetsDirectory) is used")
            }
            return
        }
        if !configuration.usesCustomTargetsDirectory, path != DeploymentConfiguration.defaultTargetsDirectory {
            reader.warning(
                key,
                "\(Quoted(path)) is not used, since \(toggle) is "
                    + (configuration.hasChosenSwitch ? "false" : "not set")
                    + ": targets go to \(DeploymentConfiguration.defaultTargetsDirectory); "
                    + "set \(toggle) to true to use \(key)")
        }
        let isLocal = ["tmp", "run", "root"].contains(path.split(separator: "/").first)
        if configuration.usesCustomTargetsDirectory, isLocal || path.hasPrefix("/var/") {
            reader.warning(key, "\(Quoted(path)) looks local to each host: Prometheus must see what the nodes write")
        }
    }

    private func names(_ reader: inout ConfigurationReader) {
        if configuration.clusterName != configuration.clusterName.lowercased() {
            reader.warning("cluster_name", "has capital letters: Slurm recommends a name without any")
        }
        for host in configuration.systems.dgxNodes where ValueRules.isIPv4(host) {
            reader.warning(
                "systems.dgx_nodes",
                "\(Quoted(host)) is an address: BCM, Slurm and the dashboards know the node by its name; write that")
        }
        if let domain = configuration.targetDomain,
            let host = configuration.systems.dgxNodes.first(where: { $0.utf8.count + 1 + domain.utf8.count > 253 })
        {
            reader.error("target_domain", "\(Quoted(host)) with this domain is longer than 253 characters")
        }
    }

    // MARK: Ports

    private struct Listener {
        let key: String
        let port: Int
        let hosts: [String]
        /// Whether it listens on hosts that it shares with no one else's lists: always, with the exporters.
        let isExporter: Bool
        let isOurs: Bool
    }

    private func ports(_ reader: inout ConfigurationReader) {
        let (systems, nodes) = (configuration.systems, configuration.systems.dgxNodes)
        let listeners = [
            Listener(
                key: "node_exporter_port", port: configuration.nodeExporterPort, hosts: nodes, isExporter: true,
                isOurs: true),
            Listener(
                key: "cgroup_exporter_port", port: configuration.cgroupExporterPort, hosts: nodes, isExporter: true,
                isOurs: true),
            Listener(
                key: "nvidia_gpu_exporter_port", port: configuration.nvidiaGPUExporterPort, hosts: nodes,
                isExporter: true, isOurs: true),
            Listener(
                key: "prometheus_port", port: configuration.prometheusPort, hosts: systems.prometheusServer,
                isExporter: false, isOurs: !configuration.usesExistingPrometheus),
            Listener(
                key: "grafana_port", port: configuration.grafanaPort, hosts: systems.grafanaServer, isExporter: false,
                isOurs: !configuration.usesExistingGrafana),
        ]
        for (index, listener) in listeners.enumerated() where listener.isOurs {
            if listener.port < 1024 {
                reader.error(
                    listener.key,
                    "\(listener.port) needs root to listen on, and the program runs without: use 1024 or more")
            }
            if let owner = Self.knownPorts[listener.port] {
                reader.warning(listener.key, "\(listener.port) is the usual port of \(owner)")
            }
            for earlier in listeners[..<index] where earlier.isOurs && earlier.port == listener.port {
                let shared = listener.hosts.filter { host in
                    earlier.hosts.contains { $0.lowercased() == host.lowercased() }
                }
                let alwaysTogether = listener.isExporter && earlier.isExporter
                guard alwaysTogether || !shared.isEmpty else { continue }
                let place = alwaysTogether ? "every node" : Self.list(shared)
                reader.error(
                    listener.key, "\(listener.port) is also \(earlier.key), and both listen on \(place): change one")
            }
        }
    }

    /// Units, jobs and ports that stand twice among what runs on a node with a role.
    private func monitorRules(_ reader: inout ConfigurationReader) {
        guard !configuration.monitorRules.isEmpty else { return }
        let path = "role_monitor.\(RuleSyntax.key)"
        if !configuration.deploysRoleMonitor {
            reader.warning(path, "has no effect, since deploy_bcm_role_monitor is false: no monitor starts these units")
        }
        for problem in RuleSyntax.duplicates(in: MonitorSettings(configuration, nil).monitor) {
            reader.error("role_monitor.\(problem.key ?? RuleSyntax.key)", problem.message)
        }
    }

    /// Ports that BCM and Slurm listen on by default.
    private static let knownPorts = [
        HeadNode.standardPort: "BCM's CMDaemon", 6817: "slurmctld", 6818: "slurmd", 6819: "slurmdbd",
        6820: "slurmrestd",
    ]

    private static func list(_ hosts: [String]) -> String {
        hosts.prefix(3).joined(separator: ", ") + (hosts.count > 3 ? " and \(hosts.count - 3) more" : "")
    }

    // MARK: Servers

    private func existing(_ reader: inout ConfigurationReader) {
        let systems = configuration.systems
        server(
            "prometheus", name: configuration.prometheusServer, isExisting: configuration.usesExistingPrometheus,
            hosts: systems.prometheusServer, &reader)
        server(
            "grafana", name: configuration.grafanaServer, isExisting: configuration.usesExistingGrafana,
            hosts: systems.grafanaServer, &reader)
        if !configuration.usesExistingPrometheus, systems.prometheusServer.count > 1 {
            reader.warning(
                HostList.prometheusServer.keyPath,
                "\(systems.prometheusServer.count) servers: each of them scrapes every exporter")
        }
    }

    private func server(
        _ kind: String, name: String, isExisting: Bool, hosts: [String], _ reader: inout ConfigurationReader
    ) {
        let (key, toggle) = ("\(kind)_server", "use_existing_\(kind)")
        if isExisting, !hosts.isEmpty {
            reader.warning("systems.\(key)", "is not used, since \(toggle) is true: nothing is done on these hosts")
        }
        guard !reader.found(key) else { return }
        if isExisting {
            reader.warning(toggle, "is true, but \(key) is not set: clients are told \(Quoted(name))")
        } else if !hosts.isEmpty, !hosts.contains(name) {
            reader.warning(
                "systems.\(key)", "names \(Self.list(hosts)), but \(key) is not set: clients are told \(Quoted(name))")
        }
    }

    private func neededHosts(_ reader: inout ConfigurationReader) {
        for list in HostList.all where configuration.systems[keyPath: list.path].isEmpty {
            let needing = SectionNeeds.all.filter { need in
                sections.contains(need.section) && need.list.key == list.key && need.applies(configuration)
            }
            // A list whose entries were all refused has its errors already.
            guard !needing.isEmpty,
                !reader.issues.contains(where: { $0.severity == .error && $0.keyPath.hasPrefix(list.keyPath) })
            else { continue }
            let names = needing.map { "\($0.section) (\($0.title))" }
            let subject =
                names.count == 1
                ? "section \(names[0]) needs"
                : "sections \(names.dropLast().joined(separator: ", ")) and \(names[names.count - 1]) need"
            reader.error(list.keyPath, "is empty, and \(subject) at least one host there")
        }
    }
}

/// A section that cannot do its work without a host of some list.
struct SectionNeeds: Sendable {
    let section: Int
    let title: String
    let list: HostList
    let applies: @Sendable (DeploymentConfiguration) -> Bool

    static let all = [
        SectionNeeds(section: 2, title: "CPU job statistics", list: .dgxNodes) { _ in true },
        SectionNeeds(section: 3, title: "GPU job statistics", list: .dgxNodes) { _ in true },
        SectionNeeds(section: 4, title: "node statistics", list: .dgxNodes) { _ in true },
        SectionNeeds(section: 5, title: "job summaries", list: .slurmController) { _ in true },
        SectionNeeds(section: 6, title: "Prometheus", list: .prometheusServer) { !$0.usesExistingPrometheus },
        SectionNeeds(section: 7, title: "Grafana", list: .grafanaServer) { !$0.usesExistingGrafana },
        SectionNeeds(section: 10, title: "BCM role monitor", list: .dgxNodes) { $0.deploysRoleMonitor },
    ]
}
