/// The alert rules that come with the deployment: about the platform itself, not about jobs.
///
/// The groups follow what a site has. Rules about servers and validation rest on metrics that a node_exporter on the
/// head node or monitoring server gives (`watched_servers`), and say nothing without it.
struct AlertRules {
    /// The scrape job of node_exporter on servers.
    static let serverJob = "server_node_exporter"
    /// The scrape jobs of the exporters on nodes.
    static let exporters = "job=~\"node_exporter|cgroup_exporter|gpu_exporter\""
    /// Seconds between two scrapes, and the longest time for one.
    static let interval = 30

    private let hasMonitors: Bool
    private let ownsPrometheus: Bool
    let retentionDays: Int

    init(_ configuration: DeploymentConfiguration) {
        hasMonitors = configuration.deploysRoleMonitor
        ownsPrometheus = !configuration.usesExistingPrometheus
        retentionDays = configuration.prometheusRetentionDays
    }

    /// One alert.
    struct Rule {
        let name: String
        /// PromQL; each line is one of the file.
        let expression: String
        /// How long it must be so; empty for at once.
        var lasting = ""
        var isCritical = false
        let summary: String
        let description: String

        var text: String {
            let lines = expression.split(separator: "\n")
            let written =
                lines.count == 1
                ? " \(expression)\n" : " |\n" + lines.map { "          \($0)\n" }.joined()
            return """
                      - alert: \(name)
                        expr:\(written)\
                \(lasting.isEmpty ? "" : "        for: \(lasting)\n")\
                        labels:
                          severity: \(isCritical ? "critical" : "warning")
                        annotations:
                          summary: \(Self.quoted(summary))
                          description: \(Self.quoted(description))

                """
        }

        private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
    }

    /// The groups with their rules.
    var groups: [(name: String, rules: [Rule])] {
        var groups = [("jobstats-exporters", exporterRules)]
        if hasMonitors { groups.append(("jobstats-monitors", monitorRules)) }
        groups.append(("jobstats-targets", targetRules))
        groups.append(("jobstats-servers", serverRules + (ownsPrometheus ? storageRules : [])))
        groups.append(("jobstats-validation", validationRules))
        return groups
    }

    /// A rule file of Prometheus.
    var text: String {
        "# \(Installed.mark)\ngroups:\n"
            + groups.map { "  - name: \($0.name)\n    rules:\n" + $0.rules.map(\.text).joined() }.joined()
    }
}

// MARK: - Nodes

extension AlertRules {
    private var exporterRules: [Rule] {
        let unit = #"{{ if eq $labels.job "gpu_exporter" }}nvidia_gpu_exporter{{ else }}{{ $labels.job }}{{ end }}"#
        let whole = 15 * 60 / Self.interval
        return [
            Rule(
                name: "JobstatsExporterDown", expression: "up{\(Self.exporters)} == 0", lasting: "5m",
                summary: "{{ $labels.job }} on {{ $labels.hostname }} does not answer",
                description: "Jobs on this node get no statistics. On the node: systemctl status \(unit)"),
            Rule(
                name: "JobstatsNoTargets", expression: "absent(up{job=\"node_exporter\"})", lasting: "30m",
                summary: "Prometheus scrapes no node at all",
                description: "Either no node has the role, or the directory of target files is not seen here."),
            Rule(
                name: "JobstatsFleetShrinks",
                expression: """
                    count by (cluster) (up{job="node_exporter"} offset 1h) - count by (cluster) (up{job="node_exporter"}) >= 3
                      and count by (cluster) (up{job="node_exporter"}) < 0.9 * count by (cluster) (up{job="node_exporter"} offset 1h)
                    """, lasting: "5m",
                summary: "{{ $value }} nodes less than an hour ago are scraped in {{ $labels.cluster }}",
                description:
                    "Many nodes lost the role or their target files at once. On the head node: prom-targets check"),
            Rule(
                name: "JobstatsScrapeGaps",
                expression: """
                    avg_over_time(up{\(Self.exporters)}[1h]) < 0.95 and changes(up{\(Self.exporters)}[1h]) >= 4
                    """, lasting: "10m",
                summary: "{{ $labels.job }} on {{ $labels.hostname }} comes and goes",
                description: "Summaries of jobs there have holes. On the node: journalctl -u \(unit)"),
            Rule(
                name: "JobstatsScrapeSlow",
                expression: """
                    quantile_over_time(0.5, scrape_duration_seconds{\(Self.exporters)}[15m]) > \(Self.interval * 8 / 10)
                    """, lasting: "15m",
                summary: "{{ $labels.job }} on {{ $labels.hostname }} needs {{ $value }} s for an answer",
                description:
                    "At \(Self.interval) s a scrape fails. The node may be overloaded, or a file system or GPU hang."),
            Rule(
                name: "JobstatsScrapesMissing",
                expression: """
                    count_over_time(up{\(Self.exporters)}[15m]) < \(whole * 8 / 10)
                      and up{\(Self.exporters)} and up{\(Self.exporters)} offset 15m
                    """, lasting: "15m",
                summary: "Prometheus skips scrapes of {{ $labels.job }} on {{ $labels.hostname }}",
                description:
                    "{{ $value }} of \(whole) in a quarter of an hour: Prometheus's server lacks CPU, memory or disk speed."
            ),
            Rule(
                name: "JobstatsSamplesMissing",
                expression: """
                    up{job="node_exporter"} == 1 unless on (cluster, hostname) node_uname_info
                      or up{job="gpu_exporter"} == 1 unless on (cluster, hostname) nvidia_gpu_num_devices
                      or up{job="cgroup_exporter"} == 1 and on (cluster, hostname) cgroup_exporter_collect_error > 0
                    """, lasting: "10m",
                summary: "{{ $labels.job }} on {{ $labels.hostname }} answers without its own metrics",
                description: "Something else listens on its port, or it cannot look. On the node: journalctl -u \(unit)"
            ),
            Rule(
                name: "JobstatsTextfileError",
                expression: "node_textfile_scrape_error == 1", lasting: "15m",
                summary: "node_exporter on {{ $labels.hostname }} cannot read a metrics file",
                description: "On the host: journalctl -u node_exporter names the file"),
        ]
    }

