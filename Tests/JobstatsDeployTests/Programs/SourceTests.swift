import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// Archives and repositories, made and read by the real programs.
@Suite struct SourceTests {
    private let folder = TemporaryFolder()

    private func run(_ script: String, _ arguments: String...) async throws -> String {
        let result = try await LocalExecutor().run(
            Command("sh", ["-euc", script, "sh", folder.path] + arguments, timeout: .seconds(60)))
        #expect(result.succeeded, "\(result.errorText)")
        return result.outputText.trimmed
    }

    // MARK: Archives

    private func archive(_ name: String) async throws -> ReleaseArchive {
        _ = try await run(
            """
            cd "$1"
            mkdir -p release-1/sub
            printf program >release-1/prog
            ln -sf /etc/passwd release-1/link
            tar -czf a.tar.gz release-1
            tar -cJf a.tar.xz release-1
            zip -qry a.zip release-1
            """)
        return ReleaseArchive(
            executor: LocalExecutor(), path: "\(folder.path)/\(name)", origin: "https://example.org/\(name)")
    }

    private func words(_ work: () async throws(ProgramProblem) -> Void) async -> String {
        do {
            try await work()
            return "no failure"
        } catch {
            return error.description
        }
    }

    @Test(arguments: ["a.tar.gz", "a.tar.xz", "a.zip"])
    func namedMemberIsTaken(_ name: String) async throws {
        try await archive(name).extract("release-1/prog", to: "\(folder.path)/out")
        #expect(folder.read("out") == "program")
    }

    @Test(arguments: ["a.tar.gz", "a.zip"])
    func missingMemberIsSaidWithWhatTheArchiveHolds(_ name: String) async throws {
        let archive = try await archive(name)
        let words = await words { () async throws(ProgramProblem) in
            try await archive.extract("release-1/none", to: "\(folder.path)/out")
        }
        #expect(words.hasPrefix("https://example.org/\(name) holds no release-1/none that can be unpacked (it holds "))
        #expect(words.contains("release-1/prog"))
    }

    @Test(arguments: ["release-1/link", "release-1/sub"])
    func linkAndFolderAreNoPrograms(_ member: String) async throws {
        let archive = try await archive("a.tar.gz")
        let words = await words { () async throws(ProgramProblem) in
            try await archive.extract(member, to: "\(folder.path)/out")
        }
        #expect(words != "no failure")
        #expect(folder.read("out")?.contains("root:") != true)
    }

    @Test func whatIsNoArchiveIsSaid() async throws {
        let archive = ReleaseArchive(
            executor: LocalExecutor(), path: folder.write("x", "no archive"), origin: "https://example.org/x")
        let words = await words { () async throws(ProgramProblem) in
            try await archive.extract("a", to: "\(folder.path)/out")
        }
        #expect(words.contains("https://example.org/x holds no a"))
    }

    // MARK: Repositories

    private func repository() async throws -> String {
        try await run(
            """
            mkdir "$1/repo"
            cd "$1/repo"
            git init -q .
            git config user.name x
            git config user.email x@example.org
            mkdir -p tool hooks
            printf 'module example.org/tool\\n\\ngo 1.18\\n' >go.mod
            printf 'package main\\n\\nfunc main() { println("first") }\\n' >tool/main.go
            printf 'first' >jobstats
            git add -A
            git commit -qm first
            git rev-parse HEAD
            printf 'second' >jobstats
            git commit -qam second
            """)
    }

    private func commit(_ revision: String) -> GitRevision {
        GitRevision(executor: LocalExecutor(), url: "\(folder.path)/repo", revision: revision)
    }

    @Test func treeIsThatOfTheCommitAndNotOfTheBranch() async throws {
        let revision = try await repository()
        mkdir("\(folder.path)/work", 0o700)
        let tar = try await commit(revision).archive(in: "\(folder.path)/work")
        #expect(try await run(#"tar -xOf "$2" jobstats"#, tar) == "first")
        #expect(try await run(#"tar -tf "$2" | sort | head -n 2 | tr '\n' ' '"#, tar) == "go.mod jobstats")
    }

    @Test func commitThatIsNotThereIsSaid() async throws {
        _ = try await repository()
        mkdir("\(folder.path)/work", 0o700)
        let revision = String(repeating: "a", count: 40)
        let words = await words { () async throws(ProgramProblem) in
            _ = try await commit(revision).archive(in: "\(folder.path)/work")
        }
        #expect(words.hasPrefix("\(folder.path)/repo cannot be fetched: "))
    }

    @Test func repositoryThatIsNotThereIsSaid() async throws {
        mkdir("\(folder.path)/work", 0o700)
        let words = await words { () async throws(ProgramProblem) in
            _ = try await commit(String(repeating: "a", count: 40)).archive(in: "\(folder.path)/work")
        }
        #expect(words.contains("does not appear to be a git repository"))
    }

    private static let hasGo = ["/usr/bin/go", "/usr/local/go/bin/go", "/usr/local/bin/go"].contains { (path: String) in
        access(path, X_OK) == 0
    }

    @Test(.enabled(if: hasGo, "Go is not installed here"))
    func programIsBuiltAndTwoBuildsAreTheSame() async throws {
        let revision = try await repository()
        var sums: [String] = []
        for name in ["one", "two"] {
            mkdir("\(folder.path)/\(name)", 0o700)
            let program = try await commit(revision).build(
                "tool", usesC: false, for: ProgramFinder.localArchitecture, in: "\(folder.path)/\(name)")
            #expect(try await run(#""$2" 2>&1"#, program) == "first")
            sums.append(await SHA256Digest.file(program)?.sum ?? "none")
        }
        #expect(sums[0] == sums[1])
    }

    @Test(.enabled(if: !hasGo, "Go is installed here"))
    func withoutGoItIsSaidWhatToInstall() async throws {
        let words = await words { () async throws(ProgramProblem) in
            _ = try await commit(String(repeating: "a", count: 40)).build(
                ".", usesC: false, for: .x86, in: folder.path)
        }
        #expect(words.contains("this machine has no go (packages golang-go"))
    }
}
