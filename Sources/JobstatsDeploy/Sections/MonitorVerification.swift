import CommandExecution
import RoleMonitor

/// What must be seen on a node after its monitor was started.
enum MonitorVerification {
    /// Waits for the first check of the running monitor, then compares the role it found with cmsh's account.
    static func resource(on host: Host, _ settings: MonitorSettings, _ site: SiteFacts?) -> CheckResource {
        let role = settings.monitor.role
        let short = host.name.prefix { $0 != "." }
        let roles = site?.rolesByNode[host.name] ?? site?.rolesByNode[String(short)]
        return CheckResource(
            "the monitor's first check succeeded, and the role \(role) is what cmsh says",
            Command("sh", ["-c", script, "sh", MonitorPaths.unitName], timeout: .seconds(45))
        ) { result in
            let status = result.outputText.trimmed
            guard result.succeeded else {
                return .blocked(
                    "no check has succeeded: \(status.isEmpty ? "the monitor says nothing" : status)",
                    remedy: "on the node: bcm-role-monitor --check-connectivity; journalctl -u \(MonitorPaths.unitName)"
                )
            }
            guard let roles else {
                return .warning(
                    "the monitor says: \(status)", remedy: "cmsh does not list \(host): compare the names of both")
            }
            let expected = roles.contains(role) ? "present" : "absent"
            if status.contains("role \(role) \(expected)") { return .inPlace(status) }
            if expected == "absent", site?.areRolesVisible == false, status.contains("role \(role) unknown") {
                return .inPlace("the node does not have the role, and the monitor changes nothing: \(status)")
            }
            if status.contains("role \(role) unknown") {
                return .warning(
                    "cmsh says \(expected), the monitor says: \(status)",
                    remedy: "REST does not show this role: see the remarks of section 10")
            }
            return .blocked(
                "cmsh says \(expected), the monitor says: \(status)",
                remedy: "run again; the role may just have changed")
        }
    }

    /// Polls the status text that the monitor gives systemd, for at most 40 seconds.
    private static let script = """
        i=0
        while [ $i -lt 200 ]; do
            text=$(systemctl show --no-pager -p StatusText --value -- "$1")
            case $text in *"role "*" present"*|*"role "*" absent"*|*"role "*" unknown"*) printf '%s\\n' "$text"; exit 0;; esac
            i=$((i + 1))
            sleep 0.2
        done
        printf '%s\\n' "$text"
        exit 1
        """
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
