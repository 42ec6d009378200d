import CommandExecution
import Synchronization

// What is copied to hosts, and where it comes from.
extension SetupRun {
    private var access: ProgramFinder.Access {
        if options.mode != .run || options.uninstalls { return .look }
        return options.isOffline || options.bundle != nil ? .offline : .online
    }

    /// Everything that is copied to hosts, as far as it can be known before they are asked: programs for this machine's
    /// architecture and those that the configuration names, and packages.
    ///
    /// - Parameter sections: those that are carried out; of this run by default.
    func supplies(
        _ configuration: DeploymentConfiguration, for sections: Set<Int>? = nil
    ) async throws(Stop) -> ProgramFinder.Findings {
        // A bundle brings programs, too.
        let packages = try await packages()
        var found = await programs(configuration, sections ?? self.sections)
        found.packages = packages
        return found
    }

    /// Finds the programs; a removal of the monitor copies none.
    private func programs(
        _ configuration: DeploymentConfiguration, _ sections: Set<Int>,
        architectures: Set<ArtifactSource.Architecture> = []
    ) async -> ProgramFinder.Findings {
        if options.removesMonitor { return ProgramFinder.Findings() }
        let console = console
        var found = await ProgramFinder(
            directory: programCache, programDirectory: options.programFolder, access: access,
            onWork: { console.write("   \($0)\n") }
        ).find(for: configuration, sections: sections, architectures: architectures, except: leftOut)
        // What is missing here can be taken away all the same.
        if options.uninstalls { found.issues = [] }
        return found
    }

    /// The programs of components that are left out on demand.
    private var leftOut: Set<String> {
        let skipped = Consent.skippable.filter { options.consents.contains(Consent.skip($0).name) }
        return Set(skipped + (skipped.contains("prometheus") ? ["promtool"] : []))
    }

    var programCache: String { "\(options.stateDirectory)/programs" }

    /// How packages come to hosts: offline from the bundle alone, which is taken into the cache of programs now.
    private func packages() async throws(Stop) -> PackageSource {
        guard !options.takesAway, options.isOffline || options.bundle != nil else { return .repository }
        guard let bundle = options.bundle else {
            return .files(PackageFiles(platform: "", files: [], closures: [:]))
        }
        console.write("   Verifying the bundle \(bundle)\n")
        do {
            return .files(
                try await BundleReader(
                    executor: LocalExecutor(), cache: ProgramCache(programCache), path: bundle,
                    expected: options.bundleSHA256
                ).take())
        } catch {
            if Task.isCancelled { throw Stop(status: 130, message: "Interrupted. Nothing was done.") }
            throw Stop(status: 2, message: error.description)
        }
    }

    /// The programs with those for further architectures that the hosts have; nil when nothing is missing for them.
    ///
    /// - Parameter architectures: that of each host that told it.
    /// - Throws: in a run, when a program is missing for a host; a check shows that at the host's step.
    func programs(
        _ known: ProgramFinder.Findings, for architectures: [String: ArtifactSource.Architecture],
        _ configuration: DeploymentConfiguration
    ) async throws -> ProgramFinder.Findings? {
        guard !options.takesAway,
            !ProgramNeeds.missing(known.programs, for: architectures, configuration, sections, except: leftOut).isEmpty
        else { return nil }
        var found = await programs(configuration, sections, architectures: Set(architectures.values))
        found.packages = known.packages
        guard options.mode == .run else { return found }
        let missing = ProgramNeeds.missing(
            found.programs, for: architectures, configuration, sections, except: leftOut)
        let reasons = Set(missing.map(\.keyPath))
        let wrong = missing + found.issues.filter { $0.severity == .error && reasons.contains($0.keyPath) }
        guard wrong.isEmpty else {
            throw MissingPrograms(description: wrong.map(\.description).joined(separator: "\n"))
        }
        return found
    }

    private struct MissingPrograms: Error, CustomStringConvertible {
        let description: String
    }

    /// What uname(1) says on each host that gets a program; a host that does not answer is left out, and fails at its own
    /// steps.
    func architectures(
        _ configuration: DeploymentConfiguration, _ connector: any HostConnector, _ limit: Set<String>?
    ) async -> [String: ArtifactSource.Architecture] {
        let names = ProgramNeeds.names(configuration, sections)
        var hosts = Set(names.flatMap { ProgramNeeds.hosts($0, configuration) })
        if let limit { hosts.formIntersection(limit) }
        let context = DeploymentContext(localHost: Self.localHost)
        let found = Mutex<[Host: Facts]>([:])
        await Bounded.forEach(hosts.map { context.host($0) }, atOnce: options.parallel) { host in
            let collector = FactCollector([.command(ProgramResource.architecture)])
            guard let facts = try? await collector.glance(with: connector.connect(to: host)) else { return }
            found.withLock { $0[host] = facts }
        }
        return Self.architectures(found.withLock { $0 })
    }

    /// The architectures among what hosts said.
    static func architectures(_ facts: [Host: Facts]) -> [String: ArtifactSource.Architecture] {
        var found: [String: ArtifactSource.Architecture] = [:]
        for (host, facts) in facts {
            let name = facts.result(ProgramResource.architecture)?.outputText.trimmed
            found[host.name] = ArtifactSource.Architecture.all.first { $0.description == name }
        }
        return found
    }
}
