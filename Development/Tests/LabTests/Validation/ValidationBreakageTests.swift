import CommandExecution
import FoundationEssentials
import Testing

extension LabTests {
    /// A whole site with Slurm, healthy after one canary; then broken in one place after the other. Each breakage must be
    /// seen by its check, on its host, with advice, and nothing else may be told.
    @Suite struct ValidationBreakageTests {
        private static let all =
            Breakage.slurm + Breakage.command + Breakage.prometheus + NodeBreakages.services + NodeBreakages.ports
            + NodeBreakages.hooks + NodeBreakages.monitors + NodeBreakages.targetFiles + NodeBreakages.unreachable

        /// The whole table takes a quarter of an hour (`--long`); otherwise every eighth.
        private static let tried: [Breakage] = {
            // By hand: those whose names hold one of these words, with commas between them.
            if let words = ProcessInfo.processInfo.environment["JOBSTATS_BREAKAGES"]?.split(separator: ",") {
                return all.filter { breakage in words.contains { breakage.name.contains($0) } }
            }
            return Lab.isPatient ? all : all.enumerated().filter { $0.offset % 8 == 3 }.map(\.element)
        }()

        @Test func aHealthySiteAfterACanaryHasNoFailureAndNoWarningAndIsNotChangedByTheLook() async throws {
            let site = try await SlurmSite.validated()
            try await site.expectHealthy()
            let before = try await site.fileSystems()
            _ = try await site.validate()
            #expect(try await site.fileSystems() == before)
        }

        @Test func everythingThatIsBrokenIsSeenWhereItIs() async throws {
            let site = try await SlurmSite.validated()
            try await site.expectHealthy()
            #expect(Set(Self.all.map(\.name)).count == Self.all.count && Self.all.count > 60)
            for breakage in Self.tried { try await site.expectSeen(breakage) }
        }
    }
}

extension SlurmSite {
    /// Every section deployed, also into the nodes' images; two of the nodes have the role; one canary was sent.
    static func validated() async throws -> SlurmSite {
        let site = SlurmSite(deployment: try await .init(lab: .ready()))
        let lab = site.deployment.lab
        if try await lab.succeeds("head-a", "test -e /root/validated") {
            try await site.writeConfiguration()
            return site
        }
        let fresh = try await SlurmSite.ready()
        for image in try await fresh.images() {
            let result = try await fresh.guidedSetup("--image", image)
            try #require(result.succeeded, "\(result.outputText)\(result.errorText)")
        }
        for node in ["dgx-01", "dgx-02"] {
            try await fresh.deployment.giveRole(node)
            try await fresh.deployment.expectRunning(node)
        }
        let canary = try await fresh.validate("--canary", "--yes", "--limit", "dgx-01")
        let stations = canary.findings.filter { $0.check.hasPrefix("9.canary.") }
        try #require(stations.count == 9 && stations.allSatisfy { $0.state == "passed" }, "\(stations)")
        try await lab.output("head-a", "touch /root/validated")
        return fresh
    }

    /// The software images of the nodes, by BCM's account; none where the lab has no images.
    private func images() async throws -> [String] {
        guard try await deployment.lab.succeeds("head-a", "ls -d /cm/images/*/") else { return [] }
        var images: Set<String> = []
        for node in deployment.nodes {
            images.insert(try await deployment.lab.cmsh("device use \(node); get softwareimage"))
        }
        return images.sorted()
    }

    /// What the hosts' file systems hold: names, sizes and times of change, save what daemons write all the time.
    func fileSystems() async throws -> [String: String] {
        var found: [String: String] = [:]
        for host in ["dgx-01", "mon-01", "login-01"] {
            found[host] = try await deployment.lab.output(
                host,
                """
                find /etc /usr/local /root /cm /opt /var/lib/bcm-jobstats -xdev -type f \\
                    -printf '%p %s %T@ %C@ %m %u\\n' 2>/dev/null | sort | sha256sum
                """)
        }
        return found
    }
}
