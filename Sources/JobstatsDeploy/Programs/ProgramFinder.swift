public import CommandExecution
import FoundationEssentials

/// Finds the programs that a deployment copies, on the machine that deploys, fetches or builds what is not here, and
/// verifies all of it.
///
/// A program comes from the configuration's `artifacts`; otherwise the role monitor lies beside the program that runs,
/// and the others come from where ``ArtifactManifest`` says, or from the distribution's packages. Each is fetched or
/// built once and kept in a cache.
public struct ProgramFinder: Sendable {
    /// What was found.
    public struct Findings: Sendable {
        /// The programs, for ``DeploymentContext/programs``.
        public var programs: [ArtifactSource.Name: [ArtifactSource.Architecture: DeploymentContext.LocalProgram]] = [:]
        /// For ``DeploymentContext/prometheusComparesAddresses``.
        public var prometheusComparesAddresses = true
        /// For ``DeploymentContext/exporterAbilities``.
        public var exporterAbilities = ExporterAbilities()
        /// How packages of the distribution are installed, for ``DeploymentContext/packages``.
        public var packages = PackageSource.repository
        /// What each program was taken from, for a bundle.
        var supplies: [Supply] = []
        /// Everything that is missing or wrong with its key: errors, and warnings for what a run would fetch.
        public var issues: [ConfigurationIssue] = []
    }

    /// One program with the files of the cache, or elsewhere, from which it comes about again without a network.
    struct Supply: Sendable {
        var name: ArtifactSource.Name
        /// Nil when it is the same for all.
        var architecture: ArtifactSource.Architecture?
        var source: String
        var objects: [DeploymentContext.LocalProgram]
        var made: (key: String, sha256: String)?
    }

    /// A verified program, and what it was made of.
    private struct Obtained {
        var program: DeploymentContext.LocalProgram
        var objects: [DeploymentContext.LocalProgram]
        var key: String?

        init(_ program: DeploymentContext.LocalProgram, key: String? = nil) {
            self.init(program, of: [program], key: key)
        }

        init(
            _ program: DeploymentContext.LocalProgram, of objects: [DeploymentContext.LocalProgram], key: String? = nil
        ) {
            self.program = program
            self.objects = objects
            self.key = key
        }
    }

    /// What may be done to have a program.
    public enum Access: Sendable, Hashable {
        /// Nothing but look: a dry run and a check.
        case look
        /// Nothing is fetched from anywhere.
        case offline
        /// Fetch and build.
        case online
    }

    private let executor: any CommandExecutor
    private let cache: ProgramCache
    private let programDirectory: String
    private let access: Access
    private let manifest: ArtifactManifest
    private let onWork: @Sendable (String) -> Void
    var download: Download
    /// Whether archives must be here, too, of which the program is unpacked already.
    var needsArchives = false

    /// Creates a finder.
    ///
    /// - Parameters:
    ///   - executor: runs commands on this machine.
    ///   - directory: the cache; made when it is needed.
    ///   - programDirectory: where the running program lies, and the role monitor beside it.
    ///   - access: what may be done.
    ///   - manifest: where programs come from that the configuration does not name.
    ///   - onWork: is told in words what takes a while.
    public init(
        executor: any CommandExecutor = LocalExecutor(), directory: String, programDirectory: String,
        access: Access = .online, manifest: ArtifactManifest = .standard,
        onWork: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.executor = executor
        cache = ProgramCache(directory)
        self.programDirectory = programDirectory
        self.access = access
        self.manifest = manifest
        self.onWork = onWork
        download = Download(executor: executor)
    }

    /// The architecture of this machine.
    static var localArchitecture: ArtifactSource.Architecture {
        #if arch(arm64)
            .arm
        #else
            .x86
        #endif
    }

