/// What Prometheus needs for a cluster. Sizes are bytes; GB is 10⁹ and GiB 2³⁰ of them.
///
/// Samples: 2.5 GB for a node, 0.5 GB for a running job on a node, and 0.5 GB for a GPU or MIG instance, at 30 s and 365 days,
/// linear in both. They are what jobstats sites plan with, on the safe side.
package struct CapacityEstimate: Sendable, Hashable {
    /// What the estimate rests on beside the cluster's shape.
    package enum Assumption {
        /// Bytes of a node's samples for a year at 30 s.
        package static let nodeYear = 2.5e9
        /// Of one running job on one node.
        package static let jobYear = 0.5e9
        /// Of one GPU or MIG instance.
        package static let deviceYear = 0.5e9
        /// Series that a job has on each of its nodes (cgroup_exporter, without steps).
        package static let seriesPerJob = 14.0
        /// Series of a GPU, of which those but one carry the job's number and so begin anew with each job.
        package static let seriesPerDevice = 9.0
        /// Those of a GPU that begin anew with each job.
        package static let renewedPerDevice = 8.0
        /// Bytes that a series takes in a block's index, its labels and postings, whatever samples it has.
        package static let indexBytes = 300.0
        /// Bytes of memory for a series in the head, with its labels, chunk and what garbage collection leaves unused.
        package static let headBytes = 8192.0
        /// Bytes of memory that Prometheus has without any series.
        package static let baseMemory = 256.0 * 1_048_576
        /// Hours for which a series stays in the head after its last sample: a block of two, and half of one more.
        package static let headHours = 3.0
        /// Bytes of the write-ahead log for a sample; it reaches back as far as the head.
        package static let logBytes = 10.0
        /// The part of the disk that stays free for compaction: a new block is written before the old ones go.
        package static let compaction = 0.1
    }

    package let shape: ClusterShape

    package init(_ shape: ClusterShape) { self.shape = shape }

    /// Years of retention, times samples in comparison with 30 s.
    private var scale: Double { shape.retention / 365 * 30 / shape.interval }

    // MARK: Series

    /// GPUs that a job has on one of its nodes, on average.
    package var devicesPerJobNode: Double {
        shape.runningJobNodes > 0 ? Double(shape.devices) / max(shape.runningJobNodes, Double(shape.nodes)) : 0
    }
    /// Series that get samples at one moment.
    package var activeSeries: Double {
        Double(shape.nodes) * shape.seriesPerNode + Double(shape.devices) * Assumption.seriesPerDevice
            + shape.runningJobNodes * Assumption.seriesPerJob
    }
    /// Series that begin on one day because jobs with new numbers do.
    package var newSeriesPerDay: Double {
        shape.jobsPerDay * shape.nodesPerJob
            * (Assumption.seriesPerJob + Assumption.renewedPerDevice * devicesPerJobNode)
    }
    /// Series in memory: those with samples, and those of jobs that ended within the last hours.
    package var headSeries: Double { activeSeries + newSeriesPerDay * Assumption.headHours / 24 }
    /// Samples stored each second.
    package var samplesPerSecond: Double { activeSeries / shape.interval }

    // MARK: Disk

    package var nodeBytes: Double { Double(shape.nodes) * Assumption.nodeYear * scale }
    package var jobBytes: Double { shape.runningJobNodes * Assumption.jobYear * scale }
    package var deviceBytes: Double { Double(shape.devices) * Assumption.deviceYear * scale }
    /// What the index needs for series that live as long as a job; not linear in the interval.
    package var churnBytes: Double { newSeriesPerDay * shape.retention * Assumption.indexBytes }
    /// The write-ahead log.
    package var logBytes: Double { samplesPerSecond * Assumption.headHours * 3600 * Assumption.logBytes }
    /// Blocks at the end of the retention.
    package var blockBytes: Double { nodeBytes + jobBytes + deviceBytes + churnBytes }
    /// Room for compaction.
    package var compactionBytes: Double { blockBytes * Assumption.compaction }
    /// The disk to have.
    package var diskBytes: Double { blockBytes + logBytes + compactionBytes }

    // MARK: Memory

    /// The memory to have for Prometheus itself; queries and the file cache come on top.
    package var memoryBytes: Double { Assumption.baseMemory + headSeries * Assumption.headBytes }

    /// What was assumed, in words.
    package var assumptions: [String] {
        [
            "samples: 2.5 GB for a node, 0.5 GB for a running job on a node, 0.5 GB for a GPU or MIG instance, for 365 days at 30 s; linear in both",
            "a node has \(Quantity.count(shape.seriesPerNode)) series, a GPU 9, a job 14 on each of its nodes; steps are not collected",
            "each new job begins 14 series on each of its nodes, and 8 for each of its GPUs",
            "a series takes 300 bytes of a block's index and 8 KiB of memory, also for 3 hours after its last sample",
            "the write-ahead log takes 10 bytes for a sample of the last 3 hours; a tenth of the blocks stays free for compaction",
            "queries and the file cache need memory beside that",
        ]
    }
}

/// Numbers for people.
package enum Quantity {
    /// `544.0 GB (506.6 GiB)`: decimal units first, as disks are sold, then binary ones.
    package static func bytes(_ bytes: Double) -> String {
        let powers = ["B", "kB", "MB", "GB", "TB", "PB"], binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        func shown(_ base: Double, _ units: [String]) -> String {
            var value = bytes, index = 0
            while abs(value) >= base, index < units.count - 1 { (value, index) = (value / base, index + 1) }
            return "\(decimal(value)) \(units[index])"
        }
        return abs(bytes) < 1000 ? shown(1000, powers) : "\(shown(1000, powers)) (\(shown(1024, binary)))"
    }

    /// With one digit after the point.
    package static func decimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    /// `1,234,567`.
    package static func count(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let digits = String(Int(value.rounded()).magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return value.rounded() < 0 ? "-" + text : text
    }
}
