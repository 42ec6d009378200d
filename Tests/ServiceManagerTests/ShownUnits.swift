/// Answers of `systemctl show` as systemd 252 gave them for units in many states, and where each block is from.
enum ShownUnits {
    static let active = """
        Result=success
        NRestarts=2
        Id=t-good.service
        Names=t-good.service t-alias.service
        LoadState=loaded
        ActiveState=active
        SubState=running
        FragmentPath=/run/systemd/system/t-good.service
        UnitFileState=enabled
        InactiveExitTimestamp=Sun 2026-11-22 20:42:09 UTC
        ActiveEnterTimestamp=Sun 2026-11-22 20:42:10 UTC
        ActiveExitTimestamp=
        InactiveEnterTimestamp=
        NeedDaemonReload=yes
        """
    static let failed = """
        Result=exit-code
        NRestarts=0
        Id=t-fail.service
        Names=t-fail.service
        LoadState=loaded
        ActiveState=failed
        SubState=failed
        FragmentPath=/run/systemd/system/t-fail.service
        UnitFileState=static
        InactiveExitTimestamp=Sun 2026-11-22 20:42:10 UTC
        ActiveEnterTimestamp=Sun 2026-11-22 20:42:10 UTC
        ActiveExitTimestamp=Sun 2026-11-22 20:42:10 UTC
        InactiveEnterTimestamp=Sun 2026-11-22 20:42:11 UTC
        NeedDaemonReload=no
        """
    static let masked = """
        Result=success
        NRestarts=0
        Id=t-mask.service
        Names=t-mask.service
        LoadState=masked
        ActiveState=inactive
        SubState=dead
        FragmentPath=/run/systemd/system/t-mask.service
        UnitFileState=masked-runtime
        InactiveExitTimestamp=
        ActiveEnterTimestamp=
        ActiveExitTimestamp=
        InactiveEnterTimestamp=
        NeedDaemonReload=no
        """
    static let missing = """
        Result=success
        NRestarts=0
        Id=t-missing.service
        Names=t-missing.service
        LoadState=not-found
        ActiveState=inactive
        SubState=dead
        FragmentPath=
        UnitFileState=
        InactiveExitTimestamp=
        ActiveEnterTimestamp=
        ActiveExitTimestamp=
        InactiveEnterTimestamp=
        NeedDaemonReload=no
        """
    static let badSetting = """
        Result=success
        NRestarts=0
        Id=t-bad.service
        Names=t-bad.service
        LoadState=bad-setting
        ActiveState=inactive
        SubState=dead
        FragmentPath=/run/systemd/system/t-bad.service
        UnitFileState=static
        NeedDaemonReload=no
        """
    static let waitingForRestart = """
        Result=exit-code
        NRestarts=0
        Id=t-auto.service
        Names=t-auto.service
        LoadState=loaded
        ActiveState=activating
        SubState=auto-restart
        FragmentPath=/run/systemd/system/t-auto.service
        UnitFileState=static
        InactiveExitTimestamp=Sun 2026-11-22 20:42:10 UTC
        ActiveEnterTimestamp=Sun 2026-11-22 20:42:10 UTC
        ActiveExitTimestamp=Sun 2026-11-22 20:42:10 UTC
        InactiveEnterTimestamp=Sun 2026-11-22 20:42:10 UTC
        NeedDaemonReload=no
        """
    /// A mount has no count of restarts.
    static let mount = """
        Result=success
        Id=-.mount
        Names=-.mount
        LoadState=loaded
        ActiveState=active
        SubState=mounted
        FragmentPath=
        UnitFileState=
        InactiveExitTimestamp=Sun 2026-11-22 20:41:35 UTC
        ActiveEnterTimestamp=Sun 2026-11-22 20:41:35 UTC
        ActiveExitTimestamp=
        InactiveEnterTimestamp=
        NeedDaemonReload=no
        """
    /// A target has no result either.
    static let target = """
        Id=basic.target
        Names=basic.target
        LoadState=loaded
        ActiveState=active
        SubState=active
        FragmentPath=/lib/systemd/system/basic.target
        UnitFileState=static
        InactiveExitTimestamp=Sun 2026-11-22 20:41:35 UTC
        ActiveEnterTimestamp=Sun 2026-11-22 20:41:35 UTC
        ActiveExitTimestamp=
        InactiveEnterTimestamp=
        NeedDaemonReload=no
        """

    /// The answer for several units, an empty line between two.
    static func answer(_ blocks: String...) -> String { blocks.joined(separator: "\n\n") + "\n" }
}
