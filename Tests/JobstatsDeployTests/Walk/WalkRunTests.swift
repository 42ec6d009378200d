import CommandExecution
import Glibc
import Synchronization
import Testing

@testable import JobstatsDeploy

/// Every host is this machine; counts connections, and can refuse a host some times.
private final class FolderConnector: HostConnector {
    private let refusals: Mutex<[String: Int]>
    private let made = Mutex<[String]>([])

    init(refusing: [String: Int] = [:]) { refusals = Mutex(refusing) }

    var connections: [String] { made.withLock { $0 } }

    func connect(to host: Host) async -> any HostConnection {
        made.withLock { $0.append(host.name) }
        let isRefused = refusals.withLock { counts in
            counts[host.name, default: 0] -= 1
            return (counts[host.name] ?? 0) >= 0
        }
        return isRefused ? DeadConnection(host: host.name) : LocalConnection() as any HostConnection
    }
}

private struct DeadConnection: HostConnection {
    let host: String
    var attempts: Int { 1 }
    func run(_ command: Command) async throws(CommandError) -> CommandResult {
        throw CommandError(.connectionLost, executable: "ssh", host: host, reason: "No route to host")
    }
    func close() async {}
}

struct WalkRunTests {
    private let folder = TemporaryFolder()
    /// What each host remembers; they are all this machine.
    private let memory = TemporaryFolder()
    private let owner = String(cString: getpwuid(getuid()).pointee.pw_name)

    private func file(_ name: String) -> FileResource {
        FileResource(
            "\(folder.path)/\(name)", .text("ours\n"), owner: owner, group: owner,
            record: OwnershipRecord(directory: "\(memory.path)/\(name)"))
    }

    private func section(_ number: Int, on hosts: [String], consent: String? = nil) -> PlanSection {
        let hosts = hosts.map { Host($0) }
        return PlanSection(
            number: number, title: "Title \(number)", purpose: "Purpose \(number).",
            link: "https://example.com/\(number)",
            steps: [
                Step(
                    "\(number).file", "file \(number)", consent: consent,
                    perHost: Dictionary(uniqueKeysWithValues: hosts.map { ($0, file("\(number)-\($0)")) }))
            ])
    }

    private func walk(
        _ sections: [PlanSection], _ answers: [String], _ connector: FolderConnector = FolderConnector(),
        startingAt number: Int? = nil, columns: Int = 80, progress: (any ProgressRecorder)? = nil
    ) async -> (report: RunReport, stages: [Walk.Stage], console: TestConsole, connections: Int) {
        let console = TestConsole(isTerminal: true, columns: columns, answers: answers)
        let pool = ConnectionPool(connector)
        let plan = Plan(sections: sections)
        let run = WalkRun(
            .init(outline: plan) { number, _, _, _ in plan.limited(toSections: [number]) }, startingAt: number,
            console: console, pool: pool, options: .init(), progress: progress)
        let (report, stages) = await run.run()
        return (report, stages, console, await pool.closeAll())
    }

    @Test func everySectionIsIntroducedAndRunsOverOneConnectionForEachHost() async {
        let connector = FolderConnector()
        let hosts = ["dgx-1", "dgx-2"]
        let (report, stages, console, _) = await walk(
            [section(4, on: hosts), section(6, on: hosts)], ["run", ""], connector)
        #expect(report.exitStatus == 0 && report.count(.changed) == 4)
        #expect(stages.map(\.state) == [.done, .done])
        #expect(connector.connections.sorted() == hosts)
        for text in ["4. Title 4", "Purpose 4.", "https://example.com/4", "on dgx-[1-2] (2 hosts):", "- file 4"] {
            #expect(console.output.contains(text), "\(text)")
        }
        #expect(console.output.contains("run, commands, diff, check, skip, quit, ? [run]: "))
    }

    @Test func endOfInputRunsNothing() async {
        let (report, stages, _, _) = await walk([section(4, on: ["dgx-1"])], [])
        #expect(report.results.isEmpty && report.exitStatus == 1)
        #expect(stages.map(\.state) == [.open])
        #expect(folder.names.isEmpty)
    }

