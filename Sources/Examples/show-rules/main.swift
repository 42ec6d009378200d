import Glibc
import PromTargets
import RoleMonitor

/// Reads a role monitor's configuration, says what runs with which role, and prints the target file of a node that has
/// all of them.
///
///     show-rules /etc/bcm-role-monitor/config.json dgx-01
///
/// Exit status: 0 done, 2 the configuration is wrong.
func showRules(_ file: String, of node: String) throws {
    var (configuration, warnings) = try MonitorConfiguration.load(file: file)
    for warning in warnings { print("warning: \(warning)") }

    // The DCGM exporter, for a role of its own, as the key "rules" adds it.
    configuration.additionalRules.append(
        RoleRule(
            role: "gpu-metrics",
            exporters: [Exporter(unit: "dcgm-exporter.service", job: "dcgm_exporter", port: 9400)]))

    for rule in configuration.rules {
        print("with the role \(rule.role):")
        for exporter in rule.exporters { print("  \(exporter.unit) on port \(exporter.port)") }
    }
    let exporters = configuration.rules.flatMap(\.exporters)
    let groups = try configuration.targetGroups(of: node, exporters: exporters)
    print("\(configuration.targetsDirectory)/\(node).json:")
    print(String(decoding: TargetGroup.encode(groups), as: UTF8.self), terminator: "")
}

guard CommandLine.arguments.count == 3 else {
    print("usage: show-rules FILE NODE")
    exit(2)
}
do {
    try showRules(CommandLine.arguments[1], of: CommandLine.arguments[2])
} catch {
    // All mistakes at once, each with its key.
    print(error)
    exit(2)
}
