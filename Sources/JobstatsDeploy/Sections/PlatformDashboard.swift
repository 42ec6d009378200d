/// A dashboard of the platform itself: exporters, role monitors, target files, Prometheus and validation. Its panels are
/// of kinds that every Grafana since 8 has, the newest included.
struct PlatformDashboard {
    /// The dashboard's identifier, part of its address.
    static let identifier = "jobstats-platform"

    private let settings: DashboardSettings

    init(_ settings: DashboardSettings) { self.settings = settings }

    struct Query {
        let expression: String
        var legend = ""
        /// One value now, in place of a course.
        var isInstant = false
    }

    struct Panel {
        let title: String
        let kind: String
        /// Width and height in Grafana's grid of 24 columns.
        let size: (width: Int, height: Int)
        var description = ""
        var queries: [Query] = []
        var unit = "short"
        /// From which value on something is amber and red; colours run the other way where the first is higher.
        var limits: (amber: Double, red: Double)?
        /// Where two values stand for two words: `[0: "down"]`.
        var words: [(value: Int, text: String, colour: String)] = []
        var text = ""
        /// Columns of a table that are not shown.
        var hidden: [String] = []
    }

    var panels: [Panel] {
        let cluster = "cluster=\"\(settings.cluster)\""
        let up = "up{\(cluster),\(AlertRules.exporters)}"
        let orZero = " or vector(0)"
        let course = (width: 12, height: 8), number = (width: 4, height: 4)
        func now(_ expression: String, _ legend: String = "") -> [Query] {
            [Query(expression: expression, legend: legend, isInstant: true)]
        }
        return [
            Panel(
                title: "Nodes that answer", kind: "stat", size: number,
                queries: now("count(up{\(cluster),job=\"node_exporter\"} == 1)" + orZero)),
            Panel(
                title: "Exporters that do not", kind: "stat", size: number, queries: now("count(\(up) == 0)" + orZero),
                limits: (1, 5)),
            Panel(
                title: "Units given up", kind: "stat", size: number,
                description: "By the role monitors; no data where none answers.",
                queries: now("sum(bcm_role_monitor_unit_given_up{\(cluster)})"), limits: (1, 5)),
            Panel(
                title: "First certificate ends in", kind: "stat", size: number,
                queries: now("min(bcm_role_monitor_certificate_left_days{\(cluster)})"), unit: "d", limits: (30, 7)),
            Panel(
                title: "Failed or blind checks", kind: "stat", size: number,
                description: "Of the last validation; no data where none has run.",
                queries: now("sum(\(ValidationMetrics.checks){\(cluster),state=~\"failed|unseen\"})"), limits: (1, 1)),
            Panel(
                title: "Last validation before", kind: "stat", size: number,
                queries: now("time() - max(\(ValidationMetrics.lastRun){\(cluster)})"), unit: "s",
                limits: (26 * 3600, 50 * 3600)),
            Panel(
                title: "Alerts", kind: "table", size: (24, 8),
                queries: now("ALERTS{alertname=~\"Jobstats.*\",alertstate=\"firing\"}"),
                hidden: ["Time", "Value", "__name__", "alertstate", "instance"]),
            Panel(
                title: "Exporters that did not answer", kind: "state-timeline", size: (24, 8),
                description: "Only those that failed at least once in the time shown.",
                queries: [
                    Query(
                        expression: "\(up) and min_over_time(\(up)[$__range]) == 0", legend: "{{hostname}} {{job}}")
                ],
                words: [(0, "silent", "red"), (1, "answers", "green")]),
            Panel(
                title: "Nodes by role state", kind: "timeseries", size: course,
                queries: [
                    Query(
                        expression: "sum by (role, state) (bcm_role_monitor_role_state{\(cluster)})",
                        legend: "{{role}} {{state}}")
                ]),
            Panel(
                title: "Target files by state", kind: "timeseries", size: course,
                description: "As prom-targets saw them on the head node.",
                queries: [
                    Query(
                        expression: "sum by (command, state) (prom_targets_files{\(cluster)})",
                        legend: "{{command}} {{state}}")
                ]),
            Panel(
                title: "Slowest scrape", kind: "timeseries", size: course,
                description: "At \(AlertRules.interval) s a scrape fails.",
                queries: [
                    Query(
                        expression: "max by (job) (scrape_duration_seconds{\(cluster),\(AlertRules.exporters)})",
                        legend: "{{job}}")
                ], unit: "s"),
            Panel(
                title: "Samples of a scrape round", kind: "timeseries", size: course,
                queries: [
                    Query(
                        expression:
                            "sum by (job) (scrape_samples_post_metric_relabeling{\(cluster),\(AlertRules.exporters)})",
                        legend: "{{job}}")
                ]),
            Panel(
                title: "Series in memory", kind: "timeseries", size: course,
                queries: [Query(expression: "prometheus_tsdb_head_series{\(cluster)}", legend: "{{hostname}}")]),
            Panel(
                title: "Samples stored each second", kind: "timeseries", size: course,
                queries: [
                    Query(
                        expression: "rate(prometheus_tsdb_head_samples_appended_total{\(cluster)}[5m])",
                        legend: "{{hostname}}")
                ]),
            Panel(
                title: "Samples on disk, and the room that is left", kind: "timeseries", size: course,
                description: "The room needs node_exporter on the server (watched_servers).",
                queries: [
                    Query(
                        expression: "prometheus_tsdb_storage_blocks_bytes{\(cluster)}", legend: "{{hostname}} samples"),
                    Query(expression: AlertRules.roomForSamples, legend: "{{hostname}} free"),
                ], unit: "bytes"),
            Panel(
                title: "Disks of servers in use", kind: "gauge", size: course,
                queries: now(
                    "1 - node_filesystem_avail_bytes{\(cluster),job=\"\(AlertRules.serverJob)\",mountpoint!~\"/(run|boot)(/.*)?\"}"
                        + " / node_filesystem_size_bytes{\(cluster),job=\"\(AlertRules.serverJob)\",mountpoint!~\"/(run|boot)(/.*)?\"}",
                    "{{hostname}} {{mountpoint}}"), unit: "percentunit", limits: (0.7, 0.9)),
            Panel(
                title: "Certificates that end first", kind: "bargauge", size: course,
                queries: now("bottomk(10, bcm_role_monitor_certificate_left_days{\(cluster)})", "{{hostname}}"),
                unit: "d", limits: (30, 7)),
            Panel(
                title: "Checks of the last validation", kind: "timeseries", size: course,
                queries: [
                    Query(
                        expression: "sum by (state) (\(ValidationMetrics.checks){\(cluster)})", legend: "{{state}}")
                ]),
            Panel(
                title: "What to do", kind: "text", size: (24, 5),
                text: """
                    * An exporter is silent: `systemctl status` and `bcm-role-monitor --check-connectivity` on its node.
                    * Target files are missing or left over: `prom-targets check` on the head node.
                    * A certificate ends: `deploy-role-monitor --renew`.
                    * Checks failed: `validate-deployment` says where, and what to do.
                    * *No data* means that nobody looks: it is never good.
                    """),
        ]
    }

