import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

/// The script that replaces slurm.conf, on real files.
@Suite struct SlurmFileReplacementTests {
    private let folder = TemporaryFolder()
    private var mark: String { "\(folder.path)/var/cm/changed" }

    private func replace(_ path: String, _ old: String, with new: String) async throws -> CommandResult {
        try await LocalExecutor().run(
            SlurmConfFile.replacement(of: path, Array(old.utf8), with: Array(new.utf8), mark: mark))
    }

    private func attributes(_ path: String) -> stat {
        var found = stat()
        lstat(path, &found)
        return found
    }

    private var backups: [String] { folder.names.filter { $0.contains(".bcm-jobstats-") } }

    @Test func theFileIsReplacedWithItsModeAndABackup() async throws {
        let path = folder.write("slurm.conf", "A=1\n", mode: 0o640)
        chown(path, 1234, 2345)
        let result = try await replace(path, "A=1\n", with: "A=2\n")
        #expect(result.succeeded, "\(result.errorText)")
        #expect(folder.read("slurm.conf") == "A=2\n")
        #expect(attributes(path).st_mode & 0o7777 == 0o640)
        if getuid() == 0 { #expect(attributes(path).st_uid == 1234 && attributes(path).st_gid == 2345) }
        #expect(backups.count == 1)
        #expect(folder.read(backups.first ?? "") == "A=1\n")
        #expect(attributes(mark).st_mode & S_IFMT == S_IFREG)
    }

    @Test func twoChangesWithinASecondKeepBothEarlierFiles() async throws {
        let path = folder.write("slurm.conf", "A=1\n")
        #expect(try await replace(path, "A=1\n", with: "A=2\n").succeeded)
        #expect(try await replace(path, "A=2\n", with: "A=3\n").succeeded)
        #expect(backups.compactMap { folder.read($0) }.sorted() == ["A=1\n", "A=2\n"])
    }

    @Test func aLinkStaysALink() async throws {
        folder.write("real.conf", "A=1\n")
        let link = "\(folder.path)/slurm.conf"
        symlink("real.conf", link)
        #expect(try await replace(link, "A=1\n", with: "A=2\n").succeeded)
        #expect(attributes(link).st_mode & S_IFMT == S_IFLNK)
        #expect(folder.read("real.conf") == "A=2\n")
        #expect(backups.first?.hasPrefix("real.conf.") == true)
    }

    @Test func aFileThatSomebodyElseChangedIsLeftAlone() async throws {
        let path = folder.write("slurm.conf", "A=somebody\n")
        let result = try await replace(path, "A=1\n", with: "A=2\n")
        #expect(!result.succeeded)
        #expect(result.errorText.contains("was changed by somebody else meanwhile and was left as it is"))
        #expect(folder.names == ["slurm.conf"])
        #expect(folder.read("slurm.conf") == "A=somebody\n")
    }

    /// A stand-in for ln(1) that changes the file at the worst moment.
    @Test func aChangeInTheLastMomentIsNotLost() async throws {
        let path = folder.write("slurm.conf", "A=1\n")
        mkdir("\(folder.path)/bin", 0o755)
        folder.write("bin/ln", "#!/bin/sh\n/bin/ln \"$@\" && echo 'B=late' >>\"$3\"\n", mode: 0o755)
        var command = SlurmConfFile.replacement(
            of: path, Array("A=1\n".utf8), with: Array("A=2\n".utf8), mark: mark)
        command.environment["PATH"] = "\(folder.path)/bin:/usr/bin:/bin"
        let result = try await LocalExecutor().run(command)
        #expect(!result.succeeded)
        #expect(folder.read("slurm.conf") == "A=1\nB=late\n")
        #expect(backups.isEmpty)
        #expect(folder.names.filter { $0.hasPrefix(".bcm-jobstats") }.isEmpty)
    }

    @Test func aFileWithSeveralNamesIsLeftAlone() async throws {
        let path = folder.write("slurm.conf", "A=1\n")
        link(path, "\(folder.path)/other")
        let result = try await replace(path, "A=1\n", with: "A=2\n")
        #expect(result.errorText.contains("several hard links"))
        #expect(folder.read("slurm.conf") == "A=1\n")
    }

    @Test func namesOfAnyKindReachTheScriptUnchanged() async throws {
        let name = "a 'b' $(touch x) ;\"ä\" -n\n.conf"
        let path = folder.write(name, "A=1\n")
        let result = try await replace(path, "A=1\n", with: "A=2\n")
        #expect(result.succeeded, "\(result.errorText)")
        #expect(folder.read(name) == "A=2\n")
        #expect(!folder.names.contains("x"))
    }
}
