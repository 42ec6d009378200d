import CommandExecution
import Testing

@testable import JobstatsDeploy

/// A slurm.conf in a folder, a stand-in for scontrol, and what the steps make of them.
final class SlurmFixture: Sendable {
    let folder = TemporaryFolder()
    let file = SlurmConfFile(instance: "slurm")

    init(conf: String?, running: [String: String]? = [:], jobs: Int = 0) {
        if let conf { folder.write("slurm.conf", conf) }
        let said = (running ?? [:]).map { "\($0)   = \($1)" }.joined(separator: "\n")
        folder.write(
            "said", "Configuration data as of 2026-11-22T23:00:00\n\(said)\n\nSlurmctld(primary) at ctl-01 is UP\n")
        folder.write(
            "scontrol",
            running == nil
                ? "#!/bin/sh\necho 'Unable to contact slurm controller (connect failure)' >&2\nexit 1\n"
                : "#!/bin/sh\n[ \"$SLURM_CONF\" = '\(folder.path)/slurm.conf' ] && cat '\(folder.path)/said'\n",
            mode: 0o755)
        folder.write(
            "squeue", "#!/bin/sh\nn=0; while [ $n -lt \(jobs) ]; do echo $n; n=$((n + 1)); done\n", mode: 0o755)
    }

    /// The probe's script with the folder in the place of Slurm's.
    func facts(_ change: (inout Facts) -> Void = { _ in }) async throws -> Facts {
        let probe = SlurmProbe(instance: "slurm")
        var command = probe.command
        command.arguments[3] = "\(folder.path)/slurm.conf"
        command.arguments[4] = "\(folder.path):/usr/bin:/bin"
        var facts = Facts()
        facts.results[probe.command] = try await LocalExecutor().run(command)
        change(&facts)
        return facts
    }

    static let good = [
        "JobAcctGatherType": "jobacct_gather/cgroup", "ProctrackType": "proctrack/cgroup",
        "TaskPlugin": "task/affinity,task/cgroup", "AccountingStorageTRES": "cpu,mem,gres/gpu",
    ]
    static let goodText = good.sorted { $0.key < $1.key }.map { "\($0)=\($1)\n" }.joined()
}

@Suite struct SlurmProbeTests {
    @Test func theProbeTellsFileIncludesAndWhatRuns() async throws {
        let fixture = SlurmFixture(
            conf: "A=1\r\nInclude more.conf # c\r\n  include\tgone.conf\r\n",
            running: ["ProctrackType": "proctrack/pgid"],
            jobs: 3)
        fixture.folder.write("more.conf", "B='2'\n")
        let state = try #require(SlurmProbe(instance: "slurm").state(try await fixture.facts()))
        #expect(state.conf?.text == "A=1\r\nInclude more.conf # c\r\n  include\tgone.conf\r\n")
        #expect(state.conf?.value(of: "B") == "'2'")
        #expect(state.conf?.includes.map(\.isKnown) == [true, false])
        #expect(state.running("proctracktype") == "proctrack/pgid")
        #expect(state.jobs == 3)
        #expect(state.realPath == "\(fixture.folder.path)/slurm.conf")
        #expect(state.linkCount == 1)
    }

    @Test func aMissingFileIsTold() async throws {
        let fixture = SlurmFixture(conf: nil)
        let facts = try await fixture.facts()
        #expect(SlurmProbe(instance: "slurm").state(facts)?.conf == nil)
        let assessment = fixture.file.assess(facts)
        #expect(assessment.state == .blocked)
        #expect(assessment.detail == "there is no /cm/shared/apps/slurm/var/etc/slurm/slurm.conf")
        #expect(assessment.remedy?.contains("cmsh -c 'wlm; list'") == true)
    }

