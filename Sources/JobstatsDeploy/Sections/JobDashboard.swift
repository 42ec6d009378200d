/// What dashboards must know of a site.
struct DashboardSettings: Sendable, Hashable {
    /// The data source's identifier.
    var sourceID: String
    /// The value of the label `cluster`.
    var cluster: String
    /// The port in node_exporter's `instance` labels.
    var nodeExporterPort: Int

    /// The data source as dashboards name it.
    var source: JSONNode {
        .object([("type", JSONNode(.string("prometheus"))), ("uid", JSONNode(.string(sourceID)))])
    }
}

/// A dashboard for one job with the panels that every Grafana since 8 has.
struct JobDashboard {
    /// The dashboard's identifier, part of its address.
    static let identifier = "jobstats-job"

    private let settings: DashboardSettings

    init(_ settings: DashboardSettings) { self.settings = settings }

    private struct Panel {
        let title: String
        let unit: String
        let queries: [(expression: String, legend: String)]
    }

    private var panels: [Panel] {
        let job = "cluster=\"\(settings.cluster)\",jobid=\"$JobID\""
        let whole = "{\(job),step=\"\",task=\"\"}"
        let onNodes = "and on (hostname) cgroup_cpus\(whole)"
        func gpu(_ metric: String) -> [(String, String)] {
            [("\(metric){\(job)}", "{{hostname}} GPU {{minor_number}}")]
        }
        return [
            Panel(
                title: "CPU use of the job's cores", unit: "percentunit",
                queries: [("rate(cgroup_cpu_total_seconds\(whole)[2m]) / cgroup_cpus\(whole)", "{{hostname}}")]),
            Panel(
                title: "Memory of the job", unit: "bytes",
                queries: [
                    ("cgroup_memory_rss_bytes\(whole)", "{{hostname}} used"),
                    ("cgroup_memory_total_bytes\(whole)", "{{hostname}} allocated"),
                ]),
            Panel(title: "GPU use", unit: "percent", queries: gpu("nvidia_gpu_duty_cycle")),
            Panel(title: "GPU memory", unit: "bytes", queries: gpu("nvidia_gpu_memory_used_bytes")),
            Panel(title: "GPU temperature", unit: "celsius", queries: gpu("nvidia_gpu_temperature_celsius")),
            Panel(title: "GPU power", unit: "mwatt", queries: gpu("nvidia_gpu_power_usage_milliwatts")),
            Panel(
                title: "CPU use of the whole node", unit: "percentunit",
                queries: [
                    (
                        "(1 - avg by (hostname) (rate(node_cpu_seconds_total{cluster=\"\(settings.cluster)\",mode=\"idle\"}[2m]))) \(onNodes)",
                        "{{hostname}}"
                    )
                ]),
            Panel(
                title: "Free memory of the whole node", unit: "bytes",
                queries: [
                    (
                        "node_memory_MemAvailable_bytes{cluster=\"\(settings.cluster)\"} \(onNodes)", "{{hostname}}"
                    )
                ]),
        ]
    }

    /// The dashboard as JSON.
    var text: String {
        let variable = JSONNode.object([
            ("name", .text("JobID")), ("label", .text("Job")), ("type", .text("textbox")), ("query", .text("")),
            ("hide", .number(0)),
        ])
        let dashboard = JSONNode.object([
            ("id", JSONNode(.null)), ("uid", .text(Self.identifier)), ("title", .text("Jobstats: one job")),
            ("tags", .strings(["jobstats"])), ("schemaVersion", .number(36)), ("version", .number(1)),
            ("editable", JSONNode(.bool(false))), ("graphTooltip", .number(1)), ("refresh", .text("")),
            ("time", .object([("from", .text("now-6h")), ("to", .text("now"))])),
            ("templating", .object([("list", JSONNode(.array([variable])))])),
            ("panels", JSONNode(.array(panels.enumerated().map { node($0.element, $0.offset) }))),
        ])
        return String(decoding: dashboard.encoded(), as: UTF8.self)
    }

    private func node(_ panel: Panel, _ index: Int) -> JSONNode {
        let targets = panel.queries.enumerated().map { offset, query in
            JSONNode.object([
                ("refId", .text(String(UnicodeScalar(UInt8(ascii: "A") + UInt8(offset))))),
                ("datasource", settings.source), ("expr", .text(query.expression)),
                ("legendFormat", .text(query.legend)),
            ])
        }
        return .object([
            ("id", .number(index + 1)), ("title", .text(panel.title)), ("type", .text("timeseries")),
            ("datasource", settings.source),
            (
                "gridPos",
                .object([
                    ("h", .number(8)), ("w", .number(12)), ("x", .number(index % 2 * 12)),
                    ("y", .number(index / 2 * 8)),
                ])
            ),
            (
                "fieldConfig",
                .object([
                    ("defaults", .object([("unit", .text(panel.unit)), ("min", .number(0))])),
                    ("overrides", JSONNode(.array([]))),
                ])
            ), ("targets", JSONNode(.array(targets))),
        ])
    }
}

extension JSONNode {
    static func text(_ text: String) -> JSONNode { JSONNode(.string(text)) }
    static func number(_ number: Int) -> JSONNode { JSONNode(.number(String(number))) }

    /// The member of an object; nil where there is none.
    subscript(_ name: String) -> JSONNode? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.name == name }?.node
    }

    /// The text of a string.
    var string: String? {
        if case .string(let text) = value { text } else { nil }
    }

    /// The elements of a list.
    var elements: [JSONNode] {
        if case .array(let nodes) = value { nodes } else { [] }
    }
}
