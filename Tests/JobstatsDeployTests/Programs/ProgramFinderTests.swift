import CommandExecution
import FoundationEssentials
import Testing

@testable import JobstatsDeploy

@Suite struct ProgramFinderTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let path = "/tmp/jobstats-programs-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    @Test func aFileMustHaveThePromisedDigest() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/node_exporter"
            try write("program", to: path)
            let sum = SHA256Digest.hex(Array("program".utf8))
            let finder = ProgramFinder(directory: directory, programDirectory: directory)
            var configuration = makeConfiguration()
            configuration.artifacts[.nodeExporter] = ArtifactSources(.file(path: path, sha256: sum))
            let found = await finder.find(for: configuration, sections: [4])
            #expect(found.issues.isEmpty)
            #expect(found.programs[.nodeExporter]?[.arm] == .init(path: path, sha256: sum, size: 7))
            configuration.artifacts[.nodeExporter] = ArtifactSources(
                .file(path: path, sha256: String(repeating: "0", count: 64)))
            let wrong = await finder.find(for: configuration, sections: [4])
            #expect(wrong.programs.isEmpty)
            #expect(Set(wrong.issues.map(\.keyPath)) == ["artifacts.node_exporter"])
        }
    }

    @Test func theRoleMonitorLiesBesideTheProgramThatRuns() async throws {
        try await withDirectory { directory in
            let finder = ProgramFinder(directory: directory, programDirectory: directory)
            let missing = await finder.find(for: makeConfiguration(), sections: [10])
            #expect(missing.issues.map(\.keyPath) == ["artifacts.bcm-role-monitor"])
            try write("monitor", to: "\(directory)/bcm-role-monitor")
            let found = await finder.find(for: makeConfiguration(), sections: [10])
            #expect(found.issues.isEmpty)
            #expect(found.programs[.roleMonitor]?[ProgramFinder.localArchitecture]?.size == 7)
        }
    }

    @Test func aPackageIsDownloadedAndUnpackedButNotInADryRun() async throws {
        try await withDirectory { directory in
            let configuration = makeConfiguration {
                $0.artifacts[.nodeExporter] = ArtifactSources(.package("some-package", binary: "/no/such/program"))
            }
            let executor = RecordingExecutor { command throws(CommandError) in
                let path = command.arguments[3] + "/no/such"
                try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                try? write("program", to: path + "/program")
                return CommandResult(status: .exited(0))
            }
            let dry = await ProgramFinder(
                executor: executor, directory: directory, programDirectory: directory, access: .look
            ).find(for: configuration, sections: [4])
            #expect(dry.issues.map(\.severity) == [.warning])
            #expect(executor.commands.isEmpty)
            let found = await ProgramFinder(executor: executor, directory: directory, programDirectory: directory)
                .find(for: configuration, sections: [4])
            #expect(found.issues.isEmpty)
            #expect(
                found.programs[.nodeExporter]?[ProgramFinder.localArchitecture]?.path
                    == "\(directory)/some-package/no/such/program")
            #expect(
                executor.commands.map { Array($0.arguments.suffix(2)) } == [
                    ["\(directory)/some-package", "some-package"]
                ])
        }
    }

    // MARK: Releases

    /// A server with an archive of one program, and the source for it.
    private func withRelease(
        _ directory: String, _ body: (FileServer, ArtifactSource) async throws -> Void
    ) async throws {
        try write("#!/bin/sh\necho fetched\n", to: "\(directory)/prog")
        let made = try await LocalExecutor().run(
            Command("tar", ["-czf", "\(directory)/served", "-C", directory, "prog"]))
        try #require(made.succeeded)
        let sum = try #require(await SHA256Digest.file("\(directory)/served")?.sum)
        let server = try await FileServer(serving: "\(directory)/served")
        try await body(server, .release(server.url("/whole"), sha256: sum, member: "prog"))
        await server.stop()
    }

    private func finder(_ directory: String, _ access: ProgramFinder.Access = .online) -> ProgramFinder {
        var finder = ProgramFinder(directory: "\(directory)/cache", programDirectory: directory, access: access)
        finder.download.pause = .zero
        return finder
    }

    @Test func releaseIsFetchedOnceAndThenTakenFromTheCache() async throws {
        try await withDirectory { directory in
            try await withRelease(directory) { server, source in
                let configuration = makeConfiguration { $0.artifacts[.nodeExporter] = ArtifactSources(source) }
                for access in [ProgramFinder.Access.online, .offline, .look] {
                    let found = await finder(directory, access).find(
                        for: configuration, sections: [4], architectures: [])
                    #expect(found.issues.isEmpty)
                    let program = try #require(found.programs[.nodeExporter]?[ProgramFinder.localArchitecture])
                    let said = try await LocalExecutor().run(Command(program.path))
                    #expect(said.outputText == "fetched\n")
                }
                #expect(try await server.count("/whole") == 1)
            }
        }
    }

    @Test func twoRunsAtOnceBothFindTheProgram() async throws {
        try await withDirectory { directory in
            try await withRelease(directory) { server, source in
                let configuration = makeConfiguration { $0.artifacts[.nodeExporter] = ArtifactSources(source) }
                let finder = finder(directory)
                let found = await withTaskGroup(of: ProgramFinder.Findings.self) { group in
                    for _ in 0..<4 {
                        group.addTask { await finder.find(for: configuration, sections: [4], architectures: []) }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(found.allSatisfy { $0.issues.isEmpty })
                #expect(Set(found.map { $0.programs[.nodeExporter]?[.x86]?.sha256 }).count == 1)
                #expect(Set(TemporaryFolder.names(in: "\(directory)/cache")) == ["derived", "objects"])
            }
        }
    }

    @Test func offlineSaysWhereToPutWhatIsMissingAndADryRunWhereARunGetsIt() async throws {
        try await withDirectory { directory in
            let sum = String(repeating: "ab", count: 32)
            let configuration = makeConfiguration {
                $0.artifacts[.nodeExporter] = ArtifactSources(.release("https://example.org/x.tar.gz", sha256: sum))
            }
            let offline = await finder(directory, .offline).find(for: configuration, sections: [4])
            #expect(offline.issues.map(\.severity) == [.error])
            for words in [
                "https://example.org/x.tar.gz is not on this machine, and nothing is fetched (--offline)",
                "put the file at \(directory)/cache/objects/\(sum)", "bundle", "artifacts.node_exporter",
            ] {
                #expect(offline.issues[0].message.contains(words), "\(offline.issues[0].message)")
            }
            let look = await finder(directory, .look).find(for: configuration, sections: [4])
            #expect(
                look.issues.map(\.description) == [
                    "warning: artifacts.node_exporter: node_exporter is not on this machine; a run gets it from https://example.org/x.tar.gz"
                ])
            #expect(TemporaryFolder.names(in: "\(directory)/cache").isEmpty)
        }
    }

    @Test func fileThatIsPutIntoTheCacheByHandIsTaken() async throws {
        try await withDirectory { directory in
            let sum = SHA256Digest.hex(Array("by hand".utf8))
            let objects = "\(directory)/cache/objects"
            try FileManager.default.createDirectory(atPath: objects, withIntermediateDirectories: true)
            try write("by hand", to: "\(objects)/\(sum)")
            let configuration = makeConfiguration {
                $0.artifacts[.nodeExporter] = ArtifactSources(.release("https://example.org/x", sha256: sum))
            }
            let found = await finder(directory, .offline).find(for: configuration, sections: [4])
            #expect(found.programs[.nodeExporter]?[ProgramFinder.localArchitecture]?.sha256 == sum)
        }
    }

    @Test func wrongSumIsAnErrorAndNothingIsKept() async throws {
        try await withDirectory { directory in
            try await withRelease(directory) { server, _ in
                let wrong = String(repeating: "0", count: 64)
                let configuration = makeConfiguration {
                    $0.artifacts[.nodeExporter] = ArtifactSources(.release(server.url("/whole"), sha256: wrong))
                }
                let found = await finder(directory).find(for: configuration, sections: [4])
                #expect(found.programs.isEmpty)
                #expect(found.issues.count == 1 && found.issues[0].message.contains(wrong))
                #expect(TemporaryFolder.names(in: "\(directory)/cache/objects").isEmpty)
            }
        }
    }

    @Test func manifestsProgramsAreLookedForInTheArchitecturesThatAreWanted() async throws {
        try await withDirectory { directory in
            let other: ArtifactSource.Architecture = ProgramFinder.localArchitecture == .x86 ? .arm : .x86
            let finder = finder(directory, .look)
            let own = await finder.find(for: makeConfiguration(), sections: [4])
            #expect(own.issues.count == 1)
            let both = await finder.find(for: makeConfiguration(), sections: [4], architectures: [other])
            #expect(both.issues.count == 2)
            let named = makeConfiguration {
                $0.artifacts[.nodeExporter] = ArtifactSources([
                    other: .release("https://example.org/x", sha256: String(repeating: "0", count: 64))
                ])
            }
            #expect(await finder.find(for: named, sections: [4]).issues.count == 1)
        }
    }

    @Test func whatIsMissingForAnArchitectureNamesItsHosts() {
        let configuration = makeConfiguration(nodes: ["dgx-01", "gb-01", "gb-02"])
        let program = DeploymentContext.LocalProgram(path: "/x", sha256: "", size: 1)
        let missing = ProgramNeeds.missing(
            [.nodeExporter: [.x86: program]], for: ["dgx-01": .x86, "gb-01": .arm, "gb-02": .arm], configuration, [4])
        #expect(
            missing.map(\.description) == [
                "error: artifacts.node_exporter: there is no node_exporter for aarch64, the architecture of gb-[01-02]: give one in the configuration as artifacts.node_exporter.aarch64"
            ])
    }

    @Test(arguments: [
        ("prometheus, version 2.42.0+ds (branch: x)", true), ("prometheus, version 2.31.2", false),
        ("prometheus, version 3.0.1", true), ("prometheus, version 2.41.0", true), ("nothing", false),
        ("version 2", false),
    ])
    func earlierVersionsOfPrometheusCannotCompareAddresses(_ text: String, _ expected: Bool) {
        #expect(ProgramFinder.comparesAddresses(version: text) == expected)
    }
}
