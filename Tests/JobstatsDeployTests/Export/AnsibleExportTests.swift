import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

struct AnsibleExportTests {
    private let folder = TemporaryFolder()

    private func files(_ plan: Plan, _ configuration: DeploymentConfiguration = makeConfiguration()) throws -> [String:
        String]
    {
        try ExportKind.ansible.folder(ExportPlan(plan, of: configuration)).files.compactMapValues { $0.text }
    }

    private func plan(_ hosts: [Host], _ resource: (Host) -> any Resource) -> Plan {
        Plan(sections: [
            PlanSection(
                number: 4, title: "A {{ title }}", purpose: "",
                steps: [
                    Step("4.x", "x", perHost: Dictionary(uniqueKeysWithValues: hosts.map { ($0, resource($0)) }))
                ])
        ])
    }

    @Test func playbookDoesNotGrowWithTheNumberOfNodes() throws {
        func size(_ count: Int) throws -> Int {
            let configuration = makeConfiguration(nodes: (1...count).map { "dgx-\($0)" }) {
                $0.deploysRoleMonitor = false
            }
            return try files(try makePlan(configuration, sections: [4, 6]), configuration)["site.yml"]?.utf8.count ?? 0
        }
        #expect(try size(10) == size(500))
    }

    @Test func hostsThatDifferOtherwiseHaveTasksOfTheirOwn() throws {
        let text = try files(
            plan([Host("a"), Host("b")]) { host in
                host.name == "a" ? LinkResource("/l", to: "/t") as any Resource : DirectoryResource("/d")
            })["site.yml"]
        #expect(text?.contains("inventory_hostname in ['a']") == true)
    }

    @Test func templateMarksInValuesMeanNothing() throws {
        let text = try files(plan([Host("a")]) { _ in LinkResource("/{{ lookup('pipe', 'id') }}", to: "{% x %}") })[
            "site.yml"]
        #expect(text?.contains("!unsafe \"/{{ lookup('pipe', 'id') }}\"") == true)
        #expect(text?.contains("!unsafe \"{% x %}\"") == true)
        #expect(text?.contains("name: \"4. A (( title ))") == true)
    }

    @Test func whatNeedsConsentIsNamedAndDoneOnlyWithIt() throws {
        let plan = Plan(sections: [
            PlanSection(
                number: 2, title: "x", purpose: "",
                steps: [
                    Step(
                        "2.slurmd", "slurmd", on: [Host("a")], consent: "slurm-restart",
                        SlurmRestart(.node, instance: "slurm"))
                ])
        ])
        let all = try files(plan)
        let tasks = (all["site.yml"] ?? "").split(separator: "- name: ").map(String.init)
        let changing = tasks.filter { $0.contains("\"-y\"") }
        #expect(changing.count == 1 && changing[0].contains("\"'slurm-restart' in bcm_jobstats_allow\""))
        let naming = tasks.filter { $0.contains("needs consent (slurm-restart)") }
        #expect(naming.count == 1 && naming[0].contains("\"'slurm-restart' not in bcm_jobstats_allow\""))
        #expect(all["group_vars/all.yml"]?.contains("bcm_jobstats_script_slurm: !unsafe |") == true)
    }

    @Test func secretsAreNotExported() throws {
        let plan = plan([Host("a")]) { _ in FileResource("/etc/key", .secret(Array("VERY-SECRET".utf8))) }
        for kind in ExportKind.allCases {
            let export = try kind.folder(ExportPlan(plan, of: DeploymentConfiguration()))
            for content in export.files.values {
                #expect(!String(decoding: try content.bytes(), as: UTF8.self).contains("VERY-SECRET"))
            }
            let main = export.files[kind == .shell ? "hosts/a.sh" : "site.yml"]?.text ?? ""
            #expect(main.contains("/etc/key"))
        }
    }

    @Test func anUnknownKindOfResourceIsLeftToAPerson() throws {
        struct Custom: Resource {
            var summary: String { "a custom thing" }
            var queries: [Query] { [] }
            func assess(_ facts: Facts) -> Assessment { .inPlace() }
            func changes(from facts: Facts) -> [Command] { [] }
            var instructions: Instructions { Instructions(commands: ["do it"]) }
        }
        let plan = plan([Host("a")]) { _ in Custom() }
        #expect(try files(plan)["site.yml"]?.contains("By hand: a custom thing") == true)
        let shell = try ExportKind.shell.folder(ExportPlan(plan, of: DeploymentConfiguration())).files["hosts/a.sh"]?
            .text
        #expect(shell?.contains("\nby_hand 'a custom thing' 'do it'\n") == true)
    }

