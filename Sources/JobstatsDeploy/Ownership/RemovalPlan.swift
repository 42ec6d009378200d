/// A deployment backwards: the plan that takes away what a deployment put on the hosts, and nothing else.
///
/// It is made from the deployment's own plan: each step becomes its resource's ``Resource/absence``, in reverse order.
/// What other sections that stay still need on a host is left out.
public struct RemovalPlan: Sendable {
    /// What becomes of the exporters.
    public enum Exporters: Sendable, Hashable {
        /// They are taken away, too.
        case removed
        /// They stay, and run on every node from now on.
        case left
    }

    /// What was deployed.
    public var configuration: DeploymentConfiguration
    /// What the deployment's plan was made with.
    public var context: DeploymentContext
    /// The sections to take away.
    public var sections: Set<Int>
    /// What becomes of the exporters.
    public var exporters: Exporters
    /// Whether Prometheus's samples go, too.
    public var removesData: Bool

    /// Describes a removal.
    public init(
        of configuration: DeploymentConfiguration, context: DeploymentContext, sections: Set<Int>,
        exporters: Exporters = .removed, removesData: Bool = false
    ) {
        self.configuration = configuration
        self.context = context
        self.sections = sections
        self.exporters = exporters
        self.removesData = removesData
    }

    /// Whether there are exporters to decide about.
    public static func concernsExporters(_ sections: Set<Int>) -> Bool { !sections.isDisjoint(with: [2, 3, 4, 10]) }

    /// The plan: the sections backwards, and in each of them the steps backwards.
    ///
    /// - Throws: what ``JobstatsPlan/plan(sections:)`` throws, when a section cannot be planned from the configuration.
    public func plan() throws -> Plan {
        let whole = try JobstatsPlan(configuration: configuration, context: context).plan()
        let going = whole.sections.compactMap(part)
        var needed = needs(
            of: whole.sections.filter { !sections.contains($0.number) },
            where: { !takesExporters || !isExporterStep($0) })
        if exporters == .left { needed.formUnion(needs(of: going, where: isExporterStep)) }
        // What several sections need goes with the first of them, which comes last.
        var backwards: [PlanSection] = []
        var met = needed
        for section in going {
            var steps: [Step] = []
            for step in section.steps where !(exporters == .left && isExporterStep(step)) {
                if section.number == 10, MonitorRemoval.replaced.contains(step.id) { continue }
                if let step = removal(of: step, &met) { steps.append(step) }
            }
            backwards.insert(removal(of: section, steps.reversed()), at: 0)
        }
        // Decommissioning a monitor stops them first.
        if exporters == .left, let staying = try stayingExporters() {
            backwards.insert(staying, at: backwards.firstIndex { $0.number != 10 } ?? backwards.endIndex)
        }
        return Plan(sections: backwards.filter { !$0.steps.isEmpty || !$0.notes.isEmpty })
    }

    /// Whether exporters go although their own sections stay: they follow the monitor.
    private var takesExporters: Bool {
        exporters == .removed && sections.contains(10) && configuration.deploysRoleMonitor
    }

    /// What of a section is taken away.
    private func part(of section: PlanSection) -> PlanSection? {
        if sections.contains(section.number) { return section }
        guard takesExporters else { return nil }
        var section = section
        section.steps = section.steps.filter(isExporterStep)
        section.notes = ""
        return section.steps.isEmpty ? nil : section
    }

    // MARK: Steps

    /// One thing on one host.
    private struct Need: Hashable {
        let host: Host
        let summary: String
    }

    private func needs(of sections: [PlanSection], where include: (Step) -> Bool = { _ in true }) -> Set<Need> {
        var needs = Set<Need>()
        for step in sections.flatMap(\.steps) where include(step) {
            for host in step.hosts {
                if let resource = step.resource(on: host) { needs.insert(Need(host: host, summary: resource.summary)) }
            }
        }
        return needs
    }

