/// One of the programs that the monitor runs while the node has the role.
public struct Exporter: Sendable, Hashable {
    /// The systemd unit.
    public let unit: String
    /// The label `job` of its target in Prometheus.
    public let job: String
    /// The port it listens on unless configured otherwise.
    public let defaultPort: Int

    /// Prometheus' own exporter of a machine's metrics.
    public static let node = Exporter(unit: "node_exporter.service", job: "node_exporter", defaultPort: 9100)
    /// CPU and memory of each Slurm job.
    public static let cgroup = Exporter(unit: "cgroup_exporter.service", job: "cgroup_exporter", defaultPort: 9306)
    /// NVIDIA GPUs, with the job that uses each.
    public static let gpu = Exporter(unit: "nvidia_gpu_exporter.service", job: "gpu_exporter", defaultPort: 9445)

    /// All of them, in the order of the target file.
    public static let all: [Exporter] = [.node, .cgroup, .gpu]
}
