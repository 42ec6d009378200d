import BCMClient
import FoundationEssentials
import Glibc
import Synchronization

// Deploying into a software image, and whether images hold what is deployed.
extension SetupRun {
    /// The sections of which something belongs into an image.
    static let imageSections: Set<Int> = [2, 3, 4, 10]

    /// Brings the plan about in the folder of a software image, compares it with that, or describes it.
    func workOnImage(_ name: String, _ configuration: DeploymentConfiguration) async throws -> Int32 {
        let chosen = sections.intersection(Self.imageSections)
        guard !chosen.isEmpty else {
            throw Stop(
                status: 2, message: "--image: nothing of these sections belongs into an image; there are 2, 3, 4 and 10"
            )
        }
        guard options.limit.isEmpty else {
            throw Stop(status: 2, message: "--image and --limit exclude each other: an image is for all its nodes")
        }
        let programs = try await supplies(configuration, for: chosen)
        if options.mode == .dryRun { return try await describeImage(name, configuration, programs, chosen) }
        try requireRootAndAnswers()
        try prepareStateDirectory()
        let locks = options.mode == .run ? try await takeLocks() : []
        defer { withExtendedLifetime(locks) {} }
        let wrong = programs.issues.filter { $0.severity == .error }
        guard wrong.isEmpty else {
            throw Stop(status: 2, message: wrong.map(\.description).joined(separator: "\n"))
        }
        let image = SoftwareImage(name: name, path: try await cmsh.softwareImagePath(name))
        let earlier = try await earlierProgress(configuration)
        try await agree(to: try imagePlan(image, configuration, programs, nil, chosen))

        let display = RunDisplay(console: console)
        let progress = options.mode == .run ? ProgressFile(path: options.progressPath, continuing: earlier) : nil
        let essential = try essentialPlan(configuration)
        let known = Mutex(Plan(sections: []))
        let report = await PlanRunner(
            plan: essential, connector: ImageConnector([image], others: connector),
            options: .init(
                mode: options.mode == .check ? .check : .apply, parallel: 1, maximumFailures: 0,
                consents: options.consents),
            progress: progress, onEvent: { display.show($0) }
        ).run { survey in
            let facts = try await siteFacts(
                configuration, chosen, nil, mayCreate: options.mode == .run, connector: survey.connector)
            let plan = try imagePlan(image, configuration, programs, facts, chosen)
            known.withLock { $0 = plan }
            _ = await progress?.begin(planDigest: PlanDigest.hex(plan))
            return plan
        }
        display.end()
        console.write(
            RunSummary.text(
                report, mode: options.mode == .check ? .check : .apply, columns: console.columns,
                style: Style(usesColour: console.usesColour), rerun: advice(report)))
        if report.exitStatus == 0 { await sayHowNodesGet(image, configuration) }
        try writeDocument(configuration, known.withLock { $0 }, report)
        console.write("Document: \(options.documentPath)\n")
        return report.exitStatus
    }

    private func describeImage(
        _ name: String, _ configuration: DeploymentConfiguration, _ programs: ProgramFinder.Findings,
        _ chosen: Set<Int>
    ) async throws -> Int32 {
        tell(programs.issues)
        let image = SoftwareImage(name: name, path: "/cm/images/\(name)")
        let plan = try imagePlan(image, configuration, programs, nil, chosen)
        try prepareStateDirectory()
        try writeDocument(configuration, plan, nil)
        console.write(PlanOutline.text(plan, columns: console.columns, style: Style(usesColour: console.usesColour)))
        console.write(dryRunEnd)
        return 0
    }

