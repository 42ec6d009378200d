import Testing

extension LabTests {
    /// A whole site with Slurm, healthy after one canary; then broken in one place after the other.
    @Suite struct ValidationBreakageTests {
        /// The site, each node with the role, and every section deployed.
        private static func site() async throws -> SlurmSite {
            let site = SlurmSite(deployment: try await .init(lab: .ready()))
            let lab = site.deployment.lab
            if try await lab.succeeds("head-a", "test -e /root/validated") {
                try await site.writeConfiguration()
                return site
            }
            let fresh = try await SlurmSite.ready()
            for node in fresh.deployment.nodes { try await fresh.deployment.giveRole(node) }
            for node in fresh.deployment.nodes { try await fresh.deployment.expectRunning(node) }
            let canary = try await fresh.validate("--canary", "--yes")
            let stations = canary.findings.filter { $0.check.hasPrefix("9.canary.") }
            try #require(stations.count == 9 && stations.allSatisfy { $0.state == "passed" }, "\(stations)")
            try await lab.output("head-a", "touch /root/validated")
            return fresh
        }

        @Test func aHealthySiteAfterACanaryHasNoFailureAndNoWarning() async throws {
            try await Self.site().expectHealthy()
        }

        @Test(arguments: Breakage.slurm) func aBreakageOfSlurmIsSeen(_ breakage: Breakage) async throws {
            try await Self.site().expectSeen(breakage)
        }

        @Test(arguments: Breakage.command) func aBreakageOfTheCommandIsSeen(_ breakage: Breakage) async throws {
            try await Self.site().expectSeen(breakage)
        }

        @Test(arguments: Breakage.prometheus) func aBreakageOfPrometheusIsSeen(_ breakage: Breakage) async throws {
            try await Self.site().expectSeen(breakage)
        }
    }
}
