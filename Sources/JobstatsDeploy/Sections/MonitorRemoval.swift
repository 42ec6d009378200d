import CommandExecution
import RoleMonitor

/// Section 10 backwards: the role monitor taken off the nodes, with what it manages. Both ways to take it off go by this
/// one list.
enum MonitorRemoval {
    /// Certificates and keys, those that an earlier version or a person put there included: none stays on a node.
    static let secrets = [
        MonitorPaths.authorityFile, MonitorSettings.certificateFile, MonitorSettings.keyFile,
        MonitorPaths.certificateFile, MonitorPaths.keyFile,
    ]

    /// The steps of the deployment for which ``steps(on:digests:)`` stand.
    static let replaced: Set<String> = [
        "10.folder", "10.program", "10.authority", "10.certificate", "10.key", "10.configuration", "10.unit-file",
        "10.unit",
    ]

    /// The steps in their order. What they leave: the exporters' own units and programs, retired files.
    ///
    /// - Parameter digests: of programs that are ours besides those that the hosts remember.
    static func steps(on nodes: [Host], digests: [String] = []) -> [Step] {
        var steps = [
            decommissioning(on: nodes),
            Step("10.unit-file.absent", "Taken away: unit file", on: nodes, FileRemoval(MonitorPaths.unitFile)),
            Step(
                "10.configuration.absent", "Taken away: configuration", on: nodes,
                SecretRemoval(MonitorPaths.configurationFile)),
        ]
        for path in secrets {
            let name = path.split(separator: "/").last ?? ""
            steps.append(Step("10.\(name).absent", "Taken away: \(name)", on: nodes, SecretRemoval(path)))
        }
        return steps + [
            Step(
                "10.program.absent", "Taken away: program", on: nodes,
                FileRemoval(MonitorPaths.program, digests: digests)),
            Step(
                "10.folder.absent", "Taken away: configuration folder", on: nodes,
                DirectoryRemoval(MonitorPaths.configurationDirectory)),
            forgetting(on: nodes),
        ]
    }

    /// Exporters stopped, the node's target file removed, the unit off.
    private static func decommissioning(on nodes: [Host]) -> Step {
        Step("10.decommission", "monitor decommissioned", on: nodes, Decommissioned())
    }

    /// The service manager reads its unit files anew.
    private static func forgetting(on nodes: [Host]) -> Step {
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
        var queries: [Query] { [.unit(MonitorPaths.unitName), .file(MonitorPaths.unitFile)] }

        func assess(_ facts: Facts) -> Assessment {
            guard let unit = facts.unit(MonitorPaths.unitName), let file = facts.file(MonitorPaths.unitFile) else {
                return .unknown(MonitorPaths.unitName)
            }
            // A unit file that somebody changed stays, switched off.
            if file.kind != .missing { return .inPlace("its file stays") }
            return unit.isMissing ? .inPlace() : .differs(["it still knows it (\(unit.load))"])
        }

        func changes(from facts: Facts) -> [Command] {
            [Command("systemctl", ["daemon-reload"], timeout: .seconds(90))]
        }
        var instructions: Instructions { Instructions(commands: ["systemctl daemon-reload"]) }
    }
}