    private static let playbook: String? = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
        .map { "\($0)/ansible-playbook" }.first { access($0, X_OK) == 0 }

    @Test(.enabled(if: playbook != nil, "ansible-playbook is not installed"))
    func ansibleTakesThePlaybook() async throws {
        for monitored in [true, false] {
            let configuration = makeConfiguration { $0.deploysRoleMonitor = monitored }
            var context = makeContext()
            let program = folder.write("program", "x")
            for name in ArtifactSource.Name.all {
                context.programs[name] = [
                    .x86: .init(path: program, sha256: SHA256Digest.hex(Array("x".utf8)), size: 1)
                ]
            }
            let export = ExportPlan(try makePlan(configuration, context), of: configuration)
            try ExportKind.ansible.folder(export).write(to: "\(folder.path)/export")
            let result = try await LocalExecutor().run(
                Command(
                    try #require(Self.playbook),
                    ["-i", "inventory.yml", "site.yml", "--syntax-check"].map {
                        $0.hasSuffix(".yml") ? "\(folder.path)/export/\($0)" : $0
                    }, environment: ["ANSIBLE_HOME": "\(folder.path)/home"], timeout: .seconds(120)))
            #expect(result.succeeded, "\(result.errorText)")
        }
    }

    @Test(.enabled(if: playbook != nil && getuid() == 0, "ansible-playbook is not installed, or this is not root"))
    func ansibleBringsAboutWhatTheRunnerThenFinds() async throws {
        let record = OwnershipRecord(directory: "\(folder.path)/memory")
        let hostile = "it's $(x) `x`\n{{ 7 * 7 }} {% raw %}\n"
        let host = Host("this-one", isLocal: true)
        mkdir("\(folder.path)/root", 0o755)
        folder.write("root/changed", "mine\n")
        func path(_ name: String) -> String { "\(folder.path)/root/\(name)" }
        let resources: [any Resource] = [
            DirectoryResource(path("it's a dir"), mode: 0o750, record: record),
            FileResource(path("it's a dir/{{ file }}"), .text(hostile), mode: 0o600, record: record),
            FileResource(
                path("changed"), .text("ours\n"), validation: Command("grep", ["-q", "ours", "{}"]), record: record),
            LinkResource(path("link"), to: "it's a {{ target }}"),
            WaitResource("so", patience: 5, remedy: "none", Command("test", ["-e", path("changed")])),
        ]
        let plan = Plan(sections: [
            PlanSection(
                number: 4, title: "x", purpose: "",
                steps: resources.enumerated().map { Step("4.\($0)", "step \($0)", on: [host], $1) })
        ])
        let export = ExportPlan(plan, of: DeploymentConfiguration(), record: record)
        try ExportKind.ansible.folder(export).write(to: "\(folder.path)/export")
        func play(_ options: String...) async throws -> CommandResult {
            try await LocalExecutor().run(
                Command(
                    try #require(Self.playbook),
                    [
                        "-i", "\(folder.path)/export/inventory.yml", "\(folder.path)/export/site.yml", "-e",
                        "ansible_become=false ansible_python_interpreter=/usr/bin/python3",
                    ] + options, environment: ["ANSIBLE_HOME": "\(folder.path)/home", "ANSIBLE_NOCOLOR": "1"],
                    timeout: .seconds(240)))
        }
        for wrong in [#"["slurm_restart"]"#, #""slurm-restart""#, #"{"slurm-restart": 1}"#] {
            let refused = try await play("-e", #"{"bcm_jobstats_allow": \#(wrong)}"#)
            #expect(!refused.succeeded && refused.outputText.contains("a list of these names: adopt-"), "\(wrong)")
        }
        #expect(folder.read("root/changed") == "mine\n")
        let first = try await play("-e", #"{"bcm_jobstats_allow": ["slurm-restart", "adopt-prometheus"]}"#)
        #expect(first.succeeded, "\(first.outputText)\(first.errorText)")
        let report = await PlanRunner(plan: plan, connector: ThisMachine(), options: .init(mode: .check)).run()
        #expect(report.results.allSatisfy { $0.outcome == .inPlace }, "\(report.results.map(\.detail))")
        let time = try #require(folder.names(in: "memory/backups").first)
        #expect(folder.read("memory/backups/\(time)\(path("changed"))") == "mine\n")
        let second = try await play()
        #expect(second.outputText.contains("changed=0 "), "\(second.outputText)")
    }

    private struct ThisMachine: HostConnector {
        func connect(to host: Host) async -> any HostConnection { LocalConnection() }
    }
}
