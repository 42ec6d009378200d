import CommandExecution
import FoundationEssentials
import Glibc
import Testing

/// The program, with commands in place of Slurm's, and beside a real Prometheus.
@Suite(.serialized) struct PlannerProgramTests {
    private let folder: String

    init() throws {
        folder = "/tmp/capacity-tests-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        chmod("\(folder)/\(name)", mode)
    }

    private func slurm(_ name: String, _ text: String, status: Int = 0) throws {
        try write("\(name).txt", text)
        try write(
            name, "#!/bin/sh\necho \"$*\" >> \(folder)/asked\ncat \(folder)/\(name).txt\nexit \(status)\n", mode: 0o755)
    }

    private func plan(_ arguments: String..., timeout: Duration = .seconds(30)) async throws -> CommandResult {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = bundle.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/capacity-planner"
        return try await LocalExecutor().run(
            Command(program, arguments, environment: ["PATH": "\(folder):/usr/bin:/bin"], timeout: timeout))
    }

    private func end() { try? FileManager.default.removeItem(atPath: folder) }

    private struct Plan: Decodable {
        struct Disk: Decodable { let nodes, jobs, gpus, total: Double }
        struct Cluster: Decodable { let nodes, gpus: Int, jobs_per_day: Double }
        struct Series: Decodable { let active, head: Double }
        struct Measured: Decodable {
            let head_series: Double, samples_per_second: Double?, retention_days: Double?, bytes_per_sample: Double?
            let explanations: [String]
        }
        let version: Int
        let disk_bytes: Disk
        let cluster: Cluster
        let series: Series
        let measured: Measured?
        let assumptions: [String]
    }

    private func decode(_ result: CommandResult) throws -> Plan {
        try JSONDecoder().decode(Plan.self, from: Data(result.standardOutput))
    }

    @Test func slurmIsAskedAndCounted() async throws {
        defer { end() }
        try slurm("scontrol", "NodeName=a CPUTot=224 Gres=gpu:8\nNodeName=b CPUTot=224 Gres=gpu:8\n")
        try slurm("squeue", "2\n1\n")
        try slurm("sacct", "9999-01-01T00:00:00|1\n9999-01-01T00:00:00|1\n")
        let plan = try decode(try await plan("--from-slurm", "--slurm-days", "2", "--json"))
        #expect(plan.version == 1 && plan.cluster.nodes == 2 && plan.cluster.gpus == 16)
        // 2 x 2.5, 3 x 0.5 and 16 x 0.5 GB.
        #expect(plan.disk_bytes.nodes == 5e9 && plan.disk_bytes.jobs == 1.5e9 && plan.disk_bytes.gpus == 8e9)
        #expect(plan.cluster.jobs_per_day == 1)
        let asked = try String(contentsOf: URL(filePath: "\(folder)/asked"), encoding: .utf8)
        #expect(asked.contains("--oneliner show nodes\n") && asked.contains("--allocations"))
    }

    @Test(arguments: ["scontrol", "squeue", "sacct"])
    func aQueryThatFailsIsAnError(broken: String) async throws {
        defer { end() }
        try slurm("scontrol", "NodeName=a CPUTot=224 Gres=gpu:8\n")
        try slurm("squeue", "1\n")
        try slurm("sacct", "")
        try write(broken, "#!/bin/sh\necho 'slurm is down' >&2\nexit 1\n", mode: 0o755)
        let result = try await plan("--from-slurm")
        #expect(result.status == .exited(1) && result.outputText.isEmpty)
        #expect(result.errorText.contains("\(broken) ended with exit status 1: slurm is down"), "\(result.errorText)")
        unlink("\(folder)/\(broken)")
        let missing = try await plan("--from-slurm")
        #expect(missing.status == .exited(1) && missing.errorText.contains(broken), "\(missing.errorText)")
    }

