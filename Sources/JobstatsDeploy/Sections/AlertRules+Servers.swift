// MARK: - Servers, storage and validation

extension AlertRules {
    /// The room on the file system that holds Prometheus's samples: the one that is mounted deepest.
    static let roomForSamples: String = {
        var folders = [Installed.prometheusData]
        while let slash = folders.last?.lastIndex(of: "/"), let last = folders.last, last != "/" {
            folders.append(slash == last.startIndex ? "/" : String(last[..<slash]))
        }
        return folders.map {
            "node_filesystem_avail_bytes{job=\"\(serverJob)\",mountpoint=\"\($0)\"}"
        }.joined(separator: "\n    or on (cluster, hostname) ")
    }()

    var serverRules: [Rule] {
        let watched = "job=\"\(Self.serverJob)\",mountpoint!~\"/(run|boot)(/.*)?\""
        return [
            Rule(
                name: "JobstatsServerSilent", expression: "up{job=\"\(Self.serverJob)\"} == 0", lasting: "10m",
                summary: "node_exporter on the server {{ $labels.hostname }} does not answer",
                description: "Neither its disks nor what validation and prom-targets say there are watched."),
            Rule(
                name: "JobstatsDiskFillsUp",
                expression: """
                    predict_linear(node_filesystem_avail_bytes{\(watched)}[6h], 4 * 86400) < 0
                      and node_filesystem_avail_bytes{\(watched)} < 0.4 * node_filesystem_size_bytes{\(watched)}
                    """, lasting: "1h",
                summary: "{{ $labels.mountpoint }} on {{ $labels.hostname }} is full within four days",
                description:
                    "At the pace of the last six hours. On the server: du -xh {{ $labels.mountpoint }} | sort -h"),
        ]
    }

    var storageRules: [Rule] {
        let age = "(time() - prometheus_tsdb_lowest_timestamp_seconds)"
        func increases(_ names: [String]) -> String {
            names.map { "increase(prometheus_tsdb_\($0)_total[6h]) > 0" }.joined(separator: "\n  or ")
        }
        return [
            Rule(
                name: "JobstatsDiskTooSmall",
                expression: """
                    prometheus_tsdb_storage_blocks_bytes * (\(retentionDays) * 86400 / \(age) - 1)
                      > on (cluster, hostname) (
                        \(Self.roomForSamples))
                      and on (cluster, hostname) \(age) > 7 * 86400
                    """, lasting: "1h",
                summary:
                    "The disk of {{ $labels.hostname }} is full before the retention of \(retentionDays) days is reached",
                description:
                    "{{ $value | humanize1024 }}B more are to come. Enlarge \(Installed.prometheusData), or lower "
                    + "prometheus_retention_days; capacity-planner says what is needed."),
            Rule(
                name: "JobstatsStorageFails",
                expression: increases([
                    "compactions_failed", "wal_corruptions", "wal_writes_failed", "reloads_failures",
                ]),
                isCritical: true,
                summary: "Prometheus on {{ $labels.hostname }} cannot write or tidy its samples",
                description: "On the server: journalctl -u prometheus; df -h \(Installed.prometheusData)"),
            Rule(
                name: "JobstatsTargetLimit",
                expression: "increase(prometheus_target_scrape_pool_exceeded_target_limit_total[15m]) > 0",
                isCritical: true,
                summary: "Prometheus on {{ $labels.hostname }} scrapes nothing of a job that has too many targets",
                description: "Somebody filled the directory of target files. On the head node: prom-targets list"),
            Rule(
                name: "JobstatsTargetFilesUnreadable",
                expression: "increase(prometheus_sd_file_read_errors_total[15m]) > 0", lasting: "15m",
                summary: "Prometheus on {{ $labels.hostname }} cannot read a target file",
                description: "On the server: journalctl -u prometheus names it; on the head node: prom-targets check"),
            Rule(
                name: "JobstatsRulesFail",
                expression: "sum by (cluster, hostname) (increase(prometheus_rule_evaluation_failures_total[15m])) > 0",
                lasting: "5m",
                summary: "Prometheus on {{ $labels.hostname }} cannot evaluate a rule",
                description: "An alert may be missing. On the server: journalctl -u prometheus names the rule"),
        ]
    }

    var validationRules: [Rule] {
        func count(_ state: String) -> String {
            "sum by (cluster, hostname, group) (\(ValidationMetrics.checks){state=\"\(state)\"}) > 0"
        }
        return [
            Rule(
                name: "JobstatsValidationFailed", expression: count("failed"),
                summary: "{{ $value }} checks of the group {{ $labels.group }} failed",
                description: "On {{ $labels.hostname }}: validate-deployment says where, and what to do"),
            Rule(
                name: "JobstatsValidationBlind", expression: count("unseen"),
                summary: "{{ $value }} checks of the group {{ $labels.group }} could not look",
                description: "What they guard is unknown. On {{ $labels.hostname }}: validate-deployment says why"),
            Rule(
                name: "JobstatsValidationSilent",
                expression: "time() - max_over_time(\(ValidationMetrics.lastRun)[7d]) > 26 * 3600",
                lasting: "30m",
                summary: "The deployment was not validated for more than a day",
                description:
                    "On {{ $labels.hostname }}: systemctl list-timers, and the journal of the validation's unit"),
        ]
    }
}

/// The metrics that a validation leaves for node_exporter.
package enum ValidationMetrics {
    /// The number of checks, by `state` (`failed`, `warning`, `passed`, `skipped`, `unseen`) and `group`.
    package static let checks = "jobstats_validation_checks"
    /// When the last validation ended.
    package static let lastRun = "jobstats_validation_last_run_timestamp_seconds"
}
