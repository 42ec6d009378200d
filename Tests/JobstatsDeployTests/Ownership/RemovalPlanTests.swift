import Testing

@testable import JobstatsDeploy

struct RemovalPlanTests {
    private func removal(
        _ configuration: DeploymentConfiguration = makeConfiguration(),
        sections: Set<Int> = JobstatsPlan.availableSections, exporters: RemovalPlan.Exporters = .removed,
        removesData: Bool = false
    ) throws -> Plan {
        try RemovalPlan(
            of: configuration, context: makeContext(), sections: sections, exporters: exporters,
            removesData: removesData
        ).plan()
    }

    private func ids(_ plan: Plan) -> [String] { plan.sections.flatMap(\.steps).map(\.id) }

    @Test func stepsGoInReverseOrderAndChecksPutNothingAnywhere() throws {
        let ids = ids(try removal(sections: [4]))
        #expect(
            ids
                == [
                    "4.self-test.absent", "4.unit.absent", "4.unit-file.absent", "4.program.absent",
                    "4.textfile-directory.absent", "4.user.absent",
                ].filter { ids.contains($0) })
        #expect(ids.first == "4.self-test.absent" && !ids.contains { $0.hasPrefix("1.") })
    }

    @Test func everyStepOfARemovalHasAUniqueNameAndSaysHowToDoItByHand() throws {
        let plan = try removal()
        #expect(Set(ids(plan)).count == ids(plan).count)
        for step in plan.sections.flatMap(\.steps) {
            for host in step.hosts.prefix(1) {
                #expect(step.resource(on: host)?.instructions.commands.isEmpty == false)
            }
        }
    }

    @Test func whatAnotherSectionStillNeedsStays() throws {
        let shared = makeConfiguration(nodes: ["mon-01", "dgx-02"])
        // Prometheus runs as the same user on one of the hosts.
        let exporters = try removal(shared, sections: [2, 3, 4])
        #expect(exporters.step("2.user.absent")?.hosts.map(\.name) == ["dgx-02"])
        let all = try removal(shared, sections: [2, 3, 4, 6])
        #expect(all.step("2.user.absent").map { Set($0.hosts.map(\.name)) } == ["mon-01", "dgx-02"])
        #expect(all.step("6.user.absent") == nil)
        // Another exporter needs it.
        #expect(try removal(shared, sections: [4]).step("4.user.absent") == nil)
    }

    @Test func exportersThatStayRunOnEveryNodeAndAreStillScraped() throws {
        let plan = try removal(sections: [4, 10], exporters: .left)
        #expect(plan.step("4.unit-file.absent") == nil && plan.step("4.user.absent") == nil)
        #expect(plan.step("4.unit")?.commonResource?.summary == "unit node_exporter.service: enabled, running")
        #expect(plan.step("6.targets")?.hosts.count == 2)
        #expect(ids(plan).firstIndex(of: "10.decommission")! < ids(plan).firstIndex(of: "4.unit")!)
    }

    @Test func samplesGoOnlyWhenThatWasAgreed() throws {
        #expect(try removal(sections: [6]).step("6.data.absent")?.commonResource is DirectoryRemoval)
        #expect(try removal(sections: [6], removesData: true).step("6.data.absent")?.commonResource is DataRemoval)
        #expect(try removal(sections: [6]).sections.first?.notes.contains("--allow remove-data") == true)
    }

    @Test func noKeyNoCertificateAndNoConfigurationOfTheMonitorStays() throws {
        let plan = try removal(sections: [10])
        let commands = plan.sections.flatMap(\.steps).compactMap(\.commonResource).flatMap(\.instructions.commands)
        for name in ["ca.pem", "monitor.pem", "monitor.key", "admin.pem", "admin.key"] {
            #expect(commands.contains { $0.contains("/etc/bcm-role-monitor/\(name)") }, "\(name)")
        }
        let ids = ids(plan)
        #expect(
            ids.first { $0.hasPrefix("10.") } == "10.decommission" && ids.last { $0.hasPrefix("10.") } == "10.reloaded")
        #expect(Set(ids).count == ids.count)
    }

    @Test func removingExportersWithTheMonitorLeavesEverythingElseOfTheirSections() throws {
        let plan = try removal(sections: [10])
        for id in ["2.unit-file.absent", "3.unit-file.absent", "4.unit-file.absent", "4.program.absent"] {
            #expect(plan.step(id) != nil, "\(id)")
        }
        let others = self.ids(plan).filter { $0.hasPrefix("3.") && ($0.contains("prolog") || $0.contains("epilog")) }
        #expect(others.isEmpty, "\(others)")
        #expect(try removal(sections: [10], exporters: .left).step("4.unit-file.absent") == nil)
        // Where they always run, they are no business of section 10.
        let always = makeConfiguration { $0.deploysRoleMonitor = false }
        #expect(try removal(always, sections: [10]).step("4.unit-file.absent") == nil)
    }
}
