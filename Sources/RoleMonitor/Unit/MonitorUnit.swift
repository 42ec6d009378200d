public import ServiceManager

/// The role monitor's systemd unit, for systemd 249 and later.
public enum MonitorUnit {
    /// The unit, with the reason of each protection that is left out beside it.
    ///
    /// - Parameters:
    ///   - targetsDirectory: the directory of target files, which the unit may write.
    ///   - metricsTextfile: the metrics file, whose directory the unit may write; nil for none.
    /// - Throws: `ServiceError` with the code `invalidValue` for a path that cannot stand in a unit, one with a newline.
    public static func unitFile(
        targetsDirectory: String = MonitorPaths.targetsDirectory,
        metricsTextfile: String? = MonitorPaths.metricsTextfile
    ) throws(ServiceError) -> UnitFile {
        try unitFile(
            program: MonitorPaths.program, targetsDirectory: targetsDirectory, metricsTextfile: metricsTextfile)
    }

    /// The same for a program in another place, such as a package's.
    package static func unitFile(
        program: String, targetsDirectory: String, metricsTextfile: String?
    ) throws(ServiceError) -> UnitFile {
        UnitFile(sections: [
            UnitFile.Section("Unit", try unit()),
            UnitFile.Section(
                "Service", try service(program) + protections() + paths(targetsDirectory, metricsTextfile)),
            UnitFile.Section("Install", [try UnitFile.Directive("WantedBy", "multi-user.target")]),
        ])
    }

    /// The text of the unit's file. Control characters, which no path in a configuration can hold, are left out.
    public static func rendered(
        targetsDirectory: String = MonitorPaths.targetsDirectory,
        metricsTextfile: String? = MonitorPaths.metricsTextfile
    ) -> String {
        func printable(_ path: String) -> String {
            String(String.UnicodeScalarView(path.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
        }
        let unit = try? unitFile(
            targetsDirectory: printable(targetsDirectory), metricsTextfile: metricsTextfile.map(printable))
        return unit?.rendered ?? ""
    }

    private typealias Directives = [UnitFile.Directive]

    private static func unit() throws(ServiceError) -> Directives {
        [
            try .init("Description", "BCM role monitor: jobstats exporters follow the Slurm role"),
            try .init("Wants", "network-online.target"),
            try .init(
                "After", "network-online.target remote-fs.target",
                comment: "Shared storage is waited for at boot, but not needed: no RequiresMountsFor=."),
            try .init(
                "After", [Exporter.node, .cgroup, .gpu].map(\.unit).joined(separator: " "),
                comment: "systemd keeps units that others name; it would read these from disk at each question."
            ),
            try .init(
                "StartLimitIntervalSec", "0",
                comment: "Restarts go on for ever: an outage of hours must not end in a monitor that stays down."),
        ]
    }

    private static func service(_ program: String) throws(ServiceError) -> Directives {
        [
            try .init("Type", "notify"),
            try .init("NotifyAccess", "main"),
            try .init("ExecStart", arguments: [program]),
            try .init("ExecReload", "/bin/kill -HUP $MAINPID"),
            try .init("Restart", "on-failure"),
            try .init("RestartSec", "10"),
            try .init(
                "RestartPreventExitStatus", "2", comment: "A mistake in the configuration, which no restart mends."),
            try .init(
                "RestartForceExitStatus", "75",
                comment:
                    "The monitor asks for it when shared storage is read-only in this unit's mount namespace alone."),
            try .init("SuccessExitStatus", "75"),
            try .init(
                "WatchdogSec", "120", comment: "Fed after each bounded step; the longest is slow storage, 40 s."),
            try .init("TimeoutStartSec", "60"),
            try .init(
                "TimeoutStopSec", "5",
                comment: "The monitor ends within a second; a child that shared storage hangs may not."),
            try .init("KillMode", "mixed"),
            try .init("StateDirectory", "bcm-role-monitor"),
            try .init("StateDirectoryMode", "0700"),
            try .init("RuntimeDirectory", "bcm-role-monitor"),
            try .init("RuntimeDirectoryMode", "0700"),
            try .init(
                "RuntimeDirectoryPreserve", "yes",
                comment: "It holds the lock of a child that hangs, of which there may be only one."),
            try .init("ConfigurationDirectory", "bcm-role-monitor"),
            try .init("ConfigurationDirectoryMode", "0700"),
            try .init("UMask", "0077"),
            try .init("LimitCORE", "0", comment: "Memory holds the private key."),
            try .init(
                "MemoryMax", "256M",
                comment: "Fifteen times what it takes, also in bad company: whatever happens, jobs keep their memory."),
            try .init(
                "Environment", "SYSTEMD_IGNORE_CHROOT=1",
                comment: "systemctl cannot compare its root with that of process 1, which it may not see."),
        ]
    }

    /// What the monitor cannot do although it runs as root, and why it may do the rest.
    private static func protections() throws(ServiceError) -> Directives {
        var directives: Directives = [
            try .init(
                "CapabilityBoundingSet", "CAP_DAC_OVERRIDE CAP_SYS_NICE",
                comment: """
                    Root, not User= or DynamicUser=: systemd lets root alone start and stop units, and the key is root's.
                    Of root's capabilities two stay: the folders of targets and metrics may belong to other users, and
                    the thread that keeps time (libdispatch's) asks for a nice value of -4, which is logged when refused.
                    """),
            try .init("AmbientCapabilities", ""),
            try .init("NoNewPrivileges", "yes"),
            try .init(
                "ProtectSystem", "strict",
                comment: "No RootDirectory=: systemctl, shared storage and /sys are those of the host."),
            try .init("ProtectHome", "yes"),
            try .init("PrivateTmp", "yes"),
            try .init("PrivateDevices", "yes"),
            try .init(
                "ProtectKernelTunables", "yes",
                comment: """
                    No ProtectHostname=: it would hide that the node was renamed while the monitor runs.
                    No PrivateUsers=: in a user namespace of its own, root is not root for systemd.
                    """),
        ]
        for name in ["ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock"] {
            directives.append(try .init(name, "yes"))
        }
        directives += [
            try .init(
                "ProtectProc", "invisible",
                comment: "No ProcSubset=pid: /proc/sys/kernel/random/boot_id tells a reboot from a restart."),
            try .init(
                "RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6",
                comment: """
                    No PrivateNetwork= and no IPAddressDeny=: BCM's head nodes are asked over the network, by name.
                    """),
        ]
        for name in ["RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality"] {
            directives.append(try .init(name, "yes"))
        }
        return directives + [
            try .init("MemoryDenyWriteExecute", "yes"),
            try .init("RemoveIPC", "yes"),
            try .init("SystemCallArchitectures", "native"),
            try .init("SystemCallErrorNumber", "EPERM"),
            try .init("SystemCallFilter", "@system-service"),
            try .init("SystemCallFilter", "~@privileged @resources"),
            try .init("SystemCallFilter", "setpriority"),
        ]
    }

    private static func paths(_ targetsDirectory: String, _ metricsTextfile: String?) throws(ServiceError) -> Directives
    {
        var directives = [
            try UnitFile.Directive(
                "ReadWritePaths", words: ["-" + targetsDirectory],
                comment: "The dash: the unit starts whether or not shared storage is there.")
        ]
        if let metricsTextfile, let slash = metricsTextfile.lastIndex(of: "/"), slash > metricsTextfile.startIndex {
            directives.append(try .init("ReadWritePaths", words: ["-" + metricsTextfile[..<slash]]))
        }
        return directives
    }
}
