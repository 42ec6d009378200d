import BCMClient
import CommandExecution
import Testing

@testable import JobstatsDeploy

@Suite struct WorkloadSettingTests {
    /// A stand-in for cmsh that keeps one value in a file.
    private final class Shell: Sendable {
        let folder = TemporaryFolder()
        var path: String { "\(folder.path)/cmsh" }

        init(_ value: String, complaint: String = "") {
            folder.write("value", value)
            folder.write(
                "cmsh",
                """
                #!/bin/bash
                for script; do :; done
                echo "$script" >>'\(folder.path)/log'
                case $script in
                    *"; set "*"; commit")
                        [ -z '\(complaint)' ] || { echo '\(complaint)'; exit 0; }
                        value=${script##*; set }; value=${value%%;*}; echo "${value#* }" >'\(folder.path)/value' ;;
                    *) cat '\(folder.path)/value' ;;
                esac

                """, mode: 0o755)
        }

        func facts(_ resource: some Resource) async throws -> Facts {
            try await FactCollector(resource.queries).collect(with: LocalExecutor())
        }
    }

    private func resource(_ shell: Shell, instance: String = "slurm") throws -> WorkloadSettingResource {
        try WorkloadSettingResource(
            WorkloadSetting("constraincores", in: "cgroups", ofWorkloadManager: instance, executable: shell.path),
            "cores are constrained", proposal: "yes"
        ) { $0 == "yes" ? .good : .set("yes") }
    }

    @Test func aValueThatDiffersIsSetAndSeen() async throws {
        let shell = Shell("no\n")
        let resource = try resource(shell)
        let facts = try await shell.facts(resource)
        #expect(resource.assess(facts).detail == "constraincores is no, not yes")
        let result = try await LocalExecutor().run(try #require(resource.changes(from: facts).first))
        #expect(result.succeeded, "\(result.errorText)")
        #expect(resource.assess(try await shell.facts(resource)).state == .inPlace)
        #expect(
            shell.folder.read("log")?.split(separator: "\n").map { String($0) } == [
                "wlm; use slurm; cgroups; get constraincores",
                "wlm; use slurm; cgroups; set constraincores yes; commit",
                "wlm; use slurm; cgroups; get constraincores",
            ])
    }

