/// What runs where: one row for each component.
public struct TopologyTable: Sendable, Hashable {
    /// One component and its hosts.
    public struct Row: Sendable, Hashable {
        /// What it is.
        public var component: String
        /// The hosts in range notation; empty where there is none.
        public var hosts: [String]
        /// Port, path or remark.
        public var detail: String
    }

    /// The rows, in the order in which data flows.
    public let rows: [Row]

    /// The table of a configuration.
    ///
    /// - Parameters:
    ///   - configuration: what the site wants.
    ///   - headNode: the host that deploys.
    public init(_ configuration: DeploymentConfiguration, headNode: String) {
        let systems = configuration.systems
        let policy = configuration.deploysRoleMonitor ? "while the node has the BCM role" : "always"
        func exporter(_ name: String, _ port: Int) -> Row {
            Row(component: name, hosts: systems.dgxNodes, detail: "port \(port), runs \(policy)")
        }
        func server(_ name: String, _ isExisting: Bool, _ hosts: [String], _ url: String) -> Row {
            Row(
                component: name, hosts: isExisting ? [] : hosts,
                detail: (isExisting ? "exists already and is not touched; " : "") + "reached as \(url)")
        }
        rows = [
            Row(component: "this program", hosts: [headNode], detail: "the active BCM head node"),
            exporter("node_exporter", configuration.nodeExporterPort),
            exporter("cgroup_exporter", configuration.cgroupExporterPort),
            exporter("nvidia_gpu_exporter", configuration.nvidiaGPUExporterPort),
            Row(
                component: "BCM role monitor", hosts: configuration.deploysRoleMonitor ? systems.dgxNodes : [],
                detail: configuration.deploysRoleMonitor ? "runs the exporters" : "not deployed"),
            Row(
                component: "target files", hosts: ["shared storage"],
                detail: "\(configuration.targetsDirectory), written by "
                    + (configuration.deploysRoleMonitor ? "the role monitors" : "this deployment")),
            server(
                "Prometheus", configuration.usesExistingPrometheus, systems.prometheusServer,
                "\(configuration.prometheusServer):\(configuration.prometheusPort)"),
            server(
                "Grafana", configuration.usesExistingGrafana, systems.grafanaServer,
                "\(configuration.grafanaServer):\(configuration.grafanaPort)"),
            Row(component: "job summaries", hosts: systems.slurmController, detail: "Slurm controllers"),
            Row(
                component: "the jobstats command",
                hosts: JobstatsPlan.unique((systems.loginNodes + systems.slurmController).map { Host($0) }).map(\.name),
                detail: "on shared storage; login nodes and Slurm controllers have a link"),
        ]
    }

    /// What hosts are together, in words, when they are one list of the configuration; nil otherwise.
    static func role(of hosts: [Host], in configuration: DeploymentConfiguration) -> String? {
        let names = Set(hosts.map { $0.name.lowercased() })
        let roles: [(HostList, String)] = [
            (.dgxNodes, "the DGX nodes"), (.loginNodes, "the login nodes"),
            (.slurmController, "the Slurm controllers"),
        ]
        return roles.first { list, _ in
            Set(configuration.systems[keyPath: list.path].map { $0.lowercased() }) == names
        }?.1
    }

    /// The table as Markdown.
    public var markdown: String {
        var text = "| component | hosts | detail |\n| --- | --- | --- |\n"
        for row in rows {
            let hosts = row.hosts.isEmpty ? "none" : HostRange.compress(row.hosts)
            text +=
                "| \(Markdown.escape(row.component)) | \(Markdown.escape(hosts)) | \(Markdown.escape(row.detail)) |\n"
        }
        return text
    }
}
