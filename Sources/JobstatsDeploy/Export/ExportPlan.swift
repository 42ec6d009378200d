/// A plan in the words of ``ExportAction``, for renderers.
struct ExportPlan {
    /// A step that an export carries out.
    struct Step {
        let id: String
        let title: String
        let consent: String?
        /// Hosts with equal actions together.
        let groups: [(hosts: [Host], actions: [ExportAction])]

        var hosts: [Host] { groups.flatMap(\.hosts).sorted() }

        func actions(on host: Host) -> [ExportAction]? { groups.first { $0.hosts.contains(host) }?.actions }
    }

    struct Section {
        let number: Int
        let title: String
        let steps: [Step]
    }

    let clusterName: String
    let sections: [Section]
    /// Names for sets of hosts, such as `dgx_nodes`.
    let roles: [(name: String, hosts: Set<Host>)]
    /// Where hosts remember what was put there.
    let record: OwnershipRecord
    /// What the export lacks and why, in words.
    let missing: [String]

    var hosts: [Host] { Set(sections.flatMap(\.steps).flatMap(\.hosts)).sorted() }

    init(
        _ plan: Plan, of configuration: DeploymentConfiguration, missing: [String] = [],
        record: OwnershipRecord = .standard
    ) {
        clusterName = configuration.clusterName
        self.missing = missing
        self.record = record
        sections = plan.sections.compactMap { section in
            let steps = section.steps.compactMap { Self.step($0) }
            return steps.isEmpty ? nil : Section(number: section.number, title: section.title, steps: steps)
        }
        let known = Dictionary(plan.hosts.map { ($0.name, $0) }) { first, _ in first }
        let systems = configuration.systems
        roles = [
            ("dgx_nodes", systems.dgxNodes), ("slurm_controllers", systems.slurmController),
            ("login_nodes", systems.loginNodes), ("prometheus_servers", systems.prometheusServer),
            ("grafana_servers", systems.grafanaServer),
        ].map { name, names in (name, Set(names.map { known[$0] ?? Host($0) })) }
    }

    private static func step(_ step: JobstatsDeploy.Step) -> Step? {
        var groups: [(hosts: [Host], actions: [ExportAction])] = []
        if let common = step.commonResource {
            groups = [(step.hosts, common.exportActions)]
        } else {
            var places: [[ExportAction]: Int] = [:]
            for host in step.hosts {
                let actions = step.resource(on: host)?.exportActions ?? []
                if let place = places[actions] {
                    groups[place].hosts.append(host)
                } else {
                    places[actions] = groups.count
                    groups.append(([host], actions))
                }
            }
        }
        groups.removeAll { $0.actions.isEmpty }
        return groups.isEmpty
            ? nil : Step(id: step.id, title: step.title, consent: step.consent, groups: groups)
    }
}
