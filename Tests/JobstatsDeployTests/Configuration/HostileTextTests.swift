import FoundationEssentials
import Testing

@testable import JobstatsDeploy

/// Hostile texts that get past no file: in configurations made in code, from hosts, and from BCM.
struct HostileTextTests {
    static let texts = [
        "a'b", "a\"b", "a\nb", "a\r\nb", "$(reboot)", "`reboot`", "a;reboot", "a|b", "a&&b",
        "{{ lookup('pipe', 'id') }}",
        "<script>alert(1)</script>", "# heading", "```\n# out\n```", "| cell | cell |", "[x](javascript:alert(1))",
        "clu\u{0455}ter", "dgx\u{2010}01", "\u{202E}gpj.exe", "\u{1B}[2J", "a\u{0}b", "!!python/object:x", "- a: b",
        "%{x}", "&anchor *anchor", "--- \n...", String(repeating: "n", count: 300),
    ]

    private static let properties: [(String, @Sendable (inout DeploymentConfiguration, String) -> Void)] = [
        ("cluster_name", { $0.clusterName = $1 }), ("wlm_instance", { $0.wlmInstance = $1 }),
        ("prometheus_server", { $0.prometheusServer = $1 }), ("grafana_server", { $0.grafanaServer = $1 }),
        ("target_domain", { $0.targetDomain = $1 }),
        (
            "prometheus_targets_dir",
            {
                $0.usesCustomTargetsDirectory = true
                $0.customTargetsDirectory = $1
            }
        ),
        ("systems.dgx_nodes", { $0.systems.dgxNodes = [$1] }),
        ("systems.login_nodes", { $0.systems.loginNodes = [$1] }),
        ("systems.slurm_controller", { $0.systems.slurmController = [$1] }),
        ("systems.prometheus_server", { $0.systems.prometheusServer = [$1] }),
        ("systems.grafana_server", { $0.systems.grafanaServer = [$1] }),
    ]

    @Test(arguments: texts) func aConfigurationMadeInCodeIsHeldToTheSameRules(_ text: String) {
        for (key, set) in Self.properties {
            let configuration = makeConfiguration { set(&$0, text) }
            let errors = configuration.issues(sections: JobstatsPlan.availableSections).filter { $0.severity == .error }
            #expect(errors.contains { $0.keyPath.hasPrefix(key) }, "\(key): \(text.debugDescription)")
        }
    }

    /// Lines that Markdown takes for structure, outside of fenced blocks.
    private func structure(_ markdown: String) -> [Substring] {
        var fence: Substring?
        return markdown.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            let marks = line.prefix { $0 == "`" }
            if let open = fence {
                if marks.count >= open.count, marks.count == line.count { fence = nil }
                return false
            }
            if marks.count >= 3 {
                fence = marks
                return false
            }
            return line.hasPrefix("#") || line.hasPrefix("|") || line.hasPrefix("---") || line.hasPrefix("<")
        }
    }

    private func document(_ text: String) throws -> String {
        let plan = try makePlan()
        let step = try #require(plan.step("4.program"))
        var report = RunReport()
        let host = Host("dgx-01")
        for outcome in [StepOutcome.failed, .wouldChange] {
            report.results.append(
                StepResult(
                    step: step.id, title: step.title, section: 4, host: host, outcome: outcome, detail: text,
                    remedy: text, isWarning: true, difference: "--- a\n+++ b\n+\(text)\n", duration: .zero))
        }
        report.problems = [text]
        report.stopReason = text
        return DeploymentDocument(
            plan: plan, configuration: makeConfiguration(), kind: .run, headNode: "head-a", report: report,
            issues: [ConfigurationIssue(.warning, text, text)]
        ).markdown
    }

    @Test(arguments: texts) func whatHostsSayAddsNothingToTheDocumentsStructure(_ text: String) throws {
        let hostile = try document(text)
        #expect(structure(hostile).count == structure(try document("plain")).count)
        #expect(!hostile.contains("\u{1B}") && !hostile.contains("\u{0}") && !hostile.contains("\u{202E}"))
        // Raw HTML and links outside of code stay text.
        let outside = hostile.replacing("```", with: "\u{7}").split(
            separator: "\u{7}", omittingEmptySubsequences: false
        )
        .enumerated().filter { $0.offset % 2 == 0 }.map(\.element).joined()
        #expect(!outside.contains("\n<script>") && !outside.contains(" <script>"))
        #expect(!outside.contains("[x](javascript"))
    }

    @Test(arguments: texts) func namesOfImagesThatBCMWouldNeverGiveAreNotPutIntoCommands(_ text: String) {
        var facts = SiteFacts()
        facts.imageByNode = ["dgx-01": text, "dgx-02": text]
        let shown = ImagingInstructions(configuration: makeConfiguration(), facts: facts).text
        for line in shown.split(separator: "\n") where line.hasPrefix("cmsh -c") {
            #expect(
                line.contains("IMAGE") || !line.contains("clone") || line.contains(text) && text.allSatisfy(\.isLetter))
        }
    }
}
