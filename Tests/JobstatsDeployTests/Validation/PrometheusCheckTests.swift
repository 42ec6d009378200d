import CommandExecution
import Testing

@testable import JobstatsDeploy

/// Prometheus's answers made by hand, as the probe's script gives them.
struct PrometheusFixture {
    var ready: String? = "Prometheus Server is Ready.\n"
    var reload = 1
    var loaded = 1_799_000_000.0
    var jobs = ["node_exporter", "cgroup_exporter", "gpu_exporter"]
    var interval = "30s"
    var refresh = "30s"
    var directory = DeploymentConfiguration.defaultTargetsDirectory
    var retention = "365d"
    var targets =
        PrometheusFixture.target("node_exporter", 9100) + PrometheusFixture.target("cgroup_exporter", 9306)
        + PrometheusFixture.target("gpu_exporter", 9445)
    /// Alerts that are left out.
    var withoutAlerts: Set<String> = []
    /// Series by a word of their question, such as `node_uname_info`.
    var series: [String: [[String: String]]] = [
        "node_uname_info": [["cluster": "slurm", "hostname": "dgx-01", "instance": "dgx-01:9100"]],
        "[90s])) ": [],
        "nvidia_gpu_num_devices": [["cluster": "slurm", "hostname": "dgx-01", "instance": "dgx-01:9445", "jobid": ""]],
        "cgroup_cpus{": [[:]], "nvidia_gpu_memory_total_bytes{": [[:]],
    ]
    /// What is cut off, by its path's beginning.
    var cut: Set<String> = []

    static func target(
        _ job: String, _ port: Int, host: String = "dgx-01", cluster: String = "slurm", health: String = "up",
        error: String = "", instance: String? = nil
    ) -> [String] {
        [
            """
            {"labels":{"job":"\(job)","cluster":"\(cluster)","hostname":"\(host)","instance":"\(instance ?? "\(host):\(port)")"},\
            "scrapeUrl":"http://\(host):\(port)/metrics","health":"\(health)","lastError":"\(error)"}
            """
        ]
    }

    private var yaml: String {
        "global:\n  scrape_interval: \(interval)\nscrape_configs:\n"
            + jobs.map {
                """
                - job_name: \($0)
                  honor_timestamps: true
                  scrape_interval: \(interval)
                  file_sd_configs:
                  - files:
                    - \(directory)/*.json
                    refresh_interval: \(refresh)

                """
            }.joined()
    }

    private func body(_ path: String, _ configuration: DeploymentConfiguration) -> String? {
        func success(_ data: String) -> String { "{\"status\":\"success\",\"data\":\(data)}" }
        switch path {
        case "/-/ready": return ready
        case "/metrics":
            return """
                # HELP x y
                prometheus_config_last_reload_success_timestamp_seconds \(loaded)
                prometheus_config_last_reload_successful \(reload)

                """
        case "/api/v1/status/config":
            return success("{\"yaml\":\"\(yaml.replacing("\n", with: "\\n"))\"}")
        case "/api/v1/status/flags": return success("{\"storage.tsdb.retention.time\":\"\(retention)\"}")
        case "/api/v1/targets?state=active": return success("{\"activeTargets\":[\(targets.joined(separator: ","))]}")
        case "/api/v1/rules?type=alert":
            let rules = AlertRules(configuration).groups.flatMap(\.rules).map(\.name)
                .filter { !withoutAlerts.contains($0) }.map { "{\"name\":\"\($0)\",\"health\":\"ok\"}" }
            return success("{\"groups\":[{\"name\":\"g\",\"file\":\"f\",\"rules\":[\(rules.joined(separator: ","))]}]}")
        default: return nil
        }
    }

    /// The answer as the script prints it.
    func answer(_ check: ValidationCheck, _ configuration: DeploymentConfiguration) -> String {
        let probe = PrometheusProbe(host: configuration.prometheusServer, port: 9090, window: 90)
        guard case .command(let command)? = probe.queries.first else { return "" }
        let questions = [
            probe.nodeSeries, probe.gpuSeries, probe.jobSeries, probe.negativeMemory, probe.recentJobs,
            probe.recentGPUJobs,
        ]
        var lines: [String] = []
        for path in command.arguments.dropFirst(6) {
            var text = body(path, configuration)
            if let question = questions.first(where: { $0.path == path }) {
                let found = series.filter { question.text.contains($0.key) }.flatMap(\.value)
                let list = found.map { labels in
                    let metric = labels.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
                    return "{\"metric\":{\(metric)},\"value\":[1800000000,\"1\"]}"
                }
                text = "{\"status\":\"success\",\"data\":{\"result\":[\(list.joined(separator: ","))]}}"
            }
            guard var text else {
                lines.append("")
                continue
            }
            if cut.contains(where: { path.hasPrefix($0) }) { text = String(text.dropLast(3)) }
            lines.append(Base64.encode(Array("HTTP/1.0 200 OK\r\n\r\n\(text)".utf8)))
        }
        return ready == nil ? "" : lines.joined(separator: "\n") + "\n"
    }
}

