import FoundationEssentials
import Glibc
import Logging
import Testing

@testable import JobstatsDeploy

/// The whole documents of dry runs, for the templates and for configurations as the earlier version's users have them.
///
/// After a change that is meant, `JOBSTATS_RENEW_DOCUMENTS=1 swift test --filter GoldenDocumentTests` writes them anew;
/// read the difference as an administrator would before committing it.
struct GoldenDocumentTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let configuration: String
        var image: String?
        var testDescription: String { name }
    }

    private static let fixtures = "Tests/JobstatsDeployTests/Fixtures"

    static let cases = [
        Case(name: "template", configuration: "automation/configs/config.json.template"),
        Case(name: "shared-hosts", configuration: "automation/configs/config-shared-hosts.json"),
        Case(name: "existing-monitoring", configuration: "automation/configs/config-existing-monitoring.json"),
        Case(name: "earlier-full", configuration: "\(fixtures)/Configurations/earlier-full.json"),
        Case(name: "earlier-existing", configuration: "\(fixtures)/Configurations/earlier-existing.json"),
        Case(name: "earlier-categories", configuration: "\(fixtures)/Configurations/earlier-categories.json"),
    ]

    private func document(_ configuration: DeploymentConfiguration, _ warnings: [ConfigurationIssue]) throws -> String {
        DeploymentDocument(
            plan: try makePlan(configuration), configuration: configuration, kind: .dryRun, headNode: "head-a",
            issues: warnings
        ).markdown
    }

    @Test(arguments: cases) func theWholeDocumentIsAsItWasReviewed(_ example: Case) throws {
        let reading = DeploymentConfiguration.load(path: "\(SourceTree.root)/\(example.configuration)")
        let text = try document(try reading.get(), reading.warnings)
        let path = "\(SourceTree.root)/\(Self.fixtures)/Documents/\(example.name).md"
        if getenv("JOBSTATS_RENEW_DOCUMENTS") != nil {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            return
        }
        let reviewed = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
        let difference = UnifiedDifference.text(from: reviewed, to: text, path: "\(example.name).md")
        #expect(difference == nil, "the document is another one (see above how to renew it):\n\(difference ?? "")")
    }

    @Test(arguments: cases) func theFileRunsThroughTheDryRunWithoutChange(_ example: Case) async throws {
        let folder = TemporaryFolder()
        var options = SetupOptions(
            configurationFile: "\(SourceTree.root)/\(example.configuration)", stateDirectory: "\(folder.path)/state",
            programFolder: "/nonexistent")
        options.mode = .dryRun
        let console = TestConsole()
        let status = await SetupRun(
            options: options, console: console, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ).run()
        #expect(status == 0, "\(console.errors)")
        let text = folder.read("state/guided_setup_document.md") ?? ""
        for number in 1...10 { #expect(text.contains("\n## \(number). "), "\(number)") }
    }
}
