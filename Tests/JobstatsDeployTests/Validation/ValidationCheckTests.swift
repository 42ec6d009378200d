import BCMClient
import CommandExecution
import Testing

@testable import JobstatsDeploy

@Suite struct ValidationCheckTests {
    @Test func withoutAnyAnswerNoCheckPassesAndNoneIsSkipped() throws {
        for change in [{ _ in }, { $0.deploysRoleMonitor = false }] as [(inout DeploymentConfiguration) -> Void] {
            let checks = try EvidenceFixture.checks(change)
            #expect(checks.count > 20)
            for (id, check) in checks {
                let verdicts = check.verdicts(ValidationEvidence())
                for (host, verdict) in verdicts {
                    #expect(verdict.state == .unseen, "\(id) on \(host): \(verdict)")
                    #expect(verdict.advice?.isEmpty == false, "\(id)")
                }
            }
        }
    }

    @Test func ofHostsThatAnswerNothingNoCheckPasses() throws {
        for (id, check) in try EvidenceFixture.checks() {
            var evidence = ValidationEvidence()
            for host in check.queries.keys { evidence.facts[host] = Facts() }
            for (host, verdict) in check.verdicts(evidence) {
                #expect(verdict.state.isFailure, "\(id) on \(host): \(verdict)")
            }
        }
    }

    @Test func aHostThatCannotBeReachedIsToldWithItsReason() {
        let host = Host("dgx-07")
        let check = ValidationCheck("1.x", "X", expected: "y", on: [host], asking: { _ in [.unit("x.service")] }) {
            _, _, _ in .passed("never")
        }
        var evidence = ValidationEvidence()
        evidence.problems[host] = "connection refused"
        #expect(
            check.verdicts(evidence).map(\.1) == [
                .unseen("connection refused", advice: "look whether it runs: ssh dgx-07 true")
            ])
    }

    @Test(arguments: [Int32(124), 137]) func aCommandThatTookTooLongIsNotAPass(status: Int32) {
        let host = Host("dgx-01"), command = Command("look", timeout: .seconds(5))
        let check = ValidationCheck("1.x", "X", expected: "y", on: [host], asking: { _ in [.command(command)] }) {
            _, _, _ in .passed("never")
        }
        var evidence = ValidationEvidence()
        evidence.facts[host] = Facts()
        evidence.facts[host]?.results[command] = CommandResult(status: .exited(status), standardOutput: [])
        #expect(check.verdicts(evidence).first?.1.state == .unseen)
    }

    @Test func aFileOfOtherContentThatWasNotReadIsNotAPass() {
        let host = Host("dgx-01"), path = "/etc/x", sum = String(repeating: "a", count: 64)
        let check = ValidationCheck(
            "1.x", "X", expected: "y", on: [host], asking: { _ in [.contentUnless(path, sha256: sum)] }
        ) { _, _, _ in .passed("judged") }
        func state(_ sha256: String?, _ content: [UInt8]?, _ kind: FileFact.Kind = .plain) -> ValidationState? {
            var evidence = ValidationEvidence(), facts = Facts()
            facts.files[path] = FileFact(
                kind: kind, mode: 0o644, owner: "root", group: "root", size: 1, changed: 5, sha256: sha256)
            facts.contents[path] = content
            evidence.facts[host] = facts
            return check.verdicts(evidence).first?.1.state
        }
        #expect(state(sum, nil) == .passed, "its content is known without being sent")
        #expect(state(nil, nil, .missing) == .passed, "there is none")
        #expect(state("b", Array("b".utf8)) == .passed)
        #expect(state("b", nil) == .unseen)
        #expect(state(nil, nil) == .unseen)
    }

    @Test func aHostOfWhichTheSourceSaysNothingIsNotAPass() {
        let nodes = [Host("dgx-01"), Host("dgx-02")], source = Host("head-a")
        let check = ValidationCheck("4.x", "X", expected: "y", about: nodes, asking: source, []) { _, _ in
            [nodes[0]: .passed("up")]
        }
        var evidence = ValidationEvidence()
        evidence.facts[source] = Facts()
        #expect(check.verdicts(evidence).map(\.1.state) == [.passed, .unseen])
    }

    @Test func eachIdIsOnceInItsGroupAndSaysWhatIsExpectedAndHowToSeeIt() throws {
        let all = try JobstatsValidation(
            configuration: EvidenceFixture.configuration { $0.systems.grafanaServer = ["mon-01"] },
            localHost: EvidenceFixture.head
        ).checks()
        #expect(Set(all.map(\.description.id)).count == all.count)
        for check in all {
            #expect((1...10).contains(check.description.group), "\(check.description.id)")
            #expect(!check.description.title.isEmpty && !check.description.expected.isEmpty, "\(check.description.id)")
            #expect(!check.description.byHand.isEmpty, "\(check.description.id)")
        }
    }

    @Test func theExitStatusIsZeroOnlyWhenNothingFailedAndEverythingWasSeen() {
        func status(_ verdicts: ValidationVerdict...) -> Int32 {
            ValidationReport(
                cluster: "slurm", findings: verdicts.map { .init(check: "1.x", host: "h", verdict: $0) }
            ).exitStatus
        }
        #expect(status(.passed("a"), .warning("b", advice: "c"), .skipped("d")) == 0)
        #expect(status(.passed("a"), .failed("b", advice: "c")) == 1)
        #expect(status(.passed("a"), .unseen("b", advice: "c")) == 1)
    }
}
