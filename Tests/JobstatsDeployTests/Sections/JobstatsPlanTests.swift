import PromTargets
import Testing

@testable import JobstatsDeploy

@Suite struct JobstatsPlanTests {
    @Test func stepsHaveUniqueNamesAndHosts() throws {
        for monitored in [true, false] {
            let plan = try makePlan(makeConfiguration { $0.deploysRoleMonitor = monitored })
            let steps = plan.sections.flatMap(\.steps)
            #expect(Set(steps.map(\.id)).count == steps.count)
            #expect(steps.allSatisfy { !$0.hosts.isEmpty && !$0.title.isEmpty })
            #expect(steps.allSatisfy { step in step.hosts.allSatisfy { step.resource(on: $0) != nil } })
        }
    }

    @Test func eachSectionSaysWhyAndWhereItIsDocumented() throws {
        let plan = try makePlan()
        for section in plan.sections where section.steps.first?.id != "1.shared" && section.number != 10 {
            #expect(!section.purpose.isEmpty)
            #expect(
                section.link?.hasPrefix("https://princetonuniversity.github.io/jobstats/setup/") == true
                    || section.title.hasPrefix("Shared storage"))
        }
        #expect(plan.sections.map(\.number) == [1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 5, 5, 6, 7, 8, 9, 9, 10])
    }

    @Test func onlyTheChosenSectionsArePlanned() throws {
        #expect(try makePlan(sections: [4]).sections.map(\.number) == [4])
        #expect(try makePlan(sections: [0, 11]).sections.isEmpty)
        let withoutPrometheus = try makePlan(sections: [1, 4])
        #expect(withoutPrometheus.step("1.port.node_exporter") != nil)
        #expect(withoutPrometheus.step("1.port.prometheus") == nil)
    }

    @Test func theRoleMonitorDecidesWhetherAnExporterRuns() throws {
        let monitored = try makePlan(sections: [4])
        #expect(
            monitored.step("4.unit")?.commonResource?.summary
                == "unit node_exporter.service: not enabled at boot, running or not as found")
        #expect(monitored.step("4.self-test") != nil)
        let always = try makePlan(makeConfiguration { $0.deploysRoleMonitor = false }, sections: [4, 6])
        #expect(
            always.step("4.unit")?.commonResource?.summary == "unit node_exporter.service: enabled, running")
        #expect(always.step("4.self-test") == nil)
        #expect(always.step("6.targets")?.hosts.map(\.name) == ["dgx-01", "dgx-02"])
        #expect(monitored.step("6.targets") == nil)
    }

    @Test func aLimitedPlanStillLooksWhetherThisIsTheActiveHeadNode() throws {
        let plan = try makePlan().limited(to: ["dgx-02"])
        #expect(plan.step("1.active")?.hosts == [Host("head-a", isLocal: true)])
        #expect(plan.step("4.unit")?.hosts == [Host("dgx-02")])
        #expect(plan.step("6.unit") == nil)
    }

    @Test func theHeadNodeOfTheConfigurationIsThisMachine() throws {
        let plan = try makePlan(makeConfiguration { $0.systems.prometheusServer = ["HEAD-A"] })
        #expect(plan.step("6.unit")?.hosts == [Host("head-a", isLocal: true)])
    }

    @Test func anExistingPrometheusIsNotTouched() throws {
        let plan = try makePlan(
            makeConfiguration {
                $0.usesExistingPrometheus = true
                $0.customTargetsDirectory = "/shared/targets"
            }, sections: [1, 4, 6, 10])
        let section = try #require(plan.sections.first { $0.number == 6 })
        #expect(section.steps.map(\.id) == ["6.existing"])
        #expect(section.notes.contains("/shared/targets/*.json"))
        #expect(
            section.notes.contains("job_name: \"gpu_exporter\"") || section.notes.contains("job_name: gpu_exporter"))
        #expect(!plan.hosts.contains(Host("mon-01")))
    }

    @Test func targetFilesNameTheNodeAsBCMDoes() throws {
        let configuration = makeConfiguration(nodes: ["dgx-01.cluster"]) {
            $0.targetDomain = "example.org"
            $0.deploysRoleMonitor = false
        }
        let plan = JobstatsPlan(configuration: configuration, context: makeContext())
        let groups = try plan.targetGroups(of: Host("dgx-01.cluster"))
        #expect(
            groups.map(\.targets) == [
                ["dgx-01.example.org:9100"], ["dgx-01.example.org:9306"], ["dgx-01.example.org:9445"],
            ])
        #expect(groups[0].labels == ["job": "node_exporter", "cluster": "slurm", "hostname": "dgx-01"])
        let file = try #require(try plan.plan().step("6.targets")?.resource(on: Host("dgx-01.cluster")))
        #expect(
            file.instructions.files.map(\.path) == ["\(DeploymentConfiguration.defaultTargetsDirectory)/dgx-01.json"])
    }

    @Test func configuredPortsReachEveryPlace() throws {
        let plan = try makePlan(
            makeConfiguration {
                $0.nodeExporterPort = 19100
                $0.prometheusPort = 19090
                $0.prometheusRetentionDays = 42
            })
        func file(_ id: String, _ host: String) -> String {
            plan.step(id)?.resource(on: Host(host))?.instructions.files.first?.text ?? ""
        }
        #expect(file("4.unit-file", "dgx-01").contains("--web.listen-address=:19100"))
        #expect(file("6.unit-file", "mon-01").contains("--web.listen-address=:19090"))
        #expect(file("6.unit-file", "mon-01").contains("--storage.tsdb.retention.time=42d"))
        #expect(file("6.configuration", "mon-01").contains("19100"))
        #expect(file("10.configuration", "dgx-01").contains("\"node_exporter_port\": 19100"))
    }

    @Test func prometheusHasNoLifecycleInterface() throws {
        let unit = try makePlan().step("6.unit-file")?.commonResource?.instructions.files.first?.text ?? ""
        #expect(unit.split(separator: "\n").contains { $0.hasPrefix("ExecStart=") })
        #expect(!unit.split(separator: "\n").contains { $0.hasPrefix("ExecStart=") && $0.contains("lifecycle") })
    }

    /// Kernel and network file systems are excluded, local ones are not.
    @Test(arguments: [
        ("nfs", true), ("nfs4", true), ("lustre", true), ("gpfs", true), ("fuse.sshfs", true), ("beegfs", true),
        ("tmpfs", false), ("ext4", false), ("xfs", false), ("btrfs", false), ("vfat", false), ("zfs", false),
    ])
    func networkFileSystemsAreNotLookedAt(_ type: String, _ isExcluded: Bool) throws {
        let pattern = try Regex(JobstatsPlan.excludedFileSystems)
        #expect((try pattern.wholeMatch(in: type) != nil) == isExcluded)
    }

    @Test func twoThousandNodesArePlannedAndWrittenQuickly() throws {
        let nodes = (1...2000).map { "dgx-\($0)" }
        let configuration = makeConfiguration(nodes: nodes) { $0.deploysRoleMonitor = false }
        let plan = try makePlan(configuration)
        let text = DeploymentDocument(plan: plan, configuration: configuration, kind: .dryRun, headNode: "head-a")
            .markdown
        #expect(text.utf8.count < 200_000)
        #expect(text.contains("`dgx-[1-2000]` (2000 hosts)"))
    }
}
