import Testing

@testable import JobstatsDeploy

/// The rules of the walk, as a table: a question, a line, what follows.
struct WalkTests {
    private static func stages() -> [Walk.Stage] {
        [1, 4, 6].map { Walk.Stage(number: $0, title: "Section \($0)") }
    }

    private func walk(at number: Int = 1) -> Walk { Walk(Self.stages(), startingAt: number) }

    private func request(_ name: String, on host: String = "ctl-01") -> ConsentRequest {
        ConsentRequest(
            name: name, items: [.init(title: "restart", hosts: [Host(host)], reason: "it differs", commands: [])])
    }

    @Test(arguments: [
        ("", [Walk.Action.run(agreed: [])]),
        ("run", [.run(agreed: [])]),
        ("  R ", [.run(agreed: [])]),
        ("co", [.showCommands]),
        ("ch", [.look(showsDifferences: false)]),
        ("d", [.look(showsDifferences: true)]),
        ("?", [.explain]),
        ("help", [.explain]),
        ("quit", [.finish]),
        ("back", [.introduce]),
        ("back 1", [.introduce]),
        ("back 6", [.remark("back goes to an earlier section: 1.")]),
        ("c", [.remark("\"c\" could be commands or check: type more of it.")]),
        (
            "run 4",
            [.remark("\"run 4\" is none of run, commands, diff, check, skip, back, quit; ? explains them.")]
        ),
        (
            "\u{1B}[A;$(reboot)",
            [
                .remark(
                    "\"\\u{1b}[A;$(reboot)\" is none of run, commands, diff, check, skip, back, quit; ? explains them.")
            ]
        ),
    ]) func lineBeforeASectionMeansWhatItSays(_ line: String, _ actions: [Walk.Action]) {
        var walk = walk(at: 4)
        #expect(walk.answer(line) == actions)
    }

    @Test(arguments: [Walk.Question.section, .failure(isEssential: false), .failure(isEssential: true)])
    func endOfInputQuitsAndRunsNothing(_ question: Walk.Question) {
        var walk = walk()
        if case .failure(let isEssential) = question {
            _ = walk.ended(.init(hasFailed: true, isEssential: isEssential))
        }
        #expect(walk.question == question)
        #expect(walk.answer(nil) == [.finish])
        #expect(!walk.isThrough)
    }

    @Test func goodSectionIsFollowedByTheNextAndTheLastByTheEnd() {
        var walk = walk()
        #expect(walk.ended(.init()) == [.introduce])
        #expect(walk.stage.number == 4)
        #expect(walk.answer("skip") == [.introduce])
        #expect(walk.ended(.init()) == [.finish])
        #expect(walk.isThrough)
        #expect(walk.stages.map(\.state) == [.done, .skipped, .done])
    }

    @Test func thereIsNoWayBackFromTheFirstSection() {
        var walk = walk()
        #expect(!walk.choices.contains(.back))
        guard case .remark = walk.answer("back").first else {
            Issue.record("went back")
            return
        }
        #expect(walk.position == 0)
    }

    @Test func sectionThatWasSkippedAfterItWasDoneStaysDone() {
        var walk = walk()
        _ = walk.ended(.init())
        _ = walk.answer("back")
        _ = walk.answer("skip")
        #expect(walk.stages[0].state == .done)
    }

    @Test func failureOffersRetryFirstAndSkippingLeavesItFailed() {
        var walk = walk()
        guard case .remark = walk.ended(.init(hasFailed: true)).first else {
            Issue.record("went on after a failure")
            return
        }
        #expect(walk.answer("") == [.run(agreed: [])])
        _ = walk.ended(.init(hasFailed: true))
        #expect(walk.answer("output") == [.showOutput])
        #expect(walk.answer("skip") == [.introduce])
        #expect(walk.stages[0].state == .failed && walk.stage.number == 4)
    }

    @Test func essentialFailureCannotBeSkipped() {
        var walk = walk()
        _ = walk.ended(.init(hasFailed: true, isEssential: true, requests: [request("adopt-x")]))
        #expect(walk.choices == [.retry, .output, .quit])
        guard case .remark = walk.answer("skip").first else {
            Issue.record("skipped")
            return
        }
        #expect(walk.position == 0)
    }

