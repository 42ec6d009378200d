import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

/// Against a stand-in for `ssh` that runs the remote command on this machine, so that everything but the network is real.
struct SSHConnectionTests {
    private let folder = TemporaryFolder()

    private func connection(
        _ standIn: String = "for last; do :; done; exec sh -c \"$last\"", locks: Bool = true
    ) -> SSHConnection {
        let program = folder.write(
            "ssh", "#!/bin/sh\nBCM_JOBSTATS_RUN=\(folder.path)\nexport BCM_JOBSTATS_RUN\n\(standIn)\n", mode: 0o755)
        var options = SSHOptions(program: program, connectTimeout: .seconds(2))
        options.locksHosts = locks
        return SSHConnection(host: "dgx-01", options: options)
    }

    @Test func manyCommandsShareOneConnection() async throws {
        let connection = connection()
        for number in 0..<20 {
            let result = try await connection.run(Command("echo", ["\(number)"]))
            #expect(result.outputText == "\(number)\n")
        }
        #expect(connection.attempts == 1)
        await connection.close()
    }

    @Test func streamsStatusAndHostileArgumentsArriveUnchanged() async throws {
        let connection = connection()
        let words = ["$(id)", "a'b", "x;y", "line\nbreak", "", "\\", "*"]
        let result = try await connection.run(
            Command("sh", ["-c", "printf '%s|' \"$@\"; echo oops >&2; exit 7", "sh"] + words))
        #expect(result.outputText == words.map { $0 + "|" }.joined())
        #expect(result.errorText == "oops\n")
        #expect(result.status == .exited(7))
    }

    @Test func bytesOfAllKindsPassBothWays() async throws {
        let connection = connection()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let result = try await connection.run(Command("cat", input: bytes))
        #expect(result.standardOutput == bytes)
        #expect(try await connection.run(Command("true")).succeeded)
    }

    @Test func inputThatIsNotReadDoesNotReachTheNextCommand() async throws {
        let connection = connection()
        #expect(try await connection.run(Command("true", input: Array("echo hacked\n".utf8))).succeeded)
        #expect(try await connection.run(Command("cat")).outputText == "")
    }

    @Test func environmentReachesTheCommand() async throws {
        let result = try await connection().run(Command("sh", ["-c", "echo $A"], environment: ["A": "it's $x"]))
        #expect(result.outputText == "it's $x\n")
    }

