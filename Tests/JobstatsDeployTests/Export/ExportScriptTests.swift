import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

/// The scripts of exports as programs: they look with `-n`, and change with `-y`.
struct ExportScriptTests {
    private let folder = TemporaryFolder()
    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func standIn(_ name: String, _ body: String) {
        mkdir(path("bin"), 0o755)
        folder.write("bin/\(name)", "#!/bin/sh\n\(body)\n", mode: 0o755)
    }

    private func run(
        _ script: ExportScript, _ mode: String = "-y", adopted: Bool = false
    ) async throws -> CommandResult {
        let input = mode == "-y" ? try script.input.first?.content.bytes() ?? [] : []
        let adoption = script.adoption == nil ? [] : [adopted ? "yes" : "no"]
        return try await LocalExecutor().run(
            Command(
                "sh", ["-c", script.script.text, "sh", mode] + adoption + script.arguments, input: input,
                environment: ["PATH": "\(path("bin")):/usr/bin:/bin:/usr/sbin:/sbin"]))
    }

    private func script(_ resource: some Resource) throws -> ExportScript {
        try #require(resource.exportActions.compactMap(\.script).first)
    }

    private func expectInPlace(_ resource: some Resource) async throws {
        let facts = try await FactCollector(resource.queries).collect(with: LocalExecutor())
        let found = resource.assess(facts)
        #expect(found.state == .inPlace && !found.isWarning, "\(found)")
        let again = try await run(try script(resource))
        #expect(again.succeeded && again.outputText.isEmpty, "\(again.outputText)\(again.errorText)")
    }

    // MARK: The tree

    private func tree(_ files: [String: String]) throws -> JobstatsTreeResource {
        let archive = TarArchive(
            files: files.map { .init(path: $0, bytes: Array($1.utf8), isExecutable: $0 == "jobstats") }
        ).encoded
        let file = path("tree.tar")
        try Data(archive).write(to: URL(filePath: file))
        return JobstatsTreeResource(
            path("tree"), from: .init(path: file, sha256: SHA256Digest.hex(archive), size: archive.count))
    }

    @Test func theTreeIsInstalledOnceAndMendedAndFollowsItsRevision() async throws {
        let first = try tree(["jobstats": "one\n", "old.py": "x\n"])
        let look = try await run(try script(first), "-n")
        #expect(look.outputText.contains("not installed") && !folder.names.contains("tree"))
        #expect(try await run(try script(first)).succeeded)
        try await expectInPlace(first)
        folder.write("tree/config.py", "mine\n")
        folder.write("tree/jobstats", "edited\n")
        #expect(try await run(try script(first)).outputText.contains("were changed"))
        #expect(folder.names(in: "tree").contains { $0.hasPrefix("jobstats.bcm-jobstats-") })
        try await expectInPlace(first)
        let second = try tree(["jobstats": "two\n"])
        #expect(try await run(try script(second)).outputText.contains("another revision"))
        #expect(folder.read("tree/jobstats") == "two\n" && !folder.names(in: "tree").contains("old.py"))
        #expect(folder.read("tree/config.py") == "mine\n")
        try await expectInPlace(second)
    }

    // MARK: What the site may edit

    private func configuration(_ days: Int, adopted: Bool = false) -> KeptConfiguration {
        let text = JobstatsConfiguration(server: "http://mon-01:9090", retentionDays: days, samplingPeriod: 30).text
        return KeptConfiguration(
            FileResource(
                path("config.py"), .text(text), record: OwnershipRecord(directory: path("memory"))),
            consent: "jobstats-config", isAdopted: adopted, marks: JobstatsConfiguration.marks)
    }

