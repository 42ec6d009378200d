import BCMClient
import CommandExecution
import FleetTargets
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy
@testable import RoleMonitor

@Suite struct PlatformDashboardTests {
    private let settings = DashboardSettings(sourceID: "jobstats", cluster: "slurm", nodeExporterPort: 9100)

    @Test func panelsAreOfKindsThatEveryVersionHasAndDoNotOverlap() throws {
        let dashboard = try JSONValue(parsing: PlatformDashboard(settings).text)
        let panels = try #require(dashboard["panels"]?.elements)
        let kinds = ["timeseries", "stat", "table", "state-timeline", "bargauge", "gauge", "text"]
        #expect(panels.allSatisfy { kinds.contains($0["type"]?.string ?? "") })
        #expect(dashboard["uid"]?.string == "jobstats-platform")
        var taken: Set<[Int]> = []
        for panel in panels {
            func number(_ name: String) throws -> Int {
                try #require(panel["gridPos"]?[name]?.number?.integer)
            }
            let (x, y, width, height) = (try number("x"), try number("y"), try number("w"), try number("h"))
            #expect(x >= 0 && x + width <= 24 && width > 0 && height > 0)
            for column in x..<(x + width) {
                for row in y..<(y + height) {
                    #expect(taken.insert([column, row]).inserted, "\(panel["title"]?.string ?? "")")
                }
            }
            for target in panel["targets"]?.elements ?? [] {
                #expect(target["datasource"]?["uid"]?.string == "jobstats")
            }
            #expect((panel["targets"] == nil) == (panel["type"]?.string == "text"))
        }
    }

    private var expressions: [String] { PlatformDashboard(settings).panels.flatMap(\.queries).map(\.expression) }

    @Test func queriesKeepToTheCluster() {
        for expression in expressions where !expression.contains("ALERTS") && expression != AlertRules.roomForSamples {
            #expect(expression.contains("cluster=\"slurm\""), "\(expression)")
        }
    }

    @Test(.enabled(if: access("/usr/bin/promtool", X_OK) == 0, "promtool is not installed"))
    func prometheusUnderstandsTheQueries() async throws {
        var rules = "groups:\n- name: dashboard\n  rules:\n"
        for (index, expression) in expressions.enumerated() {
            let text = String(
                decoding: JSONNode.text(expression.replacing("$__range", with: "6h")).encoded(), as: UTF8.self)
            rules += "  - record: dashboard:query\(index)\n    expr: \(text.trimmed)\n"
        }
        let folder = TemporaryFolder()
        let result = try await LocalExecutor().run(
            Command("/usr/bin/promtool", ["check", "rules", folder.write("rules.yml", rules)]))
        #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
    }

    // MARK: Names of metrics

    /// What this project's programs write, from their own code.
    private static let ownMetrics: Set<String> = {
        var metrics = MonitorMetrics()
        (metrics.lastCheck, metrics.lastSuccess, metrics.pauseEnd, metrics.certificateEnd) = (1, 1, 1, 1)
        metrics.failures = ["x": 1]
        metrics.units = ["x.service"]
        let texts =
            metrics.rendered + FleetMetrics.text(failed: "sync", status: 0, at: 0) + "# TYPE prom_targets_files gauge\n"
        let names = texts.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        return Set(names.map(String.init)).union([ValidationMetrics.checks, ValidationMetrics.lastRun])
    }()

    /// What Prometheus adds to each target, and to alerts.
    private static let madeByPrometheus: Set<String> = [
        "up", "scrape_duration_seconds", "scrape_samples_post_metric_relabeling", "ALERTS",
    ]
    private static let prometheusMetrics: Set<String> = [
        "prometheus_tsdb_storage_blocks_bytes", "prometheus_tsdb_lowest_timestamp_seconds",
        "prometheus_tsdb_head_series", "prometheus_tsdb_head_samples_appended_total",
        "prometheus_tsdb_compactions_failed_total", "prometheus_tsdb_wal_corruptions_total",
        "prometheus_tsdb_wal_writes_failed_total", "prometheus_tsdb_reloads_failures_total",
        "prometheus_target_scrape_pool_exceeded_target_limit_total", "prometheus_sd_file_read_errors_total",
        "prometheus_rule_evaluation_failures_total",
    ]
    private static let nodeMetrics: Set<String> = [
        "node_uname_info", "node_textfile_mtime_seconds", "node_textfile_scrape_error", "node_filesystem_avail_bytes",
        "node_filesystem_size_bytes",
    ]
    /// As their pages name them; the stand-ins of the lab give the same.
    private static let exporterMetrics: Set<String> = ["nvidia_gpu_num_devices", "cgroup_exporter_collect_error"]

