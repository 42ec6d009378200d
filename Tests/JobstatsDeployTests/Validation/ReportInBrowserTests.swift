import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// The page in a headless Chromium: rendered, clicked, steered by keys, printed; see `in-chromium.py`.
///
/// `JOBSTATS_SCREENSHOTS=DIRECTORY` keeps pages, pictures and the printed report, to be looked at.
@Suite(.enabled(if: Chromium.isThere, "needs chromium and python3"), .serialized)
struct ReportInBrowserTests {
    @Test(arguments: [3, 64, 512]) func thePageWorksInChromium(_ hosts: Int) async throws {
        try await Chromium.run(
            "work", SampleReports.report(hosts: hosts, checks: hosts == 512 ? 50 : 45).html, "\(hosts)")
    }

    @Test func withoutJavaScriptSummaryAndTableAreThere() async throws {
        try await Chromium.run("plain", SampleReports.report(hosts: 64).html, "plain")
    }

    @Test func whatHostsSaidRunsNothing() async throws {
        let hostile = "</script><img src=x onerror=alert(1)><script>document.title='owned'</script>\u{202E}\"'&amp;"
        let report = ValidationReport(
            cluster: hostile, checks: [.init(id: "1." + hostile, group: 1, title: hostile, expected: hostile)],
            hosts: [.init(name: hostile, kinds: [hostile])],
            findings: [.init(check: "1." + hostile, host: hostile, verdict: .failed(hostile, advice: hostile))])
        try await Chromium.run("hostile", report.html, "hostile")
    }

    @Test func aReportOfNothingIsAPage() async throws {
        try await Chromium.run("empty", ValidationReport(cluster: "superpod").html, "empty")
    }
}

enum Chromium {
    static var isThere: Bool {
        access("/usr/bin/chromium", X_OK) == 0 && access("/usr/bin/python3", X_OK) == 0
    }

    /// Opens a page and goes through one of the driver's scenarios.
    static func run(_ scenario: String, _ html: String, _ name: String) async throws {
        let folder = TemporaryFolder()
        let page = folder.write("report-\(name).html", html)
        let driver = String(#filePath.prefix(through: #filePath.lastIndex(of: "/") ?? #filePath.startIndex))
        var arguments = ["\(driver)in-chromium.py", scenario, page]
        if let pictures = getenv("JOBSTATS_SCREENSHOTS") { arguments.append(String(cString: pictures)) }
        let result = try await LocalExecutor().run(Command("/usr/bin/python3", arguments, timeout: .seconds(150)))
        #expect(result.succeeded, "\(result.status): \(result.outputText)\n\(result.errorText)")
    }
}
