import RoleMonitor

/// One key of the configuration file: its name, how a value is read, and how it is written.
///
/// The table is the one place that knows the keys; the reader, the writer and the search for the nearest known key
/// follow it.
struct Setting: Sendable {
    let key: String
    let read: @Sendable (JSONNode, inout ConfigurationReader, inout DeploymentConfiguration) -> Void
    let write: @Sendable (DeploymentConfiguration) -> JSONNode?

    static let ports = 1...65535
    /// A hundred years: more is a slip of the hand.
    static let retentionDays = 1...36500
    /// How many hosts one list may name.
    static let hostLimit = 10000

    static let all: [Setting] = [
        text("cluster_name", \.clusterName, ValueRules.clusterName),
        Setting(
            key: "wlm_instance",
            read: { node, reader, configuration in
                if let name = reader.optionalText(node, at: "wlm_instance", rule: ValueRules.instanceName) {
                    configuration.wlmInstance = name
                }
            },
            write: { $0.hasChosenInstance ? JSONNode(.string($0.wlmInstance)) : nil }),
        text("prometheus_server", \.prometheusServer, ValueRules.host),
        text("grafana_server", \.grafanaServer, ValueRules.host),
        number("prometheus_port", \.prometheusPort, ports),
        number("grafana_port", \.grafanaPort, ports),
        number("node_exporter_port", \.nodeExporterPort, ports),
        number("cgroup_exporter_port", \.cgroupExporterPort, ports),
        number("nvidia_gpu_exporter_port", \.nvidiaGPUExporterPort, ports),
        number("prometheus_retention_days", \.prometheusRetentionDays, retentionDays),
        flag("use_existing_prometheus", \.usesExistingPrometheus),
        flag("use_existing_grafana", \.usesExistingGrafana),
        flag("deploy_bcm_role_monitor", \.deploysRoleMonitor),
        Setting(
            key: "use_custom_prometheus_targets_dir",
            read: { node, reader, configuration in
                if let flag = reader.flag(node, at: "use_custom_prometheus_targets_dir") {
                    configuration.usesCustomTargetsDirectory = flag
                }
            },
            write: { $0.hasChosenSwitch ? JSONNode(.bool($0.usesCustomTargetsDirectory)) : nil }),
        Setting(
            key: "prometheus_targets_dir",
            read: { node, reader, configuration in
                let key = "prometheus_targets_dir"
                if let path = reader.text(node, at: key, rule: ValueRules.sharedDirectory) {
                    configuration.customTargetsDirectory = ValueRules.normalized(path)
                }
            },
            write: { $0.customTargetsDirectory.map { JSONNode(.string($0)) } }),
        Setting(
            key: "target_domain",
            read: { node, reader, configuration in
                if let domain = reader.optionalText(node, at: "target_domain", rule: ValueRules.domain) {
                    configuration.targetDomain = domain
                }
            },
            write: { $0.targetDomain.map { JSONNode(.string($0)) } }),
        Setting(
            key: "watched_servers",
            read: { node, reader, configuration in
                configuration.watchedServers = reader.hosts(node, at: "watched_servers")
            },
            write: { $0.watchedServers.isEmpty ? nil : JSONNode.strings($0.watchedServers) }),
        Setting(
            key: "role_monitor",
            read: { node, reader, configuration in reader.monitorTimes(node, into: &configuration) },
            write: { configuration in
                let times = configuration.monitorTimes
                let rules = RuleSyntax.give(configuration.monitorRules)
                guard times != MonitorTimes() || rules != nil else { return nil }
                return .object(
                    MonitorTimes.keys.map { ($0.name, JSONNode(.number(String(times[keyPath: $0.path])))) }
                        + [(RuleSyntax.key, rules.map { JSONNode($0) })])
            }),
        Setting(
            key: "artifacts",
            read: { node, reader, configuration in reader.artifacts(node, into: &configuration) },
            write: { configuration in
                guard !configuration.artifacts.isEmpty else { return nil }
                return .object(
                    ArtifactSource.Name.all.map { ($0.description, configuration.artifacts[$0]?.node) })
            }),
        Setting(
            key: "systems",
            read: { node, reader, configuration in reader.systems(node, into: &configuration) },
            write: { configuration in
                .object(HostList.all.map { ($0.key, JSONNode.strings(configuration.systems[keyPath: $0.path])) })
            }),
    ]

    /// Keys of earlier versions that have no effect any more, with the reason.
    static let retired: [String: String] = [
        "bcm_category_management": "the BCM role decides where exporters run, not the category",
        "slurm_category": "the BCM role decides where exporters run, not the category",
        "kubernetes_category": "the BCM role decides where exporters run, not the category",
    ]

    private static func text(
        _ key: String, _ path: any (WritableKeyPath<DeploymentConfiguration, String> & Sendable),
        _ rule: @escaping ValueRules.Rule
    ) -> Setting {
        Setting(
            key: key,
            read: { node, reader, configuration in
                if let text = reader.text(node, at: key, rule: rule) { configuration[keyPath: path] = text }
            },
            write: { JSONNode(.string($0[keyPath: path])) })
    }

    private static func number(
        _ key: String, _ path: any (WritableKeyPath<DeploymentConfiguration, Int> & Sendable), _ range: ClosedRange<Int>
    ) -> Setting {
        Setting(
            key: key,
            read: { node, reader, configuration in
                if let number = reader.number(node, at: key, in: range) { configuration[keyPath: path] = number }
            },
            write: { JSONNode(.number(String($0[keyPath: path]))) })
    }

    private static func flag(
        _ key: String, _ path: any (WritableKeyPath<DeploymentConfiguration, Bool> & Sendable)
    ) -> Setting {
        Setting(
            key: key,
            read: { node, reader, configuration in
                if let flag = reader.flag(node, at: key) { configuration[keyPath: path] = flag }
            },
            write: { JSONNode(.bool($0[keyPath: path])) })
    }
}

/// One list of hosts under `systems`.
struct HostList: Sendable {
    let key: String
    let path: any (WritableKeyPath<DeploymentConfiguration.Systems, [String]> & Sendable)

    static let slurmController = HostList(key: "slurm_controller", path: \.slurmController)
    static let loginNodes = HostList(key: "login_nodes", path: \.loginNodes)
    static let dgxNodes = HostList(key: "dgx_nodes", path: \.dgxNodes)
    static let prometheusServer = HostList(key: "prometheus_server", path: \.prometheusServer)
    static let grafanaServer = HostList(key: "grafana_server", path: \.grafanaServer)

    static let all = [slurmController, loginNodes, dgxNodes, prometheusServer, grafanaServer]

    /// Where the list stands in the file.
    var keyPath: String { "systems.\(key)" }
}
