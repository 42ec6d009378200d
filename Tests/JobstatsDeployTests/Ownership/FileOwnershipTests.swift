import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// What a host remembers of the files that were put there, and what follows from it.
struct FileOwnershipTests {
    private let folder = TemporaryFolder()
    private let memory = TemporaryFolder()
    private var record: OwnershipRecord { OwnershipRecord(directory: memory.path) }
    /// Asked once: getpwuid(3) is not safe in several threads.
    private static let user = String(cString: getpwuid(getuid()).pointee.pw_name)
    private var owner: String { Self.user }

    private func file(_ text: String, _ name: String = "a", keepsBackup: Bool = false) -> FileResource {
        FileResource(
            "\(folder.path)/\(name)", .text(text), owner: owner, group: owner, keepsBackup: keepsBackup, record: record)
    }

    private func facts(_ resource: any Resource) async throws -> Facts {
        try await FactCollector(resource.queries).collect(with: LocalExecutor())
    }

    @discardableResult
    private func apply(_ resource: any Resource) async throws -> Assessment {
        let found = try await facts(resource)
        if resource.assess(found).state == .differs {
            let outcome = try await CommandBatch(try resource.changes(from: found), then: FactCollector([]))
                .run(on: LocalConnection())
            try #require(outcome.failure == nil, "\(outcome.failure?.result.outputText ?? "")")
        }
        return resource.assess(try await facts(resource))
    }

    private var backups: [String] {
        memory.names(in: "backups").compactMap { memory.read("backups/\($0)\(folder.path)/a") }
    }

    @Test func aFileOfAnOlderDeploymentIsReplacedWithoutACopy() async throws {
        try await apply(file("one\n"))
        let found = file("two\n").assess(try await facts(file("two\n")))
        #expect(found.state == .differs && !found.isDrift && found.detail.hasSuffix("content differs"))
        #expect(try await apply(file("two\n")).state == .inPlace)
        #expect(folder.read("a") == "two\n" && backups.isEmpty)
        let digests = ["one\n", "two\n"].map { file($0).content.sha256 }
        #expect(memory.read("installed") == digests.map { "\($0)  \(folder.path)/a\n" }.joined())
    }

    @Test func aFileThatSomebodyChangedIsNamedAndKeptAndRepaired() async throws {
        try await apply(file("one\n"))
        folder.write("a", "one\nmine\n")
        for wanted in ["one\n", "two\n"] {
            let found = file(wanted).assess(try await facts(file(wanted)))
            #expect(found.isDrift && found.detail.contains("changed here since it was deployed"))
        }
        try await apply(file("two\n"))
        #expect(folder.read("a") == "two\n" && folder.names == ["a"])
        #expect(backups == ["one\nmine\n"])
    }

    @Test func whatStoodThereBeforeComesBackWhenOursIsTakenAway() async throws {
        folder.write("a", "the site's\n", mode: 0o640)
        try await apply(file("one\n"))
        try await apply(file("two\n"))
        let removal = try #require(file("two\n").absence)
        #expect(try await apply(removal).state == .inPlace)
        #expect(folder.read("a") == "the site's\n")
        #expect(try await facts(file("")).file("\(folder.path)/a")?.mode == 0o640)
        #expect(memory.read("installed") == "")
        // Again: it is not ours any more.
        let again = removal.assess(try await facts(removal))
        #expect(again.state == .inPlace && Assessment.whatWasLeft(again.detail) != nil)
    }

    @Test func aChangedFileIsLeftByARemovalAndNamed() async throws {
        try await apply(file("one\n"))
        folder.write("a", "mine\n")
        let removal = try #require(file("one\n").absence)
        let found = try await apply(removal)
        #expect(found.isWarning && found.detail.contains("was changed here since it was deployed"))
        #expect(folder.read("a") == "mine\n")
        // Also when it was changed between the look and the act.
        let act = try await LocalExecutor().run(
            FileRemoval("\(folder.path)/a", record: record).changes(from: Facts())[0])
        #expect(act.status == .exited(3) && folder.read("a") == "mine\n")
    }

    @Test func anInterruptionBetweenRecordAndRenameLosesNothing() async throws {
        try await apply(file("one\n"))
        // As the script leaves it when it is killed right before the rename: both digests, the old file.
        let (one, two) = (file("one\n").content.sha256, file("two\n").content.sha256)
        memory.write("installed", "\(one)  \(folder.path)/a\n\(two)  \(folder.path)/a\n")
        #expect(file("two\n").assess(try await facts(file("two\n"))).isDrift == false)
        try await apply(file("two\n"))
        #expect(backups.isEmpty && folder.read("a") == "two\n")
    }

