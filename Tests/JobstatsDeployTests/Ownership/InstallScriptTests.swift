import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// Several files that are put in place together.
struct InstallScriptTests {
    private let folder = TemporaryFolder()
    private let memory = TemporaryFolder()
    /// Asked once: getpwuid(3) is not safe in several threads.
    private static let user = String(cString: getpwuid(getuid()).pointee.pw_name)

    private func file(_ name: String, _ text: String, mode: Int = 0o644, owner: String = Self.user) -> FileResource {
        FileResource(
            "\(folder.path)/\(name)", .text(text), mode: mode, owner: owner, group: owner,
            record: OwnershipRecord(directory: memory.path))
    }

    private func commands(_ files: [FileResource]) throws -> [Command] {
        try files.flatMap { try $0.changes(from: Facts()) }
    }

    private func install(_ files: [FileResource]) async throws -> CommandBatch.Outcome {
        try await CommandBatch(try commands(files), then: FactCollector(files.flatMap(\.queries)))
            .run(on: LocalConnection())
    }

    private func known(_ name: String) -> [String] {
        (memory.read("installed") ?? "").split(separator: "\n").filter { $0.hasSuffix("  \(folder.path)/\(name)") }
            .map { String($0.prefix { $0 != " " }) }
    }

    @Test func eachFileHasItsModeAndTheRecordKnowsThemAll() async throws {
        mkdir("\(folder.path)/below", 0o755)
        let large = String(repeating: "0123456789abcde\n", count: 30_000)
        let files = [
            file("a", "one\n"), file("b", "key", mode: 0o600), file("below/c", large, mode: 0o755), file("d", ""),
        ]
        let outcome = try await install(files)
        #expect(outcome.failure == nil)
        for file in files {
            #expect(file.assess(outcome.facts).state == .inPlace, "\(file.assess(outcome.facts).detail)")
            #expect(known(String(file.path.dropFirst(folder.path.count + 1))) == [file.content.sha256])
        }
        #expect(folder.names == ["a", "b", "below", "d"] && folder.names(in: "below") == ["c"])
    }

    @Test func oneThatFailsLeavesItAndLaterOnesAloneAndIsNamed() async throws {
        mkdir("\(folder.path)/b", 0o755)
        folder.write("c", "old\n")
        let outcome = try await install([file("a", "one\n"), file("b", "two\n"), file("c", "new\n")])
        #expect(outcome.failure?.index == 1)
        #expect(outcome.failure?.result.outputText.contains("\(folder.path)/b") == true)
        #expect(outcome.failure?.result.outputText.contains("bcm-jobstats-failed") == false)
        #expect(folder.read("a") == "one\n" && folder.read("c") == "old\n" && folder.names == ["a", "b", "c"])
    }

    @Test(arguments: [0, 1, 2])
    func aFolderThatIsNotThereOrAnOwnerThatIsUnknownFailsItsFileAlone(_ bad: Int) async throws {
        var files = [file("a", "one\n"), file("b", "two\n"), file("c", "three\n")]
        files[bad] = bad == 1 ? file("b", "two\n", owner: "nobody-of-that-name") : file("missing/x", "x")
        let outcome = try await install(files)
        #expect(outcome.failure?.index == bad)
        #expect(folder.names == [[], ["a"], ["a", "b"]][bad])
        #expect(outcome.failure?.result.outputText.contains(bad == 1 ? "nobody-of-that-name" : "missing") == true)
    }

    @Test func bytesThatDidNotComeWholeReplaceNothing() async throws {
        folder.write("b", "old\n")
        var commands = try commands([file("a", "one\n"), file("b", "twelve\n")])
        let list = FileSet(commands, from: 0)
        #expect(list?.count == 2)
        commands[1].input.removeLast(3)
        let result = try await LocalExecutor().run(
            Command(
                "sh", ["-c", InstallScript.text, "sh", "\(memory.path)/installed", list?.list ?? ""],
                input: commands[0].input + commands[1].input))
        #expect(result.status == .exited(1) && result.outputText == "bcm-jobstats-failed 1\n")
        #expect(result.errorText.contains("the new \(folder.path)/b did not come whole"))
        #expect(folder.read("a") == "one\n" && folder.read("b") == "old\n" && folder.names == ["a", "b"])
    }

