import Testing

@testable import JobstatsDeploy

struct ImageAgreementTests {
    private func report(_ outcomes: [(step: String, host: String, StepOutcome)]) -> RunReport {
        var report = RunReport()
        report.results = outcomes.map { step, host, outcome in
            StepResult(
                step: step, title: "step \(step)", section: 4, host: Host(host), outcome: outcome, detail: "why",
                remedy: nil, isWarning: false, difference: nil, duration: .zero)
        }
        return report
    }

    @Test func anImageThatHoldsEverythingSaysSo() {
        let found = report([("4.program", "image:x", .inPlace), ("4.unit", "image:x", .inPlace)])
        let agreement = ImageAgreement(image: "x", nodes: ["dgx-01", "dgx-02"], report: found)
        #expect(agreement.holdsEverything)
        #expect(agreement.words == "The image x holds all of this: dgx-[01-02] keep it over a boot.")
    }

    @Test func whatAnImageLacksIsLostAndTheRemedyIsNamed() {
        let found = report([("4.program", "image:x", .wouldChange), ("4.unit", "image:x", .inPlace)])
        var agreement = ImageAgreement(image: "x", nodes: ["dgx-01"], report: found)
        #expect(!agreement.holdsEverything)
        #expect(agreement.words.contains("lacks 1 of 2 steps") && agreement.words.contains("lost at the next boot"))
        #expect(agreement.words.contains("guided-setup --image x"))
        agreement.lostBy = ["dgx-01"]
        #expect(agreement.words.contains("what was deployed on dgx-01 was lost at the last boot"))
    }

    @Test func anImageThatCannotBeLookedAtIsNeverAPass() {
        for found in [report([("4.program", "image:x", .failed)]), report([("4.program", "image:x", .notBegun)])] {
            let agreement = ImageAgreement(image: "x", nodes: ["dgx-01"], report: found)
            #expect(!agreement.holdsEverything && agreement.words.contains("could not be seen: step 4.program: why"))
        }
    }

    @Test func aHostThatLacksMostOfWhatItHadLostItAndOneWithADriftedFileDidNot() {
        let steps = ["a", "b", "c"]
        var progress = Progress(configuration: "", plan: "", began: 0)
        for host in ["dgx-01", "dgx-02", "dgx-04"] {
            for step in steps {
                progress.hosts[host, default: [:]][step] = .init(
                    outcome: StepOutcome.changed.rawValue, at: 0, seconds: 0, detail: "")
            }
        }
        var found = steps.map { ($0, "dgx-01", StepOutcome.wouldChange) }
        found += [("a", "dgx-02", .wouldChange), ("b", "dgx-02", .inPlace), ("c", "dgx-02", .inPlace)]
        // Never deployed to, and a step that belongs into no image.
        found += steps.map { ($0, "dgx-03", StepOutcome.wouldChange) } + [("d", "dgx-04", .wouldChange)]
        #expect(
            ImageAgreement.hostsThatLost(report(found), steps: Set(steps), progress: progress) == ["dgx-01"])
    }
}
