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

    @Test(arguments: [
        ("prometheus, version 2.42.0+ds (branch: x)", true), ("prometheus, version 2.31.2", false),
        ("prometheus, version 3.0.1", true), ("prometheus, version 2.41.0", true), ("nothing", false),
        ("version 2", false),
    ])
    func earlierVersionsOfPrometheusCannotCompareAddresses(_ text: String, _ expected: Bool) {
        #expect(ProgramFinder.comparesAddresses(version: text) == expected)
    }
}
