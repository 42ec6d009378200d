public import PromTargets

extension MonitorConfiguration {
    /// The exporters of all rules, in the order of the target file's entries.
    package var allExporters: [Exporter] { rules.flatMap(\.exporters) }

    /// What the target file of a node holds: one entry for each exporter.
    ///
    /// - Parameters:
    ///   - node: BCM's name of the node.
    ///   - exporters: those of the roles that the node has; nil for those of jobstats.
    /// - Throws: `PromTargetsError` when the name, a port or a label cannot stand in a target.
    public func targetGroups(
        of node: String, exporters: [Exporter]? = nil
    ) throws(PromTargetsError) -> [TargetGroup] {
        let host = targetDomain.map { "\(node).\($0)" } ?? node
        var groups: [TargetGroup] = []
        for exporter in exporters ?? self.exporters {
            groups.append(
                try TargetGroup(
                    targets: ["\(host):\(exporter.port)"],
                    labels: ["job": exporter.job, "cluster": clusterName, "hostname": node]))
        }
        return groups
    }
}
