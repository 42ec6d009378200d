/// The checks of a jobstats deployment: like ``JobstatsPlan`` a function from the configuration.
///
/// Each group stands in a file of its own and uses the resources of the section that it validates.
public struct JobstatsValidation: Sendable {
    /// What the site wants.
    public let configuration: DeploymentConfiguration
    /// The head node that this runs on.
    public let localHost: Host
    /// The plan, for what the sections know: hosts, unit files, resources.
    let plan: JobstatsPlan

    /// Creates a maker of checks.
    public init(configuration: DeploymentConfiguration, localHost: Host) {
        self.configuration = configuration
        self.localHost = localHost
        plan = JobstatsPlan(configuration: configuration, context: DeploymentContext(localHost: localHost))
    }

    /// All checks in the order of their groups.
    ///
    /// - Throws: when the configuration was made in code and holds what no file or unit can hold.
    public func checks() throws -> [ValidationCheck] {
        let all =
            [
                try serviceChecks(), portChecks(), sourceChecks(), try prometheusChecks(), hookChecks(),
                try workloadChecks(), try commandChecks(), slurmChecks(), try dataChecks(), try monitorChecks(),
            ] as [[ValidationCheck]]
        return all.flatMap { $0 }
    }

    // MARK: - What several groups share

    var dgxNodes: [Host] { plan.dgxNodes }
    var controllers: [Host] { plan.controllers }
    var prometheusHosts: [Host] { plan.prometheusHosts }
    /// The servers that Grafana is installed on; none where one exists already.
    var grafanaHosts: [Host] {
        configuration.usesExistingGrafana
            ? [] : JobstatsPlan.unique(plan.context.hosts(configuration.systems.grafanaServer))
    }

    /// What a node is asked about ports, metrics, disks and hooks: one program for all checks.
    var nodeProbe: NodeProbe {
        NodeProbe(
            nodePort: configuration.nodeExporterPort, cgroupPort: configuration.cgroupExporterPort,
            gpuPort: configuration.nvidiaGPUExporterPort)
    }

    /// `guided-setup --section N --limit HOST`, which brings a host back to what the configuration says.
    static func repair(_ section: Int, _ host: Host) -> String { "guided-setup --section \(section) --limit \(host)" }
}
