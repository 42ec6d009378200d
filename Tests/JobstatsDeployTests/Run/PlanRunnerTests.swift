import CommandExecution
import Glibc
import Synchronization
import Testing

@testable import JobstatsDeploy

/// Hosts that are folders: every "host" runs its commands on this machine.
private struct FolderConnector: HostConnector {
    var dead: Set<String> = []

    func connect(to host: Host) async -> any HostConnection {
        dead.contains(host.name) ? DeadConnection(host: host.name) : LocalConnection() as any HostConnection
    }
}

/// Counts the commands that hosts are sent.
private final class CountingConnector: HostConnector {
    let count = Mutex(0)

    func connect(to host: Host) async -> any HostConnection { Connection(connector: self) }

    private struct Connection: HostConnection {
        let connector: CountingConnector
        var attempts: Int { 0 }
        func run(_ command: Command) async throws(CommandError) -> CommandResult {
            connector.count.withLock { $0 += 1 }
            return try await LocalExecutor().run(command)
        }
        func close() async {}
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

/// A file that is there only after others; where it is not right at once, its first change gives something else.
private struct Follower: FollowingResource, BoundedResource {
    let path: String
    let isRightAtOnce: Bool
    var effects: Effects { Effects(paths: [path]) }
    var summary: String { path }
    var queries: [Query] { [.content(path)] }
    var instructions: Instructions { Instructions() }

    func assess(_ facts: Facts) -> Assessment {
        facts.content(path) == Array("b".utf8) ? .inPlace() : .differs(["\(path) is not b"])
    }

    func changes(from facts: Facts) -> [Command] { write("b") }
    func assess(_ facts: Facts, after effects: Effects) -> Assessment { assess(facts) }
    func changes(from facts: Facts, after effects: Effects) -> [Command] { write(isRightAtOnce ? "b" : "other") }

    private func write(_ text: String) -> [Command] {
        [Command("sh", ["-c", "printf %s \"$1\" >\"$2\"", "sh", text, path])]
    }
}

struct PlanRunnerTests {
    private let folder = TemporaryFolder()
    private let memory = TemporaryFolder()
    private let owner = String(cString: getpwuid(getuid()).pointee.pw_name)

    private func file(_ name: String, _ text: String, validation: Command? = nil) -> FileResource {
        FileResource(
            "\(folder.path)/\(name)", .text(text), owner: owner, group: owner, keepsBackup: true,
            validation: validation, record: OwnershipRecord(directory: "\(memory.path)/\(name)"))
    }

    private func hosts(_ count: Int) -> [Host] { (1...count).map { Host("dgx-\($0)") } }

    private func plan(_ hosts: [Host], _ steps: (Host) -> any Resource...) -> Plan {
        let steps = steps.enumerated().map { index, make in
            Step("4.\(index)", "step \(index)", perHost: Dictionary(uniqueKeysWithValues: hosts.map { ($0, make($0)) }))
        }
        return Plan(sections: [PlanSection(number: 4, title: "Test", purpose: "", steps: steps)])
    }

    private func run(
        _ plan: Plan, _ options: PlanRunner.Options = .init(), dead: Set<String> = []
    ) async -> RunReport {
        await PlanRunner(plan: plan, connector: FolderConnector(dead: dead), options: options).run()
    }

    @Test func firstRunChangesAndSecondRunFindsEverythingInPlace() async {
        let plan = plan(
            hosts(3),
            {
                DirectoryResource(
                    "\(folder.path)/\($0)", owner: owner, group: owner,
                    record: OwnershipRecord(directory: "\(memory.path)/\($0)"))
            },
            { file("\($0)/x", "hello\n") })
        let first = await run(plan)
        #expect(first.count(.changed) == 6 && first.exitStatus == 0)
        #expect(folder.read("dgx-2/x") == "hello\n")
        let second = await run(plan)
        #expect(second.count(.inPlace) == 6 && second.exitStatus == 0)
    }

    @Test func aHostIsAskedOnceForAllSectionsAndOnceForStepsThatGoTogether() async {
        let connector = CountingConnector()
        let sections = (1...3).map { number in
            PlanSection(
                number: number, title: "Test", purpose: "",
                steps: (1...4).map {
                    Step("\(number).\($0)", "step", on: hosts(1), file("\(number)-\($0)", "text of \($0)"))
                })
        }
        let first = await PlanRunner(plan: Plan(sections: sections), connector: connector).run()
        #expect(first.count(.changed) == 12)
        // One look, and each section changes all and asks for itself and those to come.
        #expect(connector.count.withLock { $0 } == 4)
        connector.count.withLock { $0 = 0 }
        let second = await PlanRunner(plan: Plan(sections: sections), connector: connector).run()
        #expect(second.count(.inPlace) == 12)
        #expect(connector.count.withLock { $0 } == 1)
    }