    private func removal(of step: Step, _ met: inout Set<Need>) -> Step? {
        // Checks put nothing anywhere.
        var resources: [Host: any Resource] = [:]
        for host in step.hosts {
            guard let resource = step.resource(on: host), let absence = absence(of: resource),
                met.insert(Need(host: host, summary: resource.summary)).inserted
            else { continue }
            resources[host] = absence
        }
        guard !resources.isEmpty else { return nil }
        let title = "Taken away: \(step.title)"
        if let common = step.commonResource.flatMap(absence) {
            return Step("\(step.id).absent", title, on: step.hosts.filter { resources[$0] != nil }, common)
        }
        return Step("\(step.id).absent", title, perHost: resources)
    }

    private func absence(of resource: any Resource) -> (any Resource)? {
        if removesData, let directory = resource as? DirectoryResource, directory.path == Installed.prometheusData {
            return DataRemoval(directory.path)
        }
        return resource.absence
    }

    private func removal(of section: PlanSection, _ steps: [Step]) -> PlanSection {
        var steps = steps
        if section.number == 10, configuration.deploysRoleMonitor {
            let nodes = context.hosts(configuration.systems.dgxNodes)
            let digests = context.programs[.roleMonitor]?.values.map(\.sha256) ?? []
            // The first step asks the monitor itself to clean up; the last one looks that nothing is left of it.
            let own = MonitorRemoval.steps(on: JobstatsPlan.unique(nodes), digests: digests.sorted())
            steps = own.dropLast() + steps + own.suffix(1)
        }
        let kept = section.steps.filter { stays($0) }
        var notes = ""
        if !kept.isEmpty {
            notes = "Stays as it is: " + kept.map { Markdown.escape($0.title) }.joined(separator: "; ") + ".\n"
        }
        if section.number == 6, !removesData {
            notes += "\nPrometheus's samples stay in \(Markdown.code(Installed.prometheusData)); `--allow remove-data` "
            notes += "takes them away, too.\n"
        }
        return PlanSection(
            number: section.number, title: "\(section.title), taken away",
            purpose: steps.isEmpty
                ? "Nothing of this is taken away."
                : "What this deployment put there goes, and nothing else. What somebody changed since stays and is named.",
            steps: steps, notes: notes)
    }

    /// Whether a step brought something about that a removal leaves: a package, a setting of Slurm or BCM.
    private func stays(_ step: Step) -> Bool {
        guard let resource = step.hosts.first.flatMap({ step.resource(on: $0) }) else { return false }
        return resource.absence == nil && !resource.instructions.commands.isEmpty && !resource.exportActions.isEmpty
    }

    // MARK: Exporters that stay

    private static let exporterSteps: Set<String> = [
        "user", "program", "textfile-directory", "unit-file", "unit", "self-test", "answers",
    ]

    private func isExporterStep(_ step: Step) -> Bool {
        let words = step.id.split(separator: ".", maxSplits: 1)
        return words.count == 2 && ["2", "3", "4"].contains(words[0]) && Self.exporterSteps.contains(String(words[1]))
    }

    /// Without role monitors the exporters are enabled and run, and their target files are written by the deployment.
    private func stayingExporters() throws -> PlanSection? {
        guard configuration.deploysRoleMonitor, sections.contains(10) else { return nil }
        var always = configuration
        always.deploysRoleMonitor = false
        let plan = try JobstatsPlan(configuration: always, context: context).plan()
        let exporters = plan.sections.flatMap(\.steps).filter { isExporterStep($0) && $0.id.hasSuffix(".unit") }
        let targets = plan.sections.flatMap(\.steps).filter { $0.id == "6.targets" || $0.id == "6.targets-directory" }
        let steps = exporters + (sections.contains(6) ? [] : targets)
        guard !steps.isEmpty else { return nil }
        return PlanSection(
            number: 10, title: "Exporters that stay",
            purpose: "The exporters stay, start at boot and run on every node, whatever its role.", steps: steps)
    }
}
