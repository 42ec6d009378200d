import CapacityPlanning
import CommandExecution
import FoundationEssentials

/// The plan as text and as JSON.
struct PlanReport {
    let estimate: CapacityEstimate
    let comparison: Comparison?
    let notes: [String]

    private var shape: ClusterShape { estimate.shape }

    var text: String {
        var rows: [(String, String)] = [
            ("Cluster", ""),
            ("  nodes", Quantity.count(Double(shape.nodes))),
            ("  GPUs or MIG instances", Quantity.count(Double(shape.devices))),
            ("  running jobs, by node", Quantity.decimal(shape.runningJobNodes)),
            (
                "  jobs a day, nodes of a job",
                "\(Quantity.decimal(shape.jobsPerDay)), \(Quantity.decimal(shape.nodesPerJob))"
            ),
            (
                "  interval, retention",
                "\(Quantity.decimal(shape.interval)) s, \(Quantity.decimal(shape.retention)) days"
            ),
            ("Series", ""),
            ("  with samples", Quantity.count(estimate.activeSeries)),
            ("  new ones a day", Quantity.count(estimate.newSeriesPerDay)),
            ("  in memory", Quantity.count(estimate.headSeries)),
            ("  samples a second", Quantity.count(estimate.samplesPerSecond)),
            ("Disk", Quantity.bytes(estimate.diskBytes)),
            ("  nodes", Quantity.bytes(estimate.nodeBytes)),
            ("  jobs", Quantity.bytes(estimate.jobBytes)),
            ("  GPUs", Quantity.bytes(estimate.deviceBytes)),
            ("  index of jobs' series", Quantity.bytes(estimate.churnBytes)),
            ("  write-ahead log", Quantity.bytes(estimate.logBytes)),
            ("  free for compaction", Quantity.bytes(estimate.compactionBytes)),
            ("Memory", Quantity.bytes(estimate.memoryBytes)),
        ]
        if let comparison {
            let measured = comparison.measured
            rows += [
                ("Measured", ""), ("  series in memory", Quantity.count(measured.headSeries)),
                ("  samples a second", measured.samplesPerSecond.map(Quantity.count) ?? "unknown"),
                ("  blocks", Quantity.bytes(measured.blockBytes)),
                ("  oldest sample", measured.age.map { "\(Quantity.decimal($0 / 86_400)) days ago" } ?? "unknown"),
                ("  retention", measured.retention.map { "\(Quantity.decimal($0)) days" } ?? "unknown"),
            ]
            for (job, samples) in measured.samplesByJob.sorted(by: { $0.key < $1.key }) {
                rows.append(("  samples a round, \(ForeignText.printable(job))", Quantity.count(samples)))
            }
        }
        let width = rows.map(\.0.count).max() ?? 0
        var text = rows.map { name, value in
            value.isEmpty ? "\(name)\n" : name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
        }.joined()
        func list(_ title: String, _ lines: [String]) {
            guard !lines.isEmpty else { return }
            text += "\(title)\n" + lines.map { "  * \(ForeignText.printable($0))\n" }.joined()
        }
        list("Compared", comparison?.explanations ?? [])
        list("Assumed", notes + estimate.assumptions)
        return text
    }

    // MARK: JSON

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let document = Document(
            assumptions: notes + estimate.assumptions,
            cluster: .init(
                gpus: shape.devices, interval_seconds: shape.interval, jobs_per_day: shape.jobsPerDay,
                nodes: shape.nodes,
                nodes_per_job: shape.nodesPerJob, retention_days: shape.retention,
                running_job_nodes: shape.runningJobNodes, series_per_node: shape.seriesPerNode),
            disk_bytes: .init(
                compaction: estimate.compactionBytes, gpus: estimate.deviceBytes, index: estimate.churnBytes,
                jobs: estimate.jobBytes, log: estimate.logBytes, nodes: estimate.nodeBytes, total: estimate.diskBytes),
            measured: comparison.map { comparison in
                .init(
                    age_seconds: comparison.measured.age, block_bytes: comparison.measured.blockBytes,
                    block_bytes_at_retention: comparison.blockBytesAtRetention,
                    bytes_per_sample: comparison.measured.bytesPerSample, explanations: comparison.explanations,
                    head_series: comparison.measured.headSeries, retention_days: comparison.measured.retention,
                    samples_by_job: comparison.measured.samplesByJob,
                    samples_per_second: comparison.measured.samplesPerSecond)
            }, memory_bytes: estimate.memoryBytes,
            series: .init(
                active: estimate.activeSeries, head: estimate.headSeries, new_per_day: estimate.newSeriesPerDay,
                samples_per_second: estimate.samplesPerSecond))
        guard let data = try? encoder.encode(document) else { return "{}\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private struct Document: Encodable {
        struct Cluster: Encodable {
            var gpus: Int
            var interval_seconds: Double
            var jobs_per_day: Double
            var nodes: Int
            var nodes_per_job: Double
            var retention_days: Double
            var running_job_nodes: Double
            var series_per_node: Double
        }
        struct Disk: Encodable {
            var compaction: Double
            var gpus: Double
            var index: Double
            var jobs: Double
            var log: Double
            var nodes: Double
            var total: Double
        }
        struct Measured: Encodable {
            var age_seconds: Double?
            var block_bytes: Double
            var block_bytes_at_retention: Double?
            var bytes_per_sample: Double?
            var explanations: [String]
            var head_series: Double
            var retention_days: Double?
            var samples_by_job: [String: Double]
            var samples_per_second: Double?
        }
        struct Series: Encodable {
            var active: Double
            var head: Double
            var new_per_day: Double
            var samples_per_second: Double
        }
        var version = 1
        var assumptions: [String]
        var cluster: Cluster
        var disk_bytes: Disk
        var measured: Measured?
        var memory_bytes: Double
        var series: Series
    }
}