    @Test func whatAHostSaidBeforeAnotherWasChangedIsAskedAgain() async {
        // The second section's file lies on storage that both share, and the first host's first section changes it.
        folder.write("shared", "old")
        let change = Step("1.0", "change", on: [Host("dgx-1")], file("shared", "new"))
        let look = CheckResource("it is new", Command("grep", ["-q", "new", "\(folder.path)/shared"])) {
            $0.succeeded ? .inPlace() : .blocked("it is old", remedy: "")
        }
        let idle = Step(
            "0.0", "idle", on: [Host("dgx-2")], CheckResource("nothing", Command("true")) { _ in .inPlace() })
        let report = await run(
            Plan(sections: [
                PlanSection(number: 0, title: "", purpose: "", onlyLooks: true, steps: [idle]),
                PlanSection(number: 1, title: "", purpose: "", steps: [change]),
                PlanSection(number: 2, title: "", purpose: "", steps: [Step("2.0", "look", on: [Host("dgx-2")], look)]),
            ]))
        #expect(report.exitStatus == 0 && report.count(.failed) == 0)
    }

    @Test func whenAStepFailsThoseBeforeItInTheSameRoundTripCountAsDone() async {
        let bad = Command("false")
        let plan = plan(
            hosts(1), { _ in file("a", "a") }, { _ in file("b", "b", validation: bad) }, { _ in file("c", "c") })
        let report = await run(plan)
        #expect(report.results.map(\.outcome) == [.changed, .failed, .notBegun])
        #expect(folder.names == ["a"])
    }

    @Test func checkChangesNothingAndShowsTheDifference() async {
        folder.write("a", "one\ntwo\n")
        let report = await run(plan(hosts(1), { _ in file("a", "one\nthree\n") }), .init(mode: .check))
        #expect(report.count(.wouldChange) == 1)
        #expect(report.results[0].difference?.contains("-two\n+three\n") == true)
        #expect(folder.read("a") == "one\ntwo\n")
        #expect(report.exitStatus == 0)
    }

    @Test func failedStepStopsItsHostAndNoOther() async {
        let bad = Command("false")
        let plan = plan(
            hosts(3), { host in file("\(host)-a", "a", validation: host.name == "dgx-2" ? bad : nil) },
            { host in file("\(host)-b", "b") })
        let report = await run(plan)
        #expect(report.count(.changed) == 4 && report.count(.failed) == 1 && report.count(.notBegun) == 1)
        #expect(folder.names == ["dgx-1-a", "dgx-1-b", "dgx-3-a", "dgx-3-b"])
        #expect(report.exitStatus == 1)
    }

    @Test func unreachableHostIsNamedAndTheOthersFinish() async {
        let plan = plan(hosts(3), { file("\($0)-a", "a") }, { file("\($0)-b", "b") })
        let report = await run(plan, dead: ["dgx-2"])
        #expect(report.count(.changed) == 4)
        let failed = report.results.filter { $0.outcome == .failed }
        #expect(failed.map(\.host.name) == ["dgx-2"])
        #expect(failed.first?.detail.contains("No route to host") == true)
    }

    @Test func moreFailuresThanAllowedLeaveTheRestUntouched() async {
        let names = hosts(40)
        let plan = plan(names, { file("\($0)-a", "a") })
        let report = await run(plan, .init(maximumFailures: 1), dead: Set(names.prefix(3).map(\.name)))
        // The first alone, then a twentieth (two), then the rest, which is not begun.
        #expect(report.count(.failed) >= 2 && report.count(.failed) + report.count(.notBegun) == 40)
        #expect(folder.names.isEmpty)
        #expect(report.stopReason?.contains("--max-failures") == true)
    }

    @Test func aLookGoesToEveryHostHoweverManyDoNotAnswer() async {
        let names = hosts(12)
        let plan = plan(names, { file($0.name, "x") })
        let report = await run(
            plan, .init(mode: .check, maximumFailures: 1), dead: Set(names.prefix(6).map(\.name)))
        #expect(report.count(.failed) == 6 && report.count(.wouldChange) == 6 && report.count(.notBegun) == 0)
        #expect(report.stopReason == nil)
    }

