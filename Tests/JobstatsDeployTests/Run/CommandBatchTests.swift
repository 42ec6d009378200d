import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

struct CommandBatchTests {
    private let folder = TemporaryFolder()

    private func write(_ name: String, _ text: String) -> Command {
        Command("sh", ["-c", "cat >\"$1\"", "sh", "\(folder.path)/\(name)"], input: Array(text.utf8))
    }

    private func run(_ commands: [Command], _ queries: [Query] = []) async throws -> CommandBatch.Outcome {
        try await CommandBatch(commands, then: FactCollector(queries)).run(on: LocalConnection())
    }

    @Test func eachCommandHasItsOwnInputAndTheQuestionsComeAfterThem() async throws {
        let large = String(repeating: "0123456789abcdef", count: 40_000)
        let outcome = try await run(
            [write("a", large), write("it's b", "$(b)"), write("empty", "")], [.file("\(folder.path)/it's b")])
        #expect(outcome.failure == nil)
        #expect(folder.read("a") == large && folder.read("it's b") == "$(b)" && folder.read("empty") == "")
        #expect(outcome.facts.file("\(folder.path)/it's b")?.size == 4)
    }

    @Test func inputThatACommandLeavesIsNotTakenForTheNextOnes() async throws {
        let careless = Command("true", input: Array(repeating: UInt8(ascii: "x"), count: 300_000))
        let outcome = try await run([careless, write("a", "right")])
        #expect(outcome.failure == nil)
        #expect(folder.read("a") == "right")
    }

    @Test func filesTakeTheirOwnBytesFromTheCommonInput() async throws {
        let record = OwnershipRecord(directory: "\(folder.path)/record")
        let owner = "\(getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "root")"
        let large = String(repeating: "0123456789abcdef", count: 70_000)
        let texts = [("a", "one\n"), ("b", ""), ("c", large), ("d", "four")]
        let commands = try texts.flatMap { name, text in
            try FileResource(
                "\(folder.path)/\(name)", .text(text), owner: owner, group: owner, record: record
            ).changes(from: Facts())
        }
        let outcome = try await run(commands + [write("e", "five")], [.file("\(folder.path)/c")])
        #expect(outcome.failure == nil)
        for (name, text) in texts + [("e", "five")] { #expect(folder.read(name) == text) }
        #expect(outcome.facts.file("\(folder.path)/c")?.sha256 == SHA256Digest.hex(Array(large.utf8)))
        #expect(folder.names == ["a", "b", "c", "d", "e", "record"])
    }

    @Test func aQuestionThatTakesLongerThanTheOthersIsAskedAgainByItself() async throws {
        let slow = Command("sh", ["-c", "sleep 1.2; echo slow"], timeout: .seconds(3))
        let quick = Command("true", timeout: .seconds(1))
        let outcome = try await run([write("a", "a")], [.command(slow), .command(quick)])
        #expect(outcome.failure == nil && folder.read("a") == "a")
        #expect(outcome.facts.result(slow)?.outputText == "slow\n")
        #expect(outcome.facts.result(quick)?.succeeded == true)
    }

    @Test func theFirstFailureIsNamedAndNothingAfterItRuns() async throws {
        let bad = Command("sh", ["-c", "echo out; echo why >&2; exit 7"])
        let outcome = try await run([write("a", "a"), bad, write("b", "b")], [.file("\(folder.path)/a")])
        #expect(outcome.failure?.index == 1)
        #expect(outcome.failure?.result.status == .exited(7))
        #expect(outcome.failure?.result.outputText == "out\nwhy\n")
        #expect(outcome.facts.file("\(folder.path)/a")?.kind == .plain)
        #expect(folder.names == ["a"])
    }

    @Test func aCommandThatHangsIsEndedAndSaysSo() async throws {
        let outcome = try await run([Command("sleep", ["60"], timeout: .seconds(1)), write("b", "b")])
        #expect(outcome.failure?.index == 0)
        #expect(outcome.failure?.result.outputText.contains("no end after 1 s") == true)
        #expect(folder.names.isEmpty)
    }

    @Test func aCommandThatIgnoresItsEndIsSaidToHaveTakenTooLong() async throws {
        let deaf = Command("sh", ["-c", "trap '' TERM; while :; do sleep 0.2; done"], timeout: .seconds(1))
        let outcome = try await run([deaf])
        #expect(outcome.failure?.result.outputText.contains("no end after 1 s") == true)
    }

    /// timeout(1) makes a process group of its own, which a signal to ours does not reach.
    @Test func aRunThatIsEndedLeavesNoCommandBehind() async throws {
        let mark = "\(folder.path)/running"
        let work = Command(
            "sh", ["-c", "echo $$ >\"$1\"; while :; do sleep 0.1; done", "sh", mark], input: [1], timeout: .seconds(100)
        )
        let task = Task { try? await run([work]) }
        for _ in 0..<1000 where folder.read("running")?.hasSuffix("\n") != true {
            try await Task.sleep(for: .milliseconds(10))
        }
        let process = try #require(folder.read("running").flatMap { pid_t($0.dropLast()) })
        task.cancel()
        _ = await task.value
        for _ in 0..<1000 where kill(process, 0) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(kill(process, 0) != 0)
    }

    /// The first answer says that the second command failed and that the questions took too long; then nothing comes.
    private actor Silent: HostConnection {
        nonisolated let attempts = 0
        private var asked = 0

        nonisolated func run(_ command: Command) async throws(CommandError) -> CommandResult {
            guard await isFirst() else { throw CommandError(.timedOut, executable: "sh", reason: "no end after 61 s") }
            let said = "=m= 1 124\nno end after 90 s\nthe reason\n=m= late\n"
            return CommandResult(status: .exited(0), standardError: Array(said.utf8))
        }
        private func isFirst() -> Bool {
            asked += 1
            return asked == 1
        }
        nonisolated func close() async {}
    }

    @Test func whatFailedIsKnownAlsoWhenNothingIsAnsweredAfterIt() async throws {
        let outcome = try await CommandBatch(
            [Command("true"), Command("systemctl", ["restart", "a"])], then: FactCollector([.unit("a")]), marker: "=m="
        ).run(on: Silent())
        #expect(outcome.failure?.index == 1 && outcome.isUnanswered)
        #expect(outcome.failure?.result.outputText == "no end after 90 s\nthe reason")
    }

    @Test func theEnvironmentReachesItsCommandAlone() async throws {
        let script = "printf '%s' \"${WORD-none}\" >\"$1\""
        let outcome = try await run([
            Command("sh", ["-c", script, "sh", "\(folder.path)/a"], environment: ["WORD": "it's $HOME"]),
            Command("sh", ["-c", script, "sh", "\(folder.path)/b"]),
        ])
        #expect(outcome.failure == nil)
        #expect(folder.read("a") == "it's $HOME" && folder.read("b") == "none")
    }
}
