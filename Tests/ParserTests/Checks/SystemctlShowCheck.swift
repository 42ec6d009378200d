import FoundationEssentials

@testable import ServiceManager

/// What `systemctl show` printed: every unit that was asked for has a status, or there is an error; a status that is printed
/// as systemd would is read back the same.
enum SystemctlShowCheck {
    static func check(_ bytes: [UInt8]) throws -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        let units = try [UnitName("node_exporter.service"), UnitName("cgroup_exporter.service")]
        try promiseOfTime(Timestamp.parse(text[...]))
        for asked in [units, [units[0]]] {
            guard let statuses = try? UnitStatus.parse(text, asked: asked) else { continue }
            try promise(Set(statuses.keys) == Set(asked), "not the units that were asked for")
            for (unit, status) in statuses {
                try promise(status.restarts >= 0, "\(status.restarts) restarts")
                try promiseOfTime(status.since)
                let again = try? UnitStatus.parse(shown(status, unit), asked: [unit])[unit]
                try promise(again == status, "shown again it is read as \(again as Any), not \(status)")
            }
            return true
        }
        return false
    }

    /// A time can be computed with, and converted to whole seconds.
    private static func promiseOfTime(_ time: Date?) throws(BrokenPromise) {
        guard let seconds = time?.timeIntervalSince1970 else { return }
        try promise(seconds.isFinite && abs(seconds) < 1e12, "a time \(seconds) s after 1970")
    }

    private static func shown(_ status: UnitStatus, _ unit: UnitName) -> String {
        let since = status.since.map { "@\($0.timeIntervalSince1970)" } ?? ""
        let times = [
            "ActiveEnterTimestamp", "ActiveExitTimestamp", "InactiveEnterTimestamp", "InactiveExitTimestamp",
        ]
        return """
            Id=\(status.id)
            Names=\(unit)
            LoadState=\(status.load)
            ActiveState=\(status.active)
            SubState=\(status.sub)
            Result=\(status.result)
            NRestarts=\(status.restarts)
            UnitFileState=\(status.fileState?.rawValue ?? "")
            FragmentPath=\(status.filePath ?? "")
            NeedDaemonReload=\(status.needsManagerReload ? "yes" : "no")
            \(times.map { "\($0)=\(since)" }.joined(separator: "\n"))
            """
    }
}
