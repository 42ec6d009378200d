import CommandExecution
import RoleMonitor

/// What must be seen on a node after its monitor was started: it has checked, and found the role that cmsh names.
struct MonitorVerification: Resource {
    private let host: Host
    private let role: String
    /// The node's roles by cmsh's account; nil when cmsh does not list the node.
    private let roles: Set<String>?
    private let areRolesVisible: Bool

    init(on host: Host, _ settings: MonitorSettings, _ site: SiteFacts?) {
        self.host = host
        role = settings.monitor.role
        roles = site?.rolesByNode[host.name] ?? site?.rolesByNode[String(host.name.prefix { $0 != "." })]
        areRolesVisible = site?.areRolesVisible ?? false
    }

    var summary: String { "the monitor's first check succeeded, and the role \(role) is what cmsh says" }
    var queries: [Query] { [.unit(MonitorPaths.unitName)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let unit = facts.unit(MonitorPaths.unitName) else { return .unknown("what the monitor says") }
        let status = unit.statusText.trimmed
        guard let finding = ["present", "absent", "unknown"].first(where: { status.contains("role \(role) \($0)") })
        else {
            return .differs([status.isEmpty ? "the monitor has not checked yet" : "the monitor says: \(status)"])
        }
        guard let roles else {
            return .warning(
                "the monitor says: \(status)", remedy: "cmsh does not list \(host): compare the names of both")
        }
        let expected = roles.contains(role) ? "present" : "absent"
        if finding == expected { return .inPlace(status) }
        if finding == "unknown" {
            // A node that never showed the role is unknown to its monitor, which then changes nothing: all is well.
            if expected == "absent", !areRolesVisible { return .inPlace("no role by cmsh's account; \(status)") }
            return .warning(
                "cmsh says \(expected), the monitor says: \(status)",
                remedy: "on the node: bcm-role-monitor --check-connectivity")
        }
        return .blocked(
            "cmsh says \(expected), the monitor says: \(status)", remedy: "run again: the role may just have changed")
    }

    /// Nothing is changed: the monitor is given time for its first check.
    func changes(from facts: Facts) -> [Command] {
        [Command("sh", ["-c", Self.wait, "sh", MonitorPaths.unitName, role], timeout: .seconds(60))]
    }

    var exportActions: [ExportAction] { [.check(summary, changes(from: Facts())[0])] }

    var instructions: Instructions {
        Instructions(
            verification: [
                "systemctl status " + MonitorPaths.unitName, MonitorPaths.program + " --check-connectivity",
            ],
            undo: [
                MonitorPaths.program + " --decommission  # stops the exporters and removes the target file",
                "rm -f " + MonitorRemoval.secrets.joined(separator: " "),
            ])
    }

    /// Polls it for at most 40 seconds; a monitor that does not get there tells its last words.
    private static let wait = """
        i=0
        while [ "$i" -lt 200 ]; do
            text=$(systemctl show --no-pager -p StatusText --value -- "$1")
            case $text in
                *"role $2 "*) exit 0 ;;
            esac
            i=$((i + 1))
            sleep 0.2
        done
        printf 'no check has succeeded: %s\\n' "$text" >&2
        journalctl --no-pager -q -n 8 -o cat -u "$1" >&2
        exit 1
        """
}

extension MonitorVerification: BoundedResource, FollowingResource {
    package var effects: Effects { Effects() }

    /// A monitor that is started anew has not checked yet.
    package func assess(_ facts: Facts, after effects: Effects) -> Assessment {
        effects.units.contains(MonitorPaths.unitName)
            ? .differs(["the monitor has not checked yet"]) : assess(facts)
    }

    package func changes(from facts: Facts, after effects: Effects) -> [Command] { changes(from: facts) }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
