/// What a plan must know besides the configuration: what was found on the machine that deploys, and what was agreed.
public struct DeploymentContext: Sendable {
    /// A program on this machine, ready to be copied.
    public struct LocalProgram: Sendable, Hashable {
        /// Where it lies.
        public var path: String
        /// Its SHA-256 in hexadecimal.
        public var sha256: String
        /// Its bytes.
        public var size: Int

        /// Names a program.
        public init(path: String, sha256: String, size: Int) {
            self.path = path
            self.sha256 = sha256
            self.size = size
        }

        var content: FileContent { .localFile(path, sha256: sha256, size: size) }
    }

    /// The head node that this runs on.
    public var localHost: Host
    /// The programs to copy, by name and architecture; a missing one blocks the step that needs it.
    public var programs: [ArtifactSource.Name: [ArtifactSource.Architecture: LocalProgram]]
    /// What BCM says about the site; nil in a dry run, which asks nobody.
    public var facts: SiteFacts?
    /// Consents that change the plan, such as `adopt-node_exporter`: take over a unit that somebody else installed, and
    /// `skip-node_exporter`: leave that component out.
    public var consents: Set<String>
    /// Whether Prometheus is 2.41 or later and can compare a target's address with its label.
    public var prometheusComparesAddresses: Bool
    /// How packages of the distribution are installed: from the hosts' repositories, or from verified files.
    public var packages = PackageSource.repository
    /// Which flags the exporters know.
    public var exporterAbilities = ExporterAbilities()

    /// Describes the context.
    public init(
        localHost: Host, programs: [ArtifactSource.Name: [ArtifactSource.Architecture: LocalProgram]] = [:],
        facts: SiteFacts? = nil, consents: Set<String> = [], prometheusComparesAddresses: Bool = true
    ) {
        self.localHost = localHost
        self.programs = programs
        self.facts = facts
        self.consents = consents
        self.prometheusComparesAddresses = prometheusComparesAddresses
    }

    /// The host of a name, which is this machine when the name is its own.
    public func host(_ name: String) -> Host {
        name.lowercased() == localHost.name.lowercased() ? localHost : Host(name)
    }

    func hosts(_ names: [String]) -> [Host] { names.map { host($0) } }

    /// Whether it was agreed to take over what carries this name.
    func adopts(_ name: String) -> Bool { consents.contains(Consent.adopt(name).name) }

    /// Princeton's jobstats: a verified tar archive of its tree, the same for every architecture; nil when there is none.
    public var jobstats: LocalProgram? { programs[.jobstats]?.values.first }

    /// Whether it was agreed to leave out what carries this name.
    func skips(_ name: String) -> Bool { consents.contains(Consent.skip(name).name) }

    func program(_ name: ArtifactSource.Name) -> ProgramResource {
        ProgramResource(name, at: Installed.program(name), from: programs[name] ?? [:])
    }
}
