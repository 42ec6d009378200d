import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// The script export, run for real on this machine with paths below a temporary folder and a stand-in systemctl.
@Suite(.enabled(if: getuid() == 0, "the scripts run as root"))
struct ShellExportTests {
    private let folder = TemporaryFolder()
    private var record: OwnershipRecord { OwnershipRecord(directory: "\(folder.path)/memory") }
    private let host = Host("this-one")
    private let hostile = "it's $(touch /tmp/pwned) `x`\nEND_OF_FILE\n{{ 7 * 7 }}; \"\\\n"

    private func path(_ name: String) -> String { "\(folder.path)/root/\(name)" }

    private func plan(_ text: String = "text\n") throws -> Plan {
        let program = folder.write("program", "#!/bin/sh\nexit 0")
        let content = FileContent.localFile(
            program, sha256: SHA256Digest.hex(Array("#!/bin/sh\nexit 0".utf8)), size: 16)
        let resources: [any Resource] = [
            DirectoryResource(path("it's a dir"), mode: 0o750, record: record),
            FileResource(path("it's a dir/$(file)"), .text(hostile), mode: 0o600, record: record),
            FileResource(path("unit"), .text(text), record: record),
            FileResource(path("program"), content, mode: 0o755, record: record),
            LinkResource(path("link"), to: "it's a target"), AbsentFileResource(path("old")),
            RetiredFileResource(path("retired"), reason: "it is"),
            WaitResource("so", patience: 5, remedy: "none", Command("test", ["-e", path("unit")])),
        ]
        return Plan(sections: [
            PlanSection(
                number: 4, title: "Test; `x`", purpose: "",
                steps: resources.enumerated().map { Step("4.\($0)", "step \($0)", on: [host], $1) })
        ])
    }

    private func write(_ plan: Plan) throws -> String {
        let export = ExportPlan(plan, of: DeploymentConfiguration(), record: record)
        try ExportKind.shell.folder(export).write(to: "\(folder.path)/export")
        return "\(folder.path)/export/hosts/this-one.sh"
    }

    private func run(_ script: String, _ words: String...) async throws -> CommandResult {
        folder.write("bin/systemctl", "#!/bin/sh\necho \"$*\" >>\(folder.path)/calls\n", mode: 0o755)
        return try await LocalExecutor().run(
            Command("sh", [script, "--any-host"] + words, environment: ["PATH": "\(folder.path)/bin:/usr/bin:/bin"]))
    }

    private func prepare() {
        mkdir("\(folder.path)/root", 0o755)
        mkdir("\(folder.path)/bin", 0o755)
        folder.write("root/old", "x")
        folder.write("root/retired", "x")
    }

    @Test func aCheckOfTheRunnerFindsEverythingInPlaceAfterwards() async throws {
        prepare()
        let script = try write(try plan())
        let look = try await run(script, "--check")
        #expect(look.succeeded && folder.names(in: "root") == ["old", "retired"], "\(look.errorText)")
        let first = try await run(script)
        #expect(first.succeeded, "\(first.outputText)\(first.errorText)")
        #expect(folder.read("root/it's a dir/$(file)") == hostile)
        #expect(access("/tmp/pwned", F_OK) != 0)
        let report = await PlanRunner(plan: try plan(), connector: ThisMachine(), options: .init(mode: .check)).run()
        #expect(report.results.allSatisfy { $0.outcome == .inPlace }, "\(report.results.map(\.detail))")
        let second = try await run(script)
        #expect(second.outputText.hasSuffix("this-one: 0 changed, 0 left to a person\n"))
    }

    @Test func whatSomebodyChangedIsKept() async throws {
        prepare()
        _ = try await run(try write(try plan()))
        folder.write("root/unit", "mine\n")
        let result = try await run(try write(try plan("newer\n")))
        #expect(result.outputText.contains("changing: file \(path("unit"))"))
        let time = try #require(folder.names(in: "memory/backups").first)
        #expect(folder.read("memory/backups/\(time)\(path("unit"))") == "mine\n")
        #expect(folder.read("root/unit") == "newer\n")
    }

    @Test func aFileThatWasChangedOnTheWayIsNotInstalled() async throws {
        prepare()
        let script = try write(try plan())
        let digest = SHA256Digest.hex(Array("#!/bin/sh\nexit 0".utf8)).prefix(12)
        folder.write("export/files/\(digest)/program", "#!/bin/sh\nrm -rf /")
        let result = try await run(script)
        #expect(!result.succeeded && result.errorText.contains("has another SHA-256"))
        #expect(!folder.names(in: "root").contains("program"))
    }

    @Test func anotherHostRefusesTheScript() async throws {
        prepare()
        let result = try await LocalExecutor().run(Command("sh", [try write(try plan())]))
        #expect(result.status == .exited(1) && result.errorText.contains("another host"))
        #expect(folder.names(in: "root") == ["old", "retired"])
    }

    @Test func consentIsNeededForWhatDisturbsAndOnlyWhenItWouldChange() async throws {
        prepare()
        let file = FileResource(path("unit"), .text("x\n"), record: record)
        let plan = Plan(sections: [
            PlanSection(
                number: 2, title: "x", purpose: "",
                steps: [Step("2.0", "restart", on: [host], consent: "slurm-restart", file)])
        ])
        let refused = try await run(try write(plan))
        #expect(refused.status == .exited(3) && refused.outputText.contains("(--allow slurm-restart)"))
        #expect(!folder.names(in: "root").contains("unit"))
        #expect(try await run(try write(plan), "--allow", "select-type,slurm-restart").succeeded)
        #expect(try await run(try write(plan)).succeeded)
    }

