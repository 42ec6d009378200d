import BCMClient
import CommandExecution
import Synchronization
import Testing

@testable import JobstatsDeploy

/// A cluster in which time passes by waiting alone: what it answers depends on the seconds since the job was submitted.
final class CanarySite: HostConnector, Sendable {
    struct State: Sendable {
        var now = 0.0
        var commands: [(host: String, words: String)] = []
        /// When the job begins, ends, and has its summary; nil for never.
        var starts: Double? = 4
        var summary: Double? = 200
        var summaryText = "JS1:H4sIAAAA"
        var hasNote = true
        var hasSeries = true
        var takesJobs = true
        /// Whether the task is cancelled once this time has come.
        var interruption: Double?
    }

    let state: Mutex<State>

    init(_ change: (inout State) -> Void = { _ in }) {
        var state = State()
        change(&state)
        self.state = Mutex(state)
    }

    struct Connection: HostConnection {
        let site: CanarySite
        let host: Host
        var attempts: Int { 0 }
        func close() async {}
        func run(_ command: Command) async throws(CommandError) -> CommandResult {
            site.answer(host.name, command)
        }
    }

    func connect(to host: Host) async -> any HostConnection { Connection(site: self, host: host) }

    private func answer(_ host: String, _ command: Command) -> CommandResult {
        state.withLock { state in
            let words = command.arguments.joined(separator: " ")
            state.commands.append((host, words))
            let begin = state.starts ?? .infinity, end = begin + 170
            let isRunning = state.now >= begin && state.now < end
            if words.contains("sbatch") {
                return state.takesJobs ? makeResult("42\n") : makeResult("sbatch: error: Invalid account\n", 1)
            }
            if words.contains("%T|%N|%r") {
                return makeResult(isRunning ? "RUNNING|dgx-01|None\n" : "PENDING||Resources\n")
            }
            if words.contains("squeue") { return makeResult(state.now < end ? "RUNNING\n" : "COMPLETED\n") }
            if words.contains("/run/gpustat") { return makeResult(isRunning && state.hasNote ? "yes\n" : "no\n") }
            if words.contains("sacct") {
                return makeResult(state.now >= state.summary ?? .infinity ? "\(state.summaryText)\n" : "\n")
            }
            if words.contains("jobstats 42") { return makeResult("Job ID: 42\n") }
            if command.executable == "bash" {
                let list = isRunning && state.hasSeries ? #"{"metric":{},"value":[1,"1"]}"# : ""
                let body = #"{"status":"success","data":{"result":[\#(list)]}}"#
                return makeResult(Base64.encode(Array("HTTP/1.0 200 OK\r\n\r\n\(body)".utf8)) + "\n")
            }
            return makeResult("")
        }
    }

    /// Runs a canary to its end.
    func run(_ change: (inout ValidationCanary.Options) -> Void = { _ in }) async -> ValidationReport {
        var options = ValidationCanary.Options()
        change(&options)
        let canary = ValidationCanary(
            configuration: makeConfiguration(), options: options, connector: self,
            localHost: Host("head-a", isLocal: true),
            pace: .init(
                now: { self.state.withLock { $0.now } },
                pause: { duration in
                    let isOver = self.state.withLock { state in
                        state.now += duration / .seconds(1)
                        return state.interruption.map { state.now >= $0 } ?? false
                    }
                    if isOver { withUnsafeCurrentTask { $0?.cancel() } }
                    try Task.checkCancellation()
                }))
        return await Task { await canary.run() }.value
    }

    func sent(_ word: String) -> Bool { state.withLock { $0.commands.contains { $0.words.contains(word) } } }
}

@Suite struct ValidationCanaryTests {
    private func states(_ report: ValidationReport) -> [String: ValidationState] {
        Dictionary(report.findings.map { (String($0.check.dropFirst(9)), $0.verdict.state) }) { $1 }
    }

    @Test func aHealthySiteIsFollowedToTheEnd() async {
        let site = CanarySite()
        let report = await site.run()
        #expect(report.findings.count == CanaryStation.allCases.count)
        #expect(report.findings.allSatisfy { $0.verdict.state == .passed && $0.host == "dgx-01" }, "\(report.findings)")
        #expect(report.exitStatus == 0 && !site.sent("scancel"))
        #expect(Set(report.checks.map(\.id)) == Set(report.findings.map(\.check)))
    }

    @Test func aJobThatIsNotTakenEndsIt() async {
        let site = CanarySite { $0.takesJobs = false }
        let report = await site.run()
        #expect(states(report)["submit"] == .failed && report.exitStatus == 1)
        #expect(states(report).filter { $0.value == .skipped }.count == CanaryStation.allCases.count - 1)
    }

    @Test func aJobThatDoesNotStartIsCancelled() async {
        let site = CanarySite { $0.starts = nil }
        let report = await site.run { $0.patience = .seconds(20) }
        #expect(states(report)["start"] == .failed)
        #expect(site.sent("scancel 42"))
    }

    @Test func eachStationThatFailsIsNamedAndTheOthersGoOn() async {
        let noNote = await CanarySite { $0.hasNote = false }.run()
        #expect(states(noNote)["note"] == .failed && states(noNote)["cgroup"] == .passed)
        let noSeries = await CanarySite { $0.hasSeries = false }.run()
        #expect(states(noSeries)["cgroup"] == .failed && states(noSeries)["gpu"] == .failed)
        #expect(states(noSeries)["note"] == .passed && states(noSeries)["summary"] == .passed)
        let noSummary = await CanarySite { $0.summary = nil }.run()
        #expect(states(noSummary)["summary"] == .failed && states(noSummary)["jobstats"] == .passed)
        let none = await CanarySite { $0.summaryText = "JS1:None" }.run()
        #expect(states(none)["summary"] == .failed)
        for report in [noNote, noSeries, noSummary, none] {
            for finding in report.findings where finding.verdict.state == .failed {
                #expect(finding.verdict.advice?.isEmpty == false)
            }
        }
    }

    @Test func anInterruptionCancelsTheJob() async {
        let site = CanarySite { $0.interruption = 30 }
        let report = await site.run()
        #expect(site.sent("scancel 42"))
        #expect(report.exitStatus == 1 && states(report)["summary"] == .unseen)
    }
}