    @Test func anAnswerThatIsNoneIsUnknown() {
        for answer in ["", "hello", "file", "file ***\n", "running QQ==\n"] { #expect(SlurmState(answer) == nil) }
        #expect(SlurmConfFile(instance: "slurm").assess(Facts()).state == .blocked)
    }

    @Test func goodSettingsAreLeftAlone() async throws {
        let fixture = SlurmFixture(conf: SlurmFixture.goodText, running: SlurmFixture.good)
        #expect(fixture.file.assess(try await fixture.facts()).state == .inPlace)
    }

    @Test func whatDiffersIsChangedAndShownAsADifference() async throws {
        let conf =
            "ClusterName=slurm\nProctrackType=proctrack/pgid\n\(SlurmConfTests.begin)\nNodeName=x\n\(SlurmConfTests.end)\n"
        let fixture = SlurmFixture(conf: conf, running: ["TaskPlugin": "affinity,cgroup"])
        let facts = try await fixture.facts()
        let assessment = fixture.file.assess(facts)
        #expect(assessment.state == .differs)
        #expect(!assessment.detail.contains("TaskPlugin"))
        let commands = try fixture.file.changes(from: facts)
        let expected =
            conf.replacing("proctrack/pgid", with: "proctrack/cgroup")
            + "JobAcctGatherType=jobacct_gather/cgroup\nAccountingStorageTRES=gres/gpu\n"
        #expect(commands.map { String(decoding: $0.input, as: UTF8.self) } == [expected])
        let difference = try #require(fixture.file.difference(facts))
        #expect(difference.contains("-ProctrackType=proctrack/pgid\n+ProctrackType=proctrack/cgroup\n"))
        #expect(difference.contains("+AccountingStorageTRES=gres/gpu\n"))
    }

    @Test func whatBCMWritesBlocksAndSaysWhereToChangeIt() async throws {
        let fixture = SlurmFixture(
            conf: "\(SlurmConfTests.begin)\nProctrackType=proctrack/pgid\n\(SlurmConfTests.end)\n", running: [:])
        let assessment = fixture.file.assess(try await fixture.facts())
        #expect(assessment.state == .blocked)
        #expect(assessment.detail.contains("ProctrackType=proctrack/pgid on line 2 is in the section that BCM writes"))
        #expect(assessment.remedy?.contains("use slurm; show") == true)
    }

    @Test func withAnUnreadIncludeNothingIsAddedBlindly() async throws {
        let fixture = SlurmFixture(conf: "Include gone.conf\n", running: nil)
        let assessment = fixture.file.assess(try await fixture.facts())
        #expect(assessment.state == .blocked)
        #expect(assessment.detail.contains("may stand in gone.conf, which could not be read"))
        // What runs as needed comes from somewhere.
        let running = SlurmFixture(conf: "Include gone.conf\n", running: SlurmFixture.good)
        #expect(running.file.assess(try await running.facts()).state == .inPlace)
    }

    @Test func aFileIsEditedThoughSlurmctldIsDown() async throws {
        let fixture = SlurmFixture(conf: "A=1\n", running: nil)
        #expect(fixture.file.assess(try await fixture.facts()).state == .differs)
    }

    @Test func keysInAndOutsideBCMsSectionAreAWarning() async throws {
        let fixture = SlurmFixture(
            conf: SlurmFixture.goodText
                + "\(SlurmConfTests.begin)\nTaskPlugin=task/affinity,task/cgroup\n\(SlurmConfTests.end)\n",
            running: SlurmFixture.good)
        let assessment = fixture.file.assess(try await fixture.facts())
        #expect(assessment.isWarning)
        #expect(assessment.detail.contains("TaskPlugin stands both in BCM's section and outside: lines 4, 6"))
    }

    @Test func sectionOneShowsTheSettingsAndWarns() async throws {
        let fixture = SlurmFixture(conf: "", running: ["ProctrackType": "proctrack/cgroup"])
        let state = try #require(SlurmProbe(instance: "slurm").state(try await fixture.facts()))
        let assessment = JobstatsPlan.judgeSlurm(state)
        #expect(assessment.isWarning)
        #expect(assessment.detail.hasPrefix("JobAcctGatherType=(null), ProctrackType=proctrack/cgroup, "))
        #expect(JobstatsPlan.judgeAccounting(makeResult("")).isWarning == false)
        #expect(
            JobstatsPlan.judgeAccounting(makeResult("sacct: error: no slurmdbd\n", 1)).detail
                == "sacct ends with exit status 1: sacct: error: no slurmdbd")
    }
}
