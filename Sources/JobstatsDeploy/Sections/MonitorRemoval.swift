import CommandExecution
import RoleMonitor

/// Section 10 backwards: the role monitor taken off the nodes, with what it manages.
enum MonitorRemoval {
    /// The plan. What it leaves: the exporters' own units and programs, the targets directory, retired files.
    static func plan(_ nodes: [Host]) -> Plan {
        let files = [
            MonitorPaths.unitFile, MonitorPaths.configurationFile, MonitorPaths.authorityFile,
            MonitorSettings.certificateFile, MonitorSettings.keyFile, MonitorPaths.program,
        ]
        var steps = [Step("10.decommission", "monitor decommissioned", on: nodes, Decommissioned())]
        for file in files {
            steps.append(Step("10.absent.\(file)", "\(file) removed", on: nodes, AbsentFileResource(file)))
        }
        return Plan(sections: [
            PlanSection(
                number: 10, title: "BCM role monitor, removal",
                purpose: "Stops the exporters, removes the node's target file, and takes the monitor off the node. The "
                    + "exporters' own programs and units stay.",
                steps: steps)
        ])
    }

    /// The unit is off and what it manages is gone.
    private struct Decommissioned: Resource {
        var summary: String {
            "\(MonitorPaths.unitName) neither enabled nor running, exporters stopped, no target file"
        }
        var queries: [Query] {
            [.unit(MonitorPaths.unitName), .file(MonitorPaths.program), .file(MonitorPaths.configurationFile)]
        }

        func assess(_ facts: Facts) -> Assessment {
            guard let unit = facts.unit(MonitorPaths.unitName) else { return .unknown(MonitorPaths.unitName) }
            var reasons: [String] = []
            if unit.isRunning { reasons.append("it is \(unit.active)") }
            if unit.enablement == "enabled" { reasons.append("it is enabled") }
            return reasons.isEmpty ? .inPlace("not there, or off") : .differs(reasons)
        }

        func changes(from facts: Facts) -> [Command] {
            [
                Command(MonitorPaths.program, ["--decommission"], timeout: .seconds(120)),
                Command("systemctl", ["daemon-reload"]),
            ]
        }

        var instructions: Instructions {
            Instructions(
                commands: ["\(MonitorPaths.program) --decommission"],
                verification: ["systemctl status \(MonitorPaths.unitName)"])
        }
    }
}
