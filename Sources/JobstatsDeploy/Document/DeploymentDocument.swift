public import FoundationEssentials

/// A plan as a manual that a person can follow by hand, in Markdown; with results, also the record of a run.
///
/// Hosts for which a step is the same are named together, so that the plan for thousands of nodes stays readable.
public struct DeploymentDocument: Sendable {
    /// What the document tells of.
    public struct Kind: Sendable, Hashable {
        let title: String
        let introduction: String
        /// Whether it tells how something is taken away.
        var isRemoval = false
        /// What would be done; no host was contacted.
        public static let dryRun = Kind(
            title: "what would be done",
            introduction: "This is a dry run: no host was contacted and nothing was changed. Whoever follows the "
                + "commands below by hand, in their order and as root, reaches the same state.")
        /// What a look at the hosts found; nothing was changed.
        public static let check = Kind(
            title: "what was found",
            introduction: "The hosts were looked at and nothing was changed. Each step says where it is in place and "
                + "where a run would change something.")
        /// What was done.
        public static let run = Kind(
            title: "what was done",
            introduction: "Each step says what came of it on which hosts. The commands are what a person would type "
                + "for the same; a run looks first and changes only what differs.")
    }

    /// The plan.
    public var plan: Plan
    /// What it was made from.
    public var configuration: DeploymentConfiguration
    /// What the document tells of.
    public var kind: Kind
    /// What came of it; nil in a dry run.
    public var report: RunReport?
    /// What was noticed about the configuration.
    public var issues: [ConfigurationIssue]
    /// The head node that deploys.
    public var headNode: String
    /// When this is; left out of the document when nil.
    public var date: Date?

    /// Creates a document.
    public init(
        plan: Plan, configuration: DeploymentConfiguration, kind: Kind, headNode: String, report: RunReport? = nil,
        issues: [ConfigurationIssue] = [], date: Date? = nil
    ) {
        self.plan = plan
        self.configuration = configuration
        self.kind = kind
        self.headNode = headNode
        self.report = report
        self.issues = issues
        self.date = date
    }

    /// The document's text.
    public var markdown: String {
        let results = Dictionary(grouping: report?.results ?? [], by: \.step)
        var parts = [heading]
        if let report { parts.append(ResultTable(report: report).markdown) }
        parts.append(contents)
        parts.append("## Components and hosts\n\n" + TopologyTable(configuration, headNode: headNode).markdown)
        for section in plan.sections { parts.append(text(of: section, results)) }
        if !kind.isRemoval { parts.append(ClosingChapters(plan: plan, configuration: configuration).markdown) }
        return parts.joined(separator: "\n")
    }

    /// What is where, and how the commands are meant.
    private var contents: String {
        var lines = plan.sections.map { section in
            "* \(section.number). \(Markdown.escape(section.title)): "
                + (section.steps.isEmpty
                    ? "to read\n"
                    : "\(Words.count(section.steps.count, "step")) on \(Words.count(section.hosts.count, "host"))\n")
        }
        if !kind.isRemoval { lines.append("* How to verify it, and how to undo it: the last two chapters\n") }
        return "## Contents\n\n" + lines.joined() + """

            Commands are typed as root on the hosts that stand above them, on each of these. \
            \(Markdown.code(StepGroup.placeholder)) in a command is such a host's own name. To type on many hosts at once, \
            on the head node: \(Markdown.code("pdsh -w HOSTS COMMAND")), or \
            \(Markdown.code("cmsh -c 'device; pexec -n NODES COMMAND'")).

            """
    }

    private var heading: String {
        var text = "# Jobstats deployment: \(kind.title)\n\n"
        text += "Cluster \(Markdown.code(configuration.clusterName))"
        text += ", \(Words.count(plan.hosts.count, "host")), written on \(Markdown.code(headNode))"
        if let date { text += " at \(date.formatted(.iso8601))" }
        text += ".\n\n\(kind.introduction)\n"
        if kind == .dryRun || kind == .removal(.dryRun) {
            text += "\n\(Markdown.code(headNode)) is taken for the active BCM head node: nobody asked whether it is. "
            text +=
                "Where this is read elsewhere, the commands for \(Markdown.code(headNode)) are for the active head node.\n"
        }
        if !issues.isEmpty {
            text += "\nAbout the configuration:\n\n"
            text += issues.map { "* \(Markdown.escape($0.description))\n" }.joined()
        }
        return text
    }

    // MARK: Sections

    private func text(of section: PlanSection, _ results: [String: [StepResult]]) -> String {
        var text = "## \(section.number). \(Markdown.escape(section.title))\n\n\(section.purpose)\n"
        if let link = section.link { text += "\nPrinceton's page: <\(link)>\n" }
        var isList = false
        for step in section.steps {
            let line = results[step.id] == nil ? look(of: step) : nil
            text += (isList && line != nil ? "" : "\n") + (line ?? self.text(of: step, results[step.id] ?? []))
            isList = line != nil
        }
        if !section.notes.trimmed.isEmpty { text += "\n\(section.notes.trimmed)\n" }
        return text
    }

