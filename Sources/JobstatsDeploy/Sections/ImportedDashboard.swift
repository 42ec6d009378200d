import PromTargets

/// A dashboard that was exported for sharing, made ready for provisioning: its inputs are resolved, and its graph panels,
/// which Grafana 12 no longer has, become time series.
struct ImportedDashboard {
    /// The identifier of Princeton's dashboard of one job.
    static let princetonIdentifier = "HRLkiLS7k"

    private let settings: DashboardSettings

    init(_ settings: DashboardSettings) { self.settings = settings }

    /// The dashboard as JSON; nil when this is no dashboard.
    func text(of bytes: [UInt8]) -> String? {
        guard let root = try? JSONNode.parse(bytes), case .object(let members) = root.value, root["panels"] != nil
        else { return nil }
        let inputs = (root["__inputs"]?.elements ?? []).compactMap { input in
            input["type"]?.string == "datasource" ? input["name"]?.string.map { "${\($0)}" } : nil
        }
        let kept = members.filter { !["__inputs", "__requires", "__elements", "id", "iteration"].contains($0.name) }
        let resolved = JSONNode.object(
            [("id", JSONNode(.null))] + kept.map { ($0.name, resolve($0.node, of: $0.name, Set(inputs))) })
        return String(decoding: resolved.encoded(), as: UTF8.self)
    }

    private func resolve(_ node: JSONNode, of name: String, _ inputs: Set<String>) -> JSONNode {
        switch node.value {
        case .null where name == "datasource": return settings.source
        case .string(let text):
            if name == "datasource", inputs.contains(text) { return settings.source }
            return .text(text.replacing("$node:\(ExporterPort.node)\"", with: "$node:\(settings.nodeExporterPort)\""))
        case .array(let nodes): return JSONNode(.array(nodes.map { resolve($0, of: "", inputs) }))
        case .object(let members):
            let resolved = JSONNode.object(members.map { ($0.name, resolve($0.node, of: $0.name, inputs)) })
            return node["type"]?.string == "graph" && node["targets"] != nil ? timeSeries(resolved) : resolved
        default: return node
        }
    }

    /// The panel with what both kinds have in common; the unit and the limits stand elsewhere.
    private func timeSeries(_ panel: JSONNode) -> JSONNode {
        let axis = panel["yaxes"]?.elements.first
        func limit(_ name: String) -> JSONNode? {
            guard let text = axis?[name]?.string, let number = Double(text), number == number.rounded(),
                abs(number) < 1e9
            else { return nil }
            return .number(Int(number))
        }
        let isStacked: Bool = if case .bool(true)? = panel["stack"]?.value { true } else { false }
        let custom = JSONNode.object([
            ("fillOpacity", .number(10)), ("showPoints", .text("never")),
            ("stacking", isStacked ? .object([("mode", .text("normal"))]) : nil),
        ])
        let defaults = JSONNode.object([
            ("unit", axis?["format"]), ("min", limit("min")), ("max", limit("max")), ("custom", custom),
        ])
        return .object([
            ("id", panel["id"]), ("title", panel["title"]), ("description", panel["description"]),
            ("type", .text("timeseries")), ("datasource", panel["datasource"] ?? settings.source),
            ("gridPos", panel["gridPos"]),
            ("fieldConfig", .object([("defaults", defaults), ("overrides", JSONNode(.array([])))])),
            (
                "options",
                .object([
                    (
                        "legend",
                        .object([
                            ("displayMode", .text("table")), ("placement", .text("bottom")),
                            ("showLegend", JSONNode(.bool(true))), ("calcs", .strings(["min", "max", "mean", "last"])),
                        ])
                    ), ("tooltip", .object([("mode", .text("multi"))])),
                ])
            ), ("repeat", panel["repeat"]), ("targets", panel["targets"]),
        ])
    }
}
