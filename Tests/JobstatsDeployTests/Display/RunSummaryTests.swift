import Testing

@testable import JobstatsDeploy

struct RunSummaryTests {
    private func result(_ host: String, _ outcome: StepOutcome, _ detail: String = "", remedy: String? = nil)
        -> StepResult
    {
        StepResult(
            step: "4.x", title: "Program", section: 4, host: Host(host), outcome: outcome, detail: detail,
            remedy: remedy, isWarning: false, difference: nil, duration: .zero)
    }

    private func text(_ report: RunReport) -> String {
        RunSummary.text(
            report, mode: .apply, columns: 80, style: Style(usesColour: false), rerun: "guided-setup --resume")
    }

    @Test func hostsAreGroupedByWhatCameOfThem() {
        var report = RunReport()
        report.results = [
            result("dgx-01", .changed), result("dgx-01", .inPlace), result("dgx-02", .inPlace),
            result("dgx-03", .failed, "dgx-03: ssh: connection lost: No route to host", remedy: "mend it"),
            result("dgx-04", .failed, "dgx-04: ssh: connection lost: No route to host", remedy: "mend it"),
        ]
        report.connections = 4
        #expect(
            text(report) == """

                Result
                   failed          2    dgx-[03-04]
                   changed         1    dgx-01
                   in place        1    dgx-02
                   steps: 2 in place, 1 changed, 2 failed, 0.0 s, 4 SSH connections

                dgx-[03-04]: section 4, Program
                   HOST: ssh: connection lost: No route to host
                   -> mend it
                Next: guided-setup --resume

                """)
    }

    @Test func secondRunSaysThatNothingChanged() {
        var report = RunReport()
        report.results = [result("dgx-01", .inPlace), result("dgx-02", .inPlace)]
        #expect(text(report).contains("in place        2    dgx-[01-02]"))
        #expect(!text(report).contains("Next:"))
        #expect(report.exitStatus == 0)
    }

    @Test func noLineIsWiderThanTheTerminal() {
        var report = RunReport()
        for number in 0..<500 {
            report.results.append(result("node\(number * 7)x\(number)", .failed, String(repeating: "word ", count: 60)))
        }
        report.stopReason = "too many hosts failed"
        for line in text(report).split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
}