    /// A step that only looks, on one line; nil when there is more to tell.
    private func look(of step: Step) -> String? {
        let groups = StepGroup.groups(of: step)
        guard groups.count == 1, let group = groups.first, step.consent == nil else { return nil }
        let instructions = group.instructions
        guard instructions.commands.isEmpty, instructions.files.isEmpty, instructions.undo.isEmpty,
            instructions.verification.allSatisfy({ !$0.contains("\n") && $0.utf8.count <= 200 })
        else { return nil }
        var text = "* **\(Markdown.escape(step.title))** (\(step.id)), on \(hosts(group.hosts)): "
        text += Markdown.escape(group.summary)
        if !instructions.verification.isEmpty {
            text += ". To look: " + instructions.verification.map { Markdown.code($0) }.joined(separator: ", ")
        }
        return text + "\n"
    }

    private func text(of step: Step, _ results: [StepResult]) -> String {
        var text = "### \(Markdown.escape(step.title)) (\(step.id))\n\n"
        if let consent = step.consent {
            text += "Disturbs running work, and is done only with consent: \(Markdown.code("--allow \(consent)"))\n\n"
        }
        for group in StepGroup.groups(of: step) { text += self.text(of: group) }
        if !results.isEmpty { text += "\n" + outcomes(results) }
        return text
    }

    private func text(of group: StepGroup) -> String {
        var text = "On \(hosts(group.hosts)): \(Markdown.escape(group.summary))\n"
        for file in group.instructions.files {
            text += "\nFile \(Markdown.code(file.path)):\n\n"
            text += Markdown.block(file.text, language: Self.language(of: file.path))
        }
        text += commands("", group.instructions.commands.map { Self.named($0, for: group.hosts) })
        text += commands("To verify:", group.instructions.verification)
        return text
    }

    /// A command of the head node for each host, with the host's name where there is but one.
    private static func named(_ command: String, for hosts: [Host]) -> String {
        guard hosts.count == 1, let host = hosts.first else { return command }
        return command.replacing("root@\(StepGroup.placeholder):", with: "root@\(host.name):")
            .replacing(", for each \(StepGroup.placeholder)", with: "")
    }

    private func commands(_ heading: String, _ lines: [String]) -> String {
        guard !lines.isEmpty else { return "" }
        let block = Markdown.block(lines.joined(separator: "\n"), language: "sh")
        return "\n" + (heading.isEmpty ? "" : "\(heading)\n\n") + block
    }

    private func hosts(_ hosts: [Host]) -> String {
        let names = HostRange.compress(hosts.map(\.name))
        if hosts.count == 1 { return Markdown.code(names) }
        // Names that do not fold are given once, in the table.
        if names.utf8.count > 200, let role = TopologyTable.role(of: hosts, in: configuration) {
            return "each of \(role) (\(hosts.count) hosts)"
        }
        return "each of \(Markdown.code(names)) (\(hosts.count) hosts)"
    }

    private static func language(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "yml", "yaml": "yaml"
        case "json": "json"
        case "service", "timer", "mount": "ini"
        case "sh": "sh"
        default: ""
        }
    }

    // MARK: Results

    private func outcomes(_ results: [StepResult]) -> String {
        struct Key: Hashable {
            let outcome: String
            let detail: String
            let remedy: String?
            let difference: String?
        }
        let groups = Dictionary(grouping: results) {
            Key(
                outcome: $0.isWarning ? "\($0.outcome), with a warning" : $0.outcome.rawValue,
                detail: $0.outcome == .inPlace && !$0.isWarning && Assessment.whatWasLeft($0.detail) == nil
                    ? "" : $0.detail, remedy: $0.remedy,
                difference: $0.difference)
        }
        var text = "Result:\n\n"
        let sorted = groups.map { (key: $0.key, results: $0.value.sorted { $0.host < $1.host }) }
            .sorted { ($0.key.outcome, $0.results[0].host) < ($1.key.outcome, $1.results[0].host) }
        for (key, results) in sorted {
            text += "* **\(key.outcome)** on \(hosts(results.map(\.host)))"
            text += key.detail.isEmpty ? "" : ": \(Markdown.escape(key.detail))"
            text += ", \(Self.span(results.map(\.duration)))\n"
            if let remedy = key.remedy { text += "  What to do: \(Markdown.escape(remedy))\n" }
            if let difference = key.difference {
                text += "\n" + Markdown.block(difference, language: "diff") + "\n"
            }
        }
        return text
    }

    private static func span(_ durations: [Duration]) -> String {
        guard let least = durations.min(), let most = durations.max() else { return "" }
        let (low, high) = (seconds(least), seconds(most))
        return low == high ? "\(low) s" : "\(low) to \(high) s"
    }

    /// Seconds with one decimal.
    static func seconds(_ duration: Duration) -> String {
        let tenths = (Int64(duration / .milliseconds(1)) + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension DeploymentDocument.Kind {
    /// The same about a removal.
    static func removal(_ kind: DeploymentDocument.Kind) -> DeploymentDocument.Kind {
        let introduction =
            switch kind {
            case .dryRun:
                "This is a dry run: no host was contacted and nothing was changed. What would go is given below, in order. "
            case .check: "The hosts were looked at and nothing was changed. What would go is given below, in order. "
            default: "What this deployment had put on the hosts was taken away, in this order. "
            }
        return DeploymentDocument.Kind(
            title: kind == .run ? "what was taken away" : "what would be taken away",
            introduction: introduction
                + "The commands are what a person would type for the same, after a look whether it is still as deployed.",
            isRemoval: true)
    }
}
