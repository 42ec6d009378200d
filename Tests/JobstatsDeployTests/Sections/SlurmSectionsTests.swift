import CommandExecution
import Testing

@testable import JobstatsDeploy

@Suite struct SlurmSectionsTests {
    private func text(_ plan: Plan, _ id: String, _ host: String = "dgx-01") -> String {
        plan.step(id)?.resource(on: Host(host))?.instructions.files.first?.text ?? ""
    }

    private func command(_ unit: String) -> String {
        unit.split(separator: "\n").first { $0.hasPrefix("ExecStart=") }.map { String($0) } ?? ""
    }

    @Test func exportersGetTheFlagsOfTheirVersions() throws {
        let present = try makePlan(sections: [2, 3])
        #expect(
            command(text(present, "2.unit-file"))
                == "ExecStart=/usr/local/bin/cgroup_exporter --web.listen-address=:9306")
        #expect(
            command(text(present, "3.unit-file"))
                == "ExecStart=/usr/local/bin/nvidia_gpu_exporter -web.listen-address=:9445")
        let other = try makePlan(
            makeConfiguration {
                $0.cgroupExporterPort = 19306
                $0.nvidiaGPUExporterPort = 19445
            },
            makeContext {
                $0.exporterAbilities.cgroupPathsAreGiven = true
                $0.exporterAbilities.gpmCanBeDisabled = true
            }, sections: [2, 3])
        #expect(command(text(other, "2.unit-file")).hasSuffix(" --web.listen-address=:19306 --config.paths /slurm"))
        #expect(command(text(other, "3.unit-file")).hasSuffix(" -web.listen-address=:19445 -disable.gpm"))
    }

    @Test func exportersAreAskedForTheirFlags() async {
        func ask(_ cgroup: String, _ gpu: String) async -> ExporterAbilities {
            let executor = RecordingExecutor { command throws(CommandError) in
                makeResult(command.executable == "/cgroup" ? cgroup : gpu)
            }
            return await ExporterAbilities.ask(cgroup: "/cgroup", gpu: "/gpu", with: executor)
        }
        let old = await ask("Flags:\n  --config.paths=CONFIG.PATHS\n", "Usage of x:\n  -disable.gpm\n")
        #expect(old.cgroupPathsAreGiven && old.gpmCanBeDisabled)
        let silent = RecordingExecutor { command throws(CommandError) in
            throw CommandError(.timedOut, executable: command.executable, reason: "no answer")
        }
        #expect(await ExporterAbilities.ask(cgroup: "/cgroup", gpu: nil, with: silent) == ExporterAbilities())
        #expect(await ask("  --path.cgroup.root\n", "  -web.listen-address string\n") == ExporterAbilities())
    }

    @Test func hooksAreOnTheNodesAboveAll() throws {
        let plan = try makePlan(sections: [3])
        for id in ["3.prolog-link", "3.epilog-link"] {
            #expect(plan.step(id)?.hosts.map(\.name) == ["dgx-01", "dgx-02", "ctl-01", "head-a", "login-01"])
        }
        #expect(plan.step("3.prolog")?.hosts.map(\.name) == ["head-a"])
        let link = try #require(plan.step("3.prolog-link")?.commonResource)
        #expect(
            link.summary
                == "link /cm/local/apps/slurm/var/prologs/60-prolog-jobstats.sh to /cm/shared/apps/slurm/var/cm/prolog-jobstats.sh"
        )
    }

    @Test func aHostInSeveralRolesGetsEachStepOnce() throws {
        let plan = try makePlan(
            makeConfiguration {
                $0.systems.slurmController = ["head-a", "dgx-01"]
                $0.systems.loginNodes = ["HEAD-A", "dgx-01"]
            }, sections: [2, 3, 5])
        for step in plan.sections.flatMap(\.steps) { #expect(Set(step.hosts).count == step.hosts.count, "\(step.id)") }
        #expect(plan.step("3.prolog-link")?.hosts.map(\.name) == ["dgx-01", "dgx-02", "head-a"])
    }

    @Test func aHookIsMadeOnlyWhereItsScriptIsSeen() throws {
        let hook = JobHook("/a/prologs/60-x.sh", runs: "/shared/x.sh")
        let look = Command("test", ["-x", "/shared/x.sh"], timeout: .seconds(20))
        var facts = Facts()
        facts.files["/a/prologs/60-x.sh"] = .missing
        facts.links["/a/prologs/60-x.sh"] = .some(nil)
        #expect(hook.assess(facts).state == .blocked)
        facts.results[look] = makeResult("", 1)
        #expect(hook.assess(facts).detail == "/shared/x.sh is not seen here, or cannot be run")
        facts.results[look] = makeResult("")
        #expect(hook.assess(facts).state == .differs)
        #expect(hook.changes(from: facts).map(\.executable) == ["sh"])
    }

    @Test func inAnImageAHookIsALinkAlone() throws {
        let hook = try #require(JobHook("/a/prologs/60-x.sh", runs: "/shared/x.sh").imageForm)
        #expect(hook.queries == [.file("/a/prologs/60-x.sh"), .link("/a/prologs/60-x.sh")])
        var facts = Facts()
        facts.files["/a/prologs/60-x.sh"] = .missing
        facts.links["/a/prologs/60-x.sh"] = .some(nil)
        #expect(hook.assess(facts).state == .differs)
    }

    @Test func aDirectoryOfBCMsKeepsItsMode() {
        let directory = PresentDirectory("/a")
        var facts = Facts()
        facts.files["/a"] = FileFact(
            kind: .directory, mode: 0o2775, owner: "x", group: "y", size: 1, changed: 0, sha256: nil)
        #expect(directory.assess(facts).state == .inPlace)
        facts.files["/a"] = .missing
        #expect(directory.assess(facts).state == .differs)
        #expect(directory.assess(Facts()).state == .blocked)
    }

    @Test func whatDisturbsHasAConsentOfItsOwn() throws {
        let plan = try makePlan(sections: [2, 3, 5])
        let consents = plan.sections.flatMap(\.steps).filter { $0.consent != nil }
        #expect(
            consents.map { "\($0.id) \($0.consent ?? "")" } == [
                "2.select-type select-type", "2.slurmctld slurm-restart", "2.slurmd slurm-restart",
                "5.running slurm-restart", "5.slurmctld slurm-restart",
            ])
        #expect(plan.step("2.slurm-conf")?.hosts.map(\.name) == ["ctl-01"])
    }

    @Test func everyControllerIsRestartedAndHasTheEpilog() throws {
        let plan = try makePlan(
            makeConfiguration { $0.systems.slurmController = ["ctl-01", "ctl-02"] }, sections: [2, 5])
        #expect(plan.step("2.slurm-conf")?.hosts.map(\.name) == ["ctl-01"])
        #expect(plan.step("2.slurmctld")?.hosts.map(\.name) == ["ctl-01", "ctl-02"])
        #expect(plan.step("5.script")?.hosts.map(\.name) == ["ctl-01", "ctl-02"])
        #expect(plan.step("5.epilog")?.hosts.map(\.name) == ["head-a"])
    }

    @Test func withoutAControllerSlurmIsLeftAlone() throws {
        let plan = try makePlan(makeConfiguration { $0.systems.slurmController = [] }, sections: [1, 2, 3, 5])
        let slurm = [
            "2.slurm-conf", "2.constraincores", "2.select-type", "2.slurmctld", "2.slurmd", "1.slurm", "5.script",
        ]
        #expect(slurm.allSatisfy { plan.step($0) == nil })
        #expect(plan.step("2.unit-file") != nil)
        #expect(plan.sections.contains { $0.number == 2 && $0.notes.contains("No Slurm controller is configured") })
        #expect(plan.sections.contains { $0.number == 5 && $0.purpose.contains("No Slurm controller is configured") })
    }

    @Test func theInstanceIsTheConfiguredOne() throws {
        let plan = try makePlan(makeConfiguration { $0.wlmInstance = "gpu-1" }, sections: [2, 5])
        #expect(plan.step("2.slurm-conf")?.commonResource?.summary.contains("/var/etc/gpu-1/slurm.conf") == true)
        #expect(
            plan.step("2.constraincores")?.commonResource?.instructions.commands
                == ["cmsh -c 'wlm; use gpu-1; cgroups; set constraincores yes; commit'"])
    }

    @Test func aHostileInstanceMakesNoPlan() {
        for name in ["a;b", "a\nb", "$(x)", "a'b"] {
            #expect(throws: (any Error).self) {
                try makePlan(makeConfiguration { $0.wlmInstance = name }, sections: [2])
            }
        }
    }

    @Test(arguments: [
        ("minor 0\nminor 1\n", false, "2 GPUs in the order of their devices"),
        (
            "minor 2\nminor 3\nminor 0\nminor 1\n", true,
            "4 of 4 GPUs have another number than their device: GPU 0 is /dev/nvidia2"
        ),
        ("autodetect\nminor 2\nminor 3\n", false, "2 GPUs, AutoDetect=nvml"),
        ("", true, "the driver shows no GPU here"),
        ("minor x\n", true, "the driver shows no GPU here"),
    ])
    func gpusThatSlurmCountsOtherwiseAreAWarning(_ output: String, _ isWarning: Bool, _ detail: String) {
        let found = DeviceOrder.judge(makeResult(output))
        #expect(found.isWarning == isWarning)
        #expect(found.detail == detail)
    }
}
