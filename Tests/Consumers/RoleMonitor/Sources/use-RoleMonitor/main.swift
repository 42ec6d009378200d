import RoleMonitor

/// Reads a configuration of the role monitor, writes one, and prints a line of its unit.
let text = #"{"bcm_headnodes": ["head-a", "head-b:8082"], "check_intervall": 30}"#
let (configuration, warnings) = try MonitorConfiguration.parse(Array(text.utf8))
print(configuration.headNodes, configuration.checkInterval, configuration.role)
print("warnings:", warnings.count)

let again = try MonitorConfiguration.parse(configuration.encoded())
print("the same again:", again.configuration == configuration)

do {
    _ = try MonitorConfiguration.parse(Array(#"{"bcm_port": "x"}"#.utf8))
} catch {
    print("problems:", error.problems.count)
}
print(MonitorUnit.rendered().split(separator: "\n").first { $0.hasPrefix("Type=") } ?? "no type")
