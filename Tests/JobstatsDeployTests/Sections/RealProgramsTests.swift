import CommandExecution
import Glibc
import FoundationEssentials
import PromTargets
import ServiceManager
import Testing

@testable import JobstatsDeploy

/// The units' command lines and the probes, tried with the distribution's real programs on the loopback address.
@Suite(.serialized) struct RealProgramsTests {
    private static func has(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// The arguments of `ExecStart`, without the program.
    private func arguments(_ unit: UnitFile) throws -> [String] {
        let line = try #require(
            unit.sections.flatMap(\.directives).first { $0.name == "ExecStart" }?.value)
        let words = line.split(separator: " ").dropFirst()
        return words.map { $0.hasPrefix("\"") ? String($0.dropFirst().dropLast()) : String($0) }
            .map { $0.replacing("$$", with: "$").replacing("\\\\", with: "\\") }
    }

    /// Runs the program until the probe succeeds, or for ten seconds.
    private func succeeds(_ probe: Command, while program: Command) async throws -> CommandResult {
        let executor = LocalExecutor()
        let running = Task { try await executor.run(program) }
        defer { running.cancel() }
        var result = CommandResult(status: .exited(1))
        for _ in 0..<40 {
            result = try await executor.run(probe)
            if result.succeeded, !result.outputText.contains("ready no") { return result }
            try await Task.sleep(for: .milliseconds(250))
        }
        return result
    }

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let path = "/tmp/jobstats-real-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    @Test(.enabled(if: has("/usr/bin/prometheus-node-exporter"), "prometheus-node-exporter is not installed"))
    func nodeExporterAcceptsItsCommandLineAndAnswersTheProbe() async throws {
        let port = Int.random(in: 20000..<30000)
        let plan = JobstatsPlan(configuration: makeConfiguration { $0.nodeExporterPort = port }, context: makeContext())
        try await withDirectory { directory in
            let words = try arguments(try plan.nodeExporterUnit()).map {
                $0.replacing("=:\(port)", with: "=127.0.0.1:\(port)")
                    .replacing(Installed.textfileDirectory, with: directory)
            }
            let result = try await succeeds(
                HTTPProbe.metrics(port: port, beginningWith: "node_"),
                while: Command("/usr/bin/prometheus-node-exporter", words))
            #expect(result.succeeded, "\(result.errorText)")
            let other = try await LocalExecutor().run(HTTPProbe.metrics(port: port, beginningWith: "no_such_metric"))
            #expect(!other.succeeded)
        }
    }

    @Test(.enabled(if: has("/usr/bin/prometheus"), "prometheus is not installed"))
    func prometheusAcceptsItsCommandLineAndTellsItsState() async throws {
        let port = Int.random(in: 30000..<40000)
        let plan = JobstatsPlan(configuration: makeConfiguration { $0.prometheusPort = port }, context: makeContext())
        try await withDirectory { directory in
            let rules = "\(directory)/rules.yml"
            let configuration = "\(directory)/prometheus.yml"
            try Data(AlertRules(makeConfiguration()).text.utf8).write(to: URL(filePath: rules))
            try Data(
                try plan.scrapeConfiguration().rendered.replacing(Installed.prometheusRules, with: rules).utf8
            ).write(to: URL(filePath: configuration))
            let words = try arguments(try plan.prometheusUnit()).map {
                $0.replacing("=:\(port)", with: "=127.0.0.1:\(port)")
                    .replacing(Installed.prometheusConfiguration, with: configuration)
                    .replacing(Installed.prometheusData, with: "\(directory)/data")
            }
            let service = PrometheusService(port: port, restartedFor: [], reloadedFor: [configuration])
            let probe = try #require(
                service.queries.compactMap { if case .command(let command) = $0 { command } else { nil } }.first)
            let result = try await succeeds(probe, while: Command("/usr/bin/prometheus", words))
            #expect(result.outputText.hasPrefix("ready yes\n"), "\(result.errorText)")

            var facts = Facts()
            facts.results[probe] = result
            facts.files[configuration] = FileFact(
                kind: .plain, mode: 0o644, owner: "root", group: "root", size: 1, changed: 1, sha256: "x")
            facts.units[Installed.prometheusUnit] = UnitFact(
                load: "loaded", active: "active", enablement: "enabled", needsReload: false, path: "/x", started: 1)
            #expect(service.assess(facts).state == .inPlace)
            facts.files[configuration]?.changed = Date().timeIntervalSince1970 + 60
            #expect(service.assess(facts).state == .differs)
        }
    }

    @Test func waitingEndsWhenItIsSoAndOtherwiseSaysWhatWasSeen() async throws {
        let good = WaitResource("true", patience: 5, remedy: "none", Command("true"))
        #expect(try await LocalExecutor().run(good.changes(from: Facts())[0]).succeeded)
        let bad = WaitResource(
            "false", patience: 0, remedy: "look there", Command("sh", ["-c", "echo \"$1\"; exit 1", "sh", "a 'b' $c"]))
        let result = try await LocalExecutor().run(bad.changes(from: Facts())[0])
        #expect(result.status == .exited(1))
        #expect(result.errorText == "not so after 0 s: a 'b' $c\nlook there\n")
    }

    @Test func markersAreWrittenWholeAndSeen() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/.seen-from/dgx-01"
            let marker = MarkerResource(path, "dgx-01\n")
            #expect(try await LocalExecutor().run(marker.changes(from: Facts())[0]).succeeded)
            #expect(try Array(Data(contentsOf: URL(filePath: path))) == Array("dgx-01\n".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory)/.seen-from") == ["dgx-01"])
            let configuration = makeConfiguration {
                $0.usesCustomTargetsDirectory = true
                $0.customTargetsDirectory = directory
            }
            let seen = try #require(try makePlan(configuration).step("1.markers-seen")?.commonResource as? MarkersSeen)
            let result = try await LocalExecutor().run(seen.probe)
            #expect(result.outputText == "dgx-02\n")
        }
    }

    @Test func checksOfThisMachineGiveAnswersThatAreUnderstood() async throws {
        let checks: [any Resource] = [
            HostChecks.clock, HostChecks.system, HostChecks.disk, HostChecks.port(1, for: "x.service", of: "x"),
        ]
        for check in checks {
            let facts = try await FactCollector(check.queries).collect(with: LocalExecutor())
            let assessment = check.assess(facts)
            #expect(!assessment.detail.contains("does not tell"), "\(check.summary): \(assessment.detail)")
        }
        let names = HostChecks.resolves(["localhost", "no-such-host.invalid"])
        var facts = Facts()
        facts.results[names.command] = try await LocalExecutor().run(names.command)
        #expect(names.assess(facts).detail == "does not resolve: no-such-host.invalid")
        #expect(names.assess(facts).isWarning)
    }
}