    /// The dashboard as JSON.
    var text: String {
        var placed: [JSONNode] = []
        var (x, y, rowHeight) = (0, 0, 0)
        for (index, panel) in panels.enumerated() {
            if x + panel.size.width > 24 { (x, y, rowHeight) = (0, y + rowHeight, 0) }
            placed.append(node(panel, index + 1, x: x, y: y))
            x += panel.size.width
            rowHeight = max(rowHeight, panel.size.height)
        }
        let dashboard = JSONNode.object([
            ("id", JSONNode(.null)), ("uid", .text(Self.identifier)), ("title", .text("Jobstats: the platform itself")),
            ("tags", .strings(["jobstats"])), ("schemaVersion", .number(36)), ("version", .number(1)),
            ("editable", JSONNode(.bool(false))), ("graphTooltip", .number(1)), ("refresh", .text("1m")),
            ("time", .object([("from", .text("now-6h")), ("to", .text("now"))])),
            ("templating", .object([("list", JSONNode(.array([])))])), ("panels", JSONNode(.array(placed))),
        ])
        return String(decoding: dashboard.encoded(inlineWidth: 110), as: UTF8.self)
    }
}

extension PlatformDashboard {
    private func node(_ panel: Panel, _ number: Int, x: Int, y: Int) -> JSONNode {
        .object([
            ("id", .number(number)), ("title", .text(panel.title)), ("type", .text(panel.kind)),
            ("description", panel.description.isEmpty ? nil : .text(panel.description)),
            ("datasource", panel.queries.isEmpty ? nil : settings.source),
            (
                "gridPos",
                .object([
                    ("h", .number(panel.size.height)), ("w", .number(panel.size.width)), ("x", .number(x)),
                    ("y", .number(y)),
                ])
            ), ("fieldConfig", panel.queries.isEmpty ? nil : fields(panel)), ("options", options(panel)),
            ("transformations", panel.hidden.isEmpty ? nil : JSONNode(.array([hiding(panel.hidden)]))),
            ("targets", panel.queries.isEmpty ? nil : targets(panel)),
        ])
    }

