/// The monitor's own metrics, and their text (Prometheus' text exposition format).
struct MonitorMetrics: Sendable {
    var version = ""
    var role = "slurmclient"
    var finding = RoleState.unknown
    /// The findings about roles of additional rules.
    var otherRoles: [String: RoleState] = [:]
    var checks = 0
    var lastCheck: Double?
    var lastSuccess: Double?
    var duration = 0.0
    var failures: [String: Int] = [:]
    var startAttempts: [String: Int] = [:]
    var pendingRetries: [String: Int] = [:]
    var givenUp: Set<String> = []
    var units: [String] = []
    var pauseEnd: Double?
    var certificateEnd: Double?
    var now = 0.0

    /// The text of the file that node_exporter reads.
    var rendered: String {
        var text = ""
        func family(_ name: String, _ help: String, _ type: String, _ samples: [(labels: String, value: Double)]) {
            guard !samples.isEmpty else { return }
            text += "# HELP bcm_role_monitor_\(name) \(help)\n# TYPE bcm_role_monitor_\(name) \(type)\n"
            for sample in samples { text += "bcm_role_monitor_\(name)\(sample.labels) \(Self.number(sample.value))\n" }
        }
        let roles = [(role, finding)] + otherRoles.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        family("info", "The version of the monitor.", "gauge", [(Self.labels([("version", version)]), 1)])
        family(
            "role_state", "Whether the node has the role: the one state that holds is 1.", "gauge",
            roles.flatMap { role, finding in
                [RoleState.present, .absent, .unknown].map {
                    (Self.labels([("role", role), ("state", $0.rawValue)]), $0 == finding ? 1 : 0)
                }
            })
        family("checks_total", "Checks since the monitor started.", "counter", [("", Double(checks))])
        family(
            "last_check_timestamp_seconds", "When the last check ended.", "gauge", lastCheck.map { [("", $0)] } ?? [])
        family(
            "last_success_timestamp_seconds", "When BCM last gave a certain answer.", "gauge",
            lastSuccess.map { [("", $0)] } ?? [])
        family("check_duration_seconds", "How long the last check took.", "gauge", [("", duration)])
        family(
            "failures_total", "Failures since the monitor started, by kind.", "counter",
            failures.sorted { $0.key < $1.key }.map { (Self.labels([("kind", $0.key)]), Double($0.value)) })
        family(
            "start_attempts_total", "Attempts to start a unit since the monitor started.", "counter",
            units.map { (Self.labels([("unit", $0)]), Double(startAttempts[$0] ?? 0)) })
        family(
            "unit_retries", "Attempts to start a unit since it was last active.", "gauge",
            units.map { (Self.labels([("unit", $0)]), Double(pendingRetries[$0] ?? 0)) })
        family(
            "unit_given_up", "Whether a unit was given up.", "gauge",
            units.map { (Self.labels([("unit", $0)]), givenUp.contains($0) ? 1 : 0) })
        family("paused", "Whether the monitor is paused.", "gauge", [("", pauseEnd == nil ? 0 : 1)])
        family(
            "pause_end_timestamp_seconds", "When the pause ends.", "gauge", pauseEnd.map { [("", $0)] } ?? [])
        family(
            "certificate_end_timestamp_seconds", "When the client certificate ends.", "gauge",
            certificateEnd.map { [("", $0)] } ?? [])
        family(
            "certificate_left_days", "Days until the client certificate ends, negative once it has.", "gauge",
            certificateEnd.map { [("", (($0 - now) / 86_400).rounded(.down))] } ?? [])
        return text
    }

    private static func labels(_ labels: [(name: String, value: String)]) -> String {
        let members = labels.map { label in
            let value = label.value.unicodeScalars.map { scalar in
                switch scalar {
                case "\\": "\\\\"
                case "\"": "\\\""
                case "\n": "\\n"
                default: String(scalar)
                }
            }
            return "\(label.name)=\"\(value.joined())\""
        }
        return "{\(members.joined(separator: ","))}"
    }

    /// Whole numbers without a fraction, others with three digits.
    private static func number(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
    }
}
