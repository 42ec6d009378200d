import CommandExecution
import FoundationEssentials
import Glibc
import Testing

/// The tests on the lab: one after the other, on one lab. They run when `scripts/test.sh` says that there can be one.
@Suite(.serialized, .enabled(if: Lab.isWanted, Lab.reasonToSkip), .timeLimit(.minutes(20)))
enum LabTests {}

/// The cluster of real hosts that `scripts/lab.sh` runs on this machine.
struct Lab: Sendable {
    /// Whether the tests on the lab are to run.
    static let isWanted = variable("JOBSTATS_LAB") == "1"
    /// Whether the tests that take minutes are to run.
    static let isPatient = variable("JOBSTATS_LONG") == "1"
    /// Why they are skipped otherwise.
    static let reasonToSkip = Comment(rawValue: variable("JOBSTATS_LAB_REASON") ?? "JOBSTATS_LAB is not 1")
    /// The folder of the repository.
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private let executor = LocalExecutor()
    private let name: String
    private let paths: [String: String]

    /// What went wrong with the lab itself.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The lab, in the state in which every test finds it: all hosts on and connected, storage working, no fault. It is
    /// started when none is up, and then left to `scripts/lab.sh down`.
    static func ready() async throws -> Lab {
        let lab = try await started(
            variable("JOBSTATS_LAB_NAME") ?? "jobstats-lab", "--nodes", "3", "--slurm", "--images")
        try await lab.script("restore", timeout: .seconds(120))
        return lab
    }

    /// Runs a test on a lab of its own, beside the usual one, and takes that down.
    static func with<Value>(
        _ name: String, _ arguments: String..., test: (Lab) async throws -> Value
    ) async throws -> Value {
        let lab = try await started(name, arguments)
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await test(lab)) } catch { outcome = .failure(error) }
        try await lab.script("down", timeout: .seconds(120))
        return try outcome.get()
    }

    private static func started(_ name: String, _ arguments: String...) async throws -> Lab {
        try await started(name, arguments)
    }

    /// The lab of a name, as it is; started with these arguments when it is not up.
    private static func started(_ name: String, _ arguments: [String]) async throws -> Lab {
        let script = repository + "/scripts/lab.sh"
        let named = ["JOBSTATS_LAB_NAME": name]
        let executor = LocalExecutor()
        var answer = try await executor.run(Command(script, ["env"], environment: named))
        if !answer.succeeded {
            let up = try await executor.run(
                Command(
                    script, ["up"] + arguments + ["--owner", "\(getppid())"], environment: named,
                    timeout: .seconds(600)))
            guard up.succeeded else { throw Failure(description: "no lab: \(up.errorText)") }
            answer = try await executor.run(Command(script, ["env"], environment: named))
        }
        var paths: [String: String] = [:]
        for line in answer.outputText.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { paths[parts[0]] = parts[1] }
        }
        return Lab(name: name, paths: paths)
    }

    private init(name: String, paths: [String: String]) {
        self.name = name
        self.paths = paths
    }

    /// What `lab.sh env` says of the lab.
    func variable(_ name: String) -> String { paths["JOBSTATS_LAB_\(name)"] ?? "" }

    /// The hosts with this beginning of their names, in order.
    func hosts(_ prefix: String = "") -> [String] {
        variable("HOSTS").split(separator: " ").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    /// Runs `scripts/lab.sh`; throws when it fails.
    @discardableResult
    func script(_ arguments: String..., timeout: Duration = .seconds(60)) async throws -> String {
        let result = try await executor.run(
            Command(
                Self.repository + "/scripts/lab.sh", arguments, environment: ["JOBSTATS_LAB_NAME": name],
                timeout: timeout))
        guard result.succeeded else {
            throw Failure(description: "lab.sh \(arguments.joined(separator: " ")): \(result.errorText)")
        }
        return result.outputText
    }

    /// Runs a command on a host; its exit status is part of the result.
    func run(
        _ host: String, _ arguments: [String], input: [UInt8] = [], timeout: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await shell(host, ShellQuoting.quote(arguments), input: input, timeout: timeout)
    }

    /// Runs shell text on a host; its exit status is part of the result.
    func shell(
        _ host: String, _ text: String, input: [UInt8] = [], timeout: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await executor.run(
            Command(
                "ip",
                [
                    "netns", "exec", variable("NAMESPACE"), "ssh", "-F", variable("SSH_CONFIG"),
                    "-o", "ConnectTimeout=5", host, text,
                ], input: input, timeout: timeout))
    }

    /// The output of shell text that has to succeed, without its last newline.
    @discardableResult
    func output(_ host: String, _ text: String, timeout: Duration = .seconds(60)) async throws -> String {
        let result = try await shell(host, text, timeout: timeout)
        guard result.succeeded else {
            throw Failure(description: "\(host): \(text): \(result.status): \(result.errorText)\(result.outputText)")
        }
        var output = result.outputText
        if output.hasSuffix("\n") { output.removeLast() }
        return output
    }

    /// Runs a program on a host with a terminal of its own, and talks to it; see `on-terminal.py` for the words of the
    /// script. Gives what the terminal showed, and `ended with STATUS`.
    func onTerminal(
        _ host: String, _ arguments: [String], columns: Int = 80, _ script: [String],
        timeout: Duration = .seconds(240)
    ) async throws -> String {
        let words =
            [
                Self.repository + "/Tests/JobstatsDeployTests/Terminal/on-terminal.py", "\(columns)", "/usr/bin/env",
                "ip", "netns", "exec", variable("NAMESPACE"), "ssh", "-tt", "-F", variable("SSH_CONFIG"), host,
                ShellQuoting.quote(arguments),
            ]
        let result = try await executor.run(
            Command("python3", words, input: Array(script.joined(separator: "\n").utf8), timeout: timeout))
        return result.outputText + result.errorText
    }

    /// Whether shell text succeeds on a host.
    func succeeds(_ host: String, _ text: String) async throws -> Bool {
        try await shell(host, text).succeeded
    }

    /// A command of the simulated `cmsh` on a head node.
    @discardableResult
    func cmsh(_ commands: String, on head: String = "head-a") async throws -> String {
        try await output(head, ShellQuoting.quote(["/cm/local/apps/cmd/bin/cmsh", "-q", "-c", commands]))
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

/// Asks again and again until a condition holds; fails the test when it does not in time.
func eventually(
    within limit: Duration = .seconds(30), every interval: Duration = .milliseconds(200),
    _ what: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < end else {
            throw Lab.Failure(description: "not within \(limit): \(what()) (\(sourceLocation))")
        }
        try await Task.sleep(for: interval)
    }
}
