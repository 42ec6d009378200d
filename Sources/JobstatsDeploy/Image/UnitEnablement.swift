import CommandExecution

/// Whether a unit starts at boot, in a root file system that is not running.
struct UnitEnablement: Resource {
    let name: String
    let isEnabled: Bool
    private let look: Command

    init(_ name: String, enabled: Bool) {
        self.name = name
        isEnabled = enabled
        look = Command("systemctl", ["is-enabled", "--", name])
    }

    var summary: String { "unit \(name): \(isEnabled ? "enabled" : "not enabled at boot")" }
    var queries: [Query] { [.command(look)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let word = facts.result(look)?.outputText.split(whereSeparator: \.isNewline).last.map({ String($0) })
        else { return .unknown("whether \(name) is enabled") }
        switch word {
        case "enabled" where isEnabled, "disabled" where !isEnabled: return .inPlace("\(name) is \(word)")
        case "enabled": return .differs(["\(name): enabled at boot"])
        case "disabled": return .differs(["\(name): not enabled"])
        case "masked":
            return .blocked(
                "\(name) is masked in the image", remedy: "somebody forbade it; to allow it: systemctl unmask \(name)")
        default:
            // "Failed to get unit file state for x.service: No such file or directory"
            return .differs(["\(name): \(word)"])
        }
    }

    func changes(from facts: Facts) -> [Command] {
        [Command("systemctl", [isEnabled ? "enable" : "disable", "--quiet", "--", name])]
    }

    func removal() -> [Command]? { [Command("systemctl", ["disable", "--quiet", "--", name])] }

    var instructions: Instructions {
        let word = ShellQuoting.quote(name)
        return Instructions(
            commands: ["systemctl \(isEnabled ? "enable" : "disable") \(word)"],
            verification: ["systemctl is-enabled \(word)"], undo: ["systemctl disable \(word)"])
    }
}
