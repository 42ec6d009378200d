import Testing

@testable import CapacityPlanning

struct CapacityEstimateTests {
    /// 64 nodes with 8 GPUs each, and 4 jobs on each node.
    private func pod(_ change: (inout ClusterShape) -> Void = { _ in }) -> CapacityEstimate {
        var shape = ClusterShape()
        shape.nodes = 64
        shape.devices = 512
        shape.runningJobNodes = 256
        change(&shape)
        return CapacityEstimate(shape)
    }

    private func isNear(_ value: Double, _ expected: Double) -> Bool { abs(value - expected) <= 1e-9 * abs(expected) }

    @Test func aYearAtThirtySecondsIsTheRuleItself() {
        let estimate = pod()
        // 64 nodes x 2.5 GB, 256 jobs x 0.5 GB, 512 GPUs x 0.5 GB.
        #expect(isNear(estimate.nodeBytes, 160e9))
        #expect(isNear(estimate.jobBytes, 128e9))
        #expect(isNear(estimate.deviceBytes, 256e9))
        #expect(estimate.churnBytes == 0 && isNear(estimate.blockBytes, 544e9))
    }

    @Test func samplesAreLinearInRetentionAndInverseInTheInterval() {
        // 73 days are a fifth of a year: 544 / 5 = 108.8.
        #expect(isNear(pod { $0.retention = 73 }.blockBytes, 108.8e9))
        // Twice as many samples.
        #expect(isNear(pod { $0.interval = 15 }.blockBytes, 1088e9))
        // Half of them for two years: the same.
        #expect(isNear(pod { ($0.interval, $0.retention) = (60, 730) }.blockBytes, 544e9))
    }

    @Test func jobsThatComeAndGoCostIndexAndMemory() {
        let estimate = pod { ($0.jobsPerDay, $0.nodesPerJob) = (10_000, 1) }
        // 512 GPUs over 256 jobs on nodes: 2 for each. 14 + 8 x 2 = 30 series for each new job.
        #expect(estimate.devicesPerJobNode == 2)
        #expect(isNear(estimate.newSeriesPerDay, 300_000))
        // 300,000 x 365 x 300 bytes.
        #expect(isNear(estimate.churnBytes, 32.85e9))
        // 64 x 3000 + 512 x 9 + 256 x 14 = 192,000 + 4,608 + 3,584 = 200,192.
        #expect(isNear(estimate.activeSeries, 200_192))
        // and an eighth of a day's new ones: 37,500.
        #expect(isNear(estimate.headSeries, 237_692))
        // 237,692 x 8 KiB + 256 MiB.
        #expect(isNear(estimate.memoryBytes, 1_947_172_864 + 268_435_456))
        // Other interval, same index.
        #expect(pod { ($0.jobsPerDay, $0.interval) = (10_000, 15) }.churnBytes == estimate.churnBytes)
        // Two nodes for each job are twice as many series.
        #expect(isNear(pod { ($0.jobsPerDay, $0.nodesPerJob) = (10_000, 2) }.newSeriesPerDay, 600_000))
    }

    @Test func diskIsBlocksLogAndRoomForCompaction() {
        let estimate = pod()
        // 200,192 / 30 = 6,673.07 samples a second; 3 hours x 10 bytes of them are 720.69 MB.
        #expect(isNear(estimate.logBytes, 200_192.0 / 30 * 10_800 * 10))
        #expect(isNear(estimate.compactionBytes, 54.4e9))
        #expect(isNear(estimate.diskBytes, 544e9 + 54.4e9 + estimate.logBytes))
    }

    /// Seven slices of a GPU count as seven.
    @Test func instancesCountAsDevices() {
        #expect(isNear(pod { $0.devices = 512 * 7 }.deviceBytes, 1792e9))
    }

    @Test func idleClusterWithoutJobsHasNoJobSeries() {
        let estimate = pod { ($0.runningJobNodes, $0.jobsPerDay) = (0, 0) }
        #expect(estimate.jobBytes == 0 && estimate.newSeriesPerDay == 0 && estimate.devicesPerJobNode == 0)
    }

    @Test(
        arguments: [
            (0.0, "0.0 B"), (999, "999.0 B"), (1000, "1.0 kB (1000.0 B)"), (1024, "1.0 kB (1.0 KiB)"),
            (544e9, "544.0 GB (506.6 GiB)"), (1e12, "1.0 TB (931.3 GiB)"), (1_099_511_627_776, "1.1 TB (1.0 TiB)"),
        ] as [(Double, String)])
    func sizesAreGivenInBothUnits(bytes: Double, text: String) { #expect(Quantity.bytes(bytes) == text) }

    @Test func numbersAreReadable() {
        #expect(
            Quantity.count(1_234_567.4) == "1,234,567" && Quantity.count(12) == "12"
                && Quantity.count(-1000) == "-1,000")
        #expect(
            Quantity.decimal(2.25) == "2.3" && Quantity.decimal(-0.5) == "-0.5" && Quantity.decimal(.infinity) == "inf")
    }

    @Test func whatCannotBeIsNamed() {
        var shape = ClusterShape()
        (shape.retention, shape.interval, shape.nodesPerJob) = (0, .nan, 0.5)
        #expect(shape.problems.count == 4, "\(shape.problems)")
        #expect(pod().shape.problems == [])
    }
}

