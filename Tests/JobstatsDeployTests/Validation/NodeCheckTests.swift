import BCMClient
import CommandExecution
import Testing

@testable import JobstatsDeploy

/// Groups 1, 2, 3 and 5: what is judged of a node's answers.
@Suite struct NodeCheckTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var role: Bool? = true
        var active = "active"
        var enablement = "disabled"
        var load = "loaded"
        var isPaused = false
        let expected: ValidationState
        let says: String
        var testDescription: String { says }
    }

    @Test(arguments: [
        Case(expected: .passed, says: "active"),
        Case(active: "failed", expected: .failed, says: "it is failed"),
        Case(active: "inactive", expected: .failed, says: "it is inactive"),
        Case(active: "activating", expected: .failed, says: "again and again"),
        Case(active: "inactive", load: "not-found", expected: .failed, says: "there is no node_exporter"),
        Case(active: "inactive", load: "masked", expected: .failed, says: "masked"),
        Case(enablement: "enabled", expected: .warning, says: "enabled at boot"),
        Case(role: false, expected: .failed, says: "no role"),
        Case(role: false, active: "inactive", expected: .passed, says: "inactive"),
        Case(role: nil, expected: .unseen, says: "BCM"),
        Case(active: "inactive", isPaused: true, expected: .warning, says: "paused"),
    ]) func anExporterIsJudgedByTheNodesRole(of item: Case) throws {
        var fixture = EvidenceFixture(role: item.role ?? true)
        if item.role == nil {
            fixture.evidence.site.rolesByNode = .failure(BCMError(.notReachable, reason: "no answer", remedy: nil))
        }
        fixture.unit("node_exporter.service", item.active, enablement: item.enablement, load: item.load)
        if item.isPaused { fixture.monitorSays(["paused": 1]) }
        let verdict = fixture.verdict(try EvidenceFixture.checks()["1.node_exporter"])
        #expect(verdict?.state == item.expected, "\(String(describing: verdict))")
        #expect(verdict?.seen.contains(item.says) == true, "\(String(describing: verdict))")
    }

    @Test func withoutRoleMonitorsAnExporterMustBeEnabledWhateverBCMSays() throws {
        let check = try EvidenceFixture.checks { $0.deploysRoleMonitor = false }["1.cgroup_exporter"]
        var fixture = EvidenceFixture(role: false)
        fixture.unit("cgroup_exporter.service", "active", enablement: "enabled")
        #expect(fixture.verdict(check)?.state == .passed)
        fixture.unit("cgroup_exporter.service", "active")
        #expect(fixture.verdict(check)?.state == .failed)
    }

    private static let well = """
        cgroup 2
        listens 9100
        listens 9306
        listens 9445
        node answers node_uname_info node_cpu_seconds_total
        nodename dgx-01
        cgroup answers cgroup_cpu go_goroutines
        note 0 12 1000
        end
        """

    private func judged(_ id: String, _ text: String, active: String = "active") throws -> ValidationVerdict? {
        let check = try EvidenceFixture.checks()[id]
        var fixture = EvidenceFixture()
        fixture.answer(check, text)
        for name in ["node_exporter", "cgroup_exporter", "nvidia_gpu_exporter"] {
            fixture.unit("\(name).service", active)
        }
        return fixture.verdict(check)
    }

    @Test(arguments: [
        "2.node_exporter", "2.cgroup_exporter", "2.nvidia_gpu_exporter", "3.node_exporter", "3.cgroup_exporter",
        "5.notes",
    ]) func aNodeThatIsWellPasses(id: String) throws {
        let verdict = try judged(id, Self.well)
        #expect(verdict?.state == .passed, "\(String(describing: verdict))")
        #expect(try judged(id, String(Self.well.dropLast(4)))?.state == .unseen, "an answer that was cut off")
    }

    @Test(arguments: [
        ("2.node_exporter", "listens 9100\n", "", "active", "closed, although"),
        ("2.node_exporter", "listens 9100\n", "", "failed", "closed"),
        ("2.cgroup_exporter", "", "", "inactive", "something else"),
        (
            "3.node_exporter", "node answers node_uname_info", "node answers cgroup_cpu", "active",
            "is not node_exporter"
        ),
        (
            "3.node_exporter", "node answers node_uname_info node_cpu_seconds_total", "node silent", "active",
            "does not answer"
        ),
        (
            "3.node_exporter", "node answers node_uname_info node_cpu_seconds_total",
            "node refused HTTP/1.0 404 Not Found", "active", "404"
        ),
        ("3.node_exporter", "nodename dgx-01", "nodename dgx-01\ntextfile error", "active", "cannot read a file"),
        (
            "3.cgroup_exporter", "cgroup answers cgroup_cpu", "cgroup answers node_uname_info", "active",
            "another exporter"
        ),
        ("5.notes", "note 0 12 1000", "note Nodeviceswerefound x", "active", "Nodeviceswerefound"),
    ]) func aNodeThatIsNotWellFails(id: String, old: String, new: String, active: String, says: String) throws {
        let text = old.isEmpty ? Self.well : Self.well.replacing(old, with: new)
        let verdict = try judged(id, text, active: active)
        #expect(verdict?.state == .failed, "\(String(describing: verdict))")
        #expect(verdict?.seen.contains(says) == true, "\(String(describing: verdict))")
    }

    @Test func aUnitFileWithAnotherFlagFailsAndNamesTheLine() throws {
        let forms: Set = ["# \(Installed.mark)\n[Service]\nExecStart=/usr/local/bin/x --good\n"]
        func verdict(_ text: String?) -> ValidationVerdict {
            var facts = Facts()
            let path = "/etc/systemd/system/x.service"
            facts.files[path] =
                text == nil
                ? .missing
                : FileFact(
                    kind: .plain, mode: 0o644, owner: "root", group: "root", size: 1, changed: 0, sha256: nil)
            facts.contents[path] = text.map { Array($0.utf8) }
            return JobstatsValidation.judgeUnitFile(facts, path, "x.service", forms, section: 4, Host("dgx-01"))
        }
        #expect(verdict(forms.first).state == .passed)
        #expect(verdict(nil).state == .failed)
        let other = verdict(forms.first?.replacing("--good", with: "--bad"))
        #expect(other.state == .failed && other.seen.contains("--bad"), "\(other)")
        #expect(verdict("[Service]\nExecStart=/opt/x\n").state == .warning)
    }
}
