import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import RoleMonitor

/// The program itself, as systemd and an operator run it.
struct MonitorProgramTests {
    private let folder: TemporaryFolder
    private let program: String

    init() throws {
        folder = try TemporaryFolder()
        program = try #require(BuiltProgram.path("bcm-role-monitor"))
    }

    /// A configuration whose head node is this local port, with everything else in the test's own folder.
    private func configure(port: Int = 1, _ change: (inout MonitorConfiguration) -> Void = { _ in }) throws -> String {
        var configuration = MonitorConfiguration(headNodes: ["127.0.0.1:\(port)"])
        configuration.stateDirectory = folder.path("state")
        configuration.targetsDirectory = folder.path("targets")
        configuration.metricsTextfile = folder.path("metrics.prom")
        configuration.isInsecure = true
        change(&configuration)
        try folder.write("config.json", String(decoding: configuration.encoded(), as: UTF8.self))
        return folder.path("config.json")
    }

    private func run(_ arguments: [String]) async throws -> CommandResult {
        try await LocalExecutor().run(Command(program, arguments))
    }

    @Test(arguments: [
        (["--bogus"], "Unknown option '--bogus'"),
        (["--pause", "soon"], "The value 'soon' is invalid for '--pause <time>'"),
        (["--once", "--resume"], "Give one of --once"),
        (["--log-level", "loud"], "The value 'loud' is invalid"),
        (["--config", "/no/such/file"], "/no/such/file: there is no such file; deploy-role-monitor makes one"),
    ])
    func wrongCommandLineEndsWithStatus2(arguments: [String], message: String) async throws {
        let result = try await run(arguments)
        #expect(result.status == .exited(2))
        #expect(result.errorText.contains(message), "\(result.errorText)")
        #expect(result.standardOutput.isEmpty)
    }

    @Test(arguments: [[], ["--once"], ["--dry-run"], ["--check-connectivity"], ["--resume"], ["--reset"]])
    func badConfigurationEndsWithStatus2AndAllItsMistakes(command: [String]) async throws {
        try folder.write("config.json", #"{"bcm_port": "x", "max_retries": -1}"#)
        let result = try await run(["--config", folder.path("config.json")] + command)
        #expect(result.status == .exited(2))
        #expect(
            result.errorText == """
                \(folder.path("config.json")): 3 mistakes
                  bcm_headnodes: missing, expected at least one head node, as in ["head-a", "head-b:8081"]
                  bcm_port: found "x", expected a whole number from 1 to 65535
                  max_retries: found -1, expected a whole number from 1 to 1000

                """)
        #expect(folder.names() == ["config.json"])
    }