    private func targets(_ panel: Panel) -> JSONNode {
        JSONNode(
            .array(
                panel.queries.enumerated().map { offset, query in
                    .object([
                        ("refId", .text(String(UnicodeScalar(UInt8(ascii: "A") + UInt8(offset))))),
                        ("datasource", settings.source), ("expr", .text(query.expression)),
                        ("legendFormat", query.legend.isEmpty ? nil : .text(query.legend)),
                        ("instant", query.isInstant ? JSONNode(.bool(true)) : nil),
                        ("range", query.isInstant ? JSONNode(.bool(false)) : nil),
                        ("format", panel.kind == "table" ? .text("table") : nil),
                    ])
                }))
    }

    private func fields(_ panel: Panel) -> JSONNode {
        var steps = [step(nil, "green")]
        if let (amber, red) = panel.limits {
            // Where less is worse the colours begin with red.
            steps =
                amber > red
                ? [step(nil, "red"), step(red, "orange"), step(amber, "green")]
                : [step(nil, "green"), step(amber, "orange")] + (red > amber ? [step(red, "red")] : [])
        }
        let words = panel.words.map { word in
            ("\(word.value)", JSONNode.object([("text", .text(word.text)), ("color", .text(word.colour))]))
        }
        let mappings =
            panel.words.isEmpty ? [] : [JSONNode.object([("type", .text("value")), ("options", .object(words))])]
        let defaults = JSONNode.object([
            ("unit", .text(panel.unit)), ("min", panel.kind == "state-timeline" ? nil : .number(0)),
            ("max", panel.unit == "percentunit" ? .number(1) : nil), ("mappings", JSONNode(.array(mappings))),
            ("thresholds", .object([("mode", .text("absolute")), ("steps", JSONNode(.array(steps)))])),
        ])
        return .object([("defaults", defaults), ("overrides", JSONNode(.array([])))])
    }

    private func step(_ value: Double?, _ colour: String) -> JSONNode {
        let literal = value.map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }
        return .object([
            ("color", .text(colour)), ("value", literal.map { JSONNode(.number($0)) } ?? JSONNode(.null)),
        ])
    }

    private func options(_ panel: Panel) -> JSONNode? {
        switch panel.kind {
        case "stat", "gauge", "bargauge":
            .object([
                (
                    "reduceOptions",
                    .object([("calcs", .strings(["lastNotNull"])), ("values", JSONNode(.bool(false)))])
                )
            ])
        case "text": .object([("mode", .text("markdown")), ("content", .text(panel.text))])
        default: nil
        }
    }

    private func hiding(_ columns: [String]) -> JSONNode {
        .object([
            ("id", .text("organize")),
            (
                "options",
                .object([("excludeByName", .object(columns.map { ($0, JSONNode(.bool(true))) }))])
            ),
        ])
    }
}
