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
        var steps = [decommissioning(on: nodes)]
        for file in files {
            steps.append(Step("10.absent.\(file)", "\(file) removed", on: nodes, AbsentFileResource(file)))
        }
        steps.append(forgetting(on: nodes))
        return Plan(sections: [
            PlanSection(
                number: 10, title: "BCM role monitor, removal",
                purpose: "Stops the exporters, removes the node's target file, and takes the monitor off the node. The "
                    + "exporters' own programs and units stay.",
                steps: steps)
        ])
    }

    /// Exporters stopped, the node's target file removed, the unit off.
    static func decommissioning(on nodes: [Host]) -> Step {
        Step("10.decommission", "monitor decommissioned", on: nodes, Decommissioned())
    }

    /// The service manager reads its unit files anew.
    static func forgetting(on nodes: [Host]) -> Step {
        Step("10.reloaded", "manager does not know the unit", on: nodes, Forgotten())
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
            guard let unit = facts.unit(MonitorPaths.unitName), let file = facts.file(MonitorPaths.configurationFile)
            else { return .unknown(MonitorPaths.unitName) }
            var reasons: [String] = []
            if unit.active != "inactive" { reasons.append("it is \(unit.active)") }
            if unit.enablement == "enabled" { reasons.append("it is enabled") }
            if file.kind != .missing { reasons.append("it was not decommissioned") }
            return reasons.isEmpty ? .inPlace("not there, or off") : .differs(reasons)
        }

        func changes(from facts: Facts) -> [Command] {
            let unit = MonitorPaths.unitName
            let stop = Command("systemctl", ["disable", "--now", "--quiet", "--", unit], timeout: .seconds(90))
            let reset = Command("sh", ["-c", "systemctl reset-failed -- \"$1\" 2>/dev/null || true", "sh", unit])
            let files = Command(
                "rm", ["-rf", "--", MonitorPaths.configurationFile, MonitorPaths.stateDirectory])
            guard facts.file(MonitorPaths.program)?.kind == .plain,
                facts.file(MonitorPaths.configurationFile)?.kind == .plain
            else {
                // Without its program or configuration it cannot clean up itself.
                return facts.unit(unit)?.isMissing == true ? [files] : [stop, reset, files]
            }
            return [Command(MonitorPaths.program, ["--decommission"], timeout: .seconds(120)), reset, files]
        }

        var instructions: Instructions {
            Instructions(
                commands: ["\(MonitorPaths.program) --decommission"],
                verification: ["systemctl status \(MonitorPaths.unitName)"])
        }
    }

    /// The service manager has forgotten the unit.
    private struct Forgotten: Resource {
        var summary: String { "systemd knows no \(MonitorPaths.unitName)" }
        var queries: [Query] { [.unit(MonitorPaths.unitName)] }

        func assess(_ facts: Facts) -> Assessment {
            guard let unit = facts.unit(MonitorPaths.unitName) else { return .unknown(MonitorPaths.unitName) }
            return unit.isMissing ? .inPlace() : .differs(["it still knows it (\(unit.load))"])
        }

        func changes(from facts: Facts) -> [Command] {
            [Command("systemctl", ["daemon-reload"], timeout: .seconds(90))]
        }
        var instructions: Instructions { Instructions(commands: ["systemctl daemon-reload"]) }
    }
}