    /// The programs that these sections need.
    ///
    /// - Parameters:
    ///   - configuration: says where programs come from.
    ///   - sections: the sections whose programs are wanted.
    ///   - architectures: those of the hosts, as far as they are known. A file and whatever the configuration names for
    ///     one architecture alone is looked at in any case.
    public func find(
        for configuration: DeploymentConfiguration, sections: Set<Int>,
        architectures: Set<ArtifactSource.Architecture> = []
    ) async -> Findings {
        await find(for: configuration, sections: sections, architectures: architectures, except: [])
    }

    /// The programs but some, by name.
    func find(
        for configuration: DeploymentConfiguration, sections: Set<Int>,
        architectures: Set<ArtifactSource.Architecture>, except leftOut: Set<String>
    ) async -> Findings {
        var findings = Findings()
        let wanted = architectures.union([Self.localArchitecture])
        for name in ProgramNeeds.names(configuration, sections) where !leftOut.contains(name.description) {
            let chosen = configuration.artifacts[name]
            let sources = chosen ?? manifest.entries[name]?.sources ?? Self.standardSources(name)
            if name == .jobstats {
                await add(sources?[Self.localArchitecture], name, ArtifactSource.Architecture.all, to: &findings)
                continue
            }
            guard let sources else {
                await add(nil, name, [Self.localArchitecture], to: &findings)
                continue
            }
            for architecture in ArtifactSource.Architecture.all {
                guard let source = sources[architecture] else { continue }
                let isNamed = chosen?.isSpecial(architecture) == true
                guard source.isLooked(at: architecture, isNamed: isNamed, wanted: wanted) else { continue }
                await add(source, name, [architecture], to: &findings)
            }
        }
        findings.exporterAbilities = await ExporterAbilities.ask(
            cgroup: findings.programs[.cgroupExporter]?[Self.localArchitecture]?.path,
            gpu: findings.programs[.nvidiaGPUExporter]?[Self.localArchitecture]?.path, with: executor)
        if let program = findings.programs[.prometheus]?[Self.localArchitecture] {
            findings.prometheusComparesAddresses = await comparesAddresses(program.path)
        }
        return findings
    }

    private static func standardSources(_ name: ArtifactSource.Name) -> ArtifactSources? {
        switch name {
        case .nodeExporter:
            ArtifactSources(.package("prometheus-node-exporter", binary: "/usr/bin/prometheus-node-exporter"))
        case .prometheus: ArtifactSources(.package("prometheus", binary: "/usr/bin/prometheus"))
        case .promtool: ArtifactSources(.package("prometheus", binary: "/usr/bin/promtool"))
        default: nil
        }
    }

    // MARK: One program

    private func add(
        _ source: ArtifactSource?, _ name: ArtifactSource.Name, _ architectures: [ArtifactSource.Architecture],
        to findings: inout Findings
    ) async {
        do {
            guard let obtained = try await obtain(source, name, architectures.first ?? Self.localArchitecture) else {
                let place = source.map { " from \($0.inWords)" } ?? ""
                findings.issues.append(
                    ConfigurationIssue(
                        .warning, "artifacts.\(name)", "\(name) is not on this machine; a run gets it\(place)"))
                return
            }
            for architecture in architectures {
                findings.programs[name, default: [:]][architecture] = obtained.program
            }
            findings.supplies.append(
                Supply(
                    name: name, architecture: architectures.count == 1 ? architectures[0] : nil,
                    source: source?.inWords ?? obtained.program.path, objects: obtained.objects,
                    made: obtained.key.map { ($0, obtained.program.sha256) }))
        } catch {
            findings.issues.append(ConfigurationIssue(.error, "artifacts.\(name)", error.description))
        }
    }