    @Test func prerequisitesAreLookedAtOnEveryHostBeforeTooManyFailuresStopTheRest() async {
        let names = hosts(12)
        var plan = plan(names, { file($0.name, "x") })
        var looks = plan.sections[0]
        looks.onlyLooks = true
        looks.steps = [
            Step("1.0", "there", on: names, CheckResource("it is there", Command("true")) { _ in .inPlace() })
        ]
        plan.sections.insert(looks, at: 0)
        let report = await run(plan, .init(maximumFailures: 1), dead: Set(names.prefix(6).map(\.name)))
        #expect(report.count(.failed) == 6 && report.count(.inPlace) == 6)
        #expect(report.results.filter { $0.step == "4.0" }.allSatisfy { $0.outcome == .notBegun })
        #expect(report.stopReason?.contains("--max-failures") == true && folder.names.isEmpty)
    }

    @Test func firstHostGoesAloneThenATwentieth() {
        #expect(Rollout.waves(hosts(64)).map(\.count) == [1, 4, 59])
        #expect(Rollout.waves(hosts(3)).map(\.count) == [1, 1, 1])
        #expect(Rollout.waves(hosts(1)).map(\.count) == [1])
        #expect(Rollout.waves([]).isEmpty)
    }

    @Test func essentialFailureStopsEverything() async {
        let head = Host("head-a")
        let check = CheckResource("this is the head node", Command("false")) {
            $0.succeeded ? .inPlace() : .blocked("it is passive", remedy: "log in to the active one")
        }
        let plan = Plan(sections: [
            PlanSection(
                number: 1, title: "Overview", purpose: "", onlyLooks: true,
                steps: [Step("1.0", "active head node", on: [head], essential: true, check)]),
            PlanSection(
                number: 4, title: "x", purpose: "", steps: [Step("4.0", "file", on: hosts(2), file("a", "a"))]),
        ])
        let report = await run(plan)
        #expect(report.count(.failed) == 1 && report.count(.notBegun) == 2)
        #expect(report.results.first?.remedy == "log in to the active one")
        #expect(folder.names.isEmpty)
    }

    @Test func whatDisturbsNeedsItsOwnConsent() async {
        let step = Step("2.0", "restart", on: hosts(1), consent: "slurm-restart", file("a", "a"))
        let plan = Plan(sections: [PlanSection(number: 2, title: "x", purpose: "", steps: [step])])
        let refused = await run(plan)
        #expect(refused.count(.needsConsent) == 1 && refused.exitStatus == 1 && folder.names.isEmpty)
        let allowed = await run(plan, .init(consents: ["slurm-restart"]))
        #expect(allowed.count(.changed) == 1 && allowed.exitStatus == 0)
    }

    @Test func replacedFileOfTheSiteIsKeptElsewhereUnderADate() async throws {
        folder.write("a", "the site's own\n")
        _ = await run(plan(hosts(1), { _ in file("a", "ours\n") }))
        #expect(folder.read("a") == "ours\n" && folder.names == ["a"])
        let time = try #require(memory.names(in: "a/backups").first)
        #expect(memory.read("a/backups/\(time)\(folder.path)/a") == "the site's own\n")
    }

    @Test func fileThatItsValidatorRefusesDoesNotTakeThePlace() async {
        folder.write("a", "old\n")
        let report = await run(
            plan(hosts(1), { _ in file("a", "new\n", validation: Command("grep", ["-q", "old", "{}"])) }))
        #expect(report.count(.failed) == 1)
        #expect(folder.read("a") == "old\n" && folder.names == ["a"])
    }

    @Test func cancelledRunSaysSoAndLeavesNothingHalf() async {
        let slow = CheckResource("slow", Command("sleep", ["600"], timeout: .seconds(700))) { _ in .inPlace() }
        let plan = plan(hosts(2), { _ in slow }, { file("\($0)", "x") })
        let task = Task { await run(plan) }
        try? await Task.sleep(for: .milliseconds(100))
        task.cancel()
        let report = await task.value
        #expect(report.exitStatus == 130)
        #expect(report.count(.notBegun) == 4)
        #expect(folder.names.isEmpty)
    }

