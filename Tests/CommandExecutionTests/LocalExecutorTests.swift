import Glibc
import SystemPackage
import Testing

@testable import CommandExecution

struct LocalExecutorTests {
    @Test func outputErrorAndStatusAreKeptApart() async throws {
        let result = try await LocalExecutor().run(Command("sh", ["-c", "echo out; echo err >&2; exit 3"]))
        #expect(result.outputText == "out\n")
        #expect(result.errorText == "err\n")
        #expect(result.status == .exited(3))
        #expect(!result.succeeded)
    }

    @Test func argumentsReachTheProgramUnchanged() async throws {
        let hostile = ["$(id)", "a'b\"c", "x;y", "line\nbreak", "", "*"]
        let result = try await LocalExecutor().run(Command("printf", ["%s|"] + hostile))
        #expect(result.outputText == hostile.map { $0 + "|" }.joined())
    }

    @Test func inputThatNobodyReadsDoesNotEndTheProcess() async throws {
        let result = try await LocalExecutor().run(Command("true", input: [UInt8](repeating: 65, count: 1 << 20)))
        #expect(result.succeeded)
    }

    @Test func inputIsRead() async throws {
        let result = try await LocalExecutor().run(Command("cat", input: Array("hello".utf8)))
        #expect(result.outputText == "hello")
    }

    @Test func environmentIsAdded() async throws {
        let result = try await LocalExecutor().run(
            Command("sh", ["-c", "echo $COLOUR"], environment: ["COLOUR": "red"]))
        #expect(result.outputText == "red\n")
    }

