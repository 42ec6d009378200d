import FoundationEssentials
import Testing

@testable import JobstatsDeploy

@Suite struct DeploymentDocumentTests {
    private func document(
        _ configuration: DeploymentConfiguration = makeConfiguration(), report: RunReport? = nil,
        kind: DeploymentDocument.Kind = .dryRun
    ) throws -> String {
        DeploymentDocument(
            plan: try makePlan(configuration), configuration: configuration, kind: kind, headNode: "head-a",
            report: report, date: Date(timeIntervalSince1970: 1_700_000_000)
        ).markdown
    }

    @Test func aDryRunSaysSoAndShowsEverything() throws {
        let text = try document()
        #expect(text.hasPrefix("# Jobstats deployment: what would be done\n"))
        #expect(text.contains("at 2023-11-14T22:13:20Z"))
        #expect(text.contains("no host was contacted and nothing was changed"))
        for section in ["## 1. Overview", "## 4. Node statistics", "## 6. Prometheus", "## 10. BCM role monitor"] {
            #expect(text.contains("\n\(section)"))
        }
        #expect(text.contains("<https://princetonuniversity.github.io/jobstats/setup/node/>"))
        #expect(text.contains("File `/etc/systemd/system/node_exporter.service`:\n\n```ini\n# Made by"))
        #expect(text.contains("File `/etc/prometheus/prometheus.yml`:\n\n```yaml\n"))
        #expect(text.contains("On each of `dgx-[01-02]` (2 hosts):"))
        #expect(text.contains("\n## How to undo it\n") && text.contains("rm -f /etc/prometheus/prometheus.yml\n"))
        #expect(text.contains("cmsh -c \"device; use dgx-01; grabimage -w\""))
        #expect(
            text.contains("| node\\_exporter | dgx-\\[01-02\\] | port 9100, runs while the node has the BCM role |"))
    }

    @Test func hostsThatDifferByNameAloneStandTogether() throws {
        let text = try document(
            makeConfiguration(nodes: (1...50).map { "dgx-\($0)" }) { $0.deploysRoleMonitor = false })
        #expect(text.contains("`HOST` in a command is such a host's own name."))
        #expect(text.contains("\"targets\": [\"HOST:9100\"]"))
        #expect(!text.contains("dgx-17.json"))
        #expect(text.utf8.count < 125_000)
    }

    @Test func hostsThatDiffersOtherwiseStandApart() {
        let step = Step(
            "x", "x",
            perHost: [
                Host("a"): DirectoryResource("/one"), Host("b"): DirectoryResource("/two"),
                Host("c"): DirectoryResource("/one"),
            ])
        let groups = StepGroup.groups(of: step)
        #expect(groups.map { $0.hosts.map(\.name) } == [["a", "c"], ["b"]])
        #expect(groups.allSatisfy { !$0.usesPlaceholder })
    }

    @Test func commandsAreWhatAPersonCanType() throws {
        let text = try document()
        #expect(text.contains("To look: `ss -ltnp 'sport = :9100'`\n"))
        #expect(text.contains("scp /opt/node_exporter root@HOST:/usr/local/bin/node_exporter.new"))
        #expect(!text.contains("sh -c 'path=$1"))
    }

    @Test func fencesAndBlocksAreBalanced() throws {
        let text = try document(makeConfiguration { $0.usesExistingPrometheus = true })
        let fences = text.split(separator: "\n").filter { $0.hasPrefix("```") }
        #expect(fences.count.isMultiple(of: 2))
    }

    @Test func aRunShowsResultsTimesAndWhatToDoNext() throws {
        func result(_ host: String, _ outcome: StepOutcome, _ detail: String, remedy: String? = nil) -> StepResult {
            StepResult(
                step: "4.user", title: "System user", section: 4, host: Host(host), outcome: outcome, detail: detail,
                remedy: remedy, isWarning: false, difference: nil, duration: .milliseconds(1250))
        }
        var report = RunReport()
        report.results = [
            result("dgx-01", .changed, "there is no user prometheus"),
            result("dgx-02", .failed, "no space | left", remedy: "make room"),
        ]
        report.duration = .seconds(3)
        report.connections = 2
        let text = try document(report: report, kind: .run)
        #expect(text.hasPrefix("# Jobstats deployment: what was done\n"))
        #expect(text.contains("| hosts | changed | failed | warnings |"))
        #expect(text.contains("| `dgx-01` | 1 | 0 | 0 |"))
        #expect(text.contains("2 steps on 2 hosts in 3.0 s, over 2 connections."))
        #expect(
            text.contains("* `dgx-02`, System user (4.user): **failed**: no space \\| left\n  What to do: make room\n"))
        #expect(text.contains("Then: `guided-setup --resume --limit dgx-02`"))
        #expect(text.contains("* **changed** on `dgx-01`: there is no user prometheus, 1.3 s\n"))
    }

    @Test func secretsAreNotInTheDocument() throws {
        var facts = SiteFacts()
        facts.headNodes = ["head-a"]
        facts.certificate = .init(
            certificateFile: "/c", keyFile: "/k",
            content: .init(certificate: Array("CERTIFICATE".utf8), key: Array("VERY-SECRET-KEY".utf8)), reason: "made")
        let configuration = makeConfiguration()
        let plan = try makePlan(configuration, makeContext { $0.facts = facts })
        let text = DeploymentDocument(plan: plan, configuration: configuration, kind: .run, headNode: "head-a").markdown
        #expect(!text.contains("VERY-SECRET-KEY"))
        #expect(text.contains("monitor.key"))
    }

    @Test func whatSeveralStepsNeedIsUndoneOnceAndLast() throws {
        let undo = try #require(try document().split(separator: "## How to undo it").last)
        let lines = undo.split(separator: "\n").map { String($0) }
        #expect(lines.filter { $0 == "userdel prometheus" }.count == 2, "one for the nodes, one for the server")
        let last = try #require(lines.lastIndex(of: "userdel prometheus"))
        let program = try #require(lines.firstIndex(of: "rm -f /usr/local/bin/cgroup_exporter"))
        #expect(program < last)
        #expect(undo.contains("rm -f /etc/systemd/system/node_exporter.service && systemctl daemon-reload"))
        #expect(undo.contains("/etc/bcm-role-monitor/monitor.key"))
    }

    @Test func monitorsThatAreSetUpByHandGetHeadNodesAndTrust() throws {
        let text = try document()
        let configuration = try #require(text.split(separator: "### Configuration (10.configuration)").last)
        let trust = try #require(configuration.firstRange(of: "scp /cm/local/apps/cmd/etc/cacert.pem"))
        let unit = try #require(configuration.firstRange(of: "### Unit file (10.unit-file)"))
        #expect(trust.lowerBound < unit.lowerBound)
        #expect(configuration.contains("cmsh -c 'device; list -t headnode'"))
    }

    @Test func countsAreWords() throws {
        let text = try document()
        #expect(!text.contains("1 steps") && !text.contains("1 hosts") && !text.contains(" 0 steps"))
        #expect(!text.contains("\n\n\n"))
    }

    @Test func theOnlyHostOfAStepIsNamedInItsCommands() throws {
        let text = try document()
        #expect(text.contains("scp /opt/prometheus root@mon-01:/usr/local/bin/prometheus.new  # on the head node\n"))
    }

    @Test func namesThatDoNotFoldAreGivenOnceInTheTable() throws {
        let nodes = (1...500).map { "n\($0 * 3 + $0 % 7)-gpu" }
        let text = try document(makeConfiguration(nodes: nodes) { $0.deploysRoleMonitor = false })
        #expect(text.contains("On each of the DGX nodes (500 hosts): "))
        #expect(text.contains("On the DGX nodes:\n"))
        #expect(text.utf8.count < 150_000, "\(text.utf8.count)")
    }
}