    @Test func hostsThatWereLookedAtAndAreInPlaceAreAskedOnceAndGoInOneWave() async {
        let hosts = hosts(8)
        let wanted = plan(hosts, { file("\($0)", "x") })
        _ = await run(wanted)
        let connector = CountingConnector()
        let waves = Mutex<[[Int]]>([])
        func look() async -> RunReport {
            await PlanRunner(
                plan: Plan(sections: []), connector: connector,
                onEvent: { event in
                    if case .sectionBegan(_, _, _, let sizes) = event { waves.withLock { $0.append(sizes) } }
                }
            ).run { survey in
                let facts = await survey.look(at: wanted)
                #expect(facts.count == 8)
                return wanted
            }
        }
        #expect(await look().count(.inPlace) == 8)
        #expect(connector.count.withLock { $0 } == 8)
        // One that differs makes the whole section cautious again.
        folder.write("dgx-5", "y")
        #expect(await look().count(.changed) == 1)
        #expect(waves.withLock { $0 } == [[8], [1, 1, 6]])
    }

    @Test func whatChangedAfterTheLookIsAskedAgain() async {
        // The first host's step changes what the second host's step is about.
        folder.write("shared", "old")
        let look = CheckResource("it is new", Command("grep", ["-q", "new", "\(folder.path)/shared"])) {
            $0.succeeded ? .inPlace() : .blocked("it is old", remedy: "")
        }
        let wanted = Plan(sections: [
            PlanSection(
                number: 1, title: "", purpose: "",
                steps: [Step("1.0", "change", on: [Host("dgx-1")], file("shared", "new"))]),
            PlanSection(number: 2, title: "", purpose: "", steps: [Step("2.0", "look", on: [Host("dgx-2")], look)]),
        ])
        let report = await PlanRunner(plan: Plan(sections: []), connector: FolderConnector()).run { survey in
            _ = await survey.look(at: wanted)
            return wanted
        }
        #expect(report.exitStatus == 0 && report.count(.changed) == 1)
    }

    @Test func stepsThatFollowFromOthersGoAlongAndWhatComesOtherwiseIsDoneInItsTurn() async {
        let connector = CountingConnector()
        let (first, last) = (file("a", "a"), file("c", "c"))
        let steps: [any Resource] = [first, Follower(path: "\(folder.path)/b", isRightAtOnce: true), last]
        func plan(_ steps: [any Resource]) -> Plan {
            Plan(sections: [
                PlanSection(
                    number: 4, title: "", purpose: "",
                    steps: steps.enumerated().map { Step("4.\($0.offset)", "", on: hosts(1), $0.element) })
            ])
        }
        let once = await PlanRunner(plan: plan(steps), connector: connector).run()
        #expect(once.results.map(\.outcome) == [.changed, .changed, .changed])
        #expect(connector.count.withLock { $0 } == 2)
        for name in folder.names { unlink("\(folder.path)/\(name)") }
        let twice = await PlanRunner(
            plan: plan([first, Follower(path: "\(folder.path)/b", isRightAtOnce: false), last]), connector: connector
        ).run()
        #expect(twice.results.map(\.outcome) == [.changed, .changed, .changed])
        #expect(folder.names == ["a", "b", "c"] && folder.read("b") == "b")
        #expect(connector.count.withLock { $0 } == 5)
    }

    @Test func aChangeThatStaysOnItsHostLeavesWhatIsKnownOfOthers() async {
        let memory = HostMemory()
        let (one, other) = (Host("dgx-1"), Host("dgx-2"))
        for host in [one, other] { await memory.keep(Facts(), of: host, covering: [], mark: .init()) }
        _ = await memory.beginChange(on: one, .host)
        #expect(await memory.facts(of: one, covering: []) == nil)
        #expect(await memory.facts(of: other, covering: []) != nil)
        _ = await memory.beginChange(on: one, .all)
        #expect(await memory.facts(of: other, covering: []) == nil)
        #expect(Effects(paths: ["/etc/x", "/var/lib/y"]).staysOnHost)
        #expect(!Effects(paths: ["/etc/x", "/cm/shared/apps/y"]).staysOnHost)
    }

