import BCMClient
import CommandExecution
import PromTargets
import RoleMonitor
import Testing

@testable import JobstatsDeploy

/// Group 10.
@Suite struct MonitorCheckTests {
    private static let healthy: [String: Double] = [
        "last_check_timestamp_seconds": EvidenceFixture.now - 20,
        "last_success_timestamp_seconds": EvidenceFixture.now - 20,
        "role_state{role=\"slurmclient\",state=\"present\"}": 1,
        "role_state{role=\"slurmclient\",state=\"absent\"}": 0,
        "role_state{role=\"slurmclient\",state=\"unknown\"}": 0, "certificate_left_days": 200,
        "unit_given_up{unit=\"node_exporter.service\"}": 0, "paused": 0,
    ]

    private func judged(_ id: String, role: Bool = true, _ change: [String: Double?] = [:]) throws -> ValidationVerdict?
    {
        var fixture = EvidenceFixture(role: role)
        fixture.unit(MonitorPaths.unitName, "active", enablement: "enabled")
        fixture.monitorSays(
            Self.healthy.merging(change.compactMapValues { $0 }) { $1 }.filter { change[$0.key] != .some(nil) })
        return fixture.verdict(try EvidenceFixture.checks()[id])
    }

    @Test(arguments: ["10.active", "10.recent", "10.role", "10.certificate", "10.given-up"])
    func aMonitorThatIsWellPasses(id: String) throws {
        let verdict = try judged(id)
        #expect(verdict?.state == .passed, "\(String(describing: verdict))")
    }

    @Test(arguments: [
        ("10.recent", "last_check_timestamp_seconds", EvidenceFixture.now - 900, ValidationState.failed, "15 min"),
        ("10.recent", "last_success_timestamp_seconds", EvidenceFixture.now - 900, .failed, "certain"),
        ("10.certificate", "certificate_left_days", 5, .failed, "5 days"),
        ("10.certificate", "certificate_left_days", -3, .failed, "3 days ago"),
        ("10.certificate", "certificate_left_days", 20, .warning, "20 days"),
        ("10.given-up", "unit_given_up{unit=\"node_exporter.service\"}", 1, .failed, "node_exporter"),
        ("10.role", "paused", 1, .warning, "paused"),
    ]) func aMonitorThatIsNotWellIsTold(
        id: String, name: String, value: Double, state: ValidationState, says: String
    ) throws {
        let verdict = try judged(id, [name: value])
        #expect(verdict?.state == state, "\(String(describing: verdict))")
        #expect(verdict?.seen.contains(says) == true, "\(String(describing: verdict))")
    }

    @Test func theMonitorsRoleIsComparedWithBCMs() throws {
        #expect(try judged("10.role", role: false)?.state == .failed)
        let absent: [String: Double?] = [
            "role_state{role=\"slurmclient\",state=\"present\"}": 0,
            "role_state{role=\"slurmclient\",state=\"unknown\"}": 1,
        ]
        #expect(try judged("10.role", absent)?.state == .failed)
        #expect(try judged("10.role", role: false, absent)?.state == .passed)
    }

    @Test func aMonitorThatLeftNoMetricsIsNotAPass() throws {
        for id in ["10.recent", "10.role", "10.certificate", "10.given-up"] {
            var fixture = EvidenceFixture()
            fixture.unit(MonitorPaths.unitName, "active")
            #expect(fixture.verdict(try EvidenceFixture.checks()[id])?.state == .failed, "\(id)")
        }
    }

    // MARK: Configuration

    private func settings(_ change: (inout MonitorConfiguration) -> Void) throws -> ValidationVerdict? {
        var monitor = MonitorSettings(EvidenceFixture.configuration(), nil).monitor
        monitor.headNodes = ["head-a"]
        monitor.authorityFile = MonitorPaths.authorityFile
        change(&monitor)
        var fixture = EvidenceFixture()
        fixture.evidence.facts[EvidenceFixture.node]?.contents[MonitorPaths.configurationFile] = monitor.encoded()
        fixture.evidence.facts[EvidenceFixture.node]?.files[MonitorPaths.configurationFile] = FileFact(
            kind: .plain, mode: 0o600, owner: "root", group: "root", size: 1, changed: 0, sha256: nil)
        return fixture.verdict(try EvidenceFixture.checks()["10.settings"])
    }

    @Test func theMonitorsConfigurationIsJudgedByWhatItSays() throws {
        #expect(try settings { _ in }?.state == .passed)
        let wrong: [(inout MonitorConfiguration) -> Void] = [
            { $0.isInsecure = true }, { $0.authorityFile = nil }, { $0.clusterName = "other" },
            { $0.nodeExporterPort = 9999 }, { $0.targetsDirectory = "/tmp/x" }, { $0.headNodes = ["head-z"] },
            { $0.managesTargets = false }, { $0.targetDomain = "example.org" },
        ]
        for change in wrong {
            let verdict = try settings(change)
            #expect(verdict?.state == .failed, "\(String(describing: verdict))")
        }
    }

    // MARK: Target files

    private func targets(_ files: [String: String], role: Bool = true, _ id: String) async throws -> ValidationVerdict?
    {
        let folder = TemporaryFolder()
        for (name, text) in files { folder.write(name, text) }
        let path = folder.path
        let check = try EvidenceFixture.checks {
            $0.usesCustomTargetsDirectory = true
            $0.customTargetsDirectory = path
        }[id]
        var fixture = EvidenceFixture(role: role)
        fixture.evidence.facts[EvidenceFixture.head] = try await Facts.collect(
            check?.queries[EvidenceFixture.head] ?? [], with: LocalExecutor())
        return fixture.verdict(check, about: id == "10.target-file" ? EvidenceFixture.node : EvidenceFixture.head)
    }

