import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

/// What the root of another host can prepare in a folder that is shared: it leads nobody's writes, modes or reads elsewhere.
struct SharedStorageTests {
    private let folder = TemporaryFolder()
    private let memory = TemporaryFolder()
    private let elsewhere = TemporaryFolder()
    private static let user = String(cString: getpwuid(getuid()).pointee.pw_name)
    private var record: OwnershipRecord { OwnershipRecord(directory: memory.path) }
    private var victim: String { "\(elsewhere.path)/victim" }

    init() { elsewhere.write("victim", "precious\n", mode: 0o600) }

    private func file(_ name: String, _ text: String, mode: Int = 0o644, validation: Command? = nil) -> FileResource {
        FileResource(
            "\(folder.path)/\(name)", .text(text), mode: mode, owner: Self.user, group: Self.user,
            validation: validation, record: record)
    }

    private func facts(_ queries: [Query]) async throws -> Facts {
        try await FactCollector(queries).collect(with: LocalExecutor())
    }

    private func run(_ commands: [Command]) async throws -> CommandResult {
        var last = CommandResult(status: .exited(0))
        for command in commands {
            last = try await LocalExecutor().run(command)
            if !last.succeeded { break }
        }
        return last
    }

    private var victimIsAsItWas: Bool {
        var status = stat()
        return stat(victim, &status) == 0 && status.st_mode & 0o7777 == 0o600
            && elsewhere.read("victim") == "precious\n" && elsewhere.names == ["victim"]
    }

    @Test func aLinkAtTheNameOfACopyIsNotWrittenThrough() async throws {
        let tree = TarArchive(files: [.init(path: "jobstats", bytes: Array("new".utf8), isExecutable: true)]).encoded
        let path = "\(folder.path)/archive.tar"
        try Data(tree).write(to: URL(filePath: path))
        mkdir("\(folder.path)/apps", 0o755)
        folder.write("apps/jobstats", "changed by somebody\n", mode: 0o755)
        let plant = """
            for second in $(seq 0 30); do
                ln -s -- "$1" "$2.bcm-jobstats-$(date -u -d "+$second seconds" +%Y%m%dT%H%M%SZ)"
            done
            """
        let planted = try await run([Command("sh", ["-c", plant, "sh", victim, "\(folder.path)/apps/jobstats"])])
        try #require(planted.succeeded)
        let resource = JobstatsTreeResource(
            "\(folder.path)/apps", from: .init(path: path, sha256: SHA256Digest.hex(tree), size: tree.count))
        let result = try await run(try resource.changes(from: Facts()))
        #expect(result.succeeded, "\(result.errorText)")
        #expect(victimIsAsItWas && folder.read("apps/jobstats") == "new")
        let copies = folder.names(in: "apps").filter { folder.read("apps/\($0)") == "changed by somebody\n" }
        #expect(copies.count == 1)
    }

    @Test func aLinkBesideAFileIsNotWrittenThroughWhenWhatWasThereComesBack() async throws {
        folder.write("a", "the site's\n")
        _ = try await run(try file("a", "ours\n").changes(from: Facts()))
        symlink(victim, "\(folder.path)/a.bcm-jobstats")
        let removal = FileRemoval("\(folder.path)/a", record: record)
        let result = try await run(removal.changes(from: Facts()))
        #expect(result.succeeded, "\(result.errorText)")
        #expect(victimIsAsItWas && folder.read("a") == "the site's\n" && folder.names == ["a", "a.bcm-jobstats"])
    }

