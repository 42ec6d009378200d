import CommandExecution

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

    /// The programs for the architectures that the hosts have, each of which is asked.
    ///
    /// - Throws: in a run, when a program is missing for a host; a check shows that at the host's step.
    func programs(
        _ known: ProgramFinder.Findings, _ configuration: DeploymentConfiguration, _ connector: any HostConnector,
        _ limit: Set<String>?
    ) async throws -> ProgramFinder.Findings {
        guard !options.takesAway else { return known }
        let names = ProgramNeeds.names(configuration, sections)
        var hosts = Set(names.flatMap { ProgramNeeds.hosts($0, configuration) })
        if let limit { hosts.formIntersection(limit) }
        let context = DeploymentContext(localHost: Self.localHost)
        let architectures = await Self.architectures(
            of: hosts.map { context.host($0) }, connector, parallel: max(1, options.parallel))
        guard
            !ProgramNeeds.missing(known.programs, for: architectures, configuration, sections, except: leftOut).isEmpty
        else {
            return known
        }
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

    /// What uname(1) says on each host; a host that does not answer is left out, and fails at its own steps.
    private static func architectures(
        of hosts: [Host], _ connector: any HostConnector, parallel: Int
    ) async -> [String: ArtifactSource.Architecture] {
        await withTaskGroup(of: (String, String)?.self) { group in
            var found: [String: ArtifactSource.Architecture] = [:]
            func note(_ answer: (host: String, name: String)?) {
                guard let answer else { return }
                found[answer.host] = ArtifactSource.Architecture.all.first { $0.description == answer.name }
            }
            var running = 0
            for host in hosts {
                if running >= parallel {
                    note(await group.next() ?? nil)
                    running -= 1
                }
                running += 1
                group.addTask {
                    let connection = await connector.connect(to: host)
                    let result = try? await connection.run(Command("uname", ["-m"], timeout: .seconds(20)))
                    return result.map { (host.name, $0.outputText.trimmed) }
                }
            }
            while let answer = await group.next() { note(answer) }
            return found
        }
    }
}
