import CommandExecution
import FoundationEssentials
import Testing

@testable import JobstatsDeploy

@Suite struct TarArchiveTests {
    /// An archive made by tar(1) of what a script leaves in a folder.
    private func archive(_ script: String, format: String = "pax", _ names: String = ".") async throws -> [UInt8] {
        let folder = TemporaryFolder()
        let result = try await LocalExecutor().run(
            Command("sh", ["-ec", "mkdir \"$1/tree\"; cd \"$1/tree\"; \(script)", "sh", folder.path]))
        #expect(result.succeeded, "\(result.errorText)")
        let made = try await LocalExecutor().run(
            Command("sh", ["-c", "cd \"$1/tree\" && tar -P --format=\(format) -cf - \(names)", "sh", folder.path]))
        #expect(made.succeeded, "\(made.errorText)")
        return made.standardOutput
    }

    private func refusal(_ bytes: [UInt8]) -> String? {
        do throws(ResourceError) {
            _ = try TarArchive(bytes)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test(arguments: ["ustar", "pax", "gnu", "v7"])
    func filesOfEveryFormatAreRead(_ format: String) async throws {
        let bytes = try await archive(
            "mkdir -p a/b; printf one >a/b/one.py; : >empty; printf x >run; chmod 755 run", format: format)
        let files = try TarArchive(bytes).files.sorted { $0.path < $1.path }
        #expect(files.map(\.path) == ["a/b/one.py", "empty", "run"])
        #expect(files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "", "x"])
        #expect(files.map(\.isExecutable) == [false, false, true])
    }

    @Test(arguments: ["ustar", "pax", "gnu"])
    func longNamesAreRead(_ format: String) async throws {
        let folder = String(repeating: "d", count: 70)
        let name = String(repeating: "n", count: 80)
        let bytes = try await archive("mkdir \(folder); printf long >\(folder)/\(name)", format: format)
        let files = try TarArchive(bytes).files
        #expect(files.map(\.path) == ["\(folder)/\(name)"])
        let again = try TarArchive(TarArchive(files: files).encoded)
        #expect(again.files == files)
    }

    @Test func theRevisionOfGitIsKept() async throws {
        let folder = TemporaryFolder()
        let result = try await LocalExecutor().run(
            Command(
                "sh",
                [
                    "-ec",
                    """
                    cd "$1"; git init -q; echo x >jobstats; git add .
                    git -c user.name=a -c user.email=a@b.c commit -qm one
                    git rev-parse HEAD >&2; git archive HEAD
                    """, "sh", folder.path,
                ]))
        #expect(try TarArchive(result.standardOutput).revision == result.errorText.trimmed)
    }

    @Test(arguments: [
        ("ln -s /etc/passwd link", ".", #""./link" is neither a plain file nor a directory"#),
        ("echo x >a; ln a b", ".", "is neither a plain file nor a directory"),
        ("mkfifo pipe", ".", "is neither a plain file nor a directory"),
        ("mkdir in; echo x >out", "in/../out", #"it holds the name "in/../out""#),
        ("echo x >out", "\"$PWD/out\"", "it holds the name"),
        ("echo x >'a b'", ".", #"it holds the name "./a b""#),
        ("echo x >'$(id)'", ".", "it holds the name"),
        ("echo x >\"$(printf 'a\\nb')\"", ".", "it holds the name"),
        ("echo x >ä", ".", "it holds the name"),
        ("echo x >a", "--hard-dereference a a", "it holds a twice"),
        ("mkdir empty", ".", "it holds no file"),
    ])
    func hostileArchivesAreRefused(_ script: String, _ names: String, _ reason: String) async throws {
        let bytes = try await archive(script, names)
        #expect(refusal(bytes)?.contains(reason) == true, "\(refusal(bytes) ?? "not refused")")
    }

    @Test func damagedArchivesAreRefused() async throws {
        let bytes = try await archive("head -c 3000 /dev/zero >a; echo b >b")
        #expect(refusal(Array(bytes.prefix(1500))) != nil)
        var damaged = bytes
        damaged[2] ^= 1
        #expect(refusal(damaged)?.contains("a header is damaged") == true)
        #expect(refusal([])?.contains("it holds no file") == true)
        #expect(refusal([0x1f, 0x8b] + [UInt8](repeating: 7, count: 2000))?.contains("or it is compressed") == true)
        for cut in stride(from: 0, to: bytes.count, by: 97) { _ = refusal(Array(bytes.prefix(cut))) }
    }

    @Test func whatIsWrittenIsReadByTar() async throws {
        let files = [
            TarArchive.File(path: "a/b.py", bytes: Array("one\n".utf8), isExecutable: false),
            TarArchive.File(path: "run", bytes: [UInt8](repeating: 65, count: 513), isExecutable: true),
        ]
        let result = try await LocalExecutor().run(
            Command("tar", ["--numeric-owner", "-tvf", "-"], input: TarArchive(files: files).encoded))
        let lines = result.outputText.split(separator: "\n")
        #expect(result.succeeded)
        #expect(lines.count == 2 && lines[0].hasPrefix("-rw-r--r-- 0/0") && lines[0].hasSuffix(" a/b.py"))
        #expect(lines[1].hasPrefix("-rwxr-xr-x 0/0") && lines[1].contains(" 513 "))
    }
}