@Suite struct PrometheusCheckTests {
    private static let server = Host("mon-01")

    /// The verdict of a check about a host, with Prometheus as the fixture says.
    private func verdict(
        _ id: String, about host: Host, role: Bool = true, _ change: (inout PrometheusFixture) -> Void = { _ in }
    ) throws -> ValidationVerdict? {
        let configuration = EvidenceFixture.configuration()
        let check = try #require(try EvidenceFixture.checks()[id])
        var fixture = EvidenceFixture(role: role)
        var prometheus = PrometheusFixture()
        change(&prometheus)
        let probe = try JobstatsValidation(configuration: configuration, localHost: EvidenceFixture.head)
            .prometheusProbe()
        fixture.evidence.facts[EvidenceFixture.head]?.results[probe.command] = makeResult(
            prometheus.answer(check, configuration))
        var facts = Facts()
        for path in [Installed.prometheusConfiguration, Installed.prometheusRules] {
            facts.files[path] = FileFact(
                kind: .plain, mode: 0o644, owner: "root", group: "root", size: 1, changed: 1_798_000_000, sha256: nil)
        }
        facts.files[configuration.targetsDirectory] = FileFact(
            kind: .directory, mode: 0o755, owner: "root", group: "root", size: 1, changed: 0, sha256: nil)
        fixture.evidence.facts[Self.server] = facts
        return fixture.verdict(check, about: host)
    }

    private static let aboutServer = ["4.ready", "4.loaded", "4.directory", "4.interval", "4.retention", "4.rules"]
    private static let aboutNode = ["4.targets", "4.labels", "4.surplus", "3.nvidia_gpu_exporter"]

    @Test(arguments: aboutServer + ["4.surplus", "9.jobs", "9.gpu-jobs"])
    func aHealthyServerPasses(_ id: String) throws {
        let verdict = try verdict(id, about: Self.server)
        #expect(verdict?.state == .passed, "\(String(describing: verdict))")
    }

    @Test(arguments: aboutNode) func aHealthyNodePasses(_ id: String) throws {
        let verdict = try verdict(id, about: EvidenceFixture.node)
        #expect(verdict?.state == .passed, "\(String(describing: verdict))")
    }

    @Test func memoryIsJudgedOnlyWhereAJobIs() throws {
        #expect(try verdict("9.memory", about: EvidenceFixture.node)?.state == .skipped)
    }

    @Test(arguments: aboutServer.dropFirst() + ["9.jobs", "9.gpu-jobs"])
    func aSilentServerIsNoPass(_ id: String) throws {
        let verdict = try verdict(id, about: Self.server) { $0.ready = nil }
        #expect(verdict?.state == .unseen && verdict?.advice?.isEmpty == false, "\(String(describing: verdict))")
    }

    @Test(arguments: aboutNode + ["9.labels", "9.memory", "9.job-series", "9.gpu-series", "9.mig"])
    func aSilentServerIsNoPassForNodes(_ id: String) throws {
        let verdict = try verdict(id, about: EvidenceFixture.node) { $0.ready = nil }
        let isUnseen = verdict?.state == .unseen || (id == "4.surplus" && verdict?.state == .unseen)
        #expect(isUnseen && verdict?.advice?.isEmpty == false, "\(String(describing: verdict))")
    }

    @Test func aServerThatDoesNotAnswerFails() throws {
        #expect(try verdict("4.ready", about: Self.server) { $0.ready = nil }?.state == .failed)
    }

    @Test(arguments: [
        ("4.directory", "/api/v1/status/config"), ("4.interval", "/api/v1/status/config"),
        ("4.retention", "/api/v1/status/flags"), ("4.rules", "/api/v1/rules"), ("4.surplus", "/api/v1/targets"),
        ("9.jobs", "/api/v1/query"),
    ]) func anAnswerThatIsCutOffIsNoPass(_ id: String, _ path: String) throws {
        #expect(try verdict(id, about: Self.server) { $0.cut = [path] }?.state == .unseen)
    }