    @Test func aLinkToAFolderBesideALinkTakesNothing() async throws {
        symlink("/old", "\(folder.path)/link")
        symlink(elsewhere.path, "\(folder.path)/link.bcm-jobstats")
        let result = try await run(LinkResource("\(folder.path)/link", to: "/new").changes(from: Facts()))
        #expect(result.succeeded, "\(result.errorText)")
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder.path)/link")
        #expect(target == "/new" && victimIsAsItWas)
    }

    /// Another host puts a link in place of the new file before it gets its mode.
    @Test func aNewFileThatIsSwappedForALinkGivesNobodyItsMode() async throws {
        let swap = Command("sh", ["-c", "rm -f -- \"$1\" && ln -s -- \"$2\" \"$1\"", "sh", "{}", victim])
        _ = try await run(try file("a", "ours\n", mode: 0o666, validation: swap).changes(from: Facts()))
        #expect(victimIsAsItWas)
    }

    @Test func oneOfSeveralNewFilesThatIsSwappedForALinkGivesNobodyItsMode() async throws {
        let commands = try [file("a", "one\n", mode: 0o666), file("b", "two\n", mode: 0o666)]
            .flatMap { try $0.changes(from: Facts()) }
        let list = try #require(FileSet(commands, from: 0)).list
        let swap =
            "chmod() { for f in '\(folder.path)'/.bcm-jobstats.????????; do rm -f -- \"$f\"; "
            + "ln -s -- '\(victim)' \"$f\"; done; command chmod \"$@\"; }\n"
        _ = try await LocalExecutor().run(
            Command(
                "sh", ["-c", swap + InstallScript.text, "sh", record.path, list], input: commands.flatMap(\.input)))
        #expect(victimIsAsItWas)
    }

    /// The look saw the file with another mode; then it becomes a link.
    @Test func aFileThatBecameALinkKeepsItsModeAndOwner() async throws {
        folder.write("a", "ours\n", mode: 0o600)
        let resource = file("a", "ours\n", mode: 0o666)
        let changes = try resource.changes(from: try await facts(resource.queries))
        unlink("\(folder.path)/a")
        symlink(victim, "\(folder.path)/a")
        let result = try await run(changes)
        #expect(!result.succeeded && result.errorText.contains("\(folder.path)/a is a link"), "\(result.errorText)")
        #expect(victimIsAsItWas)
    }

    @Test func aFileWithAnotherModeGetsTheRightOne() async throws {
        folder.write("a", "ours\n", mode: 0o600)
        let resource = file("a", "ours\n", mode: 0o640)
        let result = try await run(try resource.changes(from: try await facts(resource.queries)))
        #expect(result.succeeded, "\(result.errorText)")
        #expect(try await facts(resource.queries).file("\(folder.path)/a")?.mode == 0o640)
    }

    @Test func aDirectoryThatBecameALinkKeepsItsMode() async throws {
        chmod(elsewhere.path, 0o700)
        symlink(elsewhere.path, "\(folder.path)/d")
        let resource = DirectoryResource(
            "\(folder.path)/d", mode: 0o777, owner: Self.user, group: Self.user, record: record)
        let result = try await run(resource.changes(from: Facts()))
        #expect(!result.succeeded && result.errorText.contains("is a link"), "\(result.errorText)")
        var status = stat()
        #expect(stat(elsewhere.path, &status) == 0 && status.st_mode & 0o777 == 0o700)
    }

    /// As where root's umask is 077; the folders above are others' way to it.
    @Test func foldersAboveADirectoryAreOpenWhateverTheUmask() async throws {
        let resource = DirectoryResource(
            "\(folder.path)/above/d", mode: 0o750, owner: Self.user, group: Self.user, record: record)
        var command = resource.changes(from: Facts())[0]
        command.arguments[1] = "umask 077\n" + command.arguments[1]
        let result = try await run([command])
        #expect(result.succeeded, "\(result.errorText)")
        let known = try await facts([.file("\(folder.path)/above"), .file("\(folder.path)/above/d")])
        #expect(known.file("\(folder.path)/above")?.mode == 0o755)
        #expect(known.file("\(folder.path)/above/d")?.mode == 0o750)
    }

    @Test func aLinkThatARunLeftGoesWithALaterOne() async throws {
        symlink("/gone", "\(folder.path)/.bcm-jobstats.0123abcd")
        var old = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        utimensat(AT_FDCWD, "\(folder.path)/.bcm-jobstats.0123abcd", &old, AT_SYMLINK_NOFOLLOW)
        let result = try await run(try file("a", "ours\n").changes(from: Facts()))
        #expect(result.succeeded && folder.names == ["a"], "\(folder.names)")
    }

    @Test func nothingOfWhatALinkLeadsToIsReadOrShown() async throws {
        symlink(victim, "\(folder.path)/config.py")
        let resource = file("config.py", "ours\n")
        let known = try await facts(resource.queries + resource.differenceQueries)
        #expect(known.content("\(folder.path)/config.py") == nil)
        #expect(resource.assess(known).state == .differs)
        #expect(resource.difference(known)?.contains("precious") == false)
    }

    @Test func aKeyThatARunLeftBesideItsPlaceGoesWithIt() async throws {
        folder.write(".bcm-jobstats.0123abcd", "key\n", mode: 0o600)
        let removal = SecretRemoval("\(folder.path)/key", record: record)
        let found = removal.assess(try await facts(removal.queries))
        #expect(found.state == .differs && found.detail.contains(".bcm-jobstats.0123abcd"), "\(found.detail)")
        let result = try await run(removal.changes(from: Facts()))
        #expect(result.succeeded && folder.names.isEmpty)
        #expect(removal.assess(try await facts(removal.queries)).state == .inPlace)
    }
}
