import BCMClient
import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

/// The exported script for Slurm as a program, held to what the resources themselves make of the same.
@Suite struct ExportSlurmTests {
    /// Runs the script with stand-ins from a folder before the system's programs.
    private func run(_ folder: TemporaryFolder, _ arguments: [String], _ mode: String = "-y") async throws
        -> CommandResult
    {
        var words = arguments
        let path = "\(folder.path):/usr/bin:/bin"
        for (index, word) in words.enumerated() where word == SlurmPaths.search { words[index] = path }
        return try await LocalExecutor().run(
            Command(
                "sh", ["-c", ExportSlurm.script.text, "sh", mode] + words, environment: ["PATH": path],
                timeout: .seconds(90)))
    }

    private func conf(_ fixture: SlurmFixture, _ settings: [SlurmSetting], _ mode: String = "-y") async throws
        -> CommandResult
    {
        let folder = fixture.folder.path
        let action = ExportSlurm.conf("x", "\(folder)/slurm.conf", settings, mark: "\(folder)/var/mark")
        return try await run(fixture.folder, try #require(action.script).arguments, mode)
    }

    /// Both ways from the same file: the same verdict, and the same bytes.
    private func compare(_ text: String, _ running: [String: String]?, _ settings: [SlurmSetting]) async throws {
        let fixture = SlurmFixture(conf: text, running: running)
        fixture.folder.write("more.conf", "ProctrackType=proctrack/pgid\nInclude deeper.conf\nA=1\n")
        let resource = SlurmConfFile(instance: "slurm", settings: settings)
        let facts = try await fixture.facts()
        let assessment = resource.assess(facts)
        let look = try await conf(fixture, settings, "-n")
        #expect(fixture.folder.read("slurm.conf") == text)
        let result = try await conf(fixture, settings)
        let words =
            "\(text.debugDescription), \(running ?? [:]): \(assessment): \(result.outputText)\(result.errorText)"
        let backups = fixture.folder.names.filter { $0.hasPrefix("slurm.conf.bcm-jobstats-") }
        #expect(result.succeeded == (assessment.state != .blocked), "\(words)")
        #expect(look.succeeded == result.succeeded && look.outputText == result.outputText, "\(words)")
        #expect(result.outputText.isEmpty == (assessment.state != .differs), "\(words)")
        guard assessment.state == .differs else {
            #expect(fixture.folder.read("slurm.conf") == text && backups.isEmpty, "\(words)")
            return
        }
        let wanted = try #require(try resource.changes(from: facts).first?.input)
        #expect(fixture.folder.read("slurm.conf") == String(decoding: wanted, as: UTF8.self), "\(words)")
        #expect(backups.compactMap { fixture.folder.read($0) } == [text])
        #expect(fixture.folder.names(in: "var") == ["mark"])
        // Again: nothing is left to do.
        let again = try await conf(fixture, settings)
        #expect(again.succeeded && again.outputText.isEmpty, "\(words): \(again.outputText)\(again.errorText)")
    }

    private static let one: [SlurmSetting] = [.plugin("ProctrackType", "proctrack/", "cgroup")]

    @Test(arguments: SlurmConfTests.cases) func theScriptChangesAFileAsTheResourceDoes(_ item: ConfCase) async throws {
        try await compare(item.text, [:], Self.one)
    }

    @Test func bothAgreeOnPiecesInAnyOrder() async throws {
        var random = SplitMix(state: 20_261_124)
        let pieces = [
            "TaskPlugin=task/none\n", "TaskPlugin=affinity\n", "taskplugin = \"task/affinity,cgroup\"\n",
            "TaskPlugin=TASK/affinity , x\n", "TaskPlugin=task/affinity,\\\n  task/cgroup\n",
            "AccountingStorageTRES=gres/gpu,gres/gpu:a100\n", "AccountingStorageTRES=cpu\r\n", "ProctrackType=cgroup\n",
            "ProctrackType=proctrack/linuxproc # c\n", "JobAcctGatherType=jobacct_gather/cgroup ProctrackType=x\n",
            "JobAcctGatherType=\"\" A=\"b c\" D=e\\\n", "# note \\\n", "Include more.conf\n", "include /no/such\n",
            "\(SlurmConfTests.begin)\n", "\(SlurmConfTests.end)\n", "NodeName=a TaskPlugin=x\n", "\\#\n", " \t\r\n",
            "JobAcctGatherType=a\\#b\n", "AccountingStorageTRES+=x\n", "ClusterName=é;$(id)\n", "Key=\"open\n",
        ]
        let runs: [[String: String]?] = [
            nil, [:], SlurmFixture.good, ["TaskPlugin": "(null)", "ProctrackType": "cgroup"],
        ]
        for _ in 0..<60 {
            var text = ""
            for _ in 0..<Int.random(in: 0...5, using: &random) { text += pieces.randomElement(using: &random) ?? "" }
            if Bool.random(using: &random), text.hasSuffix("\n") { text.removeLast() }
            try await compare(text, runs.randomElement(using: &random) ?? nil, SlurmSetting.needed)
        }
    }

    /// Numbers that are the same in every run.
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    /// A stand-in for awk(1) that has somebody edit the file at that moment.
    @Test func aFileThatSomebodyChangesMeanwhileStaysTheirs() async throws {
        let fixture = SlurmFixture(conf: "ProctrackType=x\n")
        fixture.folder.write(
            "awk", "#!/bin/sh\necho B=2 >>'\(fixture.folder.path)/slurm.conf'\nexec /usr/bin/awk \"$@\"\n", mode: 0o755)
        let result = try await conf(fixture, Self.one)
        #expect(!result.succeeded && result.errorText.contains("was changed by somebody else meanwhile"))
        #expect(fixture.folder.read("slurm.conf")?.hasPrefix("ProctrackType=x\nB=2\n") == true)
    }

    @Test func aFileWithSeveralNamesOrNoneIsLeftAlone() async throws {
        let fixture = SlurmFixture(conf: "ProctrackType=x\n")
        link("\(fixture.folder.path)/slurm.conf", "\(fixture.folder.path)/other")
        let result = try await conf(fixture, Self.one)
        #expect(!result.succeeded && result.errorText.contains("several hard links"))
        #expect(fixture.folder.read("other") == "ProctrackType=x\n")
        let none = try await conf(SlurmFixture(conf: nil), Self.one)
        #expect(!none.succeeded && none.errorText.contains("there is no "))
    }

    // MARK: Restarts

    private func restart(
        _ fixture: SlurmFixture, _ unit: String, active: String = "active", started: String, marked: Bool = true,
        _ mode: String = "-y"
    ) async throws -> CommandResult {
        let folder = fixture.folder.path
        if marked { fixture.folder.write("mark", "") }
        fixture.folder.write("ActiveState", active + "\n")
        fixture.folder.write("ExecMainStartTimestamp", started + "\n")
        fixture.folder.write(
            "systemctl",
            """
            #!/bin/sh
            if [ "$1" = show ]; then
                for word; do if [ -e '\(folder)'/"$word" ]; then cat '\(folder)'/"$word"; fi; done
                exit 0
            fi
            echo "$*" >>'\(folder)/calls'
            """, mode: 0o755)
        let action = ExportSlurm.restart(
            "x", unit, "\(folder)/slurm.conf", SlurmSetting.needed, mark: "\(folder)/mark")
        return try await run(fixture.folder, try #require(action.script).arguments, mode)
    }

    private static let (past, future) = ("Sun 2020-11-22 20:05:03.123456 UTC", "Sun 2120-11-24 20:05:03.123456 UTC")

    @Test func aDaemonOlderThanTheMarkIsRestartedOnce() async throws {
        for unit in ["slurmd.service", "slurmctld.service"] {
            func fixture() -> SlurmFixture { SlurmFixture(conf: SlurmFixture.goodText, running: SlurmFixture.good) }
            let old = fixture()
            let look = try await restart(old, unit, started: Self.past, "-n")
            #expect(look.outputText.contains("was started before") && old.folder.read("calls") == nil)
            #expect(try await restart(old, unit, started: Self.past).succeeded)
            #expect(old.folder.read("calls")?.contains("restart -- \(unit)") == true)
            let new = fixture()
            #expect(try await restart(new, unit, started: Self.future).outputText.isEmpty)
            #expect(try await restart(new, unit, active: "inactive", started: Self.past).outputText.isEmpty)
            #expect(new.folder.read("calls") == nil)
            #expect(try await !restart(new, unit, started: "n/a").succeeded)
            let unmarked = try await restart(fixture(), unit, started: Self.past, marked: false)
            #expect(unmarked.succeeded && unmarked.outputText.isEmpty)
        }
    }

    @Test func aControllerThatRunsWithOtherSettingsIsRestartedAndTheNodesAfterIt() async throws {
        let stale = SlurmFixture(conf: SlurmFixture.goodText, running: ["ProctrackType": "proctrack/pgid"])
        let result = try await restart(stale, "slurmctld.service", started: Self.future, marked: false)
        #expect(result.outputText.contains("slurmctld runs with ProctrackType=proctrack/pgid"))
        #expect(stale.folder.names.contains("mark"), "each slurmd is older than this")
    }

    @Test func aRestartThatWouldNotHelpIsNotMade() async throws {
        let unset = SlurmFixture(conf: "A=1\n", running: [:])
        let result = try await restart(unset, "slurmctld.service", started: Self.future)
        #expect(!result.succeeded && result.errorText.contains("bring the step on slurm.conf about first"))
        let silent = SlurmFixture(conf: SlurmFixture.goodText, running: nil)
        let other = try await restart(silent, "slurmctld.service", started: Self.future)
        #expect(!other.succeeded && other.errorText.contains("slurmctld gives no answer"))
        #expect(unset.folder.read("calls") == nil && silent.folder.read("calls") == nil)
    }

    // MARK: The epilog that runs

    @Test func slurmctldReadsAnotherEpilogThanItRunsWith() async throws {
        func outcome(_ conf: String, _ running: [String: String]?) async throws -> (CommandResult, calls: String?) {
            let fixture = SlurmFixture(conf: conf, running: running)
            let path = fixture.folder.path
            fixture.folder.write("scontrol.real", fixture.folder.read("scontrol") ?? "", mode: 0o755)
            fixture.folder.write(
                "scontrol",
                """
                #!/bin/sh
                [ "$1" = reconfigure ] || exec '\(path)/scontrol.real' "$@"
                echo "$*" >>'\(path)/calls'
                echo 'EpilogSlurmctld = /new' >>'\(path)/said'
                """, mode: 0o755)
            let action = try #require(ExportSlurm.epilogRuns("x", "\(path)/slurm.conf").script)
            return (try await run(fixture.folder, action.arguments), fixture.folder.read("calls"))
        }
        let other = try await outcome("EpilogSlurmctld=/old\nEpilogSlurmctld=/new\n", ["EpilogSlurmctld": "/old"])
        #expect(other.0.succeeded && other.calls == "reconfigure\n", "\(other.0.errorText)")
        #expect(other.0.outputText == "slurmctld runs with EpilogSlurmctld=/old, slurm.conf says /new\n")
        for same in [["EpilogSlurmctld[0]": "/new"], ["EpilogSlurmctld": "/new"]] {
            let result = try await outcome("EpilogSlurmctld=/new\n", same)
            #expect(result.0.succeeded && result.0.outputText.isEmpty && result.calls == nil)
        }
        #expect(try await outcome("A=1\n", [:]).0.outputText.isEmpty)
        #expect(try await !outcome("EpilogSlurmctld=/new\n", nil).0.succeeded)
    }

    // MARK: BCM

    private func bcm(
        _ rule: WorkloadRule, _ value: String, conf: String = "", _ mode: String = "-y"
    ) async throws -> (result: CommandResult, value: String, log: [String]) {
        let fixture = SlurmFixture(conf: conf)
        let folder = fixture.folder
        folder.write("value", value + "\n")
        folder.write(
            "cmsh",
            """
            #!/bin/bash
            for script; do :; done
            echo "$script" >>'\(folder.path)/log'
            case $script in
                *"; set "*"; commit")
                    value=${script##*; set }; value=${value%%;*}; echo "${value#* }" >'\(folder.path)/value'
                    echo "EpilogSlurmctld=${value#* }" >>'\(folder.path)/slurm.conf' ;;
                *) cat '\(folder.path)/value' ;;
            esac

            """, mode: 0o755)
        let setting = WorkloadSetting("thesetting", ofWorkloadManager: "slurm", executable: "\(folder.path)/cmsh")
        let action = try ExportSlurm.setting("x", setting, rule: rule, mark: nil)
        var words = try #require(action.script).arguments
        #expect(words[2] == SlurmPaths.configuration("slurm"))
        words[2] = "\(folder.path)/slurm.conf"
        let result = try await run(folder, words, mode)
        let log = (folder.read("log") ?? "").split(separator: "\n").map(String.init)
        return (result, (folder.read("value") ?? "").trimmed, log)
    }

    @Test(arguments: [
        (WorkloadRule.yes, ["yes", "Yes", "true", "1", "no", ""]),
        (
            .selectType,
            [
                "", "CR_Core", "CR_CPU", "cr_socket,CR_Pack_Nodes", "CR_Core_Memory", "CR_ONE_TASK_PER_CORE", "none",
                "CR_Memory", "cr_core , cr_cpu", "CR_LLN,CR_CPU_MEMORY",
            ]
        ),
        (.epilog("/usr/local/sbin/ours.sh"), ["", "none", "/usr/local/sbin/ours.sh", "/site/other.sh"]),
    ]) func aSettingEndsAsTheRuleSays(_ rule: WorkloadRule, _ values: [String]) async throws {
        for value in values {
            let look = try await bcm(rule, value, "-n")
            #expect(look.value == value && !look.log.contains { $0.contains("commit") }, "\(value)")
            let found = try await bcm(rule, value)
            switch rule.judge(value) {
            case .good: #expect(found.value == value && found.result.outputText.isEmpty && found.result.succeeded)
            case .set(let wanted):
                #expect(found.value == wanted && !found.result.outputText.isEmpty && found.result.succeeded, "\(value)")
            case .blocked: #expect(found.value == value && !found.result.succeeded)
            }
        }
    }

    @Test func anEpilogThatRunsOursIsAsGoodAndOneOfSlurmConfIsLeftAlone() async throws {
        let ours = WorkloadRule.epilog("/usr/local/sbin/ours.sh")
        let folder = TemporaryFolder()
        let both = folder.write("both", "#!/bin/sh\n/usr/local/sbin/ours.sh &\n")
        #expect(try await bcm(ours, both).result.succeeded)
        let none = folder.write("comment", "#!/bin/sh\n# /usr/local/sbin/ours.sh &\n")
        #expect(try await !bcm(ours, none).result.succeeded)
        let byHand = try await bcm(ours, "", conf: "EpilogSlurmctld=/site/own\n")
        #expect(!byHand.result.succeeded && byHand.value.isEmpty)
        #expect(byHand.result.errorText.contains("slurm.conf has EpilogSlurmctld=/site/own"))
        let named = try await bcm(ours, "", conf: "EpilogSlurmctld=/usr/local/sbin/ours.sh\n")
        #expect(named.result.succeeded && named.log.isEmpty, "BCM's own line beside it would be a second one")
    }

    @Test func whatCmshComplainsOfInTextIsAFailure() async throws {
        let result = try await bcm(.yes, "Error: the workload manager slurm does not exist").result
        #expect(!result.succeeded && result.errorText.contains("does not exist"))
    }
}