    private func imagePlan(
        _ image: SoftwareImage, _ configuration: DeploymentConfiguration, _ programs: ProgramFinder.Findings,
        _ facts: SiteFacts?, _ chosen: Set<Int>
    ) throws -> Plan {
        let whole = try plan(configuration, programs, facts, chosen, nil)
        var plan = whole.within(
            image, for: Set(dgxNodes(configuration, nil)),
            sharedFolders: ["/cm/shared", configuration.targetsDirectory], head: Self.localHost)
        for index in plan.sections.indices {
            plan.sections[index].purpose +=
                " Here it goes into the software image `\(image.name)`: the commands are typed within it, after "
                + "`chroot \(image.path)` on the head node, and nothing is started."
        }
        return plan
    }

    private func sayHowNodesGet(_ image: SoftwareImage, _ configuration: DeploymentConfiguration) async {
        let all = (try? await cmsh.softwareImagesByNode()) ?? [:]
        let nodes = all.filter { $0.value == image.name }.map(\.key).sorted(by: HostOrder.precedes)
        guard !nodes.isEmpty else {
            console.write("No node uses the image \(image.name) now.\n")
            return
        }
        let strangers = nodes.filter { !configuration.systems.dgxNodes.contains($0) }
        var text =
            "\(Words.hosts(nodes)) use the image \(image.name) and have this after their next boot. Without one: "
        text += "cmsh -c \"device; imageupdate -n \(HostRange.compress(nodes)) -w\" (without -w it only shows)."
        if !strangers.isEmpty { text += " Of these, \(Words.hosts(strangers)) are not in systems.dgx_nodes." }
        console.write(Words.wrap(text, console.columns) + "\n")
    }

    // MARK: - Agreement

    /// Looks into the images of the nodes that are worked on, changing nothing.
    func imageAgreements(
        _ plan: Plan, _ facts: SiteFacts?, _ configuration: DeploymentConfiguration, _ limit: Set<String>?
    ) async -> [NodeImage] {
        let nodes = dgxNodes(configuration, limit)
        guard !nodes.isEmpty, let facts, !facts.imageByNode.isEmpty else { return [] }
        var members: [String: [Host]] = [:]
        for node in nodes {
            let name = facts.imageByNode[node.name] ?? facts.imageByNode[JobstatsPlan.shortName(node)]
            if let name { members[name, default: []].append(node) }
        }
        var found: [NodeImage] = []
        for (name, hosts) in members.sorted(by: { $0.key < $1.key }) {
            found.append(await look(into: name, hosts, plan, configuration))
        }
        return found
    }

    /// Says of each image whether the work lasts.
    func sayWhetherImagesAgree(_ images: [NodeImage], _ report: RunReport) {
        let progress = options.mode == .check ? try? ProgressFile.load(options.progressPath) : nil
        for image in images {
            var agreement = image.agreement
            if let progress {
                agreement.lostBy = ImageAgreement.hostsThatLost(report, steps: image.steps, progress: progress)
                    .intersection(agreement.nodes).sorted(by: HostOrder.precedes)
            }
            console.write(Words.wrap(agreement.words, console.columns) + "\n")
        }
    }

    private func look(
        into name: String, _ hosts: [Host], _ plan: Plan, _ configuration: DeploymentConfiguration
    ) async -> NodeImage {
        let names = hosts.map(\.name)
        let image: SoftwareImage
        do {
            image = SoftwareImage(name: name, path: try await cmsh.softwareImagePath(name))
        } catch {
            return NodeImage(agreement: ImageAgreement(image: name, nodes: names, problem: error.reason))
        }
        let wanted = plan.within(
            image, for: Set(hosts), sharedFolders: ["/cm/shared", configuration.targetsDirectory])
        let found = await PlanRunner(
            plan: wanted, connector: ImageConnector([image], others: connector), options: .init(mode: .check)
        ).run()
        return NodeImage(
            agreement: ImageAgreement(image: name, nodes: names, report: found),
            steps: Set(wanted.sections.flatMap(\.steps).map(\.id)))
    }
}

/// What an image of nodes holds.
struct NodeImage: Sendable {
    var agreement: ImageAgreement
    /// The ids of the steps that belong into it.
    var steps: Set<String> = []
}
