import FoundationEssentials
import Testing

@testable import JobstatsDeploy

/// Plans for every shape of site hold together.
@Suite struct SiteShapeTests {
    /// What is true of every plan.
    private func check(_ plan: Plan, _ configuration: DeploymentConfiguration) {
        let steps = plan.sections.flatMap(\.steps)
        #expect(Set(steps.map(\.id)).count == steps.count, "step ids")
        for step in steps {
            #expect(!step.title.isEmpty && !step.hosts.isEmpty, "\(step.id)")
            #expect(
                Set(step.hosts.map { $0.name.lowercased() }).count == step.hosts.count, "\(step.id) names a host twice")
            #expect(step.hosts.allSatisfy { step.resource(on: $0)?.summary.isEmpty == false }, "\(step.id)")
        }
        for section in plan.sections {
            #expect(section.purpose.count > 40, "section \(section.number) does not say why")
            #expect(
                section.link != nil || section.title.hasPrefix("Shared storage") || section.number == 10
                    || section.purpose.contains("Left out"))
            // The same thing is not done twice on a host within a section.
            for host in section.hosts {
                let resources = section.steps.compactMap { $0.resource(on: host)?.summary }
                #expect(Set(resources).count == resources.count, "section \(section.number) on \(host)")
            }
        }
        let document = DeploymentDocument(plan: plan, configuration: configuration, kind: .dryRun, headNode: "head-a")
            .markdown
        for section in plan.sections { #expect(document.contains("## \(section.number). ")) }
    }

    private static let templates = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "automation/configs").path

    @Test(arguments: ["config.json.template", "config-shared-hosts.json", "config-existing-monitoring.json"])
    func everyTemplateGivesAWholePlan(_ name: String) throws {
        let reading = DeploymentConfiguration.load(path: "\(Self.templates)/\(name)")
        let configuration = try #require(reading.configuration)
        let plan = try makePlan(configuration)
        check(plan, configuration)
        #expect(Set(plan.sections.map(\.number)) == JobstatsPlan.availableSections)
    }

    @Test(arguments: ["prometheus", "grafana", "node_exporter", "jobstats"])
    func whatIsSkippedIsLeftOutAndSaid(_ name: String) throws {
        let section = ["prometheus": 6, "grafana": 7, "node_exporter": 4, "jobstats": 9][name]
        let configuration = makeConfiguration()
        let plan = try makePlan(configuration, makeContext { $0.consents = ["skip-\(name)"] })
        check(plan, configuration)
        let left = plan.sections.filter { $0.number == section }
        #expect(left.count == 1 && left[0].steps.isEmpty && left[0].purpose.contains("--allow skip-\(name)"))
        #expect(plan.step("1.port.\(name)") == nil)
    }

    @Test func aSkippedPrometheusIsNotAskedForItsTargets() throws {
        let configuration = makeConfiguration { $0.deploysRoleMonitor = false }
        let plan = try makePlan(configuration, makeContext { $0.consents = ["skip-prometheus", "skip-grafana"] })
        #expect(!plan.hosts.contains(Host("mon-01")))
        #expect(plan.step("6.targets") != nil && plan.step("1.space") == nil)
    }

    @Test func oneHostInEveryRoleIsVisitedOnceForEachStep() throws {
        let configuration = makeConfiguration {
            $0.systems.slurmController = ["head-a"]
            $0.systems.loginNodes = ["HEAD-A"]
            $0.systems.prometheusServer = ["head-a"]
            $0.systems.grafanaServer = ["Head-A"]
        }
        let plan = try makePlan(configuration)
        check(plan, configuration)
        let host = Host("head-a", isLocal: true)
        for id in ["1.name", "6.unit", "7.unit", "9.link", "9.requests"] {
            let hosts = try #require(plan.step(id)?.hosts)
            #expect(hosts.filter { $0.name.lowercased() == "head-a" } == [host], "\(id)")
        }
    }

    @Test func severalControllersAndLoginNodesHaveTheCommandOnceEach() throws {
        let configuration = makeConfiguration {
            $0.systems.slurmController = ["ctl-01", "ctl-02"]
            $0.systems.loginNodes = ["login-01", "ctl-02"]
        }
        let plan = try makePlan(configuration)
        check(plan, configuration)
        #expect(plan.step("9.link")?.hosts.map(\.name) == ["login-01", "ctl-02", "ctl-01"])
        #expect(plan.step("9.program")?.hosts == [Host("head-a", isLocal: true)])
    }

    @Test func withoutLoginNodesAndControllersTheCommandIsInstalledAndThatIsSaid() throws {
        let configuration = makeConfiguration {
            $0.systems.slurmController = []
            $0.systems.loginNodes = []
        }
        let plan = try makePlan(configuration)
        check(plan, configuration)
        #expect(plan.step("9.link") == nil && plan.step("9.program") != nil)
        let section = try #require(plan.sections.first { $0.number == 9 })
        #expect(section.notes.contains("no host gets the link"))
    }

    @Test func withoutAGrafanaServerThatIsSaid() throws {
        let configuration = makeConfiguration { $0.systems.grafanaServer = [] }
        let plan = try makePlan(configuration)
        check(plan, configuration)
        let section = try #require(plan.sections.first { $0.number == 7 })
        #expect(section.steps.isEmpty && section.purpose.contains("`systems.grafana_server` is empty"))
    }

    @Test func withoutRoleMonitorsInADirectoryOfTheSite() throws {
        let configuration = makeConfiguration {
            $0.deploysRoleMonitor = false
            $0.usesCustomTargetsDirectory = true
            $0.customTargetsDirectory = "/shared/a, b~1"
        }
        let plan = try makePlan(configuration)
        check(plan, configuration)
        #expect(plan.step("1.head-node") == nil)
        #expect(plan.step("6.targets-directory")?.commonResource?.summary.contains("/shared/a, b~1") == true)
    }

    @Test func allHeadNodesAreReachedWhenTheyAreKnown() throws {
        var site = SiteFacts()
        site.headNodes = ["head-a", "head-b"]
        let plan = try makePlan(makeConfiguration(), makeContext { $0.facts = site })
        #expect(plan.step("1.head-node")?.commonResource?.summary == "it reaches BCM at head-a:8081")
        #expect(plan.step("10.head-nodes")?.commonResource?.summary == "it reaches BCM at head-b:8081")
        #expect(try makePlan().step("10.head-nodes") == nil)
    }

    @Test(arguments: [("cgroup_exporter", 2), ("nvidia_gpu_exporter", 3)])
    func aSkippedExporterIsNotInstalledAndItsSectionKeepsTheRest(_ name: String, _ number: Int) throws {
        let configuration = makeConfiguration()
        let plan = try makePlan(configuration, makeContext { $0.consents = ["skip-\(name)"] })
        check(plan, configuration)
        #expect(plan.step("\(number).unit-file") == nil && plan.step("1.port.\(name)") == nil)
        #expect(try makePlan(configuration).step("\(number).unit-file") != nil)
        #expect(plan.sections.contains { $0.number == number && $0.purpose.contains("--allow skip-\(name)") })
        #expect(plan.step("2.slurm-conf") != nil && plan.step("3.prolog-link") != nil)
    }

    @Test func portsAndHostsOfEveryChosenSectionAreLookedAt() throws {
        let plan = try makePlan(sections: [1, 2, 3, 4, 6, 7, 9])
        for name in ["cgroup_exporter", "nvidia_gpu_exporter", "node_exporter", "prometheus", "grafana"] {
            #expect(plan.step("1.port.\(name)") != nil, "\(name)")
        }
        #expect(
            plan.step("1.name")?.hosts.map(\.name).sorted() == ["ctl-01", "dgx-01", "dgx-02", "login-01", "mon-01"])
        let few = try makePlan(sections: [1, 4])
        #expect(few.step("1.name")?.hosts.map(\.name).sorted() == ["dgx-01", "dgx-02", "mon-01"])
        #expect(plan.step("1.programs.nodes") != nil && plan.step("1.programs.server") != nil)
    }
}