    /// The verified program; nil when it is not here and must not be fetched now.
    private func obtain(
        _ source: ArtifactSource?, _ name: ArtifactSource.Name, _ architecture: ArtifactSource.Architecture
    ) async throws(ProgramProblem) -> Obtained? {
        switch source?.location {
        case nil: return Obtained(try await file("\(programDirectory)/\(name)", name, nil))
        case .file(let path, let sum): return Obtained(try await file(path, name, sum))
        case .package(let package, let binary):
            return try await packaged(
                DistributionPackage(executor: executor, name: package, binary: binary, directory: cache.directory),
                name, architecture)
        case .release(let url, let sum, let member): return try await release(name, url, sum, member)
        case .git(let url, let revision, let directory, let usesC):
            return try await git(
                GitRevision(executor: executor, url: url, revision: revision), directory, usesC, name, architecture)
        }
    }

    private func file(
        _ path: String, _ name: ArtifactSource.Name, _ expected: String?
    ) async throws(ProgramProblem) -> DeploymentContext.LocalProgram {
        guard let (sum, size) = await SHA256Digest.file(path) else {
            // A bundle brings files that lie elsewhere on this machine than where the configuration expects them.
            if let expected, let kept = await cache.object(expected) { return kept }
            throw ProgramProblem(
                "there is no \(name) at \(path), or it cannot be read: give its path and sha256 here")
        }
        guard expected == nil || expected == sum else {
            throw ProgramProblem(
                "\(path) has the SHA-256 \(sum), not \(expected ?? ""): fetch it again, or correct sha256")
        }
        return .init(path: path, sha256: sum, size: size)
    }

    private func packaged(
        _ package: DistributionPackage, _ name: ArtifactSource.Name, _ architecture: ArtifactSource.Architecture
    ) async throws(ProgramProblem) -> Obtained? {
        let key = package.key(architecture)
        if let path = package.present { return Obtained(try await file(path, name, nil), key: key) }
        if let kept = await cache.made(key) { return Obtained(kept, key: key) }
        let remedy = "install the package \(package.name) here, or give path and sha256 of the program instead"
        guard try mayFetch("the package \(package.name)", remedy) else { return nil }
        do {
            return Obtained(try await file(try await package.unpack(), name, nil), key: key)
        } catch {
            throw ProgramProblem("\(error); \(remedy)")
        }
    }

    private func release(
        _ name: ArtifactSource.Name, _ url: String, _ sum: String, _ member: String?
    ) async throws(ProgramProblem) -> Obtained? {
        let key = member.map { "member \($0) of \(sum)" }
        if !needsArchives, let key, let made = await cache.made(key) { return Obtained(made) }
        var archive = await cache.object(sum)
        if archive == nil {
            let remedy =
                "put the file at \(cache.path(sum)), use a bundle (guided-setup bundle makes one where there is a "
                + "network), or give path and sha256 of the program at artifacts.\(name)"
            guard try mayFetch(url, remedy) else { return nil }
            onWork("Fetching \(url)")
            do {
                archive = try await cache.withWorkFolder { folder throws(ProgramProblem) in
                    let file = "\(folder)/file"
                    try await download.fetch(url, sha256: sum, to: file)
                    return try await cache.keep(file, expecting: sum)
                }
            } catch {
                throw ProgramProblem("\(error). Try again, or without network: \(remedy)")
            }
        }
        guard let archive, let member, let key else { return archive.map { Obtained($0) } }
        if let made = await cache.made(key) { return Obtained(made, of: [archive]) }
        // Unpacking is no fetching, but a dry run and a check leave nothing behind.
        guard access != .look else { return nil }
        let program = try await cache.withWorkFolder { folder throws(ProgramProblem) in
            let output = "\(folder)/member"
            try await ReleaseArchive(executor: executor, path: archive.path, origin: url)
                .extract(member, to: output)
            return try await cache.keep(output)
        }
        try cache.remember(key, program.sha256)
        return Obtained(program, of: [archive])
    }

