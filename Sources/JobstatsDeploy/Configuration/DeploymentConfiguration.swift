internal import PromTargets
public import RoleMonitor

/// What a site wants: every setting of a deployment, with its default.
///
/// Usually read from a file with ``load(path:sections:)``, which reports everything that is wrong at once. One made in
/// code can be checked in the same way with ``issues(sections:)``.
public struct DeploymentConfiguration: Sendable, Hashable {
    /// The hosts by what they do; one host may do several things. Names are as SSH reaches them.
    public struct Systems: Sendable, Hashable {
        /// `slurm_controller`: where slurmctld runs, all of them with high availability.
        public var slurmController: [String] = []
        /// `login_nodes`: where users type `jobstats`.
        public var loginNodes: [String] = []
        /// `dgx_nodes`: the compute nodes.
        public var dgxNodes: [String] = []
        /// `prometheus_server`: where Prometheus is installed.
        public var prometheusServer: [String] = []
        /// `grafana_server`: where Grafana is installed.
        public var grafanaServer: [String] = []

        /// Creates empty lists.
        public init() {}
    }

    /// The directory of target files unless another one is switched on.
    public static let defaultTargetsDirectory = "/cm/shared/apps/jobstats/prometheus-targets"

    /// `cluster_name`: Slurm's ClusterName, and the label `cluster`; `slurm` by default.
    public var clusterName = "slurm"
    /// `wlm_instance`: BCM's name of the workload manager; ``clusterName`` by default.
    public var wlmInstance: String {
        get { chosenInstance ?? clusterName }
        set { chosenInstance = newValue }
    }
    /// `prometheus_server`: the host under which clients reach Prometheus; `prometheus-server` by default.
    public var prometheusServer = "prometheus-server"
    /// `grafana_server`: the host under which clients reach Grafana; `grafana-server` by default.
    public var grafanaServer = "grafana-server"
    /// `prometheus_port`: 9090 by default.
    public var prometheusPort = 9090
    /// `grafana_port`: 3000 by default.
    public var grafanaPort = 3000
    /// `node_exporter_port`: 9100 by default.
    public var nodeExporterPort = ExporterPort.node
    /// `cgroup_exporter_port`: 9306 by default.
    public var cgroupExporterPort = ExporterPort.cgroup
    /// `nvidia_gpu_exporter_port`: 9445 by default.
    public var nvidiaGPUExporterPort = ExporterPort.gpu
    /// `prometheus_retention_days`: how long Prometheus keeps samples, in days; 365 by default.
    public var prometheusRetentionDays = 365
    /// `use_existing_prometheus`: Prometheus exists and is not ours to touch; false by default.
    public var usesExistingPrometheus = false
    /// `use_existing_grafana`: Grafana exists and is not ours to touch; false by default.
    public var usesExistingGrafana = false
    /// `deploy_bcm_role_monitor`: whether the exporters follow the BCM role; true by default.
    public var deploysRoleMonitor = true
    /// `use_custom_prometheus_targets_dir`: whether ``customTargetsDirectory`` counts; by default it does with an
    /// existing Prometheus.
    public var usesCustomTargetsDirectory: Bool {
        get { chosenSwitch ?? usesExistingPrometheus }
        set { chosenSwitch = newValue }
    }
    /// `prometheus_targets_dir` as it was given; see ``targetsDirectory`` for the one that is used.
    public var customTargetsDirectory: String?
    /// `target_domain`: appended to target addresses, for a Prometheus outside the cluster; none by default.
    public var targetDomain: String?
    /// `watched_servers`: servers, such as the head node and that of Prometheus, on which a node_exporter runs that the site
    /// itself installed, on ``nodeExporterPort``; Prometheus scrapes it. None by default.
    public var watchedServers: [String] = []
    /// `role_monitor`: how the role monitors are paced.
    public var monitorTimes = MonitorTimes()
    /// `role_monitor.rules`: what the monitors run with a role beside the jobstats exporters; Prometheus scrapes it, too. None
    /// by default.
    public var monitorRules: [RoleRule] = []
    /// `artifacts`: where programs come from, where the default is not wanted.
    public var artifacts: [ArtifactSource.Name: ArtifactSources] = [:]
    /// `systems`: the hosts.
    public var systems = Systems()

    private var chosenInstance: String?
    private var chosenSwitch: Bool?

    /// Creates a configuration with every default and no hosts.
    public init() {}

    /// The one directory that the monitors write, their units may write and Prometheus reads.
    public var targetsDirectory: String {
        guard usesCustomTargetsDirectory, let customTargetsDirectory else { return Self.defaultTargetsDirectory }
        return customTargetsDirectory
    }

    /// Every host of ``systems``, once, in the order of the file.
    public var hosts: [String] {
        var seen: Set<String> = []
        let lists = [
            systems.slurmController, systems.loginNodes, systems.dgxNodes, systems.prometheusServer,
            systems.grafanaServer,
        ]
        return lists.joined().filter { seen.insert($0.lowercased()).inserted }
    }

    /// Everything that is wrong or doubtful, as if the configuration had been read from a file.
    ///
    /// - Parameter sections: the sections that are to be carried out, 1 to 10; they decide which hosts are needed.
    public func issues(sections: Set<Int> = allSections) -> [ConfigurationIssue] {
        Self.parse(encoded(), sections: sections).issues
    }

    /// The sections of a deployment: 1 to 10.
    public static let allSections = Set(1...10)

    /// The configuration as a file: JSON with every setting, hosts written out one by one.
    public func encoded() -> [UInt8] {
        JSONNode.object(Setting.all.map { ($0.key, $0.write(self)) }).encoded()
    }

    var hasChosenInstance: Bool { chosenInstance != nil }
    var hasChosenSwitch: Bool { chosenSwitch != nil }
}