    @Test func theConfigurationThatRunsIsJudged() throws {
        func state(_ id: String, _ change: (inout PrometheusFixture) -> Void) throws -> ValidationState? {
            try verdict(id, about: Self.server, change)?.state
        }
        #expect(try state("4.loaded") { $0.reload = 0 } == .failed)
        #expect(try state("4.loaded") { $0.loaded = 1_797_000_000 } == .failed, "older than the file")
        #expect(try state("4.directory") { $0.directory = "/srv/other" } == .failed)
        #expect(try state("4.directory") { $0.jobs.removeLast() } == .failed)
        #expect(try state("4.directory") { $0.refresh = "5m" } == .warning)
        #expect(try state("4.interval") { $0.interval = "15s" } == .failed)
        #expect(try state("4.retention") { $0.retention = "0s" } == .failed, "15 days by default")
        #expect(try state("4.retention") { $0.retention = "90d" } == .failed)
        #expect(try state("4.retention") { $0.retention = "1y" } == .passed)
        let alert = try #require(AlertRules(EvidenceFixture.configuration()).groups.first?.rules.first?.name)
        #expect(try state("4.rules") { $0.withoutAlerts = [alert] } == .failed)
        #expect(try state("9.jobs") { $0.series["cgroup_cpus{"] = [] } == .warning)
    }

    @Test func oneTargetThatIsDownIsNamedWithItsError() throws {
        let verdict = try verdict("4.targets", about: EvidenceFixture.node) {
            $0.targets[1] =
                PrometheusFixture.target("cgroup_exporter", 9306, health: "down", error: "connection refused")[0]
        }
        #expect(verdict?.state == .failed)
        #expect(verdict?.seen == "cgroup_exporter is down: connection refused")
        #expect(verdict?.advice?.contains("systemctl status cgroup_exporter") == true)
    }

    @Test func targetsAreMissedAndStrangersNamed() throws {
        #expect(try verdict("4.targets", about: EvidenceFixture.node) { $0.targets.removeLast() }?.state == .failed)
        let fresh = try verdict("4.targets", about: EvidenceFixture.node) {
            $0.targets[0] = PrometheusFixture.target("node_exporter", 9100, health: "unknown")[0]
        }
        #expect(fresh?.state == .warning)
        let stranger = try verdict("4.surplus", about: Self.server) {
            $0.targets += PrometheusFixture.target("node_exporter", 9100, host: "dgx-77")
        }
        #expect(stranger?.state == .failed && stranger?.seen.contains("dgx-77") == true)
        let others = try verdict("4.surplus", about: Self.server) {
            $0.targets += PrometheusFixture.target("node_exporter", 9100, host: "dgx-77", cluster: "another")
        }
        #expect(others?.state == .passed)
        #expect(try verdict("4.surplus", about: EvidenceFixture.node, role: false)?.state == .failed)
        #expect(try verdict("4.targets", about: EvidenceFixture.node, role: false)?.state == .skipped)
    }

    @Test func wrongLabelsAreNamed() throws {
        let cluster = try verdict("4.labels", about: EvidenceFixture.node) {
            $0.targets[0] = PrometheusFixture.target("node_exporter", 9100, cluster: "debug")[0]
        }
        #expect(cluster?.state == .failed && cluster?.seen.contains("cluster of node_exporter is debug") == true)
        let instance = try verdict("4.labels", about: EvidenceFixture.node) {
            $0.targets[2] = PrometheusFixture.target("gpu_exporter", 9445, instance: "dgx-01")[0]
        }
        #expect(instance?.state == .failed)
    }

    @Test func anExporterWithoutSeriesFails() throws {
        let verdict = try verdict("3.nvidia_gpu_exporter", about: EvidenceFixture.node) {
            $0.series["nvidia_gpu_num_devices"] = []
        }
        #expect(verdict?.state == .failed)
    }

    @Test func negativeMemoryIsNamedWithItsJob() throws {
        let verdict = try verdict("9.memory", about: EvidenceFixture.node) {
            $0.series["cgroup_memory_("] = [["hostname": "dgx-01", "jobid": "17"]]
        }
        #expect(verdict?.state == .failed && verdict?.seen.contains("17") == true)
    }

    @Test(arguments: [
        (Int32(0), "SUCCESS", ValidationState.passed), (1, "  FAILED: parsing YAML file x: line 3", .failed),
        (127, "not found", .unseen),
    ]) func promtoolJudgesTheFile(_ status: Int32, _ said: String, _ state: ValidationState) {
        let file = FileFact(kind: .plain, mode: 0, owner: "", group: "", size: 1, changed: 0, sha256: nil)
        let verdict = JobstatsValidation.judgeConfigurationFile(file, makeResult(said, status), "/f", Self.server)
        #expect(verdict.state == state)
        #expect(JobstatsValidation.judgeConfigurationFile(nil, nil, "/f", Self.server).state == .unseen)
    }
}
