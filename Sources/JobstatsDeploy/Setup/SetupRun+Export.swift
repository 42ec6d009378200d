import BCMClient
import FoundationEssentials
import Glibc

// The plan written for another engine.
extension SetupRun {
    /// Writes the export: 0 when it is the whole plan, 1 when a part is missing. Only what BCM says is asked for, and only by root on a head node; no host is contacted
    /// otherwise and none is changed.
    func export(
        _ kind: ExportKind, _ configuration: DeploymentConfiguration, _ limit: Set<String>?
    ) async throws -> Int32 {
        guard let directory = options.exportDirectory, !directory.isEmpty else {
            throw Stop(status: 2, message: "--export needs --output DIR")
        }
        try prepareStateDirectory()
        if options.mode != .dryRun, !options.isOffline, options.bundle == nil {
            console.write("   Collecting programs; what is not in \(programCache) yet is fetched or built for it now\n")
        }
        let programs = try await supplies(configuration)
        try Self.goOn()
        var missing = programs.issues.map { "\($0.keyPath): \($0.message)" }
        let (facts, reason) = await siteFacts(configuration, limit)
        try Self.goOn()
        if let reason { missing.append("Section 10, the role monitor: \(reason)") }
        let sections = reason == nil ? self.sections : self.sections.subtracting([10])
        let plan = try plan(configuration, programs, facts, sections, limit)
        let neutral = ExportPlan(plan, of: configuration, missing: missing + Self.secrets(of: plan))
        do throws(ResourceError) {
            try kind.folder(neutral).write(to: directory)
        } catch {
            try Self.goOn()
            throw Stop(status: 1, message: error.description)
        }
        for line in neutral.missing { console.writeError("warning: not exported: \(line)\n") }
        let hosts = Words.count(neutral.hosts.count, "host")
        console.write("The plan for \(hosts) is in \(directory); how to use it is in \(directory)/README.md.\n")
        // Secrets never leave the head node; anything else that is missing is a part of the plan that nobody carries out.
        return missing.isEmpty ? 0 : 1
    }

    /// Ends an export that was interrupted; nothing of it is there then.
    private static func goOn() throws(Stop) {
        if Task.isCancelled { throw Stop(status: 130, message: "Interrupted. Nothing was exported.") }
    }

    /// What BCM says, or why it was not asked.
    private func siteFacts(
        _ configuration: DeploymentConfiguration, _ limit: Set<String>?
    ) async -> (facts: SiteFacts?, reason: String?) {
        let nodes = dgxNodes(configuration, limit)
        guard sections.contains(10), configuration.deploysRoleMonitor, !nodes.isEmpty else { return (nil, nil) }
        let how = "its configuration needs what BCM says; export as root on the active head node, without --dry-run"
        guard options.mode != .dryRun, getuid() == 0, access(BCMPaths.cmsh, X_OK) == 0 else { return (nil, how) }
        console.write("   Asking BCM for head nodes, certificates and roles\n")
        do {
            let facts = try await SiteDiscovery(
                cmsh: cmsh, paths: paths, port: configuration.monitorTimes.port, logger: logger
            ).facts(
                nodes: nodes, choice: options.certificate, renews: false, mayCreate: false, connector: connector)
            guard facts.certificate != nil else {
                return (
                    nil, "there is no client certificate for it yet; run guided-setup --section 10 for one node first"
                )
            }
            return (facts, nil)
        } catch {
            return (nil, "BCM did not tell what its configuration needs: \(error)")
        }
    }

    private static func secrets(of plan: Plan) -> [String] {
        var paths: [String] = []
        for step in plan.sections.flatMap(\.steps) {
            for action in step.hosts.first.flatMap({ step.resource(on: $0) })?.exportActions ?? [] {
                if case .file(let file) = action, file.isSecret, !paths.contains(file.path) { paths.append(file.path) }
            }
        }
        return paths.map { "The secret \($0): it does not leave the head node in an export; put it on each host" }
    }
}
