internal import PromTargets

/// What runs on a node, and what Prometheus scrapes there, while BCM gives the node a role.
public struct RoleRule: Sendable, Hashable {
    /// The role's name in BCM: `slurmclient`.
    public var role: String
    /// What runs, in the order of the target file's entries.
    public var exporters: [Exporter]
    /// Whether BCM's REST interface is known to show this role. Without it, an absent role counts only after it was
    /// once seen on the node.
    public var isRoleVisible: Bool

    /// Creates a rule.
    public init(role: String, exporters: [Exporter], isRoleVisible: Bool = false) {
        self.role = role
        self.exporters = exporters
        self.isRoleVisible = isRoleVisible
    }
}

extension MonitorConfiguration {
    /// The exporters of jobstats, with the ports that this configuration gives them.
    public var exporters: [Exporter] {
        [
            .node.on(port: nodeExporterPort), .cgroup.on(port: cgroupExporterPort), .gpu.on(port: gpuExporterPort),
        ]
    }

    /// Every rule: that of the jobstats exporters, which ``role`` and the three ports describe, and then those of
    /// ``additionalRules``. Rules of one role are one here.
    public var rules: [RoleRule] {
        var rules = [RoleRule(role: role, exporters: exporters, isRoleVisible: areRolesVisible)]
        for rule in additionalRules {
            if let index = rules.firstIndex(where: { $0.role == rule.role }) {
                rules[index].exporters += rule.exporters
                rules[index].isRoleVisible = rules[index].isRoleVisible || rule.isRoleVisible
            } else {
                rules.append(rule)
            }
        }
        return rules
    }
}
