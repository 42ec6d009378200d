import CapacityPlanning
import CommandExecution
import ExampleSupport
import FoundationEssentials
import Glibc
import PrometheusAPI

/// Slurm's own commands. One that fails is an error, since a guess would look like an answer.
struct SlurmQueries {
    let days: Int
    let all: Bool

    func cluster() async throws(PlannerFailure) -> SlurmCluster {
        var now = time(nil) - days * 86_400
        var parts = tm()
        localtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        // Slurm reads and writes local time.
        let start =
            "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        do throws(SlurmCluster.Problem) {
            var cluster = try SlurmCluster(nodes: try await ask("scontrol", ["--oneliner", "show", "nodes"]), all: all)
            try cluster.readRunning(
                try await ask("squeue", ["--noheader", "--states=RUNNING", "--format=%D"]))
            try cluster.readStarted(
                try await ask(
                    "sacct",
                    [
                        "--allusers", "--allocations", "--parsable2", "--noheader", "--starttime=\(start)",
                        "--endtime=now", "--format=Start,NNodes",
                    ]), since: start, days: Double(days))
            return cluster
        } catch {
            throw PlannerFailure(1, "Slurm tells nothing to go by: \(error)")
        }
    }

    private func ask(_ program: String, _ arguments: [String]) async throws(SlurmCluster.Problem) -> String {
        let result: CommandResult
        do throws(CommandError) {
            result = try await LocalExecutor().run(
                Command(program, arguments, timeout: .seconds(120), outputLimit: 512 << 20))
        } catch {
            throw SlurmCluster.Problem("\(error); load Slurm's module, or describe the cluster with --file or options")
        }
        guard result.succeeded else {
            let reason = result.errorText.split(separator: "\n").prefix(3).joined(separator: "; ")
            throw SlurmCluster.Problem(
                "\(program) ended with \(result.status)\(reason.isEmpty ? "" : ": \(reason)"); run it by hand, or "
                    + "describe the cluster with --file or options")
        }
        return result.outputText
    }
}

/// A cluster's shape in a file.
enum PlanFile {
    private struct Content: Decodable {
        var nodes: Int?
        var gpus_per_node: Double?
        var jobs_per_node: Double?
        var jobs_per_day: Double?
        var nodes_per_job: Double?
        var series_per_node: Double?
        var interval_seconds: Double?
        var retention_days: Double?

        static let keys: Set<String> = [
            "nodes", "gpus_per_node", "jobs_per_node", "jobs_per_day", "nodes_per_job", "series_per_node",
            "interval_seconds", "retention_days",
        ]
    }
    private struct Keys: Decodable {
        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        let names: [String]
        init(from decoder: any Decoder) throws {
            names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        }
    }

    static func read(_ path: String) throws(PlannerFailure) -> ClusterShape {
        func failure(_ reason: String) -> PlannerFailure { PlannerFailure(Program.usageStatus, "\(path): \(reason)") }
        guard let data = FileManager.default.contents(atPath: path) else { throw failure("it cannot be read") }
        let keys: Keys, content: Content
        do {
            keys = try JSONDecoder().decode(Keys.self, from: data)
            content = try JSONDecoder().decode(Content.self, from: data)
        } catch let error as DecodingError {
            throw failure(reason(error))
        } catch {
            throw failure("it is not JSON: \(error)")
        }
        let unknown = Set(keys.names).subtracting(Content.keys).sorted()
        guard unknown.isEmpty else {
            throw failure(
                "unknown keys: \(unknown.joined(separator: ", ")); known are \(Content.keys.sorted().joined(separator: ", "))"
            )
        }
        for (name, number) in [("gpus_per_node", content.gpus_per_node), ("jobs_per_node", content.jobs_per_node)] {
            if let number, !(0...1e6).contains(number) { throw failure("\(name) is \(number); give 0 or more") }
        }
        var shape = ClusterShape()
        shape.nodes = content.nodes ?? 0
        shape.devices = Int(((content.gpus_per_node ?? 0) * Double(shape.nodes)).rounded())
        shape.runningJobNodes = (content.jobs_per_node ?? 0) * Double(shape.nodes)
        shape.jobsPerDay = content.jobs_per_day ?? 0
        shape.nodesPerJob = content.nodes_per_job ?? 1
        shape.seriesPerNode = content.series_per_node ?? shape.seriesPerNode
        shape.interval = content.interval_seconds ?? shape.interval
        shape.retention = content.retention_days ?? shape.retention
        return shape
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            context.codingPath.isEmpty
                ? "it is no JSON object"
                : "\(context.codingPath.map(\.stringValue).joined(separator: ".")): expected a number"
        default: "it is no JSON object"
        }
    }
}

/// What a Prometheus measures of itself.
enum ServerMeasurement {
    static func of(_ url: String, _ shape: ClusterShape) async throws(PlannerFailure) -> Comparison.Measured {
        let server: PrometheusServer
        do throws(PrometheusError) { server = try PrometheusServer(url: url) } catch {
            throw PlannerFailure(Program.usageStatus, "--prometheus: \(error)")
        }
        do throws(PrometheusError) {
            let before = try await server.ownMetrics()
            let started = ContinuousClock.now
            let flags = try await server.flags()
            let byJob = try await server.query("sum by (job) (scrape_samples_post_metric_relabeling)")
            // A whole scrape interval, so that every target is scraped once.
            if (try? await Task.sleep(for: .seconds(min(shape.interval, 60)))) == nil {
                throw PrometheusError(.timedOut, "interrupted")
            }
            let after = try await server.ownMetrics()
            let elapsed = started.duration(to: .now)
            let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
            guard let series = after["prometheus_tsdb_head_series"],
                let bytes = after["prometheus_tsdb_storage_blocks_bytes"]
            else {
                throw PrometheusError(
                    .malformed,
                    "\(server.url)/metrics lacks prometheus_tsdb_head_series: is this a Prometheus with storage?")
            }
            var measured = Comparison.Measured(headSeries: series, blockBytes: bytes)
            let appended = "prometheus_tsdb_head_samples_appended_total"
            if let first = before[appended], let last = after[appended] {
                measured.samplesPerSecond = (last - first) / seconds
            }
            if let oldest = after["prometheus_tsdb_lowest_timestamp_seconds"], oldest > 0, oldest < 1e11 {
                measured.age = Double(time(nil)) - oldest
            }
            let retention = flags["storage.tsdb.retention.time"].flatMap(Comparison.days)
            // 0 stands for its default, which a limit by size switches off.
            measured.sizeLimit = flags["storage.tsdb.retention.size"].flatMap(Comparison.size)
            measured.retention = retention == 0 ? (measured.sizeLimit == nil ? 15 : nil) : retention
            if let samples = after["prometheus_tsdb_compaction_chunk_samples_sum"], samples > 0,
                let size = after["prometheus_tsdb_compaction_chunk_size_bytes_sum"]
            {
                measured.bytesPerSample = size / samples
            }
            for sample in byJob { measured.samplesByJob[sample.labels["job"] ?? ""] = sample.value }
            return measured
        } catch {
            throw PlannerFailure(1, "Prometheus tells nothing to go by: \(error)")
        }
    }
}
