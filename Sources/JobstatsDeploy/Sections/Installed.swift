import RoleMonitor

/// Where things are put on the hosts: the one place for paths and names that several sections share.
package enum Installed {
    /// System user of the exporters and of Prometheus.
    package static let user = "prometheus"
    /// Programs.
    package static let programDirectory = "/usr/local/bin"
    /// Unit files of ours.
    package static let unitDirectory = "/etc/systemd/system"
    /// What the deployment remembers on a host, such as self-tests that passed.
    package static let stateDirectory = "/var/lib/bcm-jobstats"
    /// Where node_exporter finds metrics that others write.
    package static let textfileDirectory = "/var/lib/node_exporter/textfile_collector"
    /// Prometheus's configuration.
    package static let prometheusDirectory = "/etc/prometheus"
    /// Prometheus's configuration file.
    package static let prometheusConfiguration = prometheusDirectory + "/prometheus.yml"
    /// The alert rules.
    package static let prometheusRules = prometheusDirectory + "/jobstats-rules.yml"
    /// Prometheus's samples.
    package static let prometheusData = "/var/lib/prometheus/jobstats"
    /// Prometheus's unit.
    package static let prometheusUnit = "prometheus.service"
    /// The program of the earlier monitor, which is taken away.
    package static let earlierMonitor = "/usr/local/bin/bcm_role_monitor.py"

    /// The jobstats command, on shared storage.
    package static let jobstatsDirectory = "/cm/shared/apps/jobstats"
    /// Where login nodes and controllers find the command.
    package static let jobstatsLink = "/usr/local/bin/jobstats"
    /// Grafana's unit.
    package static let grafanaUnit = "grafana-server.service"
    /// What the deployment adds to Grafana's unit.
    package static let grafanaDropIn = "\(unitDirectory)/\(grafanaUnit).d/jobstats.conf"
    /// The administrator's password of Grafana, as an environment file.
    package static let grafanaSecret = "/etc/bcm-jobstats/grafana.env"
    /// Grafana's provisioning files.
    package static let grafanaProvisioning = "/etc/grafana/provisioning"
    /// The dashboards that are provisioned.
    package static let grafanaDashboards = "/etc/grafana/jobstats-dashboards"

    /// The line that marks unit files of ours.
    package static let mark = "Made by the jobstats deployment: changes here are lost when it runs again."

    /// The path of a program.
    package static func program(_ name: ArtifactSource.Name) -> String { "\(programDirectory)/\(name)" }
    /// The path of a unit file.
    package static func unitFile(_ unit: String) -> String { "\(unitDirectory)/\(unit)" }
}

/// The pages of Princeton's documentation.
enum PrincetonPage {
    static func link(_ page: String) -> String { "https://princetonuniversity.github.io/jobstats/setup/\(page)/" }
}
