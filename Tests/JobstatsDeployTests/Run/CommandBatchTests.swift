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
