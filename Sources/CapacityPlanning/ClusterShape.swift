/// What a cluster is made of and how it is used, as far as Prometheus feels it.
package struct ClusterShape: Sendable, Hashable {
    /// The nodes with exporters.
    package var nodes = 0
    /// GPUs, or MIG instances where GPUs are divided, of all nodes together.
    package var devices = 0
    /// Jobs that run at one moment, each counted once for each of its nodes.
    package var runningJobNodes = 0.0
    /// Jobs that begin on one day.
    package var jobsPerDay = 0.0
    /// Nodes of a job, on average.
    package var nodesPerJob = 1.0
    /// Series that node_exporter gives for a node; a DGX with 224 CPUs has some three thousand.
    package var seriesPerNode = 3000.0
    /// Seconds between two scrapes.
    package var interval = 30.0
    /// Days that samples are kept.
    package var retention = 365.0

    package init() {}

    /// What cannot be, in words; empty when all is well.
    package var problems: [String] {
        var problems: [String] = []
        func check(_ isGood: Bool, _ problem: String) { if !isGood { problems.append(problem) } }
        check((1...1_000_000).contains(nodes), "the number of nodes is \(nodes); give 1 to 1000000")
        check((0...100_000_000).contains(devices), "the number of GPUs is \(devices)")
        check(Self.isCount(runningJobNodes), "the number of running jobs is \(runningJobNodes)")
        check(Self.isCount(jobsPerDay), "the number of jobs in a day is \(jobsPerDay)")
        check(nodesPerJob.isFinite && (1...1e6).contains(nodesPerJob), "a job has \(nodesPerJob) nodes; give 1 or more")
        check(seriesPerNode.isFinite && (1...1e6).contains(seriesPerNode), "a node has \(seriesPerNode) series")
        check(interval.isFinite && (1...3600).contains(interval), "the interval is \(interval) s; give 1 to 3600")
        check(
            retention.isFinite && (1...36_500).contains(retention),
            "the retention is \(retention) days; give 1 to 36500")
        return problems
    }

    private static func isCount(_ number: Double) -> Bool { number.isFinite && (0...1e9).contains(number) }
}