    @Test func anErrorThatCmshReportsInTextIsAFailure() async throws {
        let shell = Shell("no\n", complaint: "Error: you are not allowed to do this")
        let resource = try resource(shell)
        let facts = try await shell.facts(resource)
        let result = try await LocalExecutor().run(try #require(resource.changes(from: facts).first))
        #expect(!result.succeeded)
        #expect(result.errorText.contains("you are not allowed"))
    }

    @Test func anInstanceThatBCMDoesNotKnowBlocks() async throws {
        let shell = Shell("Error: wlm 'slurm' does not exist\n")
        let resource = try resource(shell)
        let found = resource.assess(try await shell.facts(resource))
        #expect(found.state == .blocked)
        #expect(found.remedy?.contains("wlm_instance (slurm)") == true)
    }

    @Test(arguments: ["a;b", "a\nb", "$(x)", "`x`", "a\"b", "", "-x"]) func hostileInstancesReachNoShell(_ name: String)
    {
        #expect(throws: BCMError.self) { try resource(Shell(""), instance: name) }
    }

    @Test(arguments: [
        ("CR_Core_Memory", nil), ("cr_cpu_memory,CR_LLN", nil), ("CR_Memory", nil), ("CR_Core", "CR_Core_Memory"),
        ("CR_LLN,CR_CPU", "CR_LLN,CR_CPU_Memory"), ("", "CR_Core_Memory"), ("NONE", "CR_Core_Memory"),
        ("CR_LLN", "CR_Core_Memory,CR_LLN"),
    ])
    func memoryIsAddedToWhatIsConsumed(_ value: String, _ wanted: String?) {
        #expect(SelectType.judge(value) == (wanted.map { .set($0) } ?? .good))
    }

    // MARK: The epilog

    private func epilogFacts(
        _ value: String, runsOurs: Bool = false, conf: String = "A=1\n"
    ) async throws -> (EpilogSetting, Facts) {
        let epilog = try EpilogSetting(instance: "slurm")
        var facts = try await SlurmFixture(conf: conf).facts()
        let commands = epilog.queries.compactMap { if case .command(let command) = $0 { command } else { nil } }
        for command in commands where command != SlurmProbe(instance: "slurm").command {
            let isLook = command.executable == "sh"
            facts.results[command] = isLook ? makeResult("", runsOurs ? 0 : 1) : makeResult(value)
        }
        return (epilog, facts)
    }

    @Test func anEpilogOfTheSiteIsNeverReplaced() async throws {
        let (epilog, facts) = try await epilogFacts("/opt/site/epilog.sh\n")
        let found = epilog.assess(facts)
        #expect(found.state == .blocked)
        #expect(found.detail == "epilogslurmctld is /opt/site/epilog.sh, which is not this deployment's")
        #expect(found.remedy?.contains("/usr/local/sbin/slurmctldepilog.sh & into it") == true)
        #expect(try epilog.changes(from: facts).isEmpty)
        let (both, calling) = try await epilogFacts("/opt/site/epilog.sh\n", runsOurs: true)
        #expect(both.assess(calling).state == .inPlace)
    }

    @Test func noEpilogIsSetAndOursIsInPlace() async throws {
        let (epilog, facts) = try await epilogFacts("\n")
        #expect(epilog.assess(facts).state == .differs)
        #expect(
            try epilog.changes(from: facts).first?.arguments.last
                == "wlm; use slurm; set epilogslurmctld /usr/local/sbin/slurmctldepilog.sh; commit")
        // A slurmctld that is older than this mark has to be restarted.
        #expect(try epilog.changes(from: facts).first?.arguments.contains(SlurmPaths.epilogMark) == true)
        let (same, inPlace) = try await epilogFacts("/usr/local/sbin/slurmctldepilog.sh\n")
        #expect(same.assess(inPlace).state == .inPlace)
    }

    @Test func takenAwayIsOnlyWhatIsOurs() async throws {
        for (value, state) in [
            ("/usr/local/sbin/slurmctldepilog.sh\n", Assessment.State.differs), ("/opt/x\n", .inPlace),
        ] {
            let (epilog, facts) = try await epilogFacts(value)
            let absence = try #require(epilog.absence)
            #expect(absence.assess(facts).state == state)
            if state == .differs {
                #expect(
                    try absence.changes(from: facts).first?.arguments.last
                        == "wlm; use slurm; set epilogslurmctld \"\"; commit")
            }
        }
    }

    @Test func anEpilogThatIsWrittenByHandGetsNoSecondOne() async throws {
        let (epilog, facts) = try await epilogFacts("\n", conf: "EpilogSlurmctld=/opt/x\n")
        #expect(epilog.assess(facts).state == .blocked)
        let (ours, ourFacts) = try await epilogFacts(
            "\n", conf: "EpilogSlurmctld=/usr/local/sbin/slurmctldepilog.sh\n")
        #expect(ours.assess(ourFacts).state == .inPlace)
    }

    @Test func slurmctldReadsItsConfigurationAgainOnlyWhereItDiffers() async throws {
        let runs = EpilogRuns(instance: "slurm")
        let conf = "EpilogSlurmctld=/usr/local/sbin/slurmctldepilog.sh\n"
        let ours = "/usr/local/sbin/slurmctldepilog.sh"
        #expect(
            runs.assess(try await SlurmFixture(conf: conf, running: ["EpilogSlurmctld": ours]).facts()).state
                == .inPlace)
        #expect(
            runs.assess(try await SlurmFixture(conf: conf, running: ["EpilogSlurmctld[0]": ours]).facts()).state
                == .inPlace)
        #expect(
            runs.assess(try await SlurmFixture(conf: conf, running: ["EpilogSlurmctld": "(null)"]).facts()).state
                == .differs)
        #expect(runs.assess(try await SlurmFixture(conf: "A=1\n", running: [:]).facts()).isWarning)
        #expect(runs.assess(try await SlurmFixture(conf: conf, running: nil).facts()).state == .blocked)
    }
}