    private func expected() throws -> String {
        let plan = JobstatsPlan(
            configuration: EvidenceFixture.configuration(),
            context: DeploymentContext(localHost: EvidenceFixture.head))
        return String(decoding: TargetGroup.encode(try plan.targetGroups(of: EvidenceFixture.node)), as: UTF8.self)
    }

    @Test func aNodesTargetFileIsComparedWithWhatItsRoleWants() async throws {
        let right = try expected()
        #expect(try await targets(["dgx-01.json": right], "10.target-file")?.state == .passed)
        #expect(try await targets(["x": "y"], role: false, "10.target-file")?.state == .passed)
        #expect(try await targets([:], "10.target-file")?.state == .failed, "an empty directory")
        #expect(try await targets(["x": "y"], "10.target-file")?.state == .failed)
        #expect(try await targets(["dgx-01.json": right], role: false, "10.target-file")?.state == .failed)
        let other = try await targets(["dgx-01.json": right.replacing("dgx-01", with: "dgx-02")], "10.target-file")
        #expect(other?.state == .failed && other?.seen.contains("dgx-02:9100") == true, "\(String(describing: other))")
    }

    @Test func filesThatBelongToNobodyAreTold() async throws {
        let right = try expected()
        #expect(try await targets(["dgx-01.json": right], "10.orphans")?.state == .passed)
        let gone = try await targets(["dgx-01.json": right, "dgx-99.json": right], "10.orphans")
        #expect(gone?.state == .failed && gone?.seen.contains("dgx-99") == true, "\(String(describing: gone))")
        #expect(try await targets(["dgx-01.json": right], role: false, "10.orphans")?.state == .failed)
        #expect(try await targets(["dgx-01.json": right], "10.foreign")?.state == .passed)
        for odd in ["dgx-02.json", ".dgx-01.json.tmp", "notes.txt"] {
            #expect(try await targets([odd: right], "10.foreign")?.state == .warning, "\(odd)")
        }
    }

    @Test func manyNodesThatLoseTheRoleAtOnceAreAFailureOfTheirOwn() {
        var evidence = ValidationEvidence()
        let names = (1...20).map { "dgx-\($0)" }
        var roles = Dictionary(uniqueKeysWithValues: names.map { ($0, Set(["slurmclient"])) })
        for name in names.prefix(3) { roles[name] = [] }
        evidence.site.rolesByNode = .success(roles)
        let verdict = JobstatsValidation.judgeOrphans(
            names.map { "\($0).json" }, names.map { Host($0) }, evidence, true)
        #expect(verdict.state == .failed && verdict.seen.contains("3 of 20"), "\(verdict)")
    }

    @Test func aFleetWithoutTheRoleIsAFailureAlsoWhenItsFilesAreGone() {
        var evidence = ValidationEvidence()
        let names = (1...20).map { "dgx-\($0)" }
        evidence.site.rolesByNode = .success(Dictionary(uniqueKeysWithValues: names.map { ($0, []) }))
        let verdict = JobstatsValidation.judgeFleet(names.map { Host($0) }, evidence)
        #expect(verdict.state == .failed && verdict.seen.contains("no configured node"), "\(verdict)")
    }

    @Test(arguments: ["NaN", "inf", "1e300", "-1e300"])
    func aNumberThatIsNoneMakesNoReportFail(number: String) throws {
        for name in ["certificate_left_days", "last_check_timestamp_seconds", "last_success_timestamp_seconds"] {
            for id in ["10.recent", "10.certificate", "10.role", "10.given-up"] {
                var fixture = EvidenceFixture()
                fixture.unit(MonitorPaths.unitName, "active")
                fixture.monitorSays(Self.healthy)
                let text = String(
                    decoding: fixture.evidence.facts[EvidenceFixture.node]?.contents[MonitorReading.path] ?? [],
                    as: UTF8.self)
                let lines = text.split(separator: "\n").map { line in
                    line.hasPrefix("bcm_role_monitor_\(name) ") ? "bcm_role_monitor_\(name) \(number)" : String(line)
                }
                fixture.evidence.facts[EvidenceFixture.node]?.contents[MonitorReading.path] = Array(
                    lines.joined(separator: "\n").utf8)
                #expect(fixture.verdict(try EvidenceFixture.checks()[id]) != nil)
            }
        }
        #expect(Int(within: Double(number) ?? 0) != 1)
    }

    @Test func aPauseEndsAlsoWhereTheMonitorDied() throws {
        let over: [String: Double?] = ["paused": 1, "pause_end_timestamp_seconds": EvidenceFixture.now - 5]
        #expect(try judged("10.role", over)?.state == .passed)
        let lasting: [String: Double?] = ["paused": 1, "pause_end_timestamp_seconds": EvidenceFixture.now + 5]
        #expect(try judged("10.role", lasting)?.state == .warning)
        #expect(try judged("10.recent", lasting)?.state == .skipped)
    }

    // MARK: Images

    @Test func anImageThatLacksWhatIsDeployedIsAWarning() {
        var evidence = ValidationEvidence()
        evidence.site.imageByNode = .success(["a": "one", "b": "two", "c": "three"])
        let nodes = ["a", "b", "c", "d"].map { Host($0) }
        let verdicts = JobstatsValidation.judgeImages(
            "/cm/images/one/ -\n/cm/images/two/ /usr/local/bin/x\n/cm/images/two/ -\n", nodes, evidence)
        #expect(nodes.map { verdicts[$0]?.state } == [.passed, .warning, .skipped, .skipped])
        evidence.site.imageByNode = .failure(BCMError(.notReachable, reason: "silent", remedy: nil))
        let unknown = JobstatsValidation.judgeImages("", nodes, evidence)
        #expect(nodes.allSatisfy { unknown[$0]?.state == .unseen })
    }
}
