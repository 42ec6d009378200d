import CommandExecution
import Testing

extension LabTests {
    /// Each check of nodes and monitors sees what it is there for, on the right host, with advice, and nothing else.
    @Suite struct NodeValidationTests {
        @Test func everythingThatIsBrokenOnNodesIsSeenWhereItIs() async throws {
            let site = try await SlurmSite.ready()
            try await site.settle()
            try await site.expectHealthy(within: .seconds(150), besides: SlurmSite.beforeACanary)
            let all =
                NodeBreakages.services + NodeBreakages.ports + NodeBreakages.hooks + NodeBreakages.monitors
                + NodeBreakages.targetFiles + NodeBreakages.unreachable
            for breakage in all { try await site.expectSeen(breakage, besides: SlurmSite.beforeACanary) }
        }
    }
}