    @Test(arguments: [4, 12, 20, 63])
    func tooFewDescriptorsEndWithStatus2AndAreNamed(limit: Int) async throws {
        let words = [program, "--config", try configure(), "--once"]
        let result = try await LocalExecutor().run(Command("prlimit", ["--nofile=\(limit)"] + words))
        #expect(result.status == .exited(2))
        #expect(
            result.errorText.contains("at most \(limit) open files") && result.errorText.contains("LimitNOFILE="),
            "\(result.errorText)")
        #expect(folder.names() == ["config.json"])
        let enough = try await LocalExecutor().run(Command("prlimit", ["--nofile=64"] + words))
        #expect(enough.status == .exited(3), "\(enough.errorText)")
    }

    @Test func targetsDirectoryOnTheCommandLineIsCheckedToo() async throws {
        let result = try await run(["--config", try configure(), "--prometheus-targets-dir", "targets", "--once"])
        #expect(result.status == .exited(2))
        #expect(result.errorText.contains("--prometheus-targets-dir: found \"targets\", expected an absolute path"))
    }

    @Test func versionAndHelpNeedNothing() async throws {
        #expect(try await run(["--version"]).outputText == "0.1.0\n")
        let help = try await run(["--help"])
        #expect(help.succeeded)
        #expect(help.outputText.contains("--prometheus-targets-dir"))
    }

    @Test func unreachableHeadNodeIsStatus3() async throws {
        let result = try await run(["--config", try configure(), "--once"])
        #expect(result.status == .exited(3))
        #expect(result.outputText.hasPrefix("role slurmclient unknown; nothing is changed: 127.0.0.1:1: not reachable"))
        #expect(
            folder.read("metrics.prom")?.contains("bcm_role_monitor_failures_total{kind=\"not reachable\"} 1") == true)
        #expect(folder.names("targets").isEmpty)
    }

    @Test func dryRunLeavesNothingBehind() async throws {
        let result = try await run(["--config", try configure(), "--dry-run"])
        #expect(result.status == .exited(3))
        #expect(folder.names() == ["config.json"])
    }

    @Test func connectivityTableNamesCauseAndRemedy() async throws {
        let result = try await run(["--config", try configure(), "--check-connectivity"])
        #expect(result.status == .exited(1))
        let lines = result.outputText.split(separator: "\n")
        #expect(lines[0].hasPrefix("HEAD NODE    REACHABLE  TRUSTED  AUTHORISED  CERTIFICATE DAYS  LATENCY"))
        #expect(lines[1].hasPrefix("127.0.0.1:1  no         -        -"))
        #expect(lines[2].hasPrefix("127.0.0.1:1: not reachable: "))
    }

    @Test func requestsWithoutAMonitorSaySo() async throws {
        let file = try configure()
        let resumed = try await run(["--config", file, "--resume"])
        #expect(resumed.outputText.hasPrefix("no monitor runs on this node: the pause is taken back"))
        #expect(resumed.succeeded)
    }

    @Test func secondMonitorSaysSoAndLeaves() async throws {
        let server = try SilentServer()
        let file = try configure(port: server.port)
        let monitor = try RunningProgram(program, ["--config", file], log: folder.path("log"))
        defer { monitor.kill() }
        try await eventually { server.hasPeer }
        for command in [[], ["--once"]] {
            let second = try await run(["--config", file] + command)
            #expect(second.status == .exited(4))
            #expect(second.errorText.contains("another bcm-role-monitor runs on this node, process \(monitor.process)"))
        }
        // These take no lock.
        #expect(try await run(["--config", file, "--version"]).succeeded)
        #expect(try await run(["--config", try configure(port: 1), "--dry-run"]).status == .exited(3))
    }

    @Test func terminationEndsItAtOnceEvenInMidRequest() async throws {
        let server = try SilentServer()
        let monitor = try RunningProgram(
            program, ["--config", try configure(port: server.port)], log: folder.path("log"))
        defer { monitor.kill() }
        try await eventually { server.hasPeer }
        let start = ContinuousClock.now
        monitor.signal(SIGTERM)
        #expect(try await monitor.end() == 0)
        // A tenth of a second on a quiet machine; the request itself would go on for minutes.
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(folder.read("log")?.contains("SIGTERM: ending; exporters and target file stay as they are") == true)
    }

    @Test func hangupReadsTheConfigurationAgainAndKeepsTheOldOneIfTheNewIsBad() async throws {
        let server = try SilentServer()
        let file = try configure()
        let monitor = try RunningProgram(program, ["--config", file], log: folder.path("log"))
        defer { monitor.kill() }
        try await eventually { folder.read("metrics.prom") != nil }
        try folder.write("config.json", "{")
        monitor.signal(SIGHUP)
        try await eventually { folder.read("log")?.contains("the configuration stays as it was") == true }
        _ = try configure(port: server.port)
        monitor.signal(SIGHUP)
        try await eventually { folder.read("log")?.contains("was read again") == true }
        // The next check, a second later, asks the new head node.
        try await eventually { server.hasPeer }
    }

    @Test func systemdIsToldThatItIsReadyBeforeBCMAnswers() async throws {
        let server = try SilentServer()
        let socket = try DatagramSocket(path: folder.path("notify"))
        let monitor = try RunningProgram(
            program, ["--config", try configure(port: server.port)], log: folder.path("log"),
            environment: ["NOTIFY_SOCKET": folder.path("notify"), "WATCHDOG_USEC": "1000000"])
        defer { monitor.kill() }
        var seen = ""
        try await eventually {
            seen += socket.receive()
            return seen.contains("READY=1") && seen.contains("STATUS=") && seen.contains("WATCHDOG=1")
        }
    }

    @Test func pauseIsHandedToTheRunningMonitorAndConfirmed() async throws {
        let file = try configure { $0.managesServices = false }
        try folder.makeFolder("targets")
        try folder.write("targets/\(LocalHost().identity().hostName).json", "[]\n")
        let monitor = try RunningProgram(program, ["--config", file], log: folder.path("log"))
        defer { monitor.kill() }
        try await eventually { folder.names("state").contains("control") }
        let paused = try await run(["--config", file, "--pause", "90m"])
        #expect(paused.outputText.hasPrefix("paused until 2"))
        #expect(folder.names("targets").isEmpty)
        try await eventually { folder.read("metrics.prom")?.contains("bcm_role_monitor_paused 1") == true }
        let resumed = try await run(["--config", file, "--resume"])
        #expect(resumed.outputText.hasPrefix("resumed\n  the role is unknown, so nothing is started or stopped"))
        let reset = try await run(["--config", file, "--reset"])
        #expect(reset.outputText.hasPrefix("failed starts and keys of head nodes are forgotten"))
    }

    @Test func monitorWithAGoodConfigurationIsReachedWhenTheFileHasBecomeBad() async throws {
        let file = try configure { $0.managesServices = false }
        try folder.makeFolder("run")
        try folder.makeFolder("targets")
        let monitor = try RunningProgram(
            program, ["--config", file], log: folder.path("log"),
            environment: ["RUNTIME_DIRECTORY": folder.path("run")])
        defer { monitor.kill() }
        try await eventually { folder.names("run").contains("control") && folder.names("state").contains("control") }
        try folder.write("config.json", "{")
        var service = MonitorService(configurationFile: file, logger: MemoryLog().logger)
        service.standardRuntimeDirectory = folder.path("run")
        #expect(try await service.send(.pause(seconds: 600)).hasPrefix("paused until 2"))
        service.standardRuntimeDirectory = folder.path("nowhere")
        await #expect(throws: MonitorConfigurationError.self) { try await service.send(.resume) }
    }

    @Test func logLinesCarryPrioritiesForTheJournal() async throws {
        let file = try configure()
        let log = folder.path("log")
        try folder.write("log", "")
        var status = stat()
        #expect(stat(log, &status) == 0)
        let result = try await LocalExecutor().run(
            Command(
                "sh", ["-c", "exec \"$0\" \"$@\" 2>>\"$LOG\"", program, "--config", file, "--once"],
                environment: ["LOG": log, "JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino)"]))
        #expect(result.status == .exited(3))
        #expect(folder.read("log")?.hasPrefix("<4>") == true)
    }
}
