import CommandExecution
import FoundationEssentials
import Testing

@testable import JobstatsDeploy

/// What belongs together and in which order, where each host runs a script of its own.
struct ExportStagesTests {
    private func plan(_ configuration: DeploymentConfiguration) throws -> ExportPlan {
        ExportPlan(try makePlan(configuration), of: configuration)
    }

    private func stages(_ plan: ExportPlan, _ section: Int) -> [[String: Int]] {
        plan.sections.filter { $0.number == section }.map { section in
            Dictionary(uniqueKeysWithValues: section.stages.map { ($0.key.name, $0.value) })
        }
    }

    @Test func nothingIsLeftToAPersonWhenEveryProgramIsThere() throws {
        var context = makeContext()
        let tree = TarArchive(files: [.init(path: "jobstats", bytes: Array("#!/bin/sh\n".utf8), isExecutable: true)])
        let folder = TemporaryFolder()
        let path = "\(folder.path)/tree.tar"
        try Data(tree.encoded).write(to: URL(filePath: path))
        context.programs[.jobstats] = [
            .x86: .init(path: path, sha256: SHA256Digest.hex(tree.encoded), size: tree.encoded.count)
        ]
        for monitored in [true, false] {
            let configuration = makeConfiguration { $0.deploysRoleMonitor = monitored }
            let plan = ExportPlan(try makePlan(configuration, context), of: configuration)
            let left = plan.sections.flatMap(\.steps).flatMap(\.groups).flatMap(\.actions).compactMap { action in
                if case .byHand(let title, _) = action { title } else { nil }
            }
            #expect(left.isEmpty, "\(left)")
        }
    }

    @Test func partsOfASectionWaitForTheOtherHostsOfEarlierParts() throws {
        let plan = try plan(
            makeConfiguration { $0.systems.slurmController = ["ctl-01", "ctl-02"] })
        let slurm = stages(plan, 2)
        #expect(slurm[0] == ["head-a": 1, "ctl-01": 1])
        // ctl-01 has written slurm.conf itself, but BCM's settings are made on the head node.
        #expect(slurm[1] == ["ctl-01": 2, "ctl-02": 2])
        #expect(slurm[2] == ["dgx-01": 3, "dgx-02": 3])
        #expect(slurm[3] == ["dgx-01": 3, "dgx-02": 3], "the exporter waits for no node")
        #expect(stages(plan, 3).last?["dgx-01"] == 3)
        #expect(stages(plan, 6).first == ["mon-01": 1])
        #expect(plan.stages.flatMap { $0 }.count == plan.stages.map { Set($0) }.map(\.count).reduce(0, +))
    }

    @Test func aHostKeepsTheOrderOfItsOwnSteps() throws {
        let plan = try plan(makeConfiguration())
        for host in plan.hosts {
            let order = plan.sections.compactMap { $0.stages[host] }
            #expect(order == order.sorted(), "\(host)")
        }
    }

    @Test func aScriptDoesOneStageAndRefusesOneThatIsNotThere() async throws {
        let host = Host("this-one")
        let folder = TemporaryFolder()
        func section(_ number: Int, _ hosts: [Host]) -> PlanSection {
            PlanSection(
                number: 4, title: "part \(number)", purpose: "",
                steps: [
                    Step(
                        "4.\(number)", "x", on: hosts,
                        FileResource(
                            "\(folder.path)/\(number)", .text("x\n"),
                            record: OwnershipRecord(directory: "\(folder.path)/memory")))
                ])
        }
        let plan = Plan(sections: [section(1, [host]), section(2, [Host("other")]), section(3, [host])])
        let export = ExportPlan(
            plan, of: DeploymentConfiguration(), record: OwnershipRecord(directory: "\(folder.path)/memory"))
        try ExportKind.shell.folder(export).write(to: "\(folder.path)/export")
        #expect(folder.read("export/stages") == "1 this-one\n2 other\n3 this-one\n")
        func run(_ words: String...) async throws -> CommandResult {
            try await LocalExecutor().run(
                Command("sh", ["\(folder.path)/export/hosts/this-one.sh", "--any-host"] + words))
        }
        for wrong in ["0", "4", "x", "", "99999999999999999999"] {
            let result = try await run("--stage", wrong)
            #expect(result.status == .exited(2) && result.errorText.contains("from 1 to 3"), "\(wrong)")
        }
        #expect(try await run("--stage", "1").succeeded && folder.names.contains("1") && !folder.names.contains("3"))
        let rest = try await run()
        #expect(rest.succeeded && rest.outputText.hasSuffix("1 changed, 0 left to a person\n"), "\(rest.errorText)")
    }
}
