extension ScrapeConfiguration {
    /// A whole `prometheus.yml`.
    public var rendered: String {
        var global: [(key: String, value: YAMLText)] = [
            ("scrape_interval", .text(Self.text(scrapeInterval))),
            ("scrape_timeout", .text(Self.text(scrapeTimeout))),
            ("evaluation_interval", .text(Self.text(scrapeInterval))),
        ]
        if !externalLabels.isEmpty {
            global.append(
                (
                    "external_labels",
                    .mapping(externalLabels.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })
                )
            )
        }
        var document: [(key: String, value: YAMLText)] = [("global", .mapping(global))]
        if !ruleFiles.isEmpty { document.append(("rule_files", .sequence(ruleFiles.map { .text($0) }))) }
        document.append(
            ("scrape_configs", .sequence(jobs.map { scrapeConfig($0) } + fixedJobs.map { scrapeConfig($0) })))
        return YAMLText.mapping(document).rendered()
    }

    /// The jobs alone, indented by two spaces: what to add under `scrape_configs:` of a `prometheus.yml` that exists.
    public var renderedJobs: String {
        YAMLText.sequence(jobs.map { scrapeConfig($0) }).rendered(indentation: 2)
    }

    private func scrapeConfig(_ job: Job) -> YAMLText {
        .mapping([
            ("job_name", .text(job.name)),
            ("scrape_interval", .text(Self.text(scrapeInterval))),
            ("scrape_timeout", .text(Self.text(scrapeTimeout))),
            ("follow_redirects", .commented("A node must not send Prometheus elsewhere.", .truth(false))),
            ("target_limit", .number(targetLimit)),
            ("body_size_limit", .text("64MB")),
            (
                "file_sd_configs",
                .sequence([
                    .mapping([
                        ("files", .sequence([.text("\(directoryWithoutSlash)/*.json")])),
                        ("refresh_interval", .text(Self.text(refreshInterval))),
                    ])
                ])
            ),
            ("relabel_configs", .sequence(relabelling(job))),
            ("metric_relabel_configs", Self.withoutRuntimeMetrics),
        ])
    }

    private static var withoutRuntimeMetrics: YAMLText {
        .sequence([
            rule([("source_labels", .line(["__name__"])), ("regex", .text("^go_.*"))], action: "drop")
        ])
    }

    private func scrapeConfig(_ job: FixedJob) -> YAMLText {
        let groups = job.targets.map { target in
            YAMLText.mapping([
                ("targets", .sequence([.text("\(target.address)")])),
                (
                    "labels",
                    .mapping([
                        ("cluster", .text(clusterName)), ("hostname", .text(target.hostName)),
                        ("instance", .text("\(target.hostName):\(target.address.port)")),
                    ])
                ),
            ])
        }
        return .mapping([
            ("job_name", .text(job.name)),
            ("scrape_interval", .text(Self.text(scrapeInterval))),
            ("scrape_timeout", .text(Self.text(scrapeTimeout))),
            ("follow_redirects", .truth(false)),
            ("static_configs", .sequence(groups)),
            ("metric_relabel_configs", Self.withoutRuntimeMetrics),
        ])
    }

    private var directoryWithoutSlash: String {
        targetsDirectory.hasSuffix("/") ? String(targetsDirectory.dropLast()) : targetsDirectory
    }

    /// The rules that decide which targets are kept, and make all labels but `job` and `hostname`.
    private func relabelling(_ job: Job) -> [YAMLText] {
        let keptLabels = [
            "__address__", "__scheme__", "__metrics_path__", "__scrape_interval__", "__scrape_timeout__", "job",
            "cluster",
            "hostname", "instance",
        ]
        return [
            .commented(
                "Only this exporter's targets, of hosts with proper names.", Self.keep("job", matching: job.label)),
            Self.keep("hostname", matching: hostPattern),
        ] + addressRules(job) + [
            .commented(
                "How and how often a target is scraped is not for its file to say.",
                Self.set("__scheme__", to: "http")),
            Self.set("__metrics_path__", to: "/metrics"),
            Self.set("__scrape_interval__", to: Self.text(scrapeInterval)),
            Self.set("__scrape_timeout__", to: Self.text(scrapeTimeout)),
            Self.set("cluster", to: clusterName),
            Self.set("instance", fromHostName: "${1}:\(job.port)"),
            .commented(
                "URL parameters (__param_...) and all other labels of the file go.",
                Self.rule([("regex", .text(keptLabels.joined(separator: "|")))], action: "labelkeep")),
        ]
    }

    private func addressRules(_ job: Job) -> [YAMLText] {
        let expected = "${1}\(targetDomain.map { ".\($0)" } ?? ""):\(job.port)"
        guard addressCheck == .equality else {
            return [
                .commented(
                    "Only the exporter's own port; the host is the one that the label names.",
                    Self.keep("__address__", matching: ".*:\(job.port)")),
                Self.set("__address__", fromHostName: expected),
            ]
        }
        return [
            .commented(
                "Only the exporter's own port on the host that the label names (Prometheus 2.41 or later).",
                Self.set("__tmp_expected_address", fromHostName: expected)),
            Self.rule(
                [("source_labels", .line(["__address__"])), ("target_label", .text("__tmp_expected_address"))],
                action: "keepequal"),
        ]
    }

    /// The pattern (RE2) that the `hostname` label must match as a whole: a name after RFC 1123 that no resolver takes
    /// for an address, or one of the names given.
    private var hostPattern: String {
        if let hostNames {
            return Set(hostNames).sorted()
                .map { $0.split(separator: ".", omittingEmptySubsequences: false).joined(separator: "\\.") }
                .joined(separator: "|")
        }
        let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
        let lastLabel = "(?:[0-9][0-9-]*)?[a-zA-Z](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
        return "(?:\(label)\\.)*\(lastLabel)"
    }

    private static func keep(_ label: String, matching pattern: String) -> YAMLText {
        rule([("source_labels", .line([label])), ("regex", .text(pattern))], action: "keep")
    }

    private static func set(_ label: String, to value: String) -> YAMLText {
        // A dollar sign would begin a reference to a group.
        let literal = value.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
        return rule([("target_label", .text(label)), ("replacement", .text(literal))], action: "replace")
    }

    private static func set(_ label: String, fromHostName replacement: String) -> YAMLText {
        rule(
            [
                ("source_labels", .line(["hostname"])), ("regex", .text("(.+)")), ("target_label", .text(label)),
                ("replacement", .text(replacement)),
            ], action: "replace")
    }

    private static func rule(_ members: [(key: String, value: YAMLText)], action: String) -> YAMLText {
        .mapping(members + [("action", .text(action))])
    }

    /// A duration in Prometheus's notation, rounded to milliseconds.
    private static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return milliseconds == 0 ? "\(seconds)s" : "\(seconds * 1000 + milliseconds)ms"
    }
}