    private var monitorRules: [Rule] {
        let hasRole = "bcm_role_monitor_role_state{role=\"slurmclient\",state=\"present\"} == 1"
        func missing(_ job: String) -> String {
            """
            label_replace(
              \(hasRole) unless on (cluster, hostname) up{job="\(job)"},
              "exporter", "\(job)", "", "")
            """
        }
        let file = #"file=~"(.*/)?bcm_role_monitor[.]prom""#
        return [
            Rule(
                name: "JobstatsExporterMissing",
                expression: missing("cgroup_exporter") + "\nor\n" + missing("gpu_exporter"), lasting: "10m",
                summary:
                    "{{ $labels.exporter }} on {{ $labels.hostname }} is not scraped although the node has the role",
                description: "Its target is not in the node's target file. On the head node: prom-targets check"),
            Rule(
                name: "JobstatsTextfileStale",
                expression: "time() - node_textfile_mtime_seconds{\(file)} > 900", lasting: "5m",
                summary: "The role monitor on {{ $labels.hostname }} writes no metrics any more",
                description: "On the node: systemctl status bcm-role-monitor"),
            Rule(
                name: "JobstatsMonitorMissing",
                expression:
                    "up{job=\"node_exporter\"} == 1 unless on (cluster, hostname) node_textfile_mtime_seconds{\(file)}",
                lasting: "15m",
                summary: "There are no metrics of a role monitor on {{ $labels.hostname }}",
                description:
                    "Exporters run there without one. On the head node: deploy-role-monitor --dgx-nodes {{ $labels.hostname }}"
            ),
            Rule(
                name: "JobstatsRoleUnknown",
                expression: "time() - bcm_role_monitor_last_success_timestamp_seconds > 1800", lasting: "10m",
                summary: "The role monitor on {{ $labels.hostname }} got no certain answer from BCM for half an hour",
                description: "Nothing is changed there meanwhile. On the node: bcm-role-monitor --check-connectivity"),
            Rule(
                name: "JobstatsUnitGivenUp", expression: "bcm_role_monitor_unit_given_up == 1",
                summary: "{{ $labels.unit }} on {{ $labels.hostname }} does not start and was given up",
                description: "On the node: systemctl status {{ $labels.unit }}; then bcm-role-monitor --reset"),
            Rule(
                name: "JobstatsCertificateEnds", expression: "bcm_role_monitor_certificate_left_days < 30",
                summary: "The role monitor's certificate on {{ $labels.hostname }} ends within 30 days",
                description: "On the head node: deploy-role-monitor --renew"),
            Rule(
                name: "JobstatsCertificateEndsSoon", expression: "bcm_role_monitor_certificate_left_days < 7",
                isCritical: true,
                summary: "The role monitor's certificate on {{ $labels.hostname }} ends in {{ $value }} days",
                description:
                    "Afterwards BCM does not answer it and roles are not followed any more. On the head node: "
                    + "deploy-role-monitor --renew"),
        ]
    }

    private var targetRules: [Rule] {
        [
            Rule(
                name: "JobstatsTargetFilesLeftOver",
                expression: """
                    sum by (cluster, hostname, command) (prom_targets_files{state=~"orphaned|gone"}) > 0
                    """, lasting: "2h",
                summary: "{{ $value }} target files are left of nodes that have no role or are gone",
                description: "On the head node: prom-targets prune says which; prom-targets prune --apply removes them"),
            Rule(
                name: "JobstatsTargetFilesWrong",
                expression: """
                    sum by (cluster, hostname, command) (prom_targets_files{state=~"missing|different"}) > 0
                    """, lasting: "30m",
                summary: "{{ $value }} nodes have the role and no target file, or one that is wrong",
                description: "They are not scraped. On the head node: prom-targets check names them"),
            Rule(
                name: "JobstatsTargetCheckFails",
                expression: "prom_targets_last_run_status != 0", lasting: "30m",
                summary: "prom-targets {{ $labels.command }} ends with status {{ $value }}",
                description: "On {{ $labels.hostname }}: journalctl -u prom-targets-{{ $labels.command }}"),
            Rule(
                name: "JobstatsTargetCheckSilent",
                expression: """
                    time() - prom_targets_last_run_timestamp_seconds{command="sync"} > 900
                      or time() - prom_targets_last_run_timestamp_seconds{command!="sync"} > 50 * 3600
                    """, lasting: "15m",
                summary: "prom-targets {{ $labels.command }} does not run any more",
                description: "On {{ $labels.hostname }}: systemctl status 'prom-targets-*'"),
        ]
    }
}