    @Test func missingProgramIsNotFound() async throws {
        await #expect(throws: CommandError(.notFound, executable: "", reason: "")) {
            try await LocalExecutor().run(Command("no-such-program-here"))
        }
    }

    @Test func programThatHangsIsEndedWithItsChildren() async throws {
        await #expect(throws: CommandError(.timedOut, executable: "", reason: "")) {
            try await LocalExecutor().run(Command("sh", ["-c", "sleep 600 & sleep 600"], timeout: .milliseconds(200)))
        }
    }

    @Test(.timeLimit(.minutes(1))) func programThatHangsWithClosedPipesIsEnded() async throws {
        await #expect(throws: CommandError(.timedOut, executable: "", reason: "")) {
            try await LocalExecutor().run(
                Command("sh", ["-c", "exec >&- 2>&-; exec sleep 600"], timeout: .milliseconds(200)))
        }
    }

    @Test(.timeLimit(.minutes(1))) func programThatWritesTooMuchAndCannotBeEndedIsGivenUpBeforeItsTimeOut() async throws
    {
        let error = await #expect(throws: CommandError.self) {
            try await LocalExecutor(terminationDelay: .seconds(3), abandonDelay: .milliseconds(100)).run(
                Command(
                    "sh", ["-c", "trap '' TERM PIPE; head -c 100000 /dev/zero; while :; do sleep 0.1; done"],
                    timeout: .seconds(600), outputLimit: 1000))
        }
        #expect(error?.code == .outputTooLarge)
        #expect(error?.reason == "more than 1000 bytes of output, and it cannot be ended")
    }

    @Test func programThatIgnoresTerminationIsKilled() async throws {
        await #expect(throws: CommandError(.timedOut, executable: "", reason: "")) {
            try await LocalExecutor(terminationDelay: .milliseconds(100)).run(
                Command("sh", ["-c", "trap '' TERM; while :; do sleep 600; done"], timeout: .milliseconds(200)))
        }
    }

    @Test func tooMuchOutputIsAnError() async throws {
        await #expect(throws: CommandError(.outputTooLarge, executable: "", reason: "")) {
            try await LocalExecutor().run(Command("head", ["-c", "100000", "/dev/zero"], outputLimit: 1000))
        }
    }

    @Test func programThatNeverStopsWritingIsEnded() async throws {
        await #expect(throws: CommandError(.outputTooLarge, executable: "", reason: "")) {
            try await LocalExecutor().run(
                Command("sh", ["-c", "trap '' PIPE TERM; while :; do echo x >&2; done"], outputLimit: 100_000))
        }
    }

    @Test func outputUpToTheLimitOnBothPipesIsWhole() async throws {
        let script = "head -c 300000 /dev/zero & head -c 299999 /dev/zero >&2; wait"
        let result = try await LocalExecutor().run(Command("sh", ["-c", script], outputLimit: 300_000))
        #expect(result.standardOutput.count == 300_000)
        #expect(result.standardError.count == 299_999)
    }

    @Test func childThatHoldsThePipesOpenIsNotWaitedFor() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try await LocalExecutor().run(Command("sh", ["-c", "sleep 20 & echo $!"], timeout: .seconds(10)))
        #expect(clock.now - start < .seconds(10))
        let child = try #require(Int32(result.outputText.dropLast()))
        #expect(kill(child, SIGKILL) == 0)
    }

    @Test func childThatGoesOnWritingIsNotListenedTo() async throws {
        let result = try await LocalExecutor().run(
            Command("sh", ["-c", "yes & echo $! >&2"], timeout: .seconds(10), outputLimit: 64 << 20))
        #expect(result.standardOutput.count < 64 << 20)
        let child = try #require(Int32(result.errorText.dropLast()))
        kill(child, SIGKILL)
    }

    @Test func programThatClosesItsPipesIsWaitedFor() async throws {
        let result = try await LocalExecutor().run(
            Command("sh", ["-c", "echo out; exec >&- 2>&-; sleep 0.1; exit 4"]))
        #expect(result.status == .exited(4))
        #expect(result.outputText == "out\n")
    }

    @Test func descriptorsAreGivenBackWhateverTheEnd() async throws {
        func run(_ command: Command) async { _ = try? await LocalExecutor().run(command) }
        func all() async {
            await run(Command("true"))
            await run(Command("no-such-program-here"))
            await run(Command("/etc/passwd"))
            await run(Command("yes", outputLimit: 10))
            await run(Command("sleep", ["600"], timeout: .milliseconds(1)))
            let task = Task { await run(Command("sleep", ["600"])) }
            task.cancel()
            await task.value
        }
        await all()
        let before = try openDescriptors()
        for _ in 0..<20 { await all() }
        // Other tests of this process open some, too; 120 programs that each kept one would not go unseen.
        #expect(try openDescriptors() < before + 60)
    }

    @Test(.timeLimit(.minutes(1))) func programThatIsGivenUpFindsItsPipesClosed() async throws {
        var template = Array("/tmp/given-up-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { rmdir(folder) }
        let mark = "\(folder)/closed"
        let error = await #expect(throws: CommandError.self) {
            try await LocalExecutor(terminationDelay: .seconds(20), abandonDelay: .milliseconds(100)).run(
                Command(
                    "sh", ["-c", "trap '' TERM PIPE; while echo x; do sleep 0.02; done 2>&-; : > \"$0\"", mark],
                    timeout: .milliseconds(100)))
        }
        #expect(error?.code == .timedOut)
        #expect(error?.reason == "no end after 0.1 seconds, and it cannot be ended")
        while access(mark, F_OK) != 0 { try await Task.sleep(for: .milliseconds(20)) }
        unlink(mark)
    }

    @Test func processOutOfDescriptorsIsToldWhatToRaise() {
        for number in [EMFILE, ENFILE] {
            let error = LocalExecutor.failure(Errno(rawValue: number), of: "pipes", for: "true")
            #expect(error.code == .notStarted && error.reason.contains("raise this "), "\(error)")
        }
        let other = LocalExecutor.failure(Errno(rawValue: EPERM), of: "pipes", for: "true")
        #expect("\(other)" == "true: not started: pipes: Operation not permitted")
    }

    private func openDescriptors() throws -> Int {
        let folder = try #require(opendir("/proc/self/fd"))
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count
    }

    @Test func cancellationEndsTheProgram() async throws {
        let task = Task { try await LocalExecutor().run(Command("sleep", ["600"], timeout: .seconds(700))) }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CommandError(.cancelled, executable: "", reason: "")) { try await task.value }
    }

    @Test func nulInAnArgumentIsRefused() async throws {
        await #expect(throws: CommandError(.notStarted, executable: "", reason: "")) {
            try await LocalExecutor().run(Command("echo", ["a\0b"]))
        }
    }

    @Test func quotedWordsSurviveARealShell() async throws {
        let words = ["plain", "", "it's", "$HOME `id`", "a\nb", "\\", "*?[", "é – ü", "-n", "~", "#x", "!x"]
        let result = try await LocalExecutor().run(
            Command("sh", ["-c", "printf '%s\\0' " + ShellQuoting.quote(words)]))
        #expect(result.outputText == words.map { $0 + "\0" }.joined())
    }

    @Test func secretsDoNotShow() {
        let secret = Secret("s3cret")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect("\(secret)" == "<secret>")
        #expect(!dumped.contains("s3cret"))
        #expect(!String(reflecting: [secret]).contains("s3cret"))
        #expect(secret.reveal { $0 } == "s3cret")
    }

    @Test func errorNamesHostProgramAndReason() {
        let error = CommandError(.timedOut, executable: "systemctl", host: "dgx-01", reason: "no end after 30 s")
        #expect("\(error)" == "dgx-01: systemctl: timed out: no end after 30 s")
    }

    @Test func programsAreFoundAsTheShellFindsThem() {
        #expect(ExecutableSearch.file("sh", path: "/nowhere:/etc:/bin:/usr/bin") == "/bin/sh")
        #expect(ExecutableSearch.file("passwd", path: "/etc") == nil, "not executable")
        #expect(ExecutableSearch.file("ssh", path: "/etc") == nil, "a folder, or nothing")
        #expect(ExecutableSearch.file("sh", path: "bin:") == nil, "not relative to wherever this runs")
    }

    @Test func thePathOfTheCommandCounts() async throws {
        let error = await #expect(throws: CommandError.self) {
            try await LocalExecutor().run(Command("true", environment: ["PATH": "/nowhere"]))
        }
        #expect(error?.code == .notFound)
    }
}
