import CommandExecution
import FoundationEssentials
import Testing

/// The load that `scripts/load-test.sh` makes, measured from outside.
@Suite(.serialized) struct LoadTestTests {
    private let script =
        #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/scripts/load-test.sh"

    private func run(_ script: String, _ arguments: [String]) async throws -> CommandResult {
        try await LocalExecutor().run(
            Command("bash", ["-c", script, "bash", self.script] + arguments, timeout: .seconds(60)))
    }

    @Test(arguments: [(6, 30), (4, 20)])
    func cpuTimeIsThatOfTheLevel(seconds: Int, level: Int) async throws {
        // What the kernel accounts to the script and all that it started, in the shell's own format.
        let result = try await run(
            "\"$@\"; status=$?; times; exit $status",
            ["--seconds", "\(seconds)", "--level", "\(level)", "--cpus", "1"])
        #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
        let times = result.outputText.matches(of: /([0-9]+)m([0-9.]+)s/).map { match in
            (Double(match.output.1) ?? 0) * 60 + (Double(match.output.2) ?? 0)
        }
        let used = times.reduce(0, +), wanted = Double(seconds * level) / 100
        #expect(abs(used - wanted) < 0.15 * wanted + 0.1, "\(used) s in place of \(wanted) s")
        #expect(result.outputText.contains("CPU time: "))
    }

    /// A process group of its own, so that everything that is left of it can be seen.
    @Test func aSignalEndsItAndItsWorkers() async throws {
        let started = ContinuousClock.now
        let result = try await run(
            """
            out=$(mktemp); setsid "$@" >"$out" 2>&1 & wait_for=$!
            for ((n = 0; n < 100; n++)); do [ -s "$out" ] && break; sleep 0.1; done
            kill -TERM "$wait_for"; wait "$wait_for"; echo "status $?"
            echo "left: $(pgrep -s "$wait_for" | wc -l)"; cat "$out"; rm -f "$out"
            """, ["--seconds", "60", "--level", "30", "--cpus", "1"])
        #expect(result.outputText.contains("status 143\nleft: 0\nload of 30 % on 1 of "), "\(result.outputText)")
        #expect(result.outputText.hasSuffix("ended early\n"))
        #expect(started.duration(to: .now) < .seconds(20))
    }

    @Test(arguments: [
        ["--seconds", "0"], ["--seconds", "86401"], ["--level", "101"], ["--level", "x"], ["--cpus", "999999"],
        ["--cpus"], ["--other"], ["--seconds", "$(id)"], ["--level", "1;2"],
    ])
    func wrongUseIsStatusTwo(arguments: [String]) async throws {
        let result = try await run("\"$@\"", arguments)
        #expect(result.status == .exited(2) && result.errorText.contains("--help"), "\(result.errorText)")
    }

    @Test func slurmReadsItsOptionsBeforeTheFirstCommand() throws {
        let lines = try String(contentsOf: URL(filePath: script), encoding: .utf8).split(separator: "\n")
        let head = lines.prefix { $0.hasPrefix("#") }
        #expect(head.filter { $0.hasPrefix("#SBATCH ") }.count == 4)
    }
}
