internal import PromTargets

/// One program that runs, and one target that Prometheus scrapes, while the node has a role.
public struct Exporter: Sendable, Hashable {
    /// The systemd unit: `node_exporter.service`.
    public var unit: String
    /// The label `job` of its target in Prometheus.
    public var job: String
    /// The port it listens on.
    public var port: Int

    /// Creates an exporter. Unit, job and port are checked where they are used: in a configuration's file, and when a
    /// target is made.
    public init(unit: String, job: String, port: Int) {
        self.unit = unit
        self.job = job
        self.port = port
    }

    /// Prometheus' own exporter of a machine's metrics, on its usual port 9100.
    public static let node = Exporter(unit: "node_exporter.service", job: "node_exporter", port: ExporterPort.node)
    /// CPU and memory of each Slurm job, on its usual port 9306.
    public static let cgroup = Exporter(
        unit: "cgroup_exporter.service", job: "cgroup_exporter", port: ExporterPort.cgroup)
    /// NVIDIA GPUs, with the job that uses each, on its usual port 9445.
    public static let gpu = Exporter(unit: "nvidia_gpu_exporter.service", job: "gpu_exporter", port: ExporterPort.gpu)

    func on(port: Int) -> Exporter { Exporter(unit: unit, job: job, port: port) }
}