    @Test func aFolderThatIsNotThereAnyMoreFailsTheFirstFileAndLeavesNothing() async throws {
        let commands = try commands([file("a", "one\n"), file("b", "two\n")])
        let list = try #require(FileSet(commands, from: 0)).list
        // Neither a rename nor a flush of the folder succeeds.
        let broken =
            "mv() { case $4 in */installed) command mv \"$@\" ;; *) return 1 ;; esac; }\n"
            + "sync() { case $2 in */) return 1 ;; esac; }\n"
        let result = try await LocalExecutor().run(
            Command(
                "sh", ["-c", broken + InstallScript.text, "sh", "\(memory.path)/installed", list],
                input: commands.flatMap(\.input)))
        #expect(result.status == .exited(1) && result.outputText == "bcm-jobstats-failed 0\n")
        #expect(folder.names.isEmpty)
    }

    @Test(.enabled(if: getuid() == 0, "the record is closed to another user"))
    func aRecordThatCannotBeReadIsNotReplaced() async throws {
        _ = try await install([file("a", "one\n")])
        let before = memory.read("installed")
        chmod(memory.path, 0o777)
        chmod(folder.path, 0o777)
        chmod("\(memory.path)/installed", 0)
        let commands = try commands([file("b", "two\n", owner: "nobody")])
        let list = try #require(FileSet(commands, from: 0)).list
        let result = try await LocalExecutor().run(
            Command(
                "setpriv",
                [
                    "--reuid", "nobody", "--clear-groups", "sh", "-c", InstallScript.text, "sh",
                    "\(memory.path)/installed", list.replacing(":nobody", with: ":nogroup"),
                ], input: commands.flatMap(\.input)))
        #expect(result.status == .exited(1))
        chmod("\(memory.path)/installed", 0o644)
        #expect(memory.read("installed") == before && folder.names == ["a"])
    }

    @Test func whatSomebodyChangedIsKeptAndWhatIsOursIsNot() async throws {
        _ = try await install([file("a", "one\n"), file("b", "two\n")])
        folder.write("b", "mine\n")
        folder.write("c", "before\n")
        let outcome = try await install([file("a", "1\n"), file("b", "2\n"), file("c", "3\n")])
        #expect(outcome.failure == nil)
        // Within one second or two.
        func kept(_ name: String) -> [String] {
            memory.names(in: "backups").compactMap { memory.read("backups/\($0)\(folder.path)/\(name)") }
        }
        #expect(kept("a").isEmpty && kept("b") == ["mine\n"] && kept("c") == ["before\n"])
        #expect(known("a").count == 2 && known("c").first?.hasPrefix("before:") == true)
    }

    @Test func theDigestOfALargeFileIsNotComputedAgain() async throws {
        let large = String(repeating: "0123456789abcde\n", count: 30_000)
        let wanted = file("a", large)
        _ = try await install([file("b", "small"), wanted])
        let learned = memory.read("sums") ?? ""
        #expect(learned.hasSuffix("\t\(folder.path)/a\t\(wanted.content.sha256)\n"))
        // What is known is not learned anew, so the line fits the file.
        let sums = KnownSums(file: "\(memory.path)/sums", isWritten: true)
        let facts = try await FactCollector([.file(wanted.path)], sums: sums).collect(with: LocalExecutor())
        #expect(facts.file(wanted.path)?.sha256 == wanted.content.sha256)
        #expect(memory.read("sums") == learned)
    }

    @Test func aKillAtAnyInstantLeavesEachFileOldOrNewAndTheRecordKnowsIt() async throws {
        let names = (0..<6).map { "f\($0)" }
        var present = names.map { _ in "" }
        for round in 1...24 {
            let commands = try commands(names.map { file($0, "\(round) \($0)\n") })
            let list = try #require(FileSet(commands, from: 0)).list
            let milliseconds = Int.random(in: 1...40)
            // The killer is timeout(1), so that nothing of the script lives on.
            _ = try await LocalExecutor().run(
                Command(
                    "timeout",
                    [
                        "-s", "KILL", "0.\(milliseconds < 10 ? "00" : "0")\(milliseconds)", "sh", "-c",
                        InstallScript.text, "sh", "\(memory.path)/installed", list,
                    ], input: commands.flatMap(\.input)))
            for (index, name) in names.enumerated() {
                let text = folder.read(name) ?? ""
                #expect(text == present[index] || text == "\(round) \(name)\n")
                present[index] = text
                if !text.isEmpty { #expect(known(name).contains(SHA256Digest.hex(Array(text.utf8)))) }
            }
        }
        let end = try await install(names.map { file($0, "end\n") })
        #expect(end.failure == nil)
        #expect(names.allSatisfy { folder.read($0) == "end\n" })
    }
}