    private func git(
        _ commit: GitRevision, _ directory: String, _ usesC: Bool, _ name: ArtifactSource.Name,
        _ architecture: ArtifactSource.Architecture
    ) async throws(ProgramProblem) -> Obtained? {
        let isTree = name == .jobstats
        let key = isTree ? commit.treeKey : commit.buildKey(directory, usesC: usesC, architecture)
        if let made = await cache.made(key) { return Obtained(made, key: key) }
        let remedy =
            "use a bundle (guided-setup bundle makes one where there is a network), or give path and sha256 of "
            + (isTree ? "a tar archive of its tree" : "the program") + " at artifacts.\(name)"
        guard try mayFetch(commit.url, remedy) else { return nil }
        guard !usesC || architecture == Self.localArchitecture else {
            throw ProgramProblem(
                "\(name) uses C and cannot be built here for \(architecture): build it on such a machine, and give "
                    + "path and sha256 at artifacts.\(name).\(architecture)")
        }
        onWork("\(isTree ? "Fetching" : "Building \(name) for \(architecture) from") \(commit.url)")
        let program: DeploymentContext.LocalProgram
        do {
            program = try await cache.withWorkFolder { folder throws(ProgramProblem) in
                let file =
                    isTree
                    ? try await commit.archive(in: folder)
                    : try await commit.build(directory, usesC: usesC, for: architecture, in: folder)
                return try await cache.keep(file)
            }
        } catch {
            throw ProgramProblem("\(error). Try again, or: \(remedy)")
        }
        try cache.remember(key, program.sha256)
        return Obtained(program, key: key)
    }

    /// Whether what is not here may be fetched now; offline it is an error.
    private func mayFetch(_ what: String, _ remedy: String) throws(ProgramProblem) -> Bool {
        switch access {
        case .online: return true
        case .look: return false
        case .offline:
            throw ProgramProblem("\(what) is not on this machine, and nothing is fetched (--offline): \(remedy)")
        }
    }

    /// Whether this Prometheus knows the relabel action `keepequal`: 2.41 and later do.
    private func comparesAddresses(_ path: String) async -> Bool {
        guard let result = try? await executor.run(Command(path, ["--version"], timeout: .seconds(20))) else {
            return false
        }
        return Self.comparesAddresses(version: result.outputText + result.errorText)
    }

    static func comparesAddresses(version text: String) -> Bool {
        guard let range = text.firstRange(of: "version ") else { return false }
        let numbers = text[range.upperBound...].prefix { $0.isNumber || $0 == "." }.split(separator: ".")
            .compactMap { Int($0) }
        guard numbers.count >= 2 else { return false }
        return numbers[0] > 2 || (numbers[0] == 2 && numbers[1] >= 41)
    }
}

extension ArtifactSource {
    /// Whether a source is looked at for an architecture.
    ///
    /// - Parameters:
    ///   - isNamed: whether the site named it for this architecture alone.
    ///   - wanted: the architectures that are known to be needed.
    func isLooked(at architecture: Architecture, isNamed: Bool, wanted: Set<Architecture>) -> Bool {
        switch location {
        // It says which file it is, whatever this machine is.
        case .file: true
        // A package here is of this machine's architecture, whatever hosts there are.
        case .package: architecture == ProgramFinder.localArchitecture
        case .release, .git: isNamed || wanted.contains(architecture)
        }
    }

    /// Where it is, in words.
    var inWords: String {
        switch location {
        case .file(let path, _): path
        case .package(let name, _): "the package \(name)"
        case .release(let url, _, _): url
        case .git(let url, let revision, _, _): "\(url) at \(revision)"
        }
    }
}

// What identifies something that was made: one line each.
extension GitRevision {
    var treeKey: String { "tree of \(revision) from \(url)" }

    func buildKey(_ directory: String, usesC: Bool, _ architecture: ArtifactSource.Architecture) -> String {
        "\(directory) built\(usesC ? " with C" : "") for \(architecture) at \(revision) from \(url)"
    }
}

extension DistributionPackage {
    func key(_ architecture: ArtifactSource.Architecture) -> String {
        "\(binary) of package \(name) for \(architecture)"
    }
}
