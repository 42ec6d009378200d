import BCMClient
import Testing

@testable import JobstatsDeploy

/// The page as text; what it does in a browser is in `ReportInBrowserTests`.
struct ValidationPageTests {
    private let hostile = "</script><script>alert(1)</script><!--\"'&\u{1B}[31m\u{202E}\u{200B}\u{7F}\u{0}"

    private var hostileReport: ValidationReport {
        ValidationReport(
            cluster: hostile, version: hostile,
            checks: [.init(id: "1." + hostile, group: 1, title: hostile, expected: hostile, byHand: [hostile])],
            hosts: [.init(name: "dgx-01" + hostile, kinds: [hostile])],
            findings: [
                .init(
                    check: "1." + hostile, host: "dgx-01" + hostile,
                    verdict: .failed("seen " + hostile, advice: "do " + hostile))
            ], notices: [hostile])
    }

    /// The JSON that the script reads.
    private func data(_ html: String) throws -> JSONValue {
        let start = try #require(html.firstRange(of: "id=\"data\">")).upperBound
        let end = try #require(html[start...].firstRange(of: "</script>")).lowerBound
        return try JSONValue(parsing: String(html[start..<end]))
    }

    @Test func nothingThatHostsSaidIsMarkup() throws {
        let html = hostileReport.html
        #expect(html.matches(of: /<script/).count == 2)
        #expect(html.matches(of: /<\/script/).count == 2)
        #expect(!html.contains("alert(1)</script><!--"))
        #expect(!html.contains("<!--"))
        #expect(html.contains("&lt;/script&gt;&lt;script&gt;alert(1)"))
        for scalar in html.unicodeScalars where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
            #expect(scalar == "\n" || scalar == "\t", "\(scalar.value)")
        }
        for harmful: Unicode.Scalar in ["\u{202E}", "\u{200B}", "\u{2066}"] {
            #expect(!html.unicodeScalars.contains(harmful))
        }
    }

    @Test func textsInTheDataAreThoseOfTheReport() throws {
        let data = try data(hostileReport.html)
        let shown = Markdown.visible(hostile)
        #expect(data["checks"]?[0]?[2]?.string == shown)
        #expect(data["checks"]?[0]?[4]?[0]?.string == shown)
        #expect(data["hosts"]?[0]?[0]?.string == "dgx-01" + shown)
    }

    @Test func a512By50ReportIsUnderAMegabyteAlsoWhenEachCellHasItsOwnNumbers() {
        let report = SampleReports.report(hosts: 512, checks: 50)
        #expect(report.html.utf8.count < 1_000_000, "\(report.html.utf8.count)")
        var full = ValidationReport(
            cluster: "c", checks: report.checks, hosts: report.hosts, findings: [])
        for (row, host) in report.hosts.enumerated() {
            for (column, check) in report.checks.enumerated() {
                full.findings.append(
                    .init(
                        check: check.id, host: host.name,
                        verdict: .passed("\(host.name) answers with \(row * 50 + column) series for \(column) jobs")))
            }
        }
        #expect(full.findings.count >= 25_000)
        #expect(full.html.utf8.count < 1_000_000, "\(full.html.utf8.count)")
    }

    @Test func equalReportsGiveEqualPages() {
        var other = SampleReports.report(hosts: 20)
        other.findings.reverse()
        #expect(SampleReports.report(hosts: 20).html == SampleReports.report(hosts: 20).html)
        #expect(SampleReports.report(hosts: 20).html == other.html)
    }

    @Test func theWorstHostsAndChecksComeFirst() throws {
        let matrix = ValidationMatrix(SampleReports.report(hosts: 64))
        let weights = matrix.cells.map { row in row.filter { $0?.state == .failed }.count }
        #expect(weights == weights.sorted(by: >))
        #expect(weights[0] > 0)
        #expect(matrix.isTroubled(0) && !matrix.isTroubled(matrix.hosts.count - 1))
        for group in matrix.groups {
            let columns = group.checks.map { check in
                matrix.cells.filter { $0[matrix.checks.firstIndex(of: check) ?? 0]?.state == .failed }.count
            }
            #expect(columns == columns.sorted(by: >), "group \(group.number)")
        }
        let failures = matrix.groups.map { matrix.count(.failed, group: $0.number) }
        #expect(failures == failures.sorted(by: >))
        #expect(failures[0] > 0)
    }

    @Test func findingsOfUnlistedHostsAndChecksAreShown() {
        let report = ValidationReport(
            cluster: "c", findings: [.init(check: "3.x", host: "stray", verdict: .failed("seen", advice: "do"))])
        let matrix = ValidationMatrix(report)
        #expect(matrix.hosts.map(\.name) == ["stray"] && matrix.groups.map(\.number) == [3])
        #expect(report.html.contains("<th scope=row>stray<td class=F>F"))
    }

    @Test func ofTwoFindingsTheWorseCounts() {
        let verdicts: [ValidationVerdict] = [.passed("a"), .failed("b", advice: "c"), .passed("d")]
        let report = ValidationReport(
            cluster: "c", findings: verdicts.map { .init(check: "1.x", host: "h", verdict: $0) })
        #expect(ValidationMatrix(report).cells == [[.failed("b", advice: "c")]])
    }

    @Test func aReportOfNothingIsNoPass() {
        let html = ValidationReport(cluster: "c").html
        #expect(html.contains("Nothing was looked at"))
        #expect(!html.contains("Nothing failed"))
    }

    @Test func thePageRefersToNothingOutside() {
        let html = SampleReports.report(hosts: 3).html
        for pattern in [
            "src=", "href=", "url(", "@import", "fetch(", "XMLHttpRequest", "eval(", "innerHTML", "<link", " style=",
        ] {
            #expect(!html.contains(pattern), "\(pattern)")
        }
        #expect(html.contains("default-src 'none'"))
        #expect(!html.contains("unsafe-"))
    }

    @Test func equalFailuresOfSeveralHostsAreOneProblem() throws {
        let problems = ValidationProblem.all(of: SampleReports.report(hosts: 64))
        let stopped = try #require(problems.first { $0.checks.map(\.id) == ["1.node_exporter"] && $0.state == .failed })
        #expect(Words.hosts(stopped.hosts) == "dgx-[012-019]")
        #expect(stopped.advice == "systemctl enable --now node_exporter on HOST, or guided-setup --section 4")
        // A host that gives no answer is one problem, not one for each check.
        let silent = problems.filter { $0.state == .unseen }
        #expect(silent.count == 1)
        #expect(silent[0].checks.count > 10 && silent[0].hosts == ["dgx-007"])
        #expect(silent[0].sights[0].seen.contains("connect to host dgx-007 port 22"))
        #expect(problems.map(\.state) == problems.map(\.state).sorted())
        // Different numbers under the same advice are told together.
        let certificates = problems.filter { $0.checks.map(\.id) == ["10.certificate"] }
        #expect(certificates.count == 1 && certificates[0].sights.count > 1)
    }

    @Test(arguments: [
        ("dgx-1 and dgx-10", "dgx-1", "HOST and dgx-10"), ("dgx-1:9100", "dgx-1", "HOST:9100"),
        ("xdgx-1", "dgx-1", "xdgx-1"), ("dgx-1", "dgx-1", "HOST"), ("", "dgx-1", ""), ("abc", "", "abc"),
    ]) func aNameWithinAnotherIsNotTaken(text: String, host: String, general: String) {
        #expect(ValidationProblem.general(text, host) == general)
    }
}
