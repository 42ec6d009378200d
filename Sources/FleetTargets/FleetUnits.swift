internal import DurableFiles
internal import RoleMonitor
public import ServiceManager

/// The systemd units that keep a fleet's target files in step from a head node, for systemd 249 and later.
public struct FleetUnits: Sendable, Hashable {
    /// The program: `/usr/local/bin/prom-targets`.
    public var program: String
    /// The configuration that it reads.
    public var configurationFile: String
    /// The targets directory, which the units may write.
    public var targetsDirectory: String
    /// node_exporter's textfile directory, where each unit leaves ``FleetMetrics``; nil for nowhere.
    public var metricsDirectory: String?

    /// Names what the units use.
    public init(
        program: String = "/usr/local/bin/prom-targets", configurationFile: String, targetsDirectory: String,
        metricsDirectory: String? = nil
    ) {
        self.program = program
        self.configurationFile = configurationFile
        self.targetsDirectory = targetsDirectory
        self.metricsDirectory = metricsDirectory
    }

    /// A unit's name and file.
    public struct Unit: Sendable, Hashable {
        /// The name.
        public let name: String
        /// The file.
        public let file: UnitFile
    }

    /// The timer that prunes, and the service that it starts; the timer is what is to be enabled and comes last.
    ///
    /// - Parameters:
    ///   - calendar: when, after systemd.time(7), "Calendar Events".
    ///   - maximumRemovals: how many files may go at once; nil for a tenth.
    /// - Throws: `ServiceError` with the code `invalidValue` for a value that cannot stand in a unit.
    public func forPruning(
        calendar: String = "daily", maximumRemovals: Int? = nil
    ) throws(ServiceError) -> [Unit] {
        guard !calendar.isEmpty, calendar.count <= 200, calendar.allSatisfy(Self.mayStandInCalendar) else {
            throw ServiceError(
                .invalidValue, reason: "the calendar event is none that systemd could read",
                remedy: "write one as in systemd.time(7), such as daily or Mon..Fri 06:30")
        }
        let limit = maximumRemovals.map { ["--max-removals", "\($0)"] } ?? []
        let service = UnitFile(
            comment: Self.comment,
            sections: [
                .init("Unit", try unit("Prunes Prometheus target files of nodes without the role")),
                .init(
                    "Service",
                    [
                        try .init("Type", "oneshot"),
                        try .init("ExecStart", arguments: command("prune") + ["--apply"] + limit),
                        try .init(
                            "TimeoutStartSec", "900",
                            comment: "Each head node, the second look and the file system have time-outs of their own."),
                    ] + (try protections())),
            ])
        let timer = UnitFile(
            comment: Self.comment,
            sections: [
                .init("Unit", [try .init("Description", "Prunes Prometheus target files of nodes without the role")]),
                .init(
                    "Timer",
                    [
                        try .init("OnCalendar", calendar), try .init("RandomizedDelaySec", "1h"),
                        try .init("Persistent", "yes"),
                    ]),
                .init("Install", [try .init("WantedBy", "timers.target")]),
            ])
        return [Unit(name: Self.pruneService, file: service), Unit(name: Self.pruneTimer, file: timer)]
    }

    /// The service that writes the whole fleet's files.
    ///
    /// - Parameters:
    ///   - interval: seconds between two passes, 1 to 86400.
    ///   - categories: where not empty, files are made only for nodes of these categories.
    ///   - maximumRemovals: how many files may go at once; nil for a tenth.
    /// - Throws: `ServiceError` with the code `invalidValue` for a value that cannot stand in a unit.
    public func forSyncing(
        interval: Int = 60, categories: [String] = [], maximumRemovals: Int? = nil
    ) throws(ServiceError) -> Unit {
        guard (1...86_400).contains(interval) else {
            throw ServiceError(
                .invalidValue, reason: "an interval of \(interval) seconds is none", remedy: "take 1 to 86400 seconds")
        }
        let options =
            ["--interval", "\(interval)"] + categories.flatMap { ["--category", $0] }
            + (maximumRemovals.map { ["--max-removals", "\($0)"] } ?? [])
        let file = UnitFile(
            comment: Self.comment,
            sections: [
                .init(
                    "Unit",
                    try unit("Keeps Prometheus target files in step with roles in BCM") + [
                        try .init(
                            "StartLimitIntervalSec", "0",
                            comment: "Restarts go on for ever: an outage must not end in a service that stays down.")
                    ]),
                .init(
                    "Service",
                    [
                        try .init("Type", "notify"), try .init("NotifyAccess", "main"),
                        try .init("ExecStart", arguments: command("sync") + options),
                        try .init("Restart", "on-failure"), try .init("RestartSec", "30"),
                        try .init(
                            "RestartPreventExitStatus", "2",
                            comment: "A mistake in the configuration, which no restart mends."),
                        try .init(
                            "WatchdogSec", "900",
                            comment: "Fed at every step of a pass; the longest time-out of one is 300 s, for an answer."
                        ),
                        try .init("TimeoutStopSec", "10"),
                    ] + (try protections())),
                .init("Install", [try .init("WantedBy", "multi-user.target")]),
            ])
        return Unit(name: Self.syncService, file: file)
    }

