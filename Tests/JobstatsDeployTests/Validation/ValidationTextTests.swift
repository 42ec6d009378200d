import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

struct ValidationTextTests {
    private let plain = Style(usesColour: false)

    @Test func problemsAreToldOnceWithRangesAdviceAndCounts() {
        let text = SampleReports.report(hosts: 64).text(columns: 80, style: plain, isVerbose: false)
        #expect(text.contains("1. Services\n   failed: node_exporter runs: dgx-[012-019] (8 hosts)\n"))
        #expect(text.contains("      seen: the unit node_exporter.service is inactive (dead)\n"))
        #expect(text.contains("      expected: node_exporter runs, as config.json has it\n"))
        #expect(text.contains("      -> systemctl enable --now node_exporter on HOST, or guided-setup --section"))
        #expect(text.contains("   could not look: 28 checks (node_exporter runs; "))
        #expect(text.contains("seen: dgx-007 gave no answer"))
        #expect(!text.contains("as it must be"))
        #expect(text.hasSuffix("64 hosts, 45\nchecks, 3.1 s\n"))
        #expect(!text.contains("\u{1B}"))
    }

    @Test(arguments: [40, 80, 120], [false, true]) func linesFitTheColumns(_ columns: Int, _ isVerbose: Bool) {
        let text = SampleReports.report(hosts: 64).text(columns: columns, style: plain, isVerbose: isVerbose)
        for line in text.split(separator: "\n") where line.split(separator: " ").count > 1 {
            // A path may be longer than a line, and then stands alone on it.
            let words = line.split(separator: " ")
            #expect(line.count <= columns || words.count == 1, "\(line)")
        }
    }

    @Test func verboseTellsWhatPassedToo() {
        let text = SampleReports.report(hosts: 3).text(columns: 80, style: plain, isVerbose: true)
        #expect(text.contains("passed: dgx-001: as it must be"))
        #expect(text.contains("7. The jobstats command"))
    }

    @Test func theWordOfTheStateIsColouredAndNothingElseChanges() {
        let report = SampleReports.report(hosts: 64)
        let coloured = report.text(columns: 80, style: Style(usesColour: true), isVerbose: false)
        #expect(coloured.contains("\u{1B}[31mfailed\u{1B}[0m: node_exporter runs"))
        #expect(coloured.contains("\u{1B}[33mwarning\u{1B}[0m: "))
        let bare = coloured.replacing(/\u{1B}\[[0-9]+m/, with: "")
        #expect(bare == report.text(columns: 80, style: plain, isVerbose: false))
    }

    @Test(arguments: [false, true]) func whatHostsSaidCannotActOnTheTerminal(_ isVerbose: Bool) {
        let hostile = "x\u{1B}]0;title\u{07}\u{202E}\u{9B}2J"
        let report = ValidationReport(
            cluster: "c", checks: [.init(id: "1.x", group: 1, title: hostile, expected: hostile)],
            hosts: [.init(name: "h", kinds: [])],
            findings: [.init(check: "1.x", host: "h", verdict: .failed(hostile, advice: hostile))], notices: [hostile])
        let text = report.text(columns: 80, style: plain, isVerbose: isVerbose)
        for scalar in text.unicodeScalars { #expect(scalar == "\n" || scalar.value >= 0x20 && scalar.value < 0x7F) }
    }

    @Test func nothingLookedAtIsSaid() {
        let text = ValidationReport(cluster: "c").text(columns: 80, style: plain, isVerbose: false)
        #expect(text.contains("Nothing was looked at."))
    }

    @Test func allPassedIsShort() {
        let report = ValidationReport(
            cluster: "c", duration: .seconds(2), checks: [.init(id: "1.x", group: 1, title: "X", expected: "")],
            hosts: [.init(name: "h", kinds: [])], findings: [.init(check: "1.x", host: "h", verdict: .passed("good"))])
        #expect(
            report.text(columns: 80, style: plain, isVerbose: false) == """

                                                      failed   unseen  warning  skipped   passed
                1. Services                                0        0        0        0        1
                1 passed; 1 host, 1 check, 2.0 s

                """)
    }
}

struct ValidationMetricsTests {
    @Test func eachGroupAndStateIsCounted() {
        let metrics = SampleReports.report(hosts: 64).metrics
        #expect(
            metrics.matches(of: /(?m)^jobstats_validation_checks\{group="[0-9]+",state="[a-z]+"\} [0-9]+$/).count == 50)
        #expect(metrics.contains("jobstats_validation_checks{group=\"1\",state=\"failed\"} 8\n"))
        #expect(metrics.contains("jobstats_validation_last_run_timestamp_seconds 1764000000\n"))
        #expect(metrics.contains("jobstats_validation_duration_seconds 3.14\n"))
        #expect(
            metrics.contains("jobstats_validation_check_failed{check=\"1.node_exporter\",host=\"dgx-012\"} 1\n"))
        #expect(metrics.contains("jobstats_validation_check_failed_omitted 0\n"))
        #expect(!metrics.contains("check=\"10.certificate\",host=\"dgx-003\""), "warnings are no failures")
    }

    @Test func failuresBeyondTheLimitAreCounted() {
        let hosts = (0..<700).map { "h\($0)" }
        let report = ValidationReport(
            cluster: "c",
            findings: hosts.map { .init(check: "1.x", host: $0, verdict: .failed("down", advice: "start it")) })
        #expect(report.metrics.matches(of: /check_failed\{/).count == 500)
        #expect(report.metrics.contains("jobstats_validation_check_failed_omitted 200\n"))
    }

    @Test(.enabled(if: access("/usr/bin/promtool", X_OK) == 0, "promtool is not installed"))
    func promtoolAcceptsMetricsOfAnyNames() async throws {
        var report = SampleReports.report(hosts: 64)
        let hostile = "a\"b\\c\nd\u{1B}}"
        for host in [hostile, hostile, "ü"] {
            report.findings.append(.init(check: hostile, host: host, verdict: .failed("x", advice: "y")))
        }
        for text in [report.metrics, ValidationReport(cluster: "c").metrics] {
            let checked = try await LocalExecutor().run(
                Command("/usr/bin/promtool", ["check", "metrics"], input: Array(text.utf8)))
            #expect(checked.succeeded, "\(checked.errorText)")
            #expect(checked.errorText.isEmpty, "\(checked.errorText)")
        }
        let broken = try await LocalExecutor().run(
            Command("/usr/bin/promtool", ["check", "metrics"], input: Array((report.metrics + "x{ 1\n").utf8)))
        #expect(!broken.succeeded)
    }
}