    @Test func aFileDescribesTheClusterAndOptionsWin() async throws {
        defer { end() }
        try write("c.json", #"{"nodes": 64, "gpus_per_node": 8, "jobs_per_node": 4}"#)
        let result = try await plan("--file", "\(folder)/c.json", "--retention", "73")
        #expect(result.succeeded, "\(result.errorText)")
        // 544 GB for a year, a fifth of it.
        for line in [
            "  nodes                       32.0 GB (29.8 GiB)", "  GPUs                        51.2 GB (47.7 GiB)",
        ] {
            #expect(result.outputText.contains(line), "\(result.outputText)")
        }
        #expect(result.outputText.contains("Assumed\n"))
    }

    @Test(arguments: [
        (#"{"nodes": "many"}"#, "nodes: expected a number"), (#"{"nodes": 1, "gpus": 8}"#, "unknown keys: gpus"),
        ("[]", "it is no JSON object"), ("{", "it is no JSON object"), (#"{"nodes": 0}"#, "the number of nodes is 0"),
    ])
    func aFileThatIsWrongIsRefused(text: String, reason: String) async throws {
        defer { end() }
        try write("c.json", text)
        let result = try await plan("--file", "\(folder)/c.json")
        #expect(result.status == .exited(2) && result.errorText.contains(reason), "\(result.errorText)")
    }

    @Test func wrongUseIsStatusTwo() async throws {
        defer { end() }
        for result in [
            try await plan(), try await plan("--nodes", "-1"), try await plan("--nodes", "1", "--interval", "0"),
            try await plan("--nodes", "1", "--prometheus", "https://x"), try await plan("--from-slurm", "--file", "x"),
            try await plan("--nodes", "1", "--gpus-per-node", "-1"),
        ] { #expect(result.status == .exited(2) && result.outputText.isEmpty, "\(result.errorText)") }
        let nobody = try await plan("--nodes", "1", "--prometheus", "http://127.0.0.1:1")
        #expect(nobody.status == .exited(1) && nobody.errorText.contains("not reachable"), "\(nobody.errorText)")
    }

    // MARK: A real Prometheus

    private static func has(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// It scrapes itself each second for a minute or so, and what it stored is compared with what is known of it.
    @Test(.enabled(if: has("/usr/bin/prometheus"), "prometheus is not installed"), .timeLimit(.minutes(4)))
    func aRealPrometheusIsMeasured() async throws {
        defer { end() }
        let port = Int.random(in: 50000..<55000)
        try write(
            "p.yml",
            """
            global: {scrape_interval: 1s, scrape_timeout: 1s}
            scrape_configs:
            - {job_name: itself, static_configs: [{targets: ['127.0.0.1:\(port)']}]}
            """)
        let arguments = [
            "--config.file=\(folder)/p.yml", "--storage.tsdb.path=\(folder)/data", "--log.level=error",
            "--web.listen-address=127.0.0.1:\(port)", "--storage.tsdb.retention.time=10d",
            // Blocks of a minute, so that some are written while this test waits.
            "--storage.tsdb.min-block-duration=30s", "--storage.tsdb.max-block-duration=30s",
        ]
        let server = Task {
            try await LocalExecutor().run(Command("/usr/bin/prometheus", arguments, timeout: .seconds(200)))
        }
        defer { server.cancel() }
        var found: Plan?
        let deadline = ContinuousClock.now.advanced(by: .seconds(150))
        while ContinuousClock.now < deadline {
            let result = try await plan(
                "--nodes", "1", "--series-per-node", "600", "--interval", "5", "--retention", "10", "--prometheus",
                "http://127.0.0.1:\(port)", "--json")
            if result.succeeded, let plan = try? decode(result), plan.measured?.bytes_per_sample != nil {
                found = plan
                break
            }
            try await Task.sleep(for: .seconds(1))
        }
        let measured = try #require(found?.measured, "no block was written within 150 s")
        #expect(measured.retention_days == 10)
        // Prometheus 2.42 has some 600 series of its own; each of them gets a sample a second, not one in five.
        #expect((300...1500).contains(measured.head_series), "\(measured.head_series)")
        let rate = try #require(measured.samples_per_second)
        #expect(
            rate > 0.7 * measured.head_series && rate < 1.3 * measured.head_series, "\(rate) of \(measured.head_series)"
        )
        #expect(measured.explanations.contains { $0.contains("the interval is shorter") }, "\(measured.explanations)")
        // Chunks of a few dozen samples, most of which repeat: one to four bytes for each, where the rule has two to four.
        let bytes = try #require(measured.bytes_per_sample)
        #expect((0.2...6).contains(bytes), "\(bytes)")
    }
}
