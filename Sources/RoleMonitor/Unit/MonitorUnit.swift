/// The role monitor's systemd unit, for systemd 249 and later.
public enum MonitorUnit {
    /// The unit's file, with the reason of each protection that is left out beside it.
    ///
    /// - Parameters:
    ///   - targetsDirectory: the directory of target files, which the unit may write.
    ///   - metricsTextfile: the metrics file, whose directory the unit may write; nil for none.
    public static func rendered(
        targetsDirectory: String = MonitorPaths.targetsDirectory,
        metricsTextfile: String? = MonitorPaths.metricsTextfile
    ) -> String {
        var writable = "ReadWritePaths=-\(escaped(targetsDirectory))\n"
        if let directory = metricsTextfile.flatMap(directory(of:)) {
            writable += "ReadWritePaths=-\(escaped(directory))\n"
        }
        return [
            unit, service, hardening, "# Shared storage may be missing at the start: the leading dash.\n", writable,
            install,
        ]
        .joined()
    }

    /// The folder of a file.
    private static func directory(of file: String) -> String? {
        guard let slash = file.lastIndex(of: "/"), slash > file.startIndex else { return nil }
        return String(file[..<slash])
    }

    /// A path as one word of a directive's value (systemd.syntax(7), systemd.unit(5) "Specifiers").
    private static func escaped(_ path: String) -> String {
        var escaped = ""
        for scalar in path.unicodeScalars {
            switch scalar {
            case "%": escaped += "%%"
            case "\\", "\"", "'": escaped += "\\\(scalar)"
            case " ": escaped += "\\x20"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static let unit = """
        [Unit]
        Description=BCM role monitor (runs the jobstats exporters while this node has the Slurm role)
        Wants=network-online.target
        After=network-online.target remote-fs.target
        # Restarts go on for ever: an outage of hours must not end in a monitor that stays down.
        StartLimitIntervalSec=0


        """

    private static let service = """
        [Service]
        Type=notify
        NotifyAccess=main
        ExecStart=\(MonitorPaths.program)
        ExecReload=/bin/kill -HUP $MAINPID
        Restart=on-failure
        RestartSec=10
        # 2 is a mistake in the configuration, which no restart mends. 75 asks for a new start: shared storage came back
        # in a way that only a new mount namespace can see.
        RestartPreventExitStatus=2
        SuccessExitStatus=75
        RestartForceExitStatus=75
        # Fed after each bounded step; the longest is a systemctl call of 30 s.
        WatchdogSec=120
        TimeoutStartSec=60
        TimeoutStopSec=10
        # A child that shared storage keeps hanging must not be asked twice.
        KillMode=mixed
        StateDirectory=bcm-role-monitor
        StateDirectoryMode=0700
        RuntimeDirectory=bcm-role-monitor
        RuntimeDirectoryMode=0700
        # Keeps the lock of a hanging child over a restart.
        RuntimeDirectoryPreserve=restart
        ConfigurationDirectory=bcm-role-monitor
        ConfigurationDirectoryMode=0700
        UMask=0077
        # Memory holds the private key.
        LimitCORE=0


        """

    private static let hardening = """
        # Protections. Left out, each for a reason:
        # User=, DynamicUser=: systemd lets root alone start and stop units without further rules, and the key is root's.
        # PrivateUsers=: in a user namespace of its own, root is not root for the system bus.
        # PrivateNetwork=, IPAddressDeny=: BCM's head nodes are asked over the network, and their addresses may change.
        # ProtectHostname=: it would hide that the node was renamed while the monitor runs.
        # ProcSubset=pid: /proc/sys/kernel/random/boot_id tells a reboot from a restart.
        # RootDirectory=, RootImage=: systemctl and the shared storage are the host's.
        # CAP_DAC_OVERRIDE stays: the directories of targets and metrics may belong to other users.
        CapabilityBoundingSet=CAP_DAC_OVERRIDE
        AmbientCapabilities=
        NoNewPrivileges=yes
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        PrivateDevices=yes
        PrivateTmp=yes
        ProtectClock=yes
        ProtectControlGroups=yes
        ProtectHome=yes
        ProtectKernelLogs=yes
        ProtectKernelModules=yes
        ProtectKernelTunables=yes
        ProtectProc=invisible
        ProtectSystem=strict
        RemoveIPC=yes
        RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        SystemCallArchitectures=native
        SystemCallErrorNumber=EPERM
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged @resources

        """

    private static let install = """

        [Install]
        WantedBy=multi-user.target

        """
}