struct SlurmClusterTests {
    private let nodes = """
        NodeName=dgx-01 Arch=x86_64 CoresPerSocket=56 CPUAlloc=0 CPUEfctv=224 CPUTot=224 Gres=gpu:h100:8(S:0-1),nic:4 State=IDLE
        NodeName=dgx-02 CPUTot=224 Gres=gpu:1g.10gb:14(S:0-1),gpu:3g.40gb:4(S:0-1) State=MIXED Comment=Gres=gpu:99
        NodeName=cpu-01 CPUTot=64 Gres=(null) State=IDLE

        """

    @Test func nodesAndInstancesAreCounted() throws {
        var cluster = try SlurmCluster(nodes: nodes)
        #expect(cluster.nodes.map(\.devices) == [8, 18] && cluster.leftOut == 1)
        try cluster.readRunning("1\n 2\n")
        try cluster.readStarted(
            "2026-01-01T00:00:00|4\n2026-01-08T12:00:00|1\n2026-01-09T00:00:00|3\nUnknown|1\nNone|1\n",
            since: "2026-01-05T00:00:00", days: 4)
        var shape = ClusterShape()
        cluster.apply(to: &shape)
        #expect(shape.nodes == 2 && shape.devices == 26 && shape.runningJobNodes == 3)
        // Two jobs in four days, with four nodes together.
        #expect(shape.jobsPerDay == 0.5 && shape.nodesPerJob == 2)
        // 350 + 12 x 224.
        #expect(shape.seriesPerNode == 3038)
        #expect(try SlurmCluster(nodes: nodes, all: true).nodes.count == 3)
    }

    @Test func clusterWithoutGPUsCountsAllNodes() throws {
        let cluster = try SlurmCluster(nodes: "NodeName=a CPUTot=4 Gres=(null)\nNodeName=b CPUTot=4\n")
        #expect(cluster.nodes.count == 2 && cluster.leftOut == 0)
        #expect(cluster.notes.contains { $0.contains("no job began") })
    }

    @Test(arguments: ["", "slurm_load_node error\n", "NodeName=a State=IDLE\n", "NodeName=a CPUTot=4 Gres=gpu:many\n"])
    func answersThatTellNothingAreErrors(text: String) {
        #expect(throws: SlurmCluster.Problem.self) { try SlurmCluster(nodes: text) }
    }

    @Test func numbersThatAreNoneAreErrors() throws {
        var cluster = try SlurmCluster(nodes: nodes)
        #expect(throws: SlurmCluster.Problem.self) { try cluster.readRunning("1\nmany\n") }
        for text in ["2026-01-08T12:00:00\n", "2026-01-08T12:00:00|x\n"] {
            #expect(throws: SlurmCluster.Problem.self) { try cluster.readStarted(text, since: "2026", days: 1) }
        }
    }
}

struct ComparisonTests {
    private func compare(_ change: (inout Comparison.Measured) -> Void) -> Comparison {
        var shape = ClusterShape()
        shape.nodes = 10
        var measured = Comparison.Measured(headSeries: 30_000, blockBytes: 5e9)
        measured.age = 73 * 86_400
        measured.retention = 365
        change(&measured)
        return Comparison(CapacityEstimate(shape), measured)
    }

    @Test func blocksAreTakenToTheEndOfTheRetention() throws {
        // 5 GB in 73 days are 25 GB in a year, and the rule says 10 x 2.5 GB.
        let comparison = compare { _ in }
        #expect(try abs(#require(comparison.blockBytesAtRetention) - 25e9) < 1)
        #expect(comparison.explanations.contains { $0.contains("25.0 GB") && $0.contains("the estimate is 25.0 GB") })
        #expect(comparison.explanations.contains("series are as estimated, within a fifth"))
        // What a shorter retention holds is all that it gets.
        let short = compare { ($0.age, $0.retention) = (365 * 86_400, 73) }
        #expect(try abs(#require(short.blockBytesAtRetention) - 25e9) < 1)
        #expect(short.explanations.contains { $0.contains("keeps samples for 73.0 days") })
    }

    @Test func tooLittleIsNoMeasure() {
        for comparison in [compare { $0.age = nil }, compare { $0.age = 3600 }, compare { $0.blockBytes = 0 }] {
            #expect(comparison.blockBytesAtRetention == nil)
            #expect(comparison.explanations.contains { $0.contains("too little") })
        }
    }

    @Test func differencesAreExplained() {
        #expect(compare { $0.headSeries = 90_000 }.explanations.contains { $0.contains("3.0 times as many series") })
        #expect(compare { $0.headSeries = 3000 }.explanations.contains { $0.contains("fewer series") })
        #expect(compare { $0.samplesPerSecond = 500 }.explanations.contains { $0.contains("jobs that ended") })
        #expect(compare { $0.samplesPerSecond = 2000 }.explanations.contains { $0.contains("the interval is shorter") })
        #expect(compare { $0.sizeLimit = 1e9 }.explanations.contains { $0.contains("size limit") })
    }

    @Test(
        arguments: [("15d", 15.0), ("1y", 365), ("0s", 0), ("2h30m", 2.5 / 24), ("2w", 14), ("1500ms", 1.5 / 86_400)]
            as [(String, Double)])
    func durationsOfFlagsAreRead(text: String, days: Double) throws {
        #expect(try abs(#require(Comparison.days(text)) - days) < 1e-12)
    }

    @Test func whatIsNoDurationOrSizeIsNone() {
        for text in ["", "d", "15", "15x"] { #expect(Comparison.days(text) == nil) }
        #expect(Comparison.size("0B") == nil && Comparison.size("x") == nil)
        #expect(Comparison.size("512MB") == 512 * 1_048_576 && Comparison.size("1.5GiB") == 1.5 * 1_073_741_824)
    }
}
