import CommandExecution
import Glibc
import SystemPackage
import PromTargets
import Testing

@testable import JobstatsDeploy

@Suite struct PrometheusFilesTests {
    /// Runs promtool on a text; nil where there is no promtool.
    private func promtool(_ arguments: [String], on text: String) async throws -> CommandResult {
        let path = "/tmp/jobstats-promtool-\(UInt64.random(in: 0 ... .max)).yml"
        let file = try FileDescriptor.open(FilePath(path), .writeOnly, options: [.create], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
        defer { unlink(path) }
        return try await LocalExecutor().run(Command("promtool", arguments + [path]))
    }

    private static var hasPromtool: Bool { access("/usr/bin/promtool", X_OK) == 0 }

    @Test(.enabled(if: hasPromtool, "promtool is not installed"))
    func promtoolAcceptsTheAlertRules() async throws {
        let result = try await promtool(["check", "rules"], on: AlertRules(makeConfiguration()).text)
        #expect(result.succeeded, "\(result.errorText)\(result.outputText)")
        #expect(result.outputText.contains("29 rules found"), "\(result.outputText)")
    }

    @Test(.enabled(if: hasPromtool, "promtool is not installed"), arguments: [true, false])
    func promtoolAcceptsTheScrapeConfiguration(_ comparesAddresses: Bool) async throws {
        let context = makeContext { $0.prometheusComparesAddresses = comparesAddresses }
        let configuration = makeConfiguration { $0.targetDomain = "example.org" }
        let text = try JobstatsPlan(configuration: configuration, context: context).scrapeConfiguration().rendered
        let result = try await promtool(["check", "config", "--syntax-only"], on: text)
        #expect(result.succeeded, "\(result.errorText)")
        #expect(text.contains("keepequal") == comparesAddresses)
    }

    @Test func prometheusScrapesItselfAndTheServersThatAreNamed() throws {
        func fixed(_ change: (inout DeploymentConfiguration) -> Void) throws -> [String] {
            try JobstatsPlan(configuration: makeConfiguration(change), context: makeContext()).scrapeConfiguration()
                .fixedJobs.flatMap { job in job.targets.map { "\(job.name) \($0.address) \($0.hostName)" } }
        }
        #expect(try fixed { $0.prometheusPort = 9091 } == ["prometheus localhost:9091 mon-01"])
        #expect(
            try fixed { configuration in
                configuration.systems.prometheusServer = ["mon-01", "mon-02.example.org"]
                configuration.watchedServers = ["head-a", "mon-01.example.org"]
                configuration.nodeExporterPort = 9101
            } == [
                "prometheus mon-01:9090 mon-01", "prometheus mon-02.example.org:9090 mon-02",
                "server_node_exporter head-a:9101 head-a", "server_node_exporter mon-01.example.org:9101 mon-01",
            ])
        #expect(try fixed { $0.usesExistingPrometheus = true }.isEmpty)
    }
}
