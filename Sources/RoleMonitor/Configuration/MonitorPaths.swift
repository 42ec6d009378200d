/// Where the role monitor lives on a node. Sites that run the earlier monitor have these paths already.
public enum MonitorPaths {
    /// The program.
    public static let program = "/usr/local/bin/bcm-role-monitor"
    /// The name of the systemd unit.
    public static let unitName = "bcm-role-monitor.service"
    /// The systemd unit's file.
    public static let unitFile = "/etc/systemd/system/bcm-role-monitor.service"
    /// The folder of configuration, certificate and key; mode 0700.
    public static let configurationDirectory = "/etc/bcm-role-monitor"
    /// The configuration file.
    public static let configurationFile = "/etc/bcm-role-monitor/config.json"
    /// The client certificate; mode 0600.
    public static let certificateFile = "/etc/bcm-role-monitor/admin.pem"
    /// The client certificate's private key; mode 0600.
    public static let keyFile = "/etc/bcm-role-monitor/admin.key"
    /// Where the deployer puts BCM's certificate authority.
    public static let authorityFile = "/etc/bcm-role-monitor/ca.pem"
    /// The folder of the state file `HOSTNAME_state.json`: a cache that may be lost at any boot.
    public static let stateDirectory = "/var/lib/bcm-role-monitor"
    /// The folder of lock and control socket; gone at a reboot.
    public static let runtimeDirectory = "/run/bcm-role-monitor"
    /// The folder of target files, on shared storage.
    public static let targetsDirectory = "/cm/shared/apps/jobstats/prometheus-targets"
    /// The monitor's own metrics, read by node_exporter.
    public static let metricsTextfile = "/var/lib/node_exporter/textfile_collector/bcm_role_monitor.prom"
}
