import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// Each rule fires where it should, alone, and stays silent where nothing is wrong: asked of Prometheus's own evaluation
/// of rules (`promtool test rules`), 480 samples 30 s apart.
@Suite(.enabled(if: access("/usr/bin/promtool", X_OK) == 0, "promtool is not installed"))
struct AlertRulesTests {
    /// What is otherwise than in the healthy cluster, and which alerts fire four hours after its beginning.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Series with their values in promtool's notation; nil where there is no such series.
        let changes: [String: String?]
        let firing: [String]

        init(_ description: String, _ changes: [String: String?], firing: [String] = []) {
            testDescription = description
            self.changes = changes
            self.firing = firing
        }
    }

    // MARK: The healthy cluster

    private static func labels(_ job: String, _ host: String, _ more: String = "") -> String {
        "{job=\"\(job)\",cluster=\"slurm\",hostname=\"\(host)\"" + (more.isEmpty ? "" : ",\(more)") + "}"
    }
    private static func up(_ job: String, _ host: String = "dgx-01") -> String { "up" + labels(job, host) }
    private static func node(_ metric: String, _ more: String = "", host: String = "dgx-01") -> String {
        metric + labels("node_exporter", host, more)
    }
    private static func server(_ metric: String, _ more: String = "") -> String {
        metric + labels("server_node_exporter", "mon-01", more)
    }
    private static func prometheus(_ metric: String) -> String { metric + labels("prometheus", "mon-01") }
    private static let monitorFile = #"file="/var/lib/node_exporter/textfile_collector/bcm_role_monitor.prom""#
    /// A value that is always the same, and one that is always the present time.
    private static func always(_ value: Double, samples: Int = 480) -> String { "\(value)+0x\(samples)" }
    private static let present = "0+30x480"
    /// Nothing, and then one more each half minute for the last ten minutes.
    private static let rising = "0+0x460 0+1x20"

    private static func series(of host: String, samples: Int = 480) -> [String: String] {
        let end = samples < 480 ? " stale" : ""
        var series: [String: String] = [:]
        for job in ["node_exporter", "cgroup_exporter", "gpu_exporter"] {
            series[up(job, host)] = always(1, samples: samples) + end
            series["scrape_duration_seconds" + labels(job, host)] = always(0.2, samples: samples) + end
        }
        for (metric, value) in [
            (node("node_uname_info", host: host), 1.0), (node("node_textfile_scrape_error", host: host), 0),
            (node("bcm_role_monitor_role_state", #"role="slurmclient",state="present""#, host: host), 1),
            (node("bcm_role_monitor_role_state", #"role="slurmclient",state="absent""#, host: host), 0),
            (node("bcm_role_monitor_unit_given_up", #"unit="cgroup_exporter.service""#, host: host), 0),
            (node("bcm_role_monitor_certificate_left_days", host: host), 30),
            ("nvidia_gpu_num_devices" + labels("gpu_exporter", host), 8),
            ("cgroup_exporter_collect_error" + labels("cgroup_exporter", host), 0),
        ] { series[metric] = always(value, samples: samples) + end }
        series[node("node_textfile_mtime_seconds", monitorFile, host: host)] = "0+30x\(samples)" + end
        series[node("bcm_role_monitor_last_success_timestamp_seconds", host: host)] = "0+30x\(samples)" + end
        return series
    }

    private static let healthy: [String: String] = {
        var all = series(of: "dgx-01").merging(series(of: "dgx-02")) { first, _ in first }
        all[server("up")] = always(1)
        for command in ["prune", "sync"] {
            let label = "command=\"\(command)\""
            all[server("prom_targets_files", "\(label),state=\"current\"")] = always(2)
            all[server("prom_targets_files", "\(label),state=\"orphaned\"")] = always(0)
            all[server("prom_targets_last_run_status", label)] = always(0)
        }
        all[server("prom_targets_files", #"command="sync",state="missing""#)] = always(0)
        all[server("prom_targets_last_run_timestamp_seconds", #"command="sync""#)] = present
        all[server("prom_targets_last_run_timestamp_seconds", #"command="prune""#)] = always(-24 * 3600)
        // Half full, and it stays so: 10 GB of samples in 30 days and 4 hours (30.167 days), so 10 x (365 / 30.167 - 1) =
        // 111.0 GB more until a year is full.
        for mount in ["/", "/var/lib/prometheus", "/boot"] {
            all[server("node_filesystem_avail_bytes", "mountpoint=\"\(mount)\"")] = always(500e9)
            all[server("node_filesystem_size_bytes", "mountpoint=\"\(mount)\"")] = always(1000e9)
        }
        all[prometheus("prometheus_tsdb_storage_blocks_bytes")] = always(10e9)
        all[prometheus("prometheus_tsdb_lowest_timestamp_seconds")] = always(-30 * 86_400)
        for counter in [
            "prometheus_tsdb_compactions_failed_total", "prometheus_tsdb_wal_corruptions_total",
            "prometheus_tsdb_wal_writes_failed_total", "prometheus_tsdb_reloads_failures_total",
            "prometheus_target_scrape_pool_exceeded_target_limit_total", "prometheus_sd_file_read_errors_total",
            "prometheus_rule_evaluation_failures_total",
        ] { all[prometheus(counter)] = always(3) }
        for state in ["failed", "warning", "passed", "skipped", "unseen"] {
            all[server("jobstats_validation_checks", "state=\"\(state)\",group=\"services\"")] =
                always(["failed", "unseen"].contains(state) ? 0 : 4)
        }
        all[server("jobstats_validation_last_run_timestamp_seconds")] = always(-20 * 3600)
        return all
    }()

    private static func without(_ hosts: String...) -> [String: String?] {
        var changes: [String: String?] = [:]
        for host in hosts { for name in series(of: host).keys { changes[name] = String?.none } }
        return changes
    }

    private static func with(_ count: Int, endingAfter samples: Int) -> [String: String?] {
        var changes: [String: String?] = [:]
        for number in 0..<count {
            changes.merge(series(of: "dgx-1\(number)", samples: samples).mapValues { $0 }) { first, _ in first }
        }
        return changes
    }

    private static func repeated(_ values: String) -> String {
        Array(repeating: values, count: 480 / values.split(separator: " ").count).joined(separator: " ")
    }

    // MARK: Cases

    static let cases: [Case] = exporterCases + monitorCases + targetCases + serverCases + validationCases

    private static let exporterCases = [
        Case("a healthy cluster", [:]),
        Case("an exporter is down", [up("cgroup_exporter"): always(0)], firing: ["JobstatsExporterDown dgx-01"]),
        Case("an exporter was down for three minutes", [up("cgroup_exporter"): "1+0x474 0+0x5"]),
        Case("no target", without("dgx-01", "dgx-02"), firing: ["JobstatsNoTargets "]),
        Case(
            "ten of twelve nodes are gone", with(10, endingAfter: 400),
            firing: ["JobstatsFleetShrinks "]),
        Case("two of four nodes are gone", with(2, endingAfter: 400)),
        Case(
            "an exporter comes and goes", [up("gpu_exporter"): repeated("1 1 1 1 0")],
            firing: ["JobstatsScrapeGaps dgx-01"]),
        Case("one outage of an exporter", [up("gpu_exporter"): "1+0x420 0+0x8 1+0x50"]),
        Case(
            "an exporter is slow", ["scrape_duration_seconds" + labels("node_exporter", "dgx-01"): always(25)],
            firing: ["JobstatsScrapeSlow dgx-01"]),
        Case(
            "one slow scrape in four",
            ["scrape_duration_seconds" + labels("node_exporter", "dgx-01"): repeated("0.1 0.1 0.1 29")]),
        Case(
            "every second scrape is skipped", [up("node_exporter"): repeated("1 _")],
            firing: ["JobstatsScrapesMissing dgx-01"]),
        Case("Prometheus stood still for four minutes", [up("node_exporter"): "1+0x450 _x8 1+0x20"]),
        Case("no node's own metrics", [node("node_uname_info"): nil], firing: ["JobstatsSamplesMissing dgx-01"]),
        Case(
            "no devices", ["nvidia_gpu_num_devices" + labels("gpu_exporter", "dgx-02"): nil],
            firing: ["JobstatsSamplesMissing dgx-02"]),
        Case(
            "control groups cannot be read",
            ["cgroup_exporter_collect_error" + labels("cgroup_exporter", "dgx-02"): always(1)],
            firing: ["JobstatsSamplesMissing dgx-02"]),
        Case(
            "a metrics file cannot be read", [node("node_textfile_scrape_error"): always(1)],
            firing: ["JobstatsTextfileError dgx-01"]),
    ]

    private static let monitorCases = [
        Case(
            "a node with the role lacks an exporter's target",
            [
                up("gpu_exporter"): nil, "scrape_duration_seconds" + labels("gpu_exporter", "dgx-01"): nil,
                "nvidia_gpu_num_devices" + labels("gpu_exporter", "dgx-01"): nil,
            ], firing: ["JobstatsExporterMissing dgx-01"]),
        Case(
            "a node without the role lacks it",
            [
                up("gpu_exporter"): nil, "nvidia_gpu_num_devices" + labels("gpu_exporter", "dgx-01"): nil,
                node("bcm_role_monitor_role_state", #"role="slurmclient",state="present""#): always(0),
            ]),
        Case(
            "a monitor is silent", [node("node_textfile_mtime_seconds", monitorFile): always(0)],
            firing: ["JobstatsTextfileStale dgx-01"]),
        Case(
            "a monitor is silent, and an older node_exporter names the file alone",
            [
                node("node_textfile_mtime_seconds", monitorFile): nil,
                node("node_textfile_mtime_seconds", #"file="bcm_role_monitor.prom""#): always(0),
            ], firing: ["JobstatsTextfileStale dgx-01"]),
        Case(
            "another program's file is old", [node("node_textfile_mtime_seconds", #"file="/x/other.prom""#): always(0)]),
        Case(
            "no monitor", [node("node_textfile_mtime_seconds", monitorFile): nil],
            firing: ["JobstatsMonitorMissing dgx-01"]),
        Case(
            "BCM gives no certain answer", [node("bcm_role_monitor_last_success_timestamp_seconds"): always(0)],
            firing: ["JobstatsRoleUnknown dgx-01"]),
        Case(
            "a unit is given up",
            [node("bcm_role_monitor_unit_given_up", #"unit="cgroup_exporter.service""#): always(1)],
            firing: ["JobstatsUnitGivenUp dgx-01"]),
        Case(
            "a certificate ends this month", [node("bcm_role_monitor_certificate_left_days"): always(29)],
            firing: ["JobstatsCertificateEnds dgx-01"]),
        Case(
            "a certificate has ended", [node("bcm_role_monitor_certificate_left_days"): always(-1)],
            firing: ["JobstatsCertificateEnds dgx-01", "JobstatsCertificateEndsSoon dgx-01"]),
    ]

    private static let targetCases = [
        Case(
            "a target file is left over", [server("prom_targets_files", #"command="prune",state="gone""#): always(1)],
            firing: ["JobstatsTargetFilesLeftOver mon-01"]),
        Case(
            "a target file was left over for an hour",
            [server("prom_targets_files", #"command="prune",state="gone""#): "1+0x120 0+0x359"]),
        Case(
            "a target file is missing", [server("prom_targets_files", #"command="sync",state="missing""#): always(2)],
            firing: ["JobstatsTargetFilesWrong mon-01"]),
        Case(
            "a prune fails", [server("prom_targets_last_run_status", #"command="prune""#): always(3)],
            firing: ["JobstatsTargetCheckFails mon-01"]),
        Case(
            "a sync stands still", [server("prom_targets_last_run_timestamp_seconds", #"command="sync""#): always(0)],
            firing: ["JobstatsTargetCheckSilent mon-01"]),
        Case(
            "nothing was pruned for two days",
            [server("prom_targets_last_run_timestamp_seconds", #"command="prune""#): always(-50 * 3600)],
            firing: ["JobstatsTargetCheckSilent mon-01"]),
    ]

    private static let serverCases = [
        Case("a server is silent", [server("up"): always(0)], firing: ["JobstatsServerSilent mon-01"]),
        Case(
            "a disk fills up",
            [server("node_filesystem_avail_bytes", #"mountpoint="/""#): "300000000000-40000000x480"],
            firing: ["JobstatsDiskFillsUp mon-01"]),
        Case(
            "/boot fills up",
            [server("node_filesystem_avail_bytes", #"mountpoint="/boot""#): "300000000000-40000000x480"]
        ),
        Case(
            "the samples of a year do not fit",
            [server("node_filesystem_avail_bytes", #"mountpoint="/var/lib/prometheus""#): always(110e9)],
            firing: ["JobstatsDiskTooSmall mon-01"]),
        Case(
            "they just fit",
            [server("node_filesystem_avail_bytes", #"mountpoint="/var/lib/prometheus""#): always(112e9)]),
        Case(
            "another disk than that of the samples is small",
            [server("node_filesystem_avail_bytes", #"mountpoint="/""#): always(1e9)]),
        Case(
            "the samples are younger than a week",
            [
                server("node_filesystem_avail_bytes", #"mountpoint="/var/lib/prometheus""#): always(111e9),
                prometheus("prometheus_tsdb_lowest_timestamp_seconds"): always(-6 * 86_400),
            ]),
        Case(
            "the samples are older than the retention",
            [
                server("node_filesystem_avail_bytes", #"mountpoint="/var/lib/prometheus""#): always(1e9),
                prometheus("prometheus_tsdb_lowest_timestamp_seconds"): always(-366 * 86_400),
            ]),
        Case(
            "blocks cannot be written", [prometheus("prometheus_tsdb_compactions_failed_total"): rising],
            firing: ["JobstatsStorageFails mon-01"]),
        Case(
            "the log is damaged", [prometheus("prometheus_tsdb_wal_corruptions_total"): rising],
            firing: ["JobstatsStorageFails mon-01"]),
        Case(
            "too many targets", [prometheus("prometheus_target_scrape_pool_exceeded_target_limit_total"): rising],
            firing: ["JobstatsTargetLimit mon-01"]),
        Case(
            "a target file cannot be read", [prometheus("prometheus_sd_file_read_errors_total"): "0+0x400 0+1x80"],
            firing: ["JobstatsTargetFilesUnreadable mon-01"]),
        Case(
            "a rule fails", [prometheus("prometheus_rule_evaluation_failures_total"): rising],
            firing: ["JobstatsRulesFail mon-01"]),
    ]

    private static let validationCases = [
        Case(
            "a check failed", [server("jobstats_validation_checks", #"state="failed",group="services""#): always(1)],
            firing: ["JobstatsValidationFailed mon-01"]),
        Case(
            "a check could not look",
            [server("jobstats_validation_checks", #"state="unseen",group="services""#): always(1)],
            firing: ["JobstatsValidationBlind mon-01"]),
        Case(
            "the last validation was yesterday morning",
            [server("jobstats_validation_last_run_timestamp_seconds"): always(-24 * 3600)],
            firing: ["JobstatsValidationSilent mon-01"]),
        Case(
            "the last validation was yesterday morning, and its host is silent since",
            [server("jobstats_validation_last_run_timestamp_seconds"): "\(-26 * 3600)+0x100 stale"],
            firing: ["JobstatsValidationSilent mon-01"]),
    ]

    // MARK: Asking promtool

    private func ask(_ cases: [Case], rules: String) async throws -> CommandResult {
        let folder = TemporaryFolder()
        folder.write("rules.yml", rules)
        var text = "rule_files: [rules.yml]\nevaluation_interval: 30s\ntests:\n"
        for item in cases {
            let series = Self.healthy.merging(item.changes.mapValues { $0 ?? "" }) { $1 }.filter { $0.value != "" }
            text += "- interval: 30s\n  input_series:\n"
            for (name, values) in series.sorted(by: { $0.key < $1.key }) {
                text += "  - series: '\(name)'\n    values: '\(values)'\n"
            }
            text += "  promql_expr_test:\n"
            text += "  - expr: 'group by (alertname, hostname) (ALERTS{alertstate=\"firing\"})'\n    eval_time: 4h\n"
            text += "    exp_samples:\(item.firing.isEmpty ? " []" : "")\n"
            for alert in item.firing {
                let words = alert.split(separator: " ", omittingEmptySubsequences: false)
                let host = words[1].isEmpty ? "" : ",hostname=\"\(words[1])\""
                text += "    - labels: '{alertname=\"\(words[0])\"\(host)}'\n      value: 1\n"
            }
        }
        return try await LocalExecutor().run(
            Command("/usr/bin/promtool", ["test", "rules", folder.write("test.yml", text)], timeout: .seconds(120)))
    }

    private let rules = AlertRules(makeConfiguration { $0.prometheusRetentionDays = 365 })

    @Test(arguments: cases) func justTheAlertsThatShouldFireDo(_ item: Case) async throws {
        let result = try await ask([item], rules: rules.text)
        #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
    }

    @Test func everyAlertFiresInSomeCase() {
        let fired = Set(Self.cases.flatMap(\.firing).map { String($0.prefix { $0 != " " }) })
        #expect(Set(rules.groups.flatMap(\.rules).map(\.name)) == fired)
    }

    @Test func aRuleThatLacksItsConditionIsNoticed() async throws {
        let broken = rules.text.replacing("bcm_role_monitor_unit_given_up == 1", with: "bcm_role_monitor_unit_given_up")
        #expect(broken != rules.text)
        #expect(try await !ask([Self.cases[0]], rules: broken).succeeded)
    }

    @Test func textsNameTheUnitAndTheHost() async throws {
        let folder = TemporaryFolder()
        folder.write("rules.yml", rules.text)
        let test = folder.write(
            "test.yml",
            """
            rule_files: [rules.yml]
            tests:
            - interval: 1m
              input_series:
              - series: 'up{job="gpu_exporter",hostname="dgx-07"}'
                values: '0x20'
              alert_rule_test:
              - eval_time: 10m
                alertname: JobstatsExporterDown
                exp_alerts:
                - exp_labels: {severity: warning, job: gpu_exporter, hostname: dgx-07}
                  exp_annotations:
                    summary: gpu_exporter on dgx-07 does not answer
                    description: 'Jobs on this node get no statistics. On the node: systemctl status nvidia_gpu_exporter'
            """)
        let result = try await LocalExecutor().run(Command("/usr/bin/promtool", ["test", "rules", test]))
        #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
    }

    // MARK: What a site gets

    @Test func rulesFollowWhatTheSiteHas() throws {
        func names(_ change: (inout DeploymentConfiguration) -> Void) -> [String] {
            AlertRules(makeConfiguration(change)).groups.flatMap(\.rules).map(\.name)
        }
        #expect(!names { $0.deploysRoleMonitor = false }.contains("JobstatsMonitorMissing"))
        #expect(names { $0.deploysRoleMonitor = false }.contains("JobstatsExporterDown"))
        let existing = names { $0.usesExistingPrometheus = true }
        #expect(!existing.contains("JobstatsDiskTooSmall") && existing.contains("JobstatsValidationFailed"))
        let week = AlertRules(makeConfiguration { $0.prometheusRetentionDays = 7 }).text
        #expect(week.contains("(7 * 86400 / (time()") && week.contains("retention of 7 days"))
    }

    @Test func everyAlertIsExplainedToOperators() throws {
        let page = try SourceTree.read("docs/operate.md")
        for rule in rules.groups.flatMap(\.rules) {
            #expect(page.contains("`\(rule.name)`"), "\(rule.name) is missing in docs/operate.md")
        }
    }
}