    @Test(arguments: ["slurm_restart", "slurm-restart,x", ",", "", "skip-grafana", "*"])
    func consentThatNoScriptKnowsIsRefused(_ names: String) async throws {
        prepare()
        let result = try await run(try write(try plan()), "--allow", names)
        #expect(result.status == .exited(2) && result.errorText.contains("slurm-restart submit-job"))
        #expect(folder.names(in: "root") == ["old", "retired"])
    }

    @Test func theFolderOfFilesInUseGoesWithTheScript() async throws {
        prepare()
        folder.write(
            "bin/mktemp",
            "#!/bin/sh\n[ \"$*\" != -d ] || set -- -d \(folder.path)/use.XXXXXX\nexec /usr/bin/mktemp \"$@\"\n",
            mode: 0o755)
        let result = try await run(try write(try plan()))
        #expect(result.succeeded && !folder.names.contains { $0.hasPrefix("use.") }, "\(result.errorText)")
    }

    @Test func bytesThatChangeAfterTheyWereJudgedAreNotInstalled() async throws {
        prepare()
        let script = try write(try plan())
        let program = "#!/bin/sh\nexit 0"
        let file = "\(folder.path)/export/files/\(SHA256Digest.hex(Array(program.utf8)).prefix(12))/program"
        // As soon as the digest of the right bytes was told, the exported file is another one.
        folder.write(
            "bin/sha256sum",
            """
            #!/bin/sh
            sum=$(/usr/bin/sha256sum "$@")
            printf '%s\\n' "$sum"
            case $sum in \(SHA256Digest.hex(Array(program.utf8)))*) echo changed >'\(file)' ;; esac

            """, mode: 0o755)
        let result = try await run(script)
        #expect(result.succeeded && folder.read("root/program") == program, "\(result.errorText)")
        #expect(folder.read(file.replacing("\(folder.path)/", with: "")) == "changed\n")
    }

    // MARK: All hosts

    /// The script for all hosts with a stand-in for ssh, which ends on each host as told.
    private func runAll(
        _ stages: String, _ endings: [String: Int], _ words: String...
    ) async throws -> (result: CommandResult, calls: [String]) {
        prepare()
        _ = try write(try plan())
        folder.write("export/stages", stages)
        let cases = endings.map { "\($0.key)) exit \($0.value) ;;\n" }.joined()
        folder.write(
            "bin/ssh", "#!/bin/sh\nshift 2\necho \"$*\" >>\(folder.path)/calls\necho said\ncase $1 in\n\(cases)esac\n",
            mode: 0o755)
        let result = try await LocalExecutor().run(
            Command(
                "sh", ["\(folder.path)/export/run.sh"] + words,
                environment: ["PATH": "\(folder.path)/bin:/usr/bin:/bin"]))
        return (result, (folder.read("calls") ?? "").split(separator: "\n").map(String.init))
    }

    @Test func openStepsLetAllStagesGoOn() async throws {
        let (result, calls) = try await runAll("1 a\n1 b\n2 a\n", ["b": 3], "--allow", "slurm-restart", "--check")
        #expect(result.status == .exited(3), "\(result.errorText)")
        #expect(result.outputText.contains("b: said\n"))
        let words = "--allow slurm-restart --check"
        let there = "\(folder.path)/export/hosts"
        #expect(
            calls.sorted() == [
                "a sh \(there)/a.sh --stage 1 \(words)", "a sh \(there)/a.sh --stage 2 \(words)",
                "b sh \(there)/b.sh --stage 1 \(words)",
            ])
    }

    @Test func aFailedHostIsNamedAndNoFurtherStageBegins() async throws {
        let (result, calls) = try await runAll("1 a\n1 b\n2 a\n", ["b": 1])
        #expect(result.status == .exited(1) && result.errorText.contains("b: stage 1 failed with status 1"))
        #expect(calls.count == 2)
    }

    @Test(arguments: [["--allow", "a;reboot"], ["--parallel", "0"], ["--allow"], ["x"]])
    func wrongUseOfTheScriptForAllHostsContactsNone(_ words: [String]) async throws {
        _ = try write(try plan())
        let result = try await LocalExecutor().run(
            Command(
                "sh", ["\(folder.path)/export/run.sh"] + words, environment: ["PATH": "/usr/bin:/bin", "SSH": "false"]))
        #expect(result.status == .exited(2) && result.errorText.contains("usage"), "\(words)")
    }

    @Test func anotherExportThatWasFasterIsNamed() throws {
        let export = ExportPlan(try plan(), of: DeploymentConfiguration(), record: record)
        let place = "\(folder.path)/export"
        mkdir(place, 0o755)
        let written = try ExportKind.shell.folder(export)
        try written.write(to: place)
        let error = #expect(throws: ResourceError.self) {
            try written.write(to: place) { _ = rename(place, "\(place).away") }
        }
        #expect(
            error?.reason.contains("another export wrote \(place) meanwhile") == true, "\(error?.description ?? "")")
        #expect(throws: ResourceError.self) {
            try written.write(to: place) {
                mkdir(place, 0o755)
                folder.write("export/theirs", "x")
            }
        }
        #expect(folder.names == ["export", "export.away", "program"])
    }

    @Test func aFolderWithOtherFilesIsNotTaken() throws {
        folder.write("mine", "x")
        let export = ExportPlan(try plan(), of: DeploymentConfiguration(), record: record)
        #expect(throws: ResourceError.self) { try ExportKind.shell.folder(export).write(to: folder.path) }
        #expect(folder.read("mine") == "x")
    }

    private struct ThisMachine: HostConnector {
        func connect(to host: Host) async -> any HostConnection { LocalConnection() }
    }
}