    // MARK: Consent

    @Test(arguments: ["", "y", "Y", "ye", "yes please", "no", "run", "quit", "ja", "уes", "yes;", "1", "true"])
    func onlyYesInFullAgrees(_ line: String) {
        var walk = walk()
        let outcome = Walk.Outcome(needsConsent: true, requests: [request("slurm-restart")])
        #expect(walk.ended(outcome) == [.describe(request("slurm-restart"))])
        let actions = walk.answer(line)
        #expect(!actions.contains { if case .run = $0 { true } else { false } })
        #expect(walk.stages[0].state == .withheld)
    }

    @Test func endOfInputAtAConsentEndsTheWalkWithoutIt() {
        var walk = walk()
        _ = walk.ended(.init(needsConsent: true, requests: [request("slurm-restart")]))
        #expect(walk.answer(nil) == [.finish])
    }

    @Test func eachConsentIsAskedOnItsOwnAndOnlyWhatWasAgreedToRuns() {
        var walk = walk()
        let (a, b) = (request("slurm-restart"), request("select-type"))
        let outcome = Walk.Outcome(needsConsent: true, requests: [a, b])
        #expect(walk.ended(outcome) == [.describe(a)])
        #expect(walk.answer("yes") == [.describe(b)])
        #expect(walk.answer("no") == [.run(agreed: [a])])
        // What was refused is not asked about again.
        #expect(walk.ended(.init(needsConsent: true, requests: [b])) == [.introduce])
        #expect(walk.stages[0].state == .withheld)
        // Who comes back and runs it again is asked again.
        _ = walk.answer("back")
        _ = walk.answer("run")
        #expect(walk.ended(.init(needsConsent: true, requests: [b])) == [.describe(b)])
    }

    @Test func whatWasAgreedToAndDidNotHelpIsAFailureAndNotAskedAgain() {
        var walk = walk()
        let outcome = Walk.Outcome(hasFailed: true, requests: [request("adopt-node_exporter")])
        _ = walk.ended(outcome)
        #expect(walk.answer("yes") == [.run(agreed: outcome.requests)])
        _ = walk.ended(outcome)
        #expect(walk.question == .failure(isEssential: false))
    }

    @Test(arguments: [
        (StepOutcome.needsConsent, "it disturbs; to allow it: --allow slurm-restart", Optional("slurm-restart")),
        (.failed, "take it over with --allow adopt-node_exporter, or choose another port", "adopt-node_exporter"),
        (.failed, "take it over (--allow adopt-prometheus)", "adopt-prometheus"),
        (.failed, "stop it, or leave it out with --allow skip-grafana", nil),
        (.failed, "mend it", nil),
        (.changed, "--allow adopt-x", nil),
        (.failed, "--allow", nil),
    ]) func missingConsentIsTheOneThatTheRemedyNames(_ outcome: StepOutcome, _ remedy: String, _ name: String?) {
        let result = StepResult(
            step: "4.x", title: "x", section: 4, host: Host("a"), outcome: outcome, detail: "", remedy: remedy,
            isWarning: false, difference: nil, duration: .zero)
        #expect(result.missingConsent == name)
    }

    @Test func consentIsNotCarriedToALaterSection() {
        var walk = walk()
        let asked = request("slurm-restart")
        _ = walk.ended(.init(needsConsent: true, requests: [asked]))
        #expect(walk.answer("yes") == [.run(agreed: [asked])])
        _ = walk.ended(.init())
        #expect(walk.answer("run") == [.run(agreed: [])])
        #expect(walk.ended(.init(needsConsent: true, requests: [asked])) == [.describe(asked)])
    }

    @Test func explanationAtAConsentDecidesNothing() {
        var walk = walk()
        let asked = request("submit-job")
        _ = walk.ended(.init(needsConsent: true, requests: [asked]))
        #expect(walk.answer("?") == [.explain])
        #expect(walk.question == .consent(asked))
    }
}