    @Test(.enabled(if: getuid() == 0, "the file is root's"))
    func anEditedConfigurationIsKeptUnlessItIsAdopted() async throws {
        #expect(try await run(try script(configuration(30))).succeeded)
        try await expectInPlace(configuration(30))
        #expect(try await run(try script(configuration(60))).outputText.contains("of an earlier configuration"))
        try await expectInPlace(configuration(60))
        chmod(path("config.py"), 0o600)
        #expect(try await run(try script(configuration(60))).outputText.contains("another mode"))
        try await expectInPlace(configuration(60))
        let edited = (folder.read("config.py") ?? "") + "NOTES = [1]\n"
        folder.write("config.py", edited)
        let kept = try await run(try script(configuration(90)))
        #expect(kept.succeeded && kept.outputText.isEmpty && kept.errorText.contains("is kept"))
        #expect(folder.read("config.py") == edited)
        #expect(try await run(try script(configuration(90)), adopted: true).succeeded)
        #expect(folder.read("config.py")?.contains("RETENTION_DAYS = 90") == true)
        let time = try #require(folder.names(in: "memory/backups").last)
        #expect(folder.read("memory/backups/\(time)\(path("config.py"))") == edited)
    }

    // MARK: Secrets, drop-ins, packages

    @Test(.enabled(if: getuid() == 0, "the file is root's")) func aPasswordIsMadeOnceAndClosed() async throws {
        let secret = GeneratedSecret(path("secret"), variable: "PASSWORD")
        #expect(try await run(try script(secret), "-n").outputText.contains("is missing"))
        #expect(!folder.names.contains("secret"))
        #expect(try await run(try script(secret)).succeeded)
        try await expectInPlace(secret)
        let text = folder.read("secret")
        chmod(path("secret"), 0o644)
        #expect(try await run(try script(secret)).outputText.contains("is open to others"))
        #expect(folder.read("secret") == text)
        try await expectInPlace(secret)
        folder.write("secret", "")
        #expect(try await !run(try script(secret)).succeeded)
    }

    @Test func aUnitThatSomebodyElsePutToWorkIsNotAddedTo() async throws {
        let resource = OwnedDropIn(
            path("x.service.d/ours.conf"), of: "x.service", .marked([]), isAdopted: false, name: "x")
        standIn("systemctl", "[ \"$1\" = is-active ]")
        let refused = try await run(try script(resource))
        #expect(!refused.succeeded && refused.errorText.contains("allow adopt-x"))
        #expect(try await run(try script(resource), adopted: true).succeeded)
        mkdir(path("x.service.d"), 0o755)
        folder.write("x.service.d/ours.conf", "# \(Installed.mark)\n")
        #expect(try await run(try script(resource)).succeeded)
        folder.write("x.service.d/ours.conf", "# mine\n")
        #expect(try await !run(try script(resource)).succeeded)
        unlink(path("x.service.d/ours.conf"))
        standIn("systemctl", "exit 1")
        #expect(try await run(try script(resource)).succeeded)
    }

    @Test func missingPackagesAreInstalledAndOthersLeftAlone() async throws {
        standIn("dpkg-query", "for name; do :; done; grep -qx \"$name\" '\(path("have"))' && printf installed")
        standIn("apt-get", "echo \"$*\" >>'\(path("calls"))'")
        folder.write("have", "one\n")
        let script = try script(PackageResource(["one", "two"]))
        #expect(try await run(script, "-n").outputText == "not installed: two\n")
        #expect(folder.read("calls") == nil)
        #expect(try await run(script).succeeded)
        #expect(folder.read("calls")?.hasSuffix("-- two\n") == true)
        folder.write("have", "one\ntwo\n")
        #expect(try await run(script).outputText.isEmpty)
    }

