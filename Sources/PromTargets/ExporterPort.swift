/// The ports on which the exporters of a jobstats cluster usually listen.
public enum ExporterPort {
    /// Prometheus' own exporter of a machine's metrics.
    public static let node = 9100
    /// CPU and memory of each Slurm job.
    public static let cgroup = 9306
    /// NVIDIA GPUs, with the job that uses each.
    public static let gpu = 9445
}