    /// The names of the units.
    public static let pruneService = "prom-targets-prune.service"
    /// The timer's name.
    public static let pruneTimer = "prom-targets-prune.timer"
    /// The name of the service that writes all files.
    public static let syncService = "prom-targets-sync.service"

    /// Writes a unit's file, at once and durably.
    ///
    /// - Returns: whether there was anything to write.
    /// - Throws: ``FleetError`` with the code `directory` when it cannot be written, or when a file is there that these
    ///   units' maker did not write: changes belong into a drop-in.
    @discardableResult
    public static func install(_ unit: Unit, in unitDirectory: String) throws(FleetError) -> Bool {
        let path = "\(unitDirectory)/\(unit.name)"
        let text = Array(unit.file.rendered.utf8)
        do throws(DurableFileError) {
            let present = try DurableFile.read(path, limit: 1 << 20)
            if present == text { return false }
            if present?.starts(with: Array("# \(comment)\n".utf8)) ?? true {
                try DurableFile.write(text, to: path)
                return true
            }
        } catch {
            throw FleetError(.directory, reason: "\(error)", remedy: "run as root")
        }
        throw FleetError(
            .directory, path: path, reason: "somebody else's file is there",
            remedy: "move it away, or keep changes in a drop-in (systemctl edit \(unit.name))")
    }
}

extension FleetUnits {
    /// Letters, digits and the signs of systemd.time(7), time zones included.
    private static func mayStandInCalendar(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || " *-:,./~+_".contains(character))
    }

    private typealias Directives = [UnitFile.Directive]

    private static let comment = "Written by prom-targets; changes belong into a drop-in."

    private func command(_ verb: String) -> [String] {
        [program, verb, "--config", configurationFile, "--prometheus-targets-dir", targetsDirectory]
            + (metricsDirectory.map { ["--textfile", "\($0)/prom_targets_\(verb).prom"] } ?? [])
    }

    private func unit(_ description: String) throws(ServiceError) -> Directives {
        [
            try .init("Description", description), try .init("Wants", "network-online.target"),
            try .init(
                "After", "network-online.target remote-fs.target",
                comment: "Shared storage is waited for at boot, but not needed: no RequiresMountsFor=."),
        ]
    }

    /// What the program cannot do although it runs as root: the key and the files are root's.
    private func protections() throws(ServiceError) -> Directives {
        var directives: Directives = [
            try .init(
                "CapabilityBoundingSet", "CAP_DAC_OVERRIDE CAP_SYS_NICE",
                comment: "The targets directory may belong to another user; a thread asks for a nice value."),
            try .init("ProtectSystem", "strict"),
            try .init(
                "ReadWritePaths", words: ([targetsDirectory] + (metricsDirectory.map { [$0] } ?? [])).map { "-" + $0 },
                comment: "The dash: the unit starts whether or not shared storage is there."),
            try .init("ProtectProc", "invisible"), try .init("ProcSubset", "pid"),
            try .init("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
            try .init("UMask", "0077"), try .init("LimitCORE", "0", comment: "Memory holds the private key."),
            try .init(
                "MemoryMax", "512M",
                comment:
                    "Several times what ten thousand nodes take: nothing that lies on shared storage or comes from BCM "
                    + "takes the head node's memory."),
        ]
        let flags = [
            "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables", "ProtectKernelModules",
            "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock", "ProtectHostname", "RestrictNamespaces",
            "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute", "RemoveIPC",
        ]
        for name in flags { directives.append(try .init(name, "yes")) }
        directives.append(
            try .init("ProtectHome", "read-only", comment: "BCM keeps the administrator's certificate in /root/.cm."))
        return directives + [
            try .init("SystemCallArchitectures", "native"), try .init("SystemCallErrorNumber", "EPERM"),
            try .init("SystemCallFilter", "@system-service"), try .init("SystemCallFilter", "~@privileged @resources"),
            try .init("SystemCallFilter", "setpriority"),
        ]
    }
}
