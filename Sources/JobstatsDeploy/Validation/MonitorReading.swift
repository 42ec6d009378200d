import RoleMonitor

/// What a node's role monitor says of itself in the metrics that node_exporter reads.
struct MonitorReading: Sendable {
    /// Where they are.
    static var path: String { MonitorPaths.metricsTextfile }

    private let values: [String: Double]

    /// Reads them; nil when there are none.
    init?(_ facts: Facts) {
        guard let content = facts.content(Self.path) else { return nil }
        var values: [String: Double] = [:]
        for line in String(decoding: content, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]),
                value.isFinite, abs(value) < 1e15
            else {
                continue
            }
            let name = String(line[..<space])
            values[name.hasPrefix("bcm_role_monitor_") ? String(name.dropFirst(17)) : name] = value
        }
        guard !values.isEmpty else { return nil }
        self.values = values
    }

    /// A value by its name without `bcm_role_monitor_`, labels included.
    subscript(name: String) -> Double? { values[name] }

    /// Whether it is paused; what a monitor that died left is not a pause for ever.
    func isPaused(at now: Double) -> Bool {
        values["paused"] == 1 && (values["pause_end_timestamp_seconds"].map { $0 > now } ?? true)
    }
    /// When the last check ended, in seconds since 1970.
    var lastCheck: Double? { values["last_check_timestamp_seconds"] }
    /// When BCM gave a certain answer.
    var lastSuccess: Double? { values["last_success_timestamp_seconds"] }
    /// Days until the client certificate ends.
    var certificateDays: Double? { values["certificate_left_days"] }
    /// Units that were given up.
    var givenUp: [String] {
        values.filter { $0.value == 1 && $0.key.hasPrefix("unit_given_up{") }.compactMap { entry in
            entry.key.split(separator: "\"").dropFirst().first.map { String($0) }
        }.sorted()
    }

    /// `present`, `absent` or `unknown`; nil when it says nothing about the role.
    func state(of role: String) -> String? {
        ["present", "absent", "unknown"].first { values["role_state{role=\"\(role)\",state=\"\($0)\"}"] == 1 }
    }
}
