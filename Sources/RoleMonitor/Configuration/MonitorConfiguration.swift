internal import BCMClient

/// What the role monitor reads from its configuration file.
///
/// Every property names its key in the file. A key that is absent has the default given here; only `bcm_headnodes` has
/// none and is needed.
public struct MonitorConfiguration: Sendable, Hashable {
    /// `bcm_headnodes`: names or addresses of BCM's head nodes, each with a port of its own if it carries one
    /// (`head-a`, `head-a:8081`, `[fd00::1]:8081`). At least one is needed.
    public var headNodes: [String] = []
    /// `bcm_port`: the port of BCM's REST interface on head nodes that carry none; 8081.
    public var port = HeadNode.standardPort
    /// `cert_path`: the client certificate, PEM.
    public var certificateFile = MonitorPaths.certificateFile
    /// `key_path`: the private key of the client certificate, PEM.
    public var keyFile = MonitorPaths.keyFile
    /// `ca_path`: the certificates that head nodes are verified against, PEM; none by default.
    public var authorityFile: String?
    /// `pinned_keys`: public keys of head nodes, one set for all of them, as `sha256//BASE64`; used without `ca_path`.
    public var pinnedKeys: [String] = []
    /// `verify_hostname`: whether a head node's certificate must name it; true. Counts only with `ca_path`.
    public var verifiesHostname = true
    /// `insecure`: talk to head nodes without verifying them; false.
    public var isInsecure = false
    /// `check_interval`: the time between two checks; 60 s.
    public var checkInterval = Duration.seconds(60)
    /// `retry_interval`: the time between two attempts to start a unit that failed; 600 s.
    public var retryInterval = Duration.seconds(600)
    /// `max_retries`: the attempts to start a unit before it is given up; 3.
    public var maximumRetries = 3
    /// `give_up_interval`: the time between attempts for a unit that was given up; 3600 s.
    public var giveUpInterval = Duration.seconds(3600)
    /// `role`: the BCM role that this node must have for the exporters to run; `slurmclient`.
    public var role = "slurmclient"
    /// `roles_visible`: whether BCM's REST interface is known to show this role at all; false. The deployer sets it
    /// after it has seen the role there. Without it, an absent role counts only after the role was once seen here.
    public var areRolesVisible = false
    /// `role_loss_delay`: the time until the second look that confirms that the role is gone; 15 s.
    public var roleLossDelay = Duration.seconds(15)
    /// `request_timeout`: the longest time for one whole answer of a head node; 15 s.
    public var requestTimeout = Duration.seconds(15)
    /// `manage_services`: whether the exporters' units are started and stopped; true.
    public var managesServices = true
    /// `manage_targets`: whether the Prometheus target file is written and removed; true.
    public var managesTargets = true
    /// `prometheus_targets_dir`: the directory of target files, on shared storage.
    public var targetsDirectory = MonitorPaths.targetsDirectory
    /// `node_exporter_port`: 9100.
    public var nodeExporterPort = Exporter.node.port
    /// `cgroup_exporter_port`: 9306.
    public var cgroupExporterPort = Exporter.cgroup.port
    /// `nvidia_gpu_exporter_port`: 9445.
    public var gpuExporterPort = Exporter.gpu.port
    /// `cluster_name`: the value of the label `cluster`, Slurm's ClusterName; `slurm`.
    public var clusterName = "slurm"
    /// `target_domain`: a domain appended to the addresses in the target file (`dgx-01.example.org:9100`), for a
    /// Prometheus outside the cluster; none by default.
    public var targetDomain: String?
    /// `state_dir`: where the state is kept.
    public var stateDirectory = MonitorPaths.stateDirectory
    /// `metrics_textfile`: the monitor's own metrics for node_exporter's textfile collector; null for none.
    public var metricsTextfile: String? = MonitorPaths.metricsTextfile
    /// `rules`: what else runs on nodes that have a role, beside the jobstats exporters; none by default.
    public var additionalRules: [RoleRule] = []

    /// Creates a configuration with the default of every key, and these head nodes.
    public init(headNodes: [String] = []) {
        self.headNodes = headNodes
    }
}
