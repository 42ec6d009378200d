import ExampleSupport
import FoundationEssentials
import Testing

/// One version for everything.
struct VersionTests {
    private static let programs = [
        "bcm-role-monitor", "bcmctl", "capacity-planner", "deploy-role-monitor", "guided-setup", "prom-targets",
        "setup-wizard", "validate-deployment",
    ]

    @Test(arguments: programs)
    func everyProgramShowsTheProjectsVersion(program: String) throws {
        let shown = try run(program, ["--version"])
        #expect(shown.output == ProjectVersion.current + "\n")
        #expect(shown.status == 0)
    }

    @Test func theVersionIsSemanticAndTheChangelogsNewest() throws {
        let parts = ProjectVersion.current.split(separator: "-", maxSplits: 1)[0].split(separator: ".")
        #expect(parts.count == 3 && parts.allSatisfy { UInt($0) != nil })
        let changelog = try String(contentsOf: URL(filePath: "\(repository)/CHANGELOG.md"), encoding: .utf8)
        let newest = try #require(changelog.split(separator: "\n").first { $0.hasPrefix("## ") })
        #expect(newest == "## \(ProjectVersion.current)" || newest == "## Unreleased (\(ProjectVersion.current))")
    }
}