    /// The names of metrics in an expression: what is no label, function or word of PromQL.
    static func metrics(in expression: String) -> Set<String> {
        let bare = expression.replacing(/"[^"]*"/, with: "").replacing(/\{[^}]*\}/, with: " ")
            .replacing(/\[[^\]]*\]/, with: " ")
            .replacing(/\b(by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)/, with: " ")
            .replacing(/\boffset\s+\w+/, with: " ")
        let words: Set<String> = ["and", "or", "unless", "bool"]
        let names = bare.matches(of: /[a-zA-Z_][a-zA-Z0-9_]*(\s*\()?/).filter { !$0.output.0.hasSuffix("(") }
        return Set(names.map { String($0.output.0) }).subtracting(words)
    }

    @Test func namesAreFoundInExpressions() {
        let expression =
            #"sum by (a, b) (rate(x_total{c="d{"}[5m] offset 1h)) > on (e) (y or vector(0)) unless z{f=~"g"} == 1"#
        #expect(Self.metrics(in: expression) == ["x_total", "y", "z"])
    }

    @Test func everyMetricOfRulesAndDashboardIsOneThatSomethingGives() {
        let known = [
            Self.ownMetrics, Self.madeByPrometheus, Self.prometheusMetrics, Self.nodeMetrics, Self.exporterMetrics,
        ].reduce(into: Set<String>()) { $0.formUnion($1) }
        let rules = AlertRules(makeConfiguration()).groups.flatMap(\.rules)
        for expression in expressions + rules.map(\.expression) {
            let unknown = Self.metrics(in: expression).subtracting(known)
            #expect(unknown.isEmpty, "\(unknown) in \(expression)")
        }
    }

    /// A real Prometheus that scrapes itself has a rule and has one target file gives all of these.
    @Test(.enabled(if: access("/usr/bin/prometheus", X_OK) == 0, "prometheus is not installed"))
    func prometheusGivesItsMetrics() async throws {
        let folder = TemporaryFolder()
        let port = Int.random(in: 40000..<45000)
        let rules = folder.write("rules.yml", AlertRules(makeConfiguration()).text)
        let configuration = folder.write(
            "prometheus.yml",
            """
            rule_files: [\(rules)]
            scrape_configs:
            - {job_name: files, file_sd_configs: [{files: [\(folder.path)/*.json]}]}
            - {job_name: it, scrape_interval: 1s, static_configs: [{targets: ['127.0.0.1:\(port)']}]}
            """)
        let text = try await Self.metrics(
            of: "/usr/bin/prometheus",
            [
                "--config.file=\(configuration)", "--storage.tsdb.path=\(folder.path)/data",
                "--web.listen-address=127.0.0.1:\(port)",
            ], port: port, until: "prometheus_tsdb_head_samples_appended_total")
        let names = Self.names(in: text)
        #expect(Self.prometheusMetrics.isSubset(of: names), "\(Self.prometheusMetrics.subtracting(names))")
    }

    @Test(.enabled(if: access("/usr/bin/prometheus-node-exporter", X_OK) == 0, "it is not installed"))
    func nodeExporterGivesItsMetrics() async throws {
        let folder = TemporaryFolder()
        let port = Int.random(in: 45000..<50000)
        folder.write("bcm_role_monitor.prom", MonitorMetrics().rendered)
        let text = try await Self.metrics(
            of: "/usr/bin/prometheus-node-exporter",
            ["--web.listen-address=127.0.0.1:\(port)", "--collector.textfile.directory=\(folder.path)"], port: port)
        let names = Self.names(in: text)
        #expect(Self.nodeMetrics.isSubset(of: names), "\(Self.nodeMetrics.subtracting(names))")
        #expect(try /file="([^"]*\/)?bcm_role_monitor[.]prom"/.firstMatch(in: text) != nil)
    }

    private static func names(in text: String) -> Set<String> {
        Set(text.split(separator: "\n").map { String($0.prefix { $0 != "{" && $0 != " " }) })
    }

    /// What the program gives on `/metrics`, as soon as it gives this one, within a quarter of a minute.
    private static func metrics(
        of program: String, _ arguments: [String], port: Int, until metric: String = "# TYPE"
    ) async throws -> String {
        let running = Task { try await LocalExecutor().run(Command(program, arguments, timeout: .seconds(60))) }
        defer { running.cancel() }
        let script = """
            exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3 && timeout 10 cat <&3
            """
        for _ in 0..<60 {
            let result = try await LocalExecutor().run(Command("bash", ["-c", script, "bash", "\(port)"]))
            if result.succeeded, result.outputText.contains(metric) { return result.outputText }
            try await Task.sleep(for: .milliseconds(250))
        }
        return ""
    }
}
