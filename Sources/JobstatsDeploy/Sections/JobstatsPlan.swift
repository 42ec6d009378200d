import PromTargets

/// Makes the plan of a jobstats deployment: each section is a function from configuration and context to steps.
public struct JobstatsPlan: Sendable {
    /// The sections that can be carried out.
    public static let availableSections: Set<Int> = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

    /// What the site wants.
    public let configuration: DeploymentConfiguration
    /// What was found on the machine that deploys, and what was agreed.
    public let context: DeploymentContext

    /// Creates a maker of plans.
    public init(configuration: DeploymentConfiguration, context: DeploymentContext) {
        self.configuration = configuration
        self.context = context
    }

    /// The plan for some sections, 1 to 10; those that cannot be carried out yet are left out.
    ///
    /// - Throws: when the configuration was made in code and holds what no file or unit can hold; one that was read
    ///   without errors always gives a plan.
    public func plan(sections: Set<Int> = availableSections) throws -> Plan {
        var all: [PlanSection] = []
        if sections.contains(1) { all += try overviewSections(for: sections) }
        if sections.contains(2) { all += try cpuStatisticsSections() }
        if sections.contains(3) { all += try gpuStatisticsSections() }
        if sections.contains(4) { all.append(try nodeStatisticsSection()) }
        if sections.contains(5) { all += try jobSummariesSections() }
        if sections.contains(6) { all.append(try prometheusSection()) }
        if sections.contains(7) { all.append(try grafanaSection()) }
        if sections.contains(8) { all.append(onDemandSection()) }
        if sections.contains(9) { all += try commandSections() }
        if sections.contains(10) { all.append(roleMonitorSection()) }
        return Plan(sections: all).installingPackages(from: context.packages)
    }

    /// Section 10, or what stands in its place without role monitors.
    private func roleMonitorSection() -> PlanSection {
        var section: PlanSection
        if configuration.deploysRoleMonitor {
            section = RoleMonitorSection.section(
                configuration, on: dgxNodes, site: context.facts, program: context.program(.roleMonitor))
            section.steps = otherHeadNodeSteps + section.steps
        } else {
            section = PlanSection(
                number: 10, title: "BCM role monitor",
                purpose: "Not deployed (`deploy_bcm_role_monitor` is false): the exporters run on every node.",
                steps: [])
        }
        if !section.notes.isEmpty { section.notes += "\n" }
        section.notes +=
            ImagingInstructions(
                configuration: configuration, facts: context.facts, headNode: context.localHost.name
            ).text
        return section
    }

    // MARK: - What several sections share

    var dgxNodes: [Host] { Self.unique(context.hosts(configuration.systems.dgxNodes)) }
    var controllers: [Host] { Self.unique(context.hosts(configuration.systems.slurmController)) }

    /// The servers that Prometheus is installed on; none where one exists already or is not wanted.
    var prometheusHosts: [Host] {
        configuration.usesExistingPrometheus || context.skips("prometheus")
            ? [] : Self.unique(context.hosts(configuration.systems.prometheusServer))
    }

    /// Each host once, whatever the case of its name, in the given order.
    static func unique(_ hosts: [Host]) -> [Host] {
        var seen = Set<String>()
        return hosts.filter { seen.insert($0.name.lowercased()).inserted }
    }

    /// What stands in the place of a section whose component was left out on purpose.
    func leftOut(_ number: Int, _ title: String, _ name: String, _ purpose: String) -> PlanSection {
        PlanSection(
            number: number, title: title,
            purpose: purpose.trimmed + " Left out on demand (`--allow skip-\(name)`): nothing is installed for it.",
            steps: [])
    }

    /// The three scrape jobs with the configured ports.
    func standardJobs() throws -> [ScrapeConfiguration.Job] {
        try ScrapeConfiguration.standardJobs(
            nodePort: configuration.nodeExporterPort, cgroupPort: configuration.cgroupExporterPort,
            gpuPort: configuration.nvidiaGPUExporterPort)
    }

    /// The name under which BCM, Slurm and Prometheus know a node.
    static func shortName(_ host: Host) -> String {
        ValueRules.isIPv4(host.name) ? host.name : String(host.name.prefix { $0 != "." })
    }

    /// The name under which Prometheus reaches a node.
    func targetName(_ host: Host) -> String {
        let name = Self.shortName(host)
        return configuration.targetDomain.map { "\(name).\($0)" } ?? name
    }
}
