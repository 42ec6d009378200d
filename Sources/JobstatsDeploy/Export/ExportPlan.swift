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
        /// In which stage each host does it: no host needs what another one does in the same or a later stage.
        let stages: [Host: Int]
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

    /// The hosts of each stage, in order.
    var stages: [[Host]] {
        var hosts: [Int: Set<Host>] = [:]
        for (host, stage) in sections.flatMap(\.stages) { hosts[stage, default: []].insert(host) }
        return hosts.sorted { $0.key < $1.key }.map { $0.value.sorted() }
    }

    /// The scripts of these actions, each once, by name.
    static func scripts(of actions: [ExportAction]) -> [ScriptText] {
        var scripts: [String: ScriptText] = [:]
        for action in actions {
            if let script = action.script?.script { scripts[script.name] = script }
        }
        return scripts.values.sorted { $0.name < $1.name }
    }

    init(
        _ plan: Plan, of configuration: DeploymentConfiguration, missing: [String] = [],
        record: OwnershipRecord = .standard
    ) {
        clusterName = configuration.clusterName
        self.missing = missing
        self.record = record
        var stages = Stages()
        sections = plan.sections.compactMap { section in
            let steps = section.steps.compactMap { Self.step($0) }
            guard !steps.isEmpty else { return nil }
            return Section(
                number: section.number, title: section.title, steps: steps,
                stages: stages.next(
                    section.number, Set(steps.flatMap(\.hosts)), followsEarlierParts: section.followsEarlierParts))
        }
        let known = Dictionary(plan.hosts.map { ($0.name, $0) }) { first, _ in first }
        let systems = configuration.systems
        roles = [
            ("dgx_nodes", systems.dgxNodes), ("slurm_controllers", systems.slurmController),
            ("login_nodes", systems.loginNodes), ("prometheus_servers", systems.prometheusServer),
            ("grafana_servers", systems.grafanaServer),
        ].map { name, names in (name, Set(names.map { known[$0] ?? Host($0) })) }
    }

    /// The stages of sections in their order. A host keeps the order of its own steps, and waits for the other hosts of
    /// the earlier parts of a section.
    private struct Stages {
        private var last: [Host: Int] = [:]
        private var parts: [Int: [Host: Int]] = [:]

        mutating func next(_ number: Int, _ hosts: Set<Host>, followsEarlierParts: Bool) -> [Host: Int] {
            let earlier = followsEarlierParts ? parts[number, default: [:]] : [:]
            var stages: [Host: Int] = [:]
            for host in hosts {
                let needed = earlier.map { $0.key == host ? $0.value : $0.value + 1 }.max() ?? 1
                stages[host] = max(needed, last[host] ?? 1)
            }
            last.merge(stages) { max($0, $1) }
            parts[number, default: [:]].merge(stages) { max($0, $1) }
            return stages
        }
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
