import CommandExecution
import Testing

@testable import JobstatsDeploy

@Suite struct PackageResourceTests {
    private let folder = TemporaryFolder()

    private func makeFiles() -> PackageFiles {
        let files = ["liba", "libb", "tool", "other"].map { name in
            let text = "package \(name)"
            let path = folder.write(name, text)
            return PackageFiles.File(
                name: name, version: "1",
                content: .localFile(path, sha256: SHA256Digest.hex(Array(text.utf8)), size: text.utf8.count))
        }
        return PackageFiles(
            platform: "ubuntu 24.04 amd64", files: files,
            closures: ["tool": ["liba", "libb", "tool"], "other": ["liba", "other"], "half": ["half", "gone"]])
    }

    private func makeFacts(_ packages: [String: String?], _ platform: String = "ubuntu 24.04 amd64") -> Facts {
        var facts = Facts()
        facts.packages = packages
        facts.results[PackageResource.platform] = makeResult(platform + "\n")
        return facts
    }

    @Test func oneCommandInstallsAListFromTheRepository() {
        let resource = PackageResource(["a", "b"])
        #expect(resource.summary == "packages a b")
        #expect(resource.queries == [.package("a"), .package("b")])
        #expect(resource.assess(makeFacts(["a": "1", "b": nil])).state == .differs)
        #expect(resource.assess(makeFacts(["a": "1", "b": "2"])) == .inPlace("a 1, b 2"))
        #expect(resource.assess(makeFacts(["a": "1"])).state == .blocked)
        let commands = try? resource.changes(from: Facts())
        #expect(commands?.count == 1)
        #expect(commands?.first?.arguments.suffix(2) == ["a", "b"])
    }

    @Test func filesAreCopiedVerifiedAndInstalledTogetherWithoutFetchingAnything() throws {
        let resource = PackageResource("tool", from: .files(makeFiles()))
        let facts = makeFacts(["tool": nil, "liba": "2.0", "libb": nil])
        #expect(resource.assess(facts).state == .differs)
        let commands = try resource.changes(from: facts)
        // A folder, two files (liba is installed in some version), one installation.
        #expect(commands.count == 4)
        #expect(commands[0].arguments.last == PackageResource.folder)
        #expect(
            commands[1...2].map { $0.arguments[3] } == ["libb", "tool"].map { "\(PackageResource.folder)/\($0).deb" })
        #expect(commands[1].input == Array("package libb".utf8))
        #expect(commands[1].arguments[4] == SHA256Digest.hex(Array("package libb".utf8)))
        #expect(commands[1].arguments[1].contains("sha256sum --check"))
        #expect(commands[3].arguments.suffix(2) == ["./libb.deb", "./tool.deb"])
        #expect(commands[3].arguments[1].contains("-o Dir::Etc::SourceList=/dev/null"))
    }

    @Test func copiedFileThatIsNotWholeEndsTheStep() async throws {
        let resource = PackageResource("tool", from: .files(makeFiles()))
        let copy = try resource.changes(from: makeFacts([:]))[1]
        for (input, succeeds) in [(copy.input, true), (Array("half".utf8), false)] {
            var command = copy
            command.arguments[3] = "\(folder.path)/copy.deb"
            command.input = input
            #expect(try await LocalExecutor().run(command).succeeded == succeeds)
        }
    }

    @Test func fileThatChangedOnThisMachineIsNotSent() throws {
        let resource = PackageResource("tool", from: .files(makeFiles()))
        folder.write("tool", "package tooL")
        #expect(throws: ResourceError.self) { try resource.changes(from: makeFacts([:])) }
    }

    @Test func anotherDistributionIsBlockedUnlessEverythingIsInstalled() {
        let resource = PackageResource("tool", from: .files(makeFiles()))
        let other = resource.assess(makeFacts(["tool": nil], "debian 12 amd64"))
        #expect(other.state == .blocked)
        #expect(other.detail.contains("for ubuntu 24.04 amd64, not for debian 12 amd64"))
        #expect(resource.assess(makeFacts(["tool": "9"], "debian 12 amd64")).state == .inPlace)
        var unknown = makeFacts(["tool": nil])
        unknown.results = [:]
        #expect(resource.assess(unknown).state == .blocked)
    }

    @Test func packageThatTheBundleDoesNotHoldWholeIsBlocked() {
        for name in ["half", "none"] {
            let resource = PackageResource(name, from: .files(makeFiles()))
            let found = resource.assess(makeFacts([name: nil]))
            #expect(found.state == .blocked && found.detail.contains("does not hold all of it"))
            #expect(throws: ResourceError.self) { try resource.changes(from: makeFacts([:])) }
        }
    }

    @Test func offlineWithoutABundleSaysSo() {
        let resource = PackageResource(
            "tool", from: .files(PackageFiles(platform: "", files: [], closures: [:])))
        #expect(resource.assess(makeFacts(["tool": "1"])).state == .inPlace)
        #expect(resource.assess(makeFacts(["tool": nil])).detail.contains("(--offline)"))
    }

    @Test func everyPackageOfAPlanComesFromTheBundleWithoutItsSectionKnowing() throws {
        let host = Host("a")
        let plan = Plan(sections: [
            PlanSection(
                number: 9, title: "x", purpose: "",
                steps: [
                    Step("9.same", "x", on: [host], PackageResource("tool")),
                    Step("9.each", "x", perHost: [host: PackageResource("tool")]),
                    Step("9.other", "x", on: [host], DirectoryResource("/x")),
                ])
        ])
        let offline = PackageSource.files(makeFiles())
        let changed = plan.installingPackages(from: offline)
        for id in ["9.same", "9.each"] {
            #expect((changed.step(id)?.resource(on: host) as? PackageResource)?.source == offline)
            #expect((plan.step(id)?.resource(on: host) as? PackageResource)?.source == .repository)
        }
        #expect(changed.step("9.other")?.resource(on: host)?.summary == DirectoryResource("/x").summary)
    }

    @Test func namesOfFilesComeFromAptsList() {
        let output = """
            'http://deb.debian.org/a/liba_1%3a2_amd64.deb' liba_1%3a2_amd64.deb 12 SHA256:ab
            Reading package lists...
            'http://deb.debian.org/x' x 1
            """
        #expect(PackageDownload.fileNames(output) == ["liba_1%3a2_amd64.deb"])
    }
}