    @Test func grafanaComesFromItsFileOrFromApt() async throws {
        let machine = try await LocalExecutor().run(Command("uname", ["-m"])).outputText.trimmed
        let architecture = try #require(ArtifactSource.Architecture.all.first { $0.description == machine })
        standIn("dpkg-query", "exit 1")
        standIn("apt-cache", "echo 'grafana:'; echo '  Candidate: 12.0'")
        standIn(
            "apt-get", "for word; do :; done; echo \"$word\" >>'\(path("calls"))'; cat \"$word\" >>'\(path("seen"))'")
        let file = folder.write("grafana.deb", "a package")
        let content = DeploymentContext.LocalProgram(
            path: file, sha256: SHA256Digest.hex(Array("a package".utf8)), size: 9)
        let fromFile = try await run(try script(GrafanaPackage([architecture: content])))
        #expect(fromFile.succeeded && folder.read("seen") == "a package", "\(fromFile.errorText)")
        unlink(path("calls"))
        standIn("apt-get", "for word; do :; done; echo \"$word\" >>'\(path("calls"))'")
        #expect(try await run(try script(GrafanaPackage([:]))).succeeded)
        #expect(folder.read("calls") == "grafana\n")
        standIn("dpkg-query", "[ \"$5\" = grafana-enterprise ] && printf installed")
        #expect(try await run(try script(GrafanaPackage([:]))).outputText.isEmpty)
    }

    @Test(.enabled(if: getuid() == 0, "the folder is root's"))
    func packagesOfABundleGoToAptTogetherWithoutThoseThatAreThere() async throws {
        standIn("dpkg-query", "for name; do :; done; [ \"$name\" = have ] && printf installed")
        standIn("apt-get", "ls *.deb >'\(path("files"))'; echo \"$*\" >>'\(path("calls"))'")
        let files = PackageFiles(
            platform: "x", files: ["want", "have", "needed"].map { .init(name: $0, version: "1", content: .text($0)) },
            closures: ["want": ["have", "needed"]])
        let script = try script(PackageResource(["want"], from: .files(files)))
        #expect(try await run(script, "-n").outputText == "not installed: want\n")
        let result = try await run(script)
        #expect(result.succeeded, "\(result.errorText)")
        #expect(folder.read("files") == "have.deb\nneeded.deb\nwant.deb\n")
        #expect(folder.read("calls")?.hasSuffix("-- ./needed.deb ./want.deb\n") == true)
    }

    // MARK: All of them

    private static let checker: String? = ["/usr/bin/shellcheck"].first { access($0, X_OK) == 0 }

    @Test(.enabled(if: checker != nil, "shellcheck is not installed"))
    func shellcheckFindsNothingInAnyScript() async throws {
        var context = makeContext()
        let program = folder.write("program", "x")
        for name in ArtifactSource.Name.all {
            context.programs[name] = [.x86: .init(path: program, sha256: SHA256Digest.hex(Array("x".utf8)), size: 1)]
        }
        context.programs[.jobstats] = nil
        let export = ExportPlan(try makePlan(makeConfiguration(), context), of: makeConfiguration())
        try ExportKind.shell.folder(export).write(to: path("export"))
        var files = folder.names(in: "export/hosts").map { path("export/hosts/\($0)") }
        #expect(files.count > 3)
        var scripts = ExportPlan.scripts(of: export.sections.flatMap(\.steps).flatMap(\.groups).flatMap(\.actions))
        scripts += [try tree(["jobstats": "x"])].flatMap { ExportPlan.scripts(of: $0.exportActions) }
        let bundle = PackageFiles(platform: "x", files: [], closures: ["a": []])
        scripts += ExportPlan.scripts(of: PackageResource("a", from: .files(bundle)).exportActions)
        // A playbook shows them as they are.
        for script in scripts { #expect(script.text.utf8.allSatisfy { $0 == 10 || (0x20...0x7e).contains($0) }) }
        for script in scripts { files.append(folder.write("\(script.name).sh", "#!/bin/sh\n\(script.text)\n")) }
        // Scripts within scripts are in single quotes.
        let result = try await LocalExecutor().run(
            Command(try #require(Self.checker), ["--exclude=SC1003,SC2016"] + files, timeout: .seconds(120)))
        #expect(result.succeeded, "\(result.outputText)")
    }
}