    @Test func checkAndDiffSayWhatWouldChangeAndChangeNothing() async {
        folder.write("4-dgx-1", "theirs\n")
        let (report, _, console, _) = await walk(
            [section(4, on: ["dgx-1", "dgx-2"])], ["check", "diff", "commands", "?", "nonsense", "quit"])
        #expect(report.results.isEmpty)
        #expect(folder.read("4-dgx-1") == "theirs\n" && folder.names == ["4-dgx-1"])
        #expect(console.output.contains("file 4: would change on dgx-1"))
        #expect(console.output.contains("-theirs\n      +ours\n"))
        #expect(console.output.contains("   | ours\n"))
        #expect(console.output.contains("skip      leave this section as it is and go on"))
        #expect(console.output.contains("\"nonsense\" is none of run, commands"))
    }

    @Test func hostsThatDifferInNothingButTheirNamesAreToldTogether() {
        func result(_ host: String, _ outcome: StepOutcome, _ detail: String) -> StepResult {
            StepResult(
                step: "4.file", title: "file 4", section: 4, host: Host(host), outcome: outcome, detail: detail,
                remedy: nil, isWarning: false, difference: nil, duration: .zero)
        }
        let plan = Plan(sections: [section(4, on: ["dgx-1", "dgx-2", "dgx-3"])])
        let results = [
            result("dgx-1", .failed, "dgx-1 is down"), result("dgx-2", .failed, "dgx-2 is down"),
            result("dgx-3", .failed, "dgx-3 is lost"),
        ]
        let text = SectionFindings.text(
            results, of: plan, showsDifferences: true, columns: 80, style: Style(usesColour: false))
        #expect(
            text == """
                   file 4: blocked on dgx-[1-2]
                      HOST is down
                   file 4: blocked on dgx-3
                      dgx-3 is lost

                """)
    }

    @Test func sectionThatIsInPlaceIsSaidToBe() async {
        _ = await walk([section(4, on: ["dgx-1"])], ["run", "quit"])
        let (_, _, second, _) = await walk([section(4, on: ["dgx-1"])], ["check", "quit"])
        #expect(second.output.contains("file 4: in place on dgx-1"))
    }

    @Test func whatDisturbsIsAskedForByNameAndHostAndDoneOnceAgreed() async {
        let sections = [section(2, on: ["ctl-1", "ctl-2"], consent: "slurm-restart")]
        let (refused, left, console, _) = await walk(sections, ["run", "y"])
        #expect(folder.names.isEmpty && left.map(\.state) == [.withheld])
        #expect(refused.exitStatus == 1 && refused.count(.needsConsent) == 2)
        #expect(console.output.contains("slurm-restart: file 2, on ctl-1\n"))
        #expect(console.output.contains("slurm-restart: file 2, on ctl-2\n"))
        #expect(console.output.contains("      $ "))
        #expect(console.output.contains("Only yes in full agrees"))
        let (agreed, done, _, _) = await walk(sections, ["run", "yes"])
        #expect(folder.names == ["2-ctl-1", "2-ctl-2"] && done.map(\.state) == [.done])
        #expect(agreed.exitStatus == 0)
    }

    @Test func endOfInputAtAConsentDoesNotAgree() async {
        _ = await walk([section(2, on: ["ctl-1"], consent: "slurm-restart")], ["run"])
        #expect(folder.names.isEmpty)
    }

    @Test func failedHostIsRetriedOverANewConnection() async {
        let connector = FolderConnector(refusing: ["dgx-2": 1])
        let (report, stages, console, _) = await walk(
            [section(4, on: ["dgx-1", "dgx-2", "dgx-3"])], ["run", "output", "retry"], connector)
        #expect(stages.map(\.state) == [.done] && report.exitStatus == 0)
        #expect(connector.connections.filter { $0 == "dgx-2" }.count == 2)
        #expect(connector.connections.filter { $0 == "dgx-1" }.count == 1)
        #expect(console.output.contains("retry, output, skip, quit, ? [retry]: "))
        #expect(console.output.contains("No route to host"))
    }

    @Test func hostThatFailedIsLeftOutOfLaterSectionsUntilItIsRetried() async {
        let connector = FolderConnector(refusing: ["dgx-2": 1])
        let hosts = ["dgx-1", "dgx-2"]
        let (report, stages, console, _) = await walk(
            [section(4, on: hosts), section(6, on: hosts), section(7, on: hosts)],
            ["run", "skip", "run", "back 4", "run", "run", "run"], connector)
        #expect(console.output.contains("Left out, since a step failed there before: dgx-2. To retry it: back 4."))
        #expect(stages.map(\.state) == [.done, .done, .done])
        #expect(report.exitStatus == 0)
        #expect(folder.names.count == 6)
    }

    @Test func planThatCannotBeMadeIsAFailureOfItsSection() async {
        let console = TestConsole(isTerminal: true, answers: ["check", "run", "output", "quit"])
        let plan = Plan(sections: [section(10, on: ["dgx-1"])])
        let run = WalkRun(
            .init(outline: plan) { _, _, _, _ in throw ResourceError("BCM does not answer", remedy: "mend it") },
            startingAt: nil, console: console, pool: ConnectionPool(FolderConnector()), options: .init(),
            progress: nil)
        let (report, stages) = await run.run()
        #expect(stages.map(\.state) == [.failed] && report.exitStatus == 1)
        #expect(console.errors.contains("BCM does not answer. mend it"))
    }

    @Test func interruptInASectionEndsTheWalkAndKeepsWhatWasReached() async throws {
        let path = "\(folder.path)/progress.json"
        let store = ProgressFile(path: path, continuing: Progress(configuration: "c", plan: "p", began: 1))
        var slow = section(6, on: ["dgx-1"])
        slow.steps = [
            Step(
                "6.slow", "slow", on: [Host("dgx-1")],
                CheckResource("slow", Command("sleep", ["600"], timeout: .seconds(700))) { _ in .inPlace() })
        ]
        let sections = [section(4, on: ["dgx-1"]), slow]
        let task = Task { await walk(sections, ["run", "run", "run", "run"], progress: store) }
        // The first section's result on disk shows that the second one is next.
        while (try? ProgressFile.load(path)) == nil { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        let (report, stages, _, _) = await task.value
        #expect(report.exitStatus == 130 && stages[1].state == .open)
        #expect(try ProgressFile.load(path).hosts["dgx-1"]?["4.file"]?.outcome == "changed")
        #expect(try ProgressFile.load(path).hosts["dgx-1"]?["6.slow"] == nil)
    }

    @Test func resumeBeginsAtTheFirstSectionThatIsNotDone() throws {
        let plan = Plan(sections: [section(1, on: ["a"]), section(4, on: ["a", "b"]), section(6, on: ["a"])])
        var progress = Progress(configuration: "", plan: "", began: 0)
        func note(_ host: String, _ step: String, _ outcome: String) {
            progress.hosts[host, default: [:]][step] = .init(outcome: outcome, at: 0, seconds: 0, detail: "")
        }
        #expect(SetupRun.firstOpenSection(of: plan, after: progress) == 1)
        note("a", "1.file", "in place")
        note("a", "4.file", "changed")
        #expect(SetupRun.firstOpenSection(of: plan, after: progress) == 4)
        note("b", "4.file", "failed")
        #expect(SetupRun.firstOpenSection(of: plan, after: progress) == 4)
        note("b", "4.file", "changed")
        #expect(SetupRun.firstOpenSection(of: plan, after: progress) == 6)
        note("a", "6.file", "changed")
        #expect(SetupRun.firstOpenSection(of: plan, after: progress) == nil)
    }

    @Test func linesFitTheTerminal() async {
        let columns = 80
        let hosts = (0..<20).map { "node\($0 * 7)x\($0)" }
        let (_, stages, console, _) = await walk(
            [section(4, on: hosts), section(6, on: hosts)], ["check", "a", "?", "run", "skip"], columns: columns)
        for line in console.output.split(separator: "\n") where !line.contains("[run]:") {
            #expect(line.count <= columns, "\(line)")
        }
        let summary = WalkSummary.text(stages, columns: columns, style: Style(usesColour: false))
        #expect(
            summary.contains("done            4 Title 4") && summary.contains("skipped         6 Title 6"),
            "\(summary)\(console.output)")
    }

    @Test func longTextIsShownByThePage() async {
        let text = (1...100).map { "line \($0)\n" }.joined()
        let stopped = TestConsole(isTerminal: true, answers: ["", "q"])
        await Pager(console: stopped).show(text)
        #expect(stopped.output.contains("line 44\n") && !stopped.output.contains("line 45\n"))
        #expect(stopped.output.contains("78 more lines: "))
        let all = TestConsole(isTerminal: true, answers: ["a"])
        await Pager(console: all).show(text)
        #expect(all.output.hasSuffix("line 100\n"))
    }
}