    @Test(arguments: ["it's a $(name)", "a b  c", "\u{FF0F}..\u{FF0F}", "-rf", String(repeating: "x", count: 200)])
    func hostileNamesAreRemembered(_ name: String) async throws {
        for resource in [file("one\n", name), file("two\n", "other")] {
            let result = try await LocalExecutor().run(try resource.changes(from: Facts())[0])
            try #require(result.succeeded, "\(result.errorText)")
        }
        let known = try await facts(file("one\n", name))
        #expect(record.standing(of: "\(folder.path)/\(name)", known) == .ours)
        #expect(memory.read("installed")?.split(separator: "\n").count == 2)
        try await apply(try #require(file("one\n", name).absence))
        #expect(folder.names == ["other"])
    }

    @Test func onlyADirectoryThatWasMadeAndIsEmptyIsTakenAway() async throws {
        let made = DirectoryResource("\(folder.path)/made", owner: owner, group: owner, record: record)
        let found = DirectoryResource("\(folder.path)/found", owner: owner, group: owner, record: record)
        mkdir(found.path, 0o700)
        try await apply(made)
        try await apply(found)
        folder.write("made/foreign", "x")
        let removal = try #require(made.absence)
        #expect(try await apply(removal).detail == "left: the directory \(made.path), since something is in it")
        unlink("\(made.path)/foreign")
        #expect(try await apply(removal).detail == "not there")
        #expect(try await apply(try #require(found.absence)).detail.contains("does not remember"))
        #expect(folder.names == ["found"])
    }

    @Test func dataThatWasAgreedToGoesWithItsDirectoryAndIsForgotten() async throws {
        mkdir("\(folder.path)/data", 0o755)
        folder.write("data/samples", "1\n")
        memory.write("installed", "directory  \(folder.path)/data\n")
        #expect(try await apply(DataRemoval("\(folder.path)/data", record: record)).state == .inPlace)
        #expect(folder.names.isEmpty)
        #expect(memory.read("installed") == "")
    }

    @Test func aUserWhoWasThereBeforeStays() async throws {
        let removal = UserRemoval("root", record: record)
        #expect(
            removal.assess(try await facts(removal)).detail
                == "left: the user root, whom the host does not remember as made by this deployment")
        memory.write("installed", "user  root\n")
        #expect(removal.assess(try await facts(removal)).detail.contains("runs as it"))
    }

    @Test func aUnitThatIsNotOursIsNotStopped() {
        let removal = UnitRemoval("x.service", record: record)
        var facts = Facts()
        func unit(_ active: String, _ path: String) -> UnitFact {
            UnitFact(
                load: "loaded", active: active, enablement: "enabled", needsReload: false, path: path, started: nil)
        }
        facts.units["x.service"] = unit("active", "/lib/systemd/system/x.service")
        #expect(Assessment.whatWasLeft(removal.assess(facts).detail) != nil)
        facts.units["x.service"] = unit("active", "/etc/systemd/system/x.service")
        facts.contents[record.path] = Array("before:2026  /etc/systemd/system/x.service\n".utf8)
        #expect(removal.assess(facts).state == .differs)
    }

    @Test func aMarkerThatIsTakenAwayIsSeenToBeGone() async throws {
        let marker = MarkerResource("\(folder.path)/seen/dgx-01", "dgx-01\n")
        try await apply(marker)
        let step = Step("1.x", "x", on: [Host("a")], try #require(marker.absence))
        let plan = Plan(sections: [PlanSection(number: 1, title: "x", purpose: "", steps: [step])])
        for outcome in [StepOutcome.changed, .inPlace] {
            let report = await PlanRunner(plan: plan, connector: ThisMachine()).run()
            #expect(report.results.map(\.outcome) == [outcome])
        }
        #expect(folder.names.isEmpty)
    }

    private struct ThisMachine: HostConnector {
        func connect(to host: Host) async -> any HostConnection { LocalConnection() }
    }

    @Test func secretsGoWithTheirCopiesBelowTheBackups() async throws {
        folder.write("key", "earlier\n", mode: 0o600)
        try await apply(file("mine\n", "key"))
        #expect(memory.names(in: "backups").count == 1)
        let gone = try await apply(SecretRemoval("\(folder.path)/key", record: record))
        #expect(gone.state == .inPlace)
        #expect(folder.names.isEmpty && memory.read("installed") == "")
        #expect(memory.names(in: "backups").allSatisfy { memory.read("backups/\($0)\(folder.path)/key") == nil })
    }

    @Test func writersOfTheRecordDoNotShareANewFile() async throws {
        // Another writer, whose process is gone, and one that is at work.
        memory.write("installed.new.999999.0", "left")
        memory.write("installed.new.\(getpid()).0", "theirs")
        try await apply(file("one\n"))
        #expect(memory.read("installed.new.\(getpid()).0") == "theirs")
        #expect(memory.names == ["installed", "installed.new.\(getpid()).0"])
    }

    @Test func manyWritersAtOnceLeaveAWholeRecord() async throws {
        let (folder, record) = (folder, record)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let script = OwnershipScripts.functions + "remember \"$1\" \(String(repeating: "a", count: 64))\n"
                    let result = try? await LocalExecutor().run(
                        Command(
                            "sh",
                            ["-c", "set -eu; record=$2\n" + script, "sh", "\(folder.path)/\(number)", record.path]))
                    #expect(result?.succeeded == true, "\(result?.errorText ?? "")")
                }
            }
        }
        let lines = (memory.read("installed") ?? "").split(separator: "\n")
        #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix(String(repeating: "a", count: 64) + "  /") })
        #expect(memory.names == ["installed"])
    }
}
