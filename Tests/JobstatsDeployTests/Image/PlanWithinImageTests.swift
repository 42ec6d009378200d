import CommandExecution
import Testing

@testable import JobstatsDeploy

struct PlanWithinImageTests {
    private let image = SoftwareImage(name: "dgx-image", path: "/cm/images/dgx-image")

    private func imagePlan(_ configuration: DeploymentConfiguration = makeConfiguration()) throws -> Plan {
        try makePlan(configuration).within(
            image, for: Set(configuration.systems.dgxNodes.map { Host($0) }),
            sharedFolders: ["/cm/shared", configuration.targetsDirectory])
    }

    @Test func onlyWhatAnImageCanHoldIsLeftAndAllOfItForTheImage() throws {
        let plan = try imagePlan()
        #expect(plan.hosts == [image.host])
        for id in ["4.program", "4.unit-file", "4.unit", "10.program", "10.configuration", "10.unit", "10.library"] {
            #expect(plan.step(id) != nil, "\(id)")
        }
        for id in ["4.self-test", "10.verified", "10.targets", "1.root", "1.markers", "6.program"] {
            #expect(plan.step(id) == nil, "\(id)")
        }
        #expect(plan.sections.allSatisfy { !$0.steps.isEmpty && !$0.onlyLooks })
    }

    @Test func aUnitIsEnabledInAnImageAndNeverStarted() throws {
        let resource = try #require(try imagePlan().step("10.unit")?.commonResource)
        var facts = Facts()
        guard case .command(let look) = resource.queries[0] else {
            Issue.record("no query")
            return
        }
        func found(_ output: String, _ status: Int32) -> Assessment.State {
            facts.results[look] = makeResult(output, status)
            return resource.assess(facts).state
        }
        #expect(found("enabled\n", 0) == .inPlace)
        #expect(found("masked\n", 1) == .blocked)
        #expect(found("Failed to get unit file state for bcm-role-monitor.service: No such file\n", 1) == .differs)
        #expect(found("disabled\n", 1) == .differs)
        let commands = try resource.changes(from: facts)
        #expect(commands.map(\.arguments) == [["enable", "--quiet", "--", "bcm-role-monitor.service"]])
    }

    @Test func withoutAMonitorTheExportersStartAtBoot() throws {
        let plan = try imagePlan(makeConfiguration { $0.deploysRoleMonitor = false })
        #expect(plan.step("4.unit")?.commonResource?.summary == "unit node_exporter.service: enabled")
    }

    @Test func whatLiesOnSharedStorageIsPutThereFromTheHeadNode() throws {
        let configuration = makeConfiguration()
        let head = makeContext().localHost
        let plan = try makePlan(configuration).within(
            image, for: Set(configuration.systems.dgxNodes.map { Host($0) }), sharedFolders: ["/cm/shared"], head: head)
        for id in ["3.prolog", "3.epilog", "10.targets"] { #expect(plan.step(id)?.hosts == [head], "\(id)") }
        #expect(plan.step("3.prolog-link")?.hosts == [image.host])
        #expect(Set(plan.hosts) == [head, image.host])
        // Nothing of Slurm's or BCM's settings, and nothing that needs consent.
        #expect(plan.sections.flatMap(\.steps).allSatisfy { $0.consent == nil })
        #expect(!plan.sections.flatMap(\.steps).contains { $0.id.hasPrefix("2.slurm") || $0.id.hasPrefix("2.wlm") })
    }
}
