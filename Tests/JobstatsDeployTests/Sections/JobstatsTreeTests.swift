import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

/// The jobstats tree, installed in a folder by the real commands.
@Suite struct JobstatsTreeTests {
    private func archive(_ files: [String: String]) -> [UInt8] {
        TarArchive(
            files: files.sorted { $0.key < $1.key }.map {
                TarArchive.File(path: $0.key, bytes: Array($0.value.utf8), isExecutable: $0.key == "jobstats")
            }
        ).encoded
    }

    private func resource(_ folder: TemporaryFolder, _ bytes: [UInt8]) throws -> JobstatsTreeResource {
        let path = "\(folder.path)/archive.tar"
        try Data(bytes).write(to: URL(filePath: path))
        return JobstatsTreeResource(
            "\(folder.path)/apps/jobstats",
            from: .init(path: path, sha256: SHA256Digest.hex(bytes), size: bytes.count))
    }

    private let first = [
        "jobstats": "#!/bin/sh\necho one\n", "jobstats.py": "one", "slurm/old.sh": "old", "config.py": "upstream's",
        "docs/index.md": "text", "tests/test.py": "test", ".github/x.yml": "x",
    ]

    private func installed(_ folder: TemporaryFolder) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(folder.path)/apps/jobstats").sorted()
    }

    @Test func theTreeIsInstalledWithoutWhatIsTheSites() async throws {
        let folder = TemporaryFolder()
        let resource = try resource(folder, archive(first))
        #expect(try await settleHere(resource) == .inPlace())
        #expect(try installed(folder) == [".jobstats-files", "jobstats", "jobstats.py", "slurm", "slurm/old.sh"])
        let said = try await LocalExecutor().run(Command("\(folder.path)/apps/jobstats/jobstats"))
        #expect(said.outputText == "one\n")
        #expect(try resource.changes(from: Facts()).count == 1)
        #expect(resource.assess(try await lookHere(resource)).state == .inPlace)
    }

    @Test func aLaterRevisionTakesAwayWhatItNoLongerHasAndNothingElse() async throws {
        let folder = TemporaryFolder()
        try await settleHere(resource(folder, archive(first)))
        let directory = "\(folder.path)/apps/jobstats"
        try FileManager.default.createDirectory(
            atPath: "\(directory)/prometheus-targets", withIntermediateDirectories: true)
        try Data("[]".utf8).write(to: URL(filePath: "\(directory)/prometheus-targets/dgx-01.json"))
        try Data("site's".utf8).write(to: URL(filePath: "\(directory)/config.py"))
        let next = try resource(folder, archive(["jobstats": "#!/bin/sh\necho two\n", "jobstats.py": "two"]))
        #expect(try await settleHere(next) == .inPlace())
        #expect(
            try installed(folder) == [
                ".jobstats-files", "config.py", "jobstats", "jobstats.py", "prometheus-targets",
                "prometheus-targets/dgx-01.json",
            ])
        #expect(try Data(contentsOf: URL(filePath: "\(directory)/config.py")) == Data("site's".utf8))
    }

    @Test func whatSomebodyChangedIsMendedAndKeptBeside() async throws {
        let folder = TemporaryFolder()
        let resource = try resource(folder, archive(first))
        try await settleHere(resource)
        let file = "\(folder.path)/apps/jobstats/jobstats.py"
        try Data("mine".utf8).write(to: URL(filePath: file))
        let found = resource.assess(try await lookHere(resource))
        #expect(found.state == .differs && found.detail.contains("jobstats.py: FAILED"))
        #expect(try await settleHere(resource) == .inPlace())
        #expect(try Data(contentsOf: URL(filePath: file)) == Data("one".utf8))
        let copies = try installed(folder).filter { $0.hasPrefix("jobstats.py.bcm-jobstats-") }
        #expect(copies.count == 1)
        try FileManager.default.removeItem(atPath: file)
        #expect(resource.assess(try await lookHere(resource)).state == .differs)
        #expect(try await settleHere(resource) == .inPlace())
    }

    @Test func filesOfAnEarlierInstallationAreKeptBeside() async throws {
        let folder = TemporaryFolder()
        let directory = "\(folder.path)/apps/jobstats"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data("earlier".utf8).write(to: URL(filePath: "\(directory)/jobstats"))
        #expect(try await settleHere(resource(folder, archive(first))) == .inPlace())
        #expect(try installed(folder).contains { $0.hasPrefix("jobstats.bcm-jobstats-") })
    }

    @Test func aForgedManifestRemovesNothingElsewhere() async throws {
        let folder = TemporaryFolder()
        try await settleHere(resource(folder, archive(first)))
        let victim = folder.write("victim", "precious")
        let digest = SHA256Digest.hex(Array("precious".utf8))
        let forged = "\(digest)  ../../victim\n\(digest)  \(victim)\n\(digest)  slurm/../../../victim\n"
        try Data(forged.utf8).write(to: URL(filePath: "\(folder.path)/apps/jobstats/.jobstats-files"))
        let resource = try resource(folder, archive(first))
        #expect(try await settleHere(resource) == .inPlace())
        #expect(folder.read("victim") == "precious")
        try Data(forged.utf8).write(to: URL(filePath: "\(folder.path)/apps/jobstats/.jobstats-files"))
        for command in resource.removal() ?? [] { _ = try await LocalExecutor().run(command) }
        #expect(folder.read("victim") == "precious")
    }

    @Test func aLinkInPlaceOfAFolderLeadsNobodyElsewhere() async throws {
        let folder = TemporaryFolder()
        let resource = try resource(folder, archive(first))
        try await settleHere(resource)
        let directory = "\(folder.path)/apps/jobstats"
        let elsewhere = TemporaryFolder()
        elsewhere.write("victim", "precious")
        let forged = "\(SHA256Digest.hex(Array("precious".utf8)))  link/victim\n"
        symlink(elsewhere.path, "\(directory)/link")
        try Data(forged.utf8).write(to: URL(filePath: "\(directory)/.jobstats-files"))
        #expect(try await settleHere(resource) == .inPlace())
        #expect(elsewhere.names == ["victim"])
        try Data(forged.utf8).write(to: URL(filePath: "\(directory)/.jobstats-files"))
        for command in resource.removal() ?? [] { _ = try await LocalExecutor().run(command) }
        #expect(elsewhere.names == ["victim"])

        // A folder of the tree itself that is a link: nothing is written through it.
        let other = TemporaryFolder()
        let deeper = try self.resource(other, archive(["jobstats": "x", "slurm/a.sh": "y"]))
        mkdir("\(other.path)/apps", 0o755)
        mkdir("\(other.path)/apps/jobstats", 0o755)
        symlink(elsewhere.path, "\(other.path)/apps/jobstats/slurm")
        for command in try deeper.changes(from: Facts()) {
            let result = try await LocalExecutor().run(command)
            #expect(!result.succeeded && result.errorText.contains("lies behind a link"), "\(result.errorText)")
        }
        #expect(elsewhere.names == ["victim"])
    }

    @Test func removalLeavesWhatIsNotOurs() async throws {
        let folder = TemporaryFolder()
        let resource = try resource(folder, archive(first))
        try await settleHere(resource)
        try Data("changed".utf8).write(to: URL(filePath: "\(folder.path)/apps/jobstats/jobstats.py"))
        for command in try #require(resource.removal()) {
            #expect(try await LocalExecutor().run(command).succeeded)
        }
        #expect(try installed(folder) == ["jobstats.py"])
    }

    @Test func anUnpackedFolderAroundEverythingIsTakenOff() throws {
        let tree = try JobstatsTree(archive: archive(["jobstats-1.0/jobstats": "x", "jobstats-1.0/a.py": "y"]))
        #expect(tree.files.map(\.path) == ["a.py", "jobstats"])
        #expect(throws: ResourceError.self) { try JobstatsTree(archive: archive(["a/b": "x", "c": "y"])) }
    }

    @Test func aMissingOrChangedArchiveBlocks() async throws {
        let folder = TemporaryFolder()
        let none = JobstatsTreeResource("/nonexistent", from: nil)
        #expect(none.assess(Facts()).detail == "there is no archive of the jobstats command")
        let gone = JobstatsTreeResource(
            "/nonexistent", from: .init(path: "\(folder.path)/none.tar", sha256: "00", size: 1))
        #expect(gone.assess(Facts()).state == .blocked)
        let bytes = archive(first)
        folder.write("other.tar", "something else")
        let other = JobstatsTreeResource(
            "/nonexistent", from: .init(path: "\(folder.path)/other.tar", sha256: SHA256Digest.hex(bytes), size: 1))
        #expect(other.assess(Facts()).detail.contains("has another SHA-256"))
        #expect(try resource(folder, bytes).assess(Facts()).state == .blocked)
    }
}