    @Test func aChangeOnSharedStorageTouchesItsPathsAndWhatCommandsTellOnAllHosts() async {
        let memory = HostMemory()
        let (one, other) = (Host("dgx-1"), Host("dgx-2"))
        let path = Query.file("/cm/shared/x")
        let queries: Set<Query> = [path, .file("/cm/shared/y"), .unit("a.service"), .command(Command("test"))]
        func learn() async {
            await memory.keep(Facts(), of: other, covering: queries, mark: await memory.mark(for: other))
        }
        await learn()
        let (_, begun) = await memory.beginChange(on: one, .paths(["/cm/shared/x"]))
        let left: Set<Query> = [.file("/cm/shared/y"), .unit("a.service")]
        #expect(await memory.knowledge(of: other)?.queries == left)
        // Who looks while it lasts may look too early.
        await learn()
        #expect(await memory.knowledge(of: other)?.queries == queries)
        let end = await memory.endChange(on: one, .paths(["/cm/shared/x"]), begun: begun)
        #expect(await memory.knowledge(of: other)?.queries == left)
        // What the changing host learned at its end counts, unless another change came in between.
        await memory.keep(Facts(), of: one, covering: queries, mark: end)
        #expect(await memory.facts(of: one, covering: queries) != nil)
        let second = await memory.beginChange(on: one, .paths(["/cm/shared/x"])).mark
        _ = await memory.beginChange(on: other, .paths(["/cm/shared/y"]))
        let late = await memory.endChange(on: one, .paths(["/cm/shared/x"]), begun: second)
        await memory.keep(Facts(), of: one, covering: queries, mark: late)
        #expect(await memory.facts(of: one, covering: [.file("/cm/shared/x")]) == nil)
    }

    @Test func aHostThatDoesNotAnswerTheLookFailsAtItsStepAlone() async {
        let wanted = plan(hosts(3), { file("\($0)", "x") })
        let report = await PlanRunner(plan: Plan(sections: []), connector: FolderConnector(dead: ["dgx-2"])).run {
            let facts = await $0.look(at: wanted)
            #expect(Set(facts.keys.map(\.name)) == ["dgx-1", "dgx-3"])
            return wanted
        }
        #expect(report.count(.changed) == 2 && report.count(.failed) == 1)
        #expect(report.results.first { $0.outcome == .failed }?.host.name == "dgx-2")
    }

    @Test func progressOfManyWritesIsWhole() async throws {
        let path = "\(folder.path)/progress.json"
        let configuration = "{\"hosts\":{}}\n"
        let store = ProgressFile(path: path, continuing: Progress(configuration: configuration, plan: "p", began: 1))
        func result(_ host: Int, _ step: Int) -> StepResult {
            StepResult(
                step: "4.\(step)", title: "", section: 4, host: Host("dgx-\(host) \"\u{1}"), outcome: .changed,
                detail: "a \"detail\"", isWarning: false, duration: .milliseconds(5))
        }
        for round in 1...3 {
            #expect(await store.record([result(1, round), result(2, round)]) == nil)
            let saved = try ProgressFile.load(path)
            #expect(saved.configuration == configuration && saved.plan == "p" && saved.began == 1)
            #expect(saved.hosts.count == 2 && saved.hosts.values.allSatisfy { $0.count == round })
        }
        #expect(await store.record([result(3, 1)]) == nil)
        let saved = try ProgressFile.load(path)
        #expect(saved.hosts.mapValues(\.count) == ["dgx-1 \"\u{1}": 3, "dgx-2 \"\u{1}": 3, "dgx-3 \"\u{1}": 1])
        #expect(saved.hosts["dgx-3 \"\u{1}"]?["4.1"]?.detail == "a \"detail\"")
    }

    @Test func progressIsSavedAfterEachStepAndReadBack() async throws {
        let path = "\(folder.path)/progress.json"
        let store = ProgressFile(path: path, continuing: Progress(configuration: "c", plan: "p", began: 1))
        let plan = plan(hosts(8), { file("\($0)", "x") })
        let report = await PlanRunner(plan: plan, connector: FolderConnector(), progress: store).run()
        #expect(report.problems.isEmpty)
        let saved = try ProgressFile.load(path)
        #expect(saved.hosts.count == 8 && saved.hosts["dgx-8"]?["4.0"]?.outcome == "changed")
    }

    @Test func damagedAndForeignProgressAreRefusedByName() throws {
        let cut = folder.write("cut.json", "{\"format\":1,\"hos")
        let other = folder.write("other.json", "{\"format\":99}")
        #expect(throws: ProgressError(.damaged, "")) { try ProgressFile.load(cut) }
        #expect(throws: ProgressError(.otherFormat, "")) { try ProgressFile.load(other) }
        #expect(throws: ProgressError(.missing, "")) { try ProgressFile.load("\(folder.path)/none.json") }
    }

    @Test func secondRunLockNamesItsOwner() throws {
        let path = "\(folder.path)/lock"
        let first = try RunLock(path: path, user: "alice", host: "head-a")
        let error = #expect(throws: RunLock.Failure.self) { try RunLock(path: path, user: "bob", host: "head-b") }
        #expect(error?.description.hasPrefix("alice on head-a (process \(getpid()))") == true)
        withExtendedLifetime(first) {}
    }
}
