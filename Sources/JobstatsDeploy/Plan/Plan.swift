/// A deployment as a value: what shall be true on which host, in order.
///
/// Nothing happens when a plan is made. A ``PlanRunner`` makes it so, a check compares it with the hosts, a document
/// describes it; none of them knows what the sections are about.
public struct Plan: Sendable {
    /// The sections, in the order in which they run.
    public var sections: [PlanSection]

    /// Creates a plan.
    public init(sections: [PlanSection]) { self.sections = sections }

    /// Every host that some step names, each once, in their natural order.
    public var hosts: [Host] {
        var seen = Set<Host>()
        for section in sections {
            for step in section.steps { seen.formUnion(step.hosts) }
        }
        return seen.sorted()
    }

    /// The same plan for some hosts only, essential checks aside; steps that lose all of theirs are left out.
    public func limited(to names: Set<String>) -> Plan {
        Plan(
            sections: sections.map { section in
                var section = section
                section.steps = section.steps.compactMap { step in
                    // What nothing can go on without is looked at even when its host was not named.
                    let kept = step.isEssential ? step.hosts : step.hosts.filter { names.contains($0.name) }
                    return kept.isEmpty ? nil : step.on(kept)
                }
                return section
            })
    }

    /// The same plan with only the sections of these numbers.
    public func limited(toSections numbers: Set<Int>) -> Plan {
        Plan(sections: sections.filter { numbers.contains($0.number) })
    }
}

/// A part of a plan that has one purpose, such as "Node statistics".
public struct PlanSection: Sendable {
    /// Its number, 1 to 10 for the ten sections of the guided setup.
    public var number: Int
    /// Its title, such as `Node statistics`.
    public var title: String
    /// What it brings about and why, in a few sentences.
    public var purpose: String
    /// Where Princeton's documentation describes it.
    public var link: String?
    /// Whether it only looks: such a section runs on all hosts at once and its failures are shown together.
    public var onlyLooks: Bool
    /// The steps, in order.
    public var steps: [Step]
    /// What the document says after the steps: Markdown, for people.
    public var notes: String
    /// Whether its hosts need what earlier sections of the same number brought about on other hosts; true by default. An
    /// export goes by it where each host runs a script of its own.
    public var followsEarlierParts = true

    /// Creates a section.
    public init(
        number: Int, title: String, purpose: String, link: String? = nil, onlyLooks: Bool = false, steps: [Step],
        notes: String = ""
    ) {
        self.number = number
        self.title = title
        self.purpose = purpose
        self.link = link
        self.onlyLooks = onlyLooks
        self.steps = steps
        self.notes = notes
    }

    /// The hosts of its steps, each once, in their natural order.
    public var hosts: [Host] {
        steps.reduce(into: Set<Host>()) { $0.formUnion($1.hosts) }.sorted()
    }

    /// The steps for a host, with what they bring about there.
    func tasks(on host: Host) -> [(step: Step, resource: any Resource)] {
        steps.compactMap { step in step.resource(on: host).map { (step, $0) } }
    }
}

/// One resource that shall be in a state, on one or many hosts.
public struct Step: Sendable {
    /// Unique in the plan and stable between runs, such as `4.unit-file`.
    public let id: String
    /// What it does, in a few words: `node_exporter unit file`.
    public let title: String
    /// The hosts it is for.
    public let hosts: [Host]
    private let members: Set<Host>
    /// The name of the consent it needs because it disturbs running work, such as `slurm-restart`; nil for none.
    public let consent: String?
    /// Whether nothing at all can go on when it fails, such as when this is not the active head node.
    public let isEssential: Bool
    private let resources: Resources

    private enum Resources: Sendable {
        case same(any Resource)
        case perHost([Host: any Resource])
    }

    /// Creates a step with the same resource on every host.
    public init(
        _ id: String, _ title: String, on hosts: [Host], consent: String? = nil, essential: Bool = false,
        _ resource: any Resource
    ) {
        self.init(id, title, hosts, consent, essential, .same(resource))
    }

    /// Creates a step whose resource differs from host to host.
    public init(_ id: String, _ title: String, consent: String? = nil, perHost resources: [Host: any Resource]) {
        self.init(id, title, resources.keys.sorted(), consent, false, .perHost(resources))
    }

    private init(
        _ id: String, _ title: String, _ hosts: [Host], _ consent: String?, _ isEssential: Bool, _ resources: Resources
    ) {
        self.id = id
        self.title = title
        self.hosts = hosts
        members = Set(hosts)
        self.consent = consent
        self.isEssential = isEssential
        self.resources = resources
    }

    /// The resource for a host; nil when the step is not for that host.
    public func resource(on host: Host) -> (any Resource)? {
        switch resources {
        case .same(let resource): members.contains(host) ? resource : nil
        case .perHost(let resources): members.contains(host) ? resources[host] : nil
        }
    }

    /// The resource when it is the same on every host, otherwise nil.
    public var commonResource: (any Resource)? {
        if case .same(let resource) = resources { resource } else { nil }
    }

    /// The same step with other resources in place of its own.
    func replacing(_ change: (any Resource) -> any Resource) -> Step {
        let changed: Resources =
            switch resources {
            case .same(let resource): .same(change(resource))
            case .perHost(let resources): .perHost(resources.mapValues(change))
            }
        return Step(id, title, hosts, consent, isEssential, changed)
    }

    func on(_ hosts: [Host]) -> Step { Step(id, title, hosts, consent, isEssential, resources) }
}
