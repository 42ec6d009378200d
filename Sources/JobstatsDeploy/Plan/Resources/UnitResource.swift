public import CommandExecution

/// A systemd unit: enabled or not, running or not.
///
/// A running unit is restarted when one of its files is newer than its process, however that came about: after an
/// interrupted run, too, the new version ends up running. A unit that did not change is left alone.
public struct UnitResource: Resource {
    /// What shall be true of the unit now.
    public enum Activity: Sendable, Hashable {
        /// It runs.
        case running
        /// It does not run.
        case stopped
        /// As found; restarted if it runs with old files.
        case asFound
    }

    /// The unit's name with its suffix.
    public var name: String
    /// Whether it starts at boot; nil leaves that as found.
    public var isEnabled: Bool?
    /// What shall be true of it now.
    public var activity: Activity
    /// Files that its process must not be older than: its unit file, program and configuration.
    public var files: [String]
    /// Whether what other hosts see may follow from whether it runs.
    var servesOthers = true

    /// Creates the resource.
    public init(_ name: String, enabled: Bool?, _ activity: Activity, restartedFor files: [String] = []) {
        self.name = name
        isEnabled = enabled
        self.activity = activity
        self.files = files
    }

    public var summary: String {
        let enablement = isEnabled.map { $0 ? "enabled" : "not enabled at boot" }
        let activity =
            switch activity {
            case .running: "running"
            case .stopped: "stopped"
            case .asFound: "running or not as found"
            }
        return "unit \(name): " + [enablement, activity].compactMap { $0 }.joined(separator: ", ")
    }

    public var queries: [Query] { [.unit(name)] + files.map { .file($0) } }

    public func assess(_ facts: Facts) -> Assessment {
        guard let unit = facts.unit(name) else { return .unknown("unit \(name)") }
        if unit.isMasked {
            return .blocked("\(name) is masked", remedy: "somebody forbade it; to allow it: systemctl unmask \(name)")
        }
        var reasons: [String] = []
        if unit.isMissing { reasons.append("the manager does not know it") }
        if unit.needsReload { reasons.append("the manager has an older unit file") }
        if let isEnabled, (unit.enablement == "enabled") != isEnabled {
            reasons.append(isEnabled ? "not enabled" : "enabled at boot")
        }
        switch activity {
        case .running where !unit.isRunning: reasons.append("is \(unit.active)")
        case .stopped where unit.isRunning: reasons.append("is \(unit.active)")
        default: break
        }
        if activity != .stopped, let file = staleFile(unit, facts) { reasons.append("runs with an older \(file)") }
        return reasons.isEmpty ? .inPlace("\(name) is \(unit.active)") : .differs(reasons.map { "\(name): \($0)" })
    }

    /// A file that is newer than the running process.
    private func staleFile(_ unit: UnitFact, _ facts: Facts) -> String? {
        guard unit.isRunning, let started = unit.started else { return nil }
        return files.first { (facts.file($0)?.changed ?? 0) > started }
    }

    public func changes(from facts: Facts) -> [Command] {
        guard let unit = facts.unit(name) else { return [] }
        var commands: [Command] = []
        if unit.isMissing || unit.needsReload {
            commands.append(Command("systemctl", ["daemon-reload"], timeout: .seconds(90)))
        }
        if let isEnabled, (unit.enablement == "enabled") != isEnabled {
            commands.append(Command("systemctl", [isEnabled ? "enable" : "disable", "--quiet", "--", name]))
        }
        let isStale = staleFile(unit, facts) != nil || (unit.isRunning && unit.needsReload)
        switch activity {
        case .running where !unit.isRunning: commands.append(act("start"))
        case .running where isStale, .asFound where isStale: commands.append(act("restart"))
        case .stopped where unit.isRunning: commands.append(act("stop"))
        default: break
        }
        return commands
    }

    /// Starting and stopping waits for systemd's own verdict; a failure shows the unit's last words.
    private func act(_ verb: String) -> Command {
        Command(
            "sh",
            [
                "-c",
                """
                systemctl reset-failed -- "$2" 2>/dev/null
                systemctl "$1" -- "$2" && exit 0
                status=$?
                journalctl --no-pager -q -n 12 -o cat -u "$2" >&2
                exit "$status"
                """, "sh", verb, name,
            ], timeout: .seconds(120))
    }

    /// The same unit, of which other hosts notice nothing that concerns a deployment.
    func unnoticed() -> UnitResource {
        var unit = self
        unit.servesOthers = false
        return unit
    }

    public func removal() -> [Command]? { [Command("systemctl", ["disable", "--now", "--quiet", "--", name])] }
    public var absence: (any Resource)? { UnitRemoval(name) }
    public var exportActions: [ExportAction] {
        [.unit(ExportUnit(name, isEnabled: isEnabled, activity: activity, restartedFor: files))]
    }

    public var instructions: Instructions {
        let word = ShellQuoting.quote(name)
        var commands = ["systemctl daemon-reload"]
        if let isEnabled { commands.append("systemctl \(isEnabled ? "enable" : "disable") \(word)") }
        switch activity {
        case .running: commands.append("systemctl restart \(word)")
        case .stopped: commands.append("systemctl stop \(word)")
        case .asFound: commands.append("systemctl try-restart \(word)")
        }
        return Instructions(
            commands: commands, verification: ["systemctl status \(word)"], undo: ["systemctl disable --now \(word)"])
    }
}

extension UnitResource: FollowingResource {
    package func assess(_ facts: Facts, after effects: Effects) -> Assessment { assess(expected(facts, effects)) }

    package func changes(from facts: Facts, after effects: Effects) -> [Command] {
        changes(from: expected(facts, effects))
    }

    /// What will be known when these effects have come about. systemd finds a unit file that is new by itself when it is
    /// asked for the unit, from 246 on also where another unit named it before.
    private func expected(_ facts: Facts, _ effects: Effects) -> Facts {
        guard var unit = facts.unit(name) else { return facts }
        var facts = facts
        if effects.paths.contains(Installed.unitFile(name)) {
            if unit.isMissing {
                unit.load = "loaded"
                if unit.enablement.isEmpty { unit.enablement = "disabled" }
            } else {
                unit.needsReload = true
            }
            facts.units[name] = unit
        }
        for file in files where effects.paths.contains(file) {
            facts.files[file, default: .missing].changed = .infinity
        }
        return facts
    }
}