    @Test func commandThatHangsIsEndedAndTheConnectionStays() async throws {
        let connection = connection()
        await #expect(throws: CommandError(.timedOut, executable: "", reason: "")) {
            try await connection.run(Command("sleep", ["600"], timeout: .seconds(1)))
        }
        #expect(try await connection.run(Command("echo", ["on"])).outputText == "on\n")
        #expect(connection.attempts == 1)
    }

    /// A host's shell that finds these programs first.
    private var shell: String { "export PATH=\(folder.path):$PATH; for last; do :; done; exec sh -c \"$last\"" }

    @Test func whileARunIsAtWorkOnAHostNoOtherIs() async throws {
        folder.write("sleep", "#!/bin/sh\nexec /bin/sleep 0.02\n", mode: 0o755)
        let first = connection(shell)
        let begun = "\(folder.path)/begun"
        async let work = first.run(
            Command("sh", ["-c", "touch \(begun); while [ -e \(begun) ]; do /bin/sleep 0.1; done"]))
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: begun) {
            try await Task.sleep(for: .milliseconds(20))
        }
        let second = connection(shell)
        let error = await #expect(throws: CommandError.self) { try await second.run(Command("true")) }
        #expect(error?.description.contains("another run is at work on this host") == true)
        let looking = connection(shell, locks: false)
        #expect(try await looking.run(Command("true")).succeeded, "what only looks needs no lock")
        try FileManager.default.removeItem(atPath: begun)
        let worked = try await work
        #expect(worked.succeeded)
        await first.close()
        let third = connection(shell)
        #expect(try await third.run(Command("true")).succeeded)
    }

    @Test func aRunWhoseCableWasPulledIsNotInTheNextOnesWay() async throws {
        // It has been idle for a while.
        folder.write("find", "#!/bin/sh\nexit 0\n", mode: 0o755)
        let first = connection(shell)
        #expect(try await first.run(Command("true")).succeeded)
        let second = connection(shell)
        #expect(try await second.run(Command("true")).succeeded)
        let error = await #expect(throws: CommandError.self) { try await first.run(Command("true")) }
        #expect(error?.code == .connectionLost)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains(".run.") }.count == 1)
    }

    /// The loop waits for the rest of a request, which does not come.
    @Test func aRunWhoseCableWasPulledInARequestIsNotInTheNextOnesWay() async throws {
        folder.write("find", "#!/bin/sh\nexit 0\n", mode: 0o755)
        let half = Command(
            "sh",
            [
                "-c", "(printf '1 10 5000 0\\nabc'; exec /bin/sleep 60) | sh -c \"$1\"", "sh",
                RemoteAgent.script(locks: true),
            ], environment: ["BCM_JOBSTATS_RUN": folder.path, "PATH": "\(folder.path):/usr/bin:/bin"])
        let cut = Task { try? await LocalExecutor().run(half) }
        func isTaking() -> Bool {
            folder.names.filter { $0.hasPrefix("bcm-jobstats.run.") }.contains {
                folder.read("\($0)/state")?.hasPrefix("take ") == true
            }
        }
        for _ in 0..<500 where !isTaking() { try await Task.sleep(for: .milliseconds(20)) }
        try #require(isTaking())
        #expect(try await connection(shell).run(Command("echo", ["on"])).outputText == "on\n")
        cut.cancel()
        _ = await cut.value
    }

    @Test func whatARequestBroughtIsGoneBeforeItsAnswerAndNobodyElseCouldReadIt() async throws {
        let connection = connection()
        let look = "ls -l \(folder.path)/bcm-jobstats.run.*/ | grep -c '^-rw-------'"
        #expect(try await connection.run(Command("sh", ["-c", look], input: [1, 2, 3])).outputText == "5\n")
        let names = try await connection.run(Command("sh", ["-c", "cat \(folder.path)/bcm-jobstats.run.*/i | wc -c"]))
        #expect(names.outputText == "0\n")
    }

    @Test(arguments: [true, false])
    func whatKilledLooksLeftGoesAtTheNextStart(locks: Bool) async throws {
        func look(_ name: String, _ state: String?) throws {
            let path = "\(folder.path)/bcm-jobstats.look.\(name)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            if let state { folder.write("bcm-jobstats.look.\(name)/state", state + "\n") }
        }
        try look("killed", "busy 999999999")
        try look("killd2", "idle 999999999")
        try look("living", "busy \(getpid())")
        try look("starts", nil)
        try look("neverX", nil)
        let old = Command("touch", ["-d", "2 days ago", "\(folder.path)/bcm-jobstats.look.neverX"])
        #expect(try await LocalExecutor().run(old).succeeded)
        // One that is really killed, in the midst of a command.
        let killed = connection(locks: false)
        _ = try? await killed.run(Command("sh", ["-c", "kill -KILL $(ps -o ppid= -p $PPID)"], timeout: .seconds(5)))
        let next = connection(locks: locks)
        #expect(try await next.run(Command("true")).succeeded)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains(".look.") }
        let own = locks ? 0 : 1
        #expect(names.count == 2 + own && names.contains { $0.hasSuffix("living") }, "\(names)")
        #expect(names.contains { $0.hasSuffix("starts") }, "\(names)")
        await next.close()
    }

    @Test func greetingsOfTheHostArePassedOver() async throws {
        let connection = connection("echo Welcome; echo 'to dgx'; for last; do :; done; exec sh -c \"$last\"")
        #expect(try await connection.run(Command("echo", ["x"])).outputText == "x\n")
    }

    @Test func unknownHostKeyIsExplainedAndNotTriedAgain() async throws {
        let connection = connection("echo 'Host key verification failed.' >&2; exit 255")
        let error = await #expect(throws: CommandError.self) { try await connection.run(Command("true")) }
        #expect(error?.code == .connectionLost)
        #expect(
            "\(error!)" == "dgx-01: ssh: connection lost: Host key verification failed.. "
                + "Its host key is unknown or has changed: compare it, then update known_hosts")
        #expect(connection.attempts == 1)
    }

    @Test func refusedConnectionIsTriedAgain() async throws {
        let connection = connection(
            """
            if [ ! -e \(folder.path)/tried ]; then
                touch \(folder.path)/tried
                echo 'ssh: connect to host dgx-01 port 22: Connection refused' >&2
                exit 255
            fi
            for last; do :; done
            exec sh -c "$last"
            """)
        #expect(try await connection.run(Command("echo", ["x"])).outputText == "x\n")
        #expect(connection.attempts == 2)
    }

    @Test func connectionThatDiesFailsThisAndEveryLaterCommand() async throws {
        let connection = connection()
        for _ in 0..<2 {
            await #expect(throws: CommandError(.connectionLost, executable: "", reason: "")) {
                // The agent is the grandparent of this command (above timeout); ending it cuts the connection as a reboot would.
                try await connection.run(
                    Command("sh", ["-c", "kill -KILL $(ps -o ppid= -p $PPID)"], timeout: .seconds(5)))
            }
        }
    }

    @Test func cancellingTheCallerEndsTheCommand() async throws {
        let connection = connection()
        #expect(try await connection.run(Command("true")).succeeded)
        let task = Task { try await connection.run(Command("sleep", ["10"], timeout: .seconds(20))) }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CommandError(.cancelled, executable: "", reason: "")) { try await task.value }
    }

    @Test func requestOrderIsKeptForConcurrentCallers() async throws {
        let connection = connection()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask { try await connection.run(Command("echo", ["\(number)"])).outputText == "\(number)\n" }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test func noOptionLetsAnUnknownHostIn() {
        let arguments = SSHOptions(configurationFile: "/x").arguments(host: "h", remoteCommand: "true")
        #expect(arguments.contains("StrictHostKeyChecking=yes"))
        #expect(arguments.contains("BatchMode=yes"))
        #expect(arguments.suffix(3) == ["--", "h", "true"])
        #expect(!RemoteAgent.script(locks: true).contains("\n"))
    }

    @Test(arguments: [
        ("Include /etc/ssh/ssh_config.d/*.conf\nHost *\n", true), ("# Include x\nHost *\n", true), ("", true),
        ("Host *\n  include ssh_config.d/*.conf\n", false), ("Include=\"x\"\n", false), ("Include /a b\n", false),
    ])
    func theSystemsFileIsIncludedOnlyWhereItsOwnIncludesMeanTheSame(_ text: String, _ isSo: Bool) {
        #expect(SSHPreferences.canInclude(text) == isSo)
    }

    @Test func aRequestThatTheConnectionWasCutInIsNotCarriedOut() async throws {
        let memory = TemporaryFolder()
        let request = Array(
            RemoteAgent.request(
                id: 1, Command("sh", ["-c", "cat >\"$0\"", "\(memory.path)/file"], input: Array("whole\n".utf8))
            ).joined())
        for (length, status) in [(request.count, Int32(0)), (request.count - 1, 92), (request.count - 7, 92)] {
            memory.write("file", "before\n")
            let result = try await LocalExecutor().run(
                Command(
                    "sh", ["-c", RemoteAgent.script(locks: true)], input: Array(request.prefix(length)),
                    environment: ["BCM_JOBSTATS_RUN": memory.path]))
            #expect(result.status == .exited(status), "\(length) bytes: \(result.outputText)\(result.errorText)")
            #expect(memory.read("file") == (status == 0 ? "whole\n" : "before\n"), "\(length) bytes")
        }
    }

    @Test func piecesOfAnInputArriveInOrderAndLargeOnesAreNotCopied() async throws {
        let memory = TemporaryFolder()
        let large = [UInt8](repeating: UInt8(ascii: "l"), count: 100_000)
        let pieces = [Array("a".utf8), Array("b".utf8), large, [], Array("c".utf8)]
        let parts = RemoteAgent.request(
            id: 1, Command("sh", ["-c", "cat >\"$0\"", "\(memory.path)/file"], input: Array("first".utf8)),
            followedBy: pieces)
        #expect(parts.count == 3)
        let isSame = try #require(parts.dropFirst().first).withUnsafeBufferPointer { part in
            large.withUnsafeBufferPointer { $0.baseAddress == part.baseAddress }
        }
        #expect(isSame)
        let result = try await LocalExecutor().run(
            Command(
                "sh", ["-c", RemoteAgent.script(locks: true)], input: Array(parts.joined()),
                environment: ["BCM_JOBSTATS_RUN": memory.path]))
        #expect(result.succeeded, "\(result.errorText)")
        #expect(memory.read("file") == "firstab" + String(decoding: large, as: UTF8.self) + "c")
    }

    @Test func preferencesStandBehindTheFilesOfTheUserAndTheSystem() async throws {
        let arguments = SSHOptions().arguments(host: "h", remoteCommand: "true")
        let path = try #require(SSHPreferences.path)
        #expect(arguments.prefix(2) == ["-F", path])
        let shown = try await LocalExecutor().run(Command("ssh", ["-F", path, "-G", "h"]))
        let ciphers = shown.outputText.split(separator: "\n").first { $0.hasPrefix("ciphers ") }
        #expect(ciphers?.hasPrefix("ciphers aes128-gcm@openssh.com,") == true, "\(shown.errorText)")
        // What was said before counts.
        let own = folder.write("config", "Ciphers aes256-ctr\n")
        let text = SSHPreferences.text.replacing("~/.ssh/config", with: own)
        let both = folder.write("both", text)
        let kept = try await LocalExecutor().run(Command("ssh", ["-F", both, "-G", "h"]))
        #expect(kept.outputText.split(separator: "\n").contains("ciphers aes256-ctr"))
        #expect(SSHOptions(configurationFile: "/x").arguments(host: "h", remoteCommand: "").prefix(2) == ["-F", "/x"])
    }
}
