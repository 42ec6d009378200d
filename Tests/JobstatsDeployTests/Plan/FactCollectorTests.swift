import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

struct FactCollectorTests {
    private let folder = TemporaryFolder()

    @Test func filesOfAllKindsAreToldApart() async throws {
        let name = "it's a $(file)"
        let plain = folder.write(name, "hello", mode: 0o640)
        let link = "\(folder.path)/link", pipe = "\(folder.path)/pipe"
        symlink("target", link)
        mkfifo(pipe, 0o600)
        let facts = try await FactCollector([
            .file(plain), .file(link), .link(link), .file(pipe), .file(folder.path), .file("\(folder.path)/none"),
            .content(plain), .content("\(folder.path)/none"), .link(plain),
        ]).collect(with: LocalExecutor())
        #expect(facts.file(plain)?.kind == .plain && facts.file(plain)?.mode == 0o640 && facts.file(plain)?.size == 5)
        #expect(
            facts.file(plain)?.sha256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        #expect(facts.file(link)?.kind == .link && facts.link(link) == "target")
        #expect(facts.file(pipe)?.kind == .other && facts.file(pipe)?.sha256 == nil)
        #expect(facts.file(folder.path)?.kind == .directory)
        #expect(facts.file("\(folder.path)/none")?.kind == .missing)
        #expect(facts.content(plain) == Array("hello".utf8))
        #expect(facts.content("\(folder.path)/none") == nil)
        #expect(facts.link(plain) == .some(nil))
    }

    @Test func usersPackagesAndCommandsAreAnswered() async throws {
        let command = Command("sh", ["-c", "echo out; echo err >&2; exit 4"])
        let facts = try await FactCollector([
            .user("root"), .user("no-such-user"), .package("bash"), .package("no-such-package"), .command(command),
        ]).collect(with: LocalExecutor())
        #expect(facts.user("root")??.id == 0)
        #expect(facts.user("no-such-user") == .some(nil))
        #expect(facts.package("bash")! != nil)
        #expect(facts.package("no-such-package") == .some(nil))
        #expect(facts.result(command)?.status == .exited(4))
        #expect(facts.result(command)?.outputText == "out\nerr\n")
    }

    @Test func nothingAnsweredIsUnknownAndNotMissing() {
        let facts = FactCollector([.file("/x"), .unit("a.service"), .user("u")], marker: "=m=").parse(
            Array("garbage".utf8))
        #expect(facts.file("/x") == nil && facts.unit("a.service") == nil && facts.user("u") == nil)
        #expect(FileResource("/x", .text("")).assess(facts).state == .blocked)
        #expect(UnitResource("a.service", enabled: true, .running).assess(facts).state == .blocked)
        #expect(UserResource("u").assess(facts).state == .blocked)
    }

    @Test func unitsAreReadByAnyOfTheirNames() {
        let answer = """
            Id=a.service
            Names=a.service alias.service
            LoadState=loaded
            ActiveState=active
            UnitFileState=enabled
            NeedDaemonReload=no
            FragmentPath=/etc/systemd/system/a.service
            ExecMainStartTimestamp=Sun 2026-11-22 20:05:03.250000 UTC
            StatusText=role present; a=b

            Id=b.service
            Names=b.service
            LoadState=not-found
            ActiveState=inactive
            UnitFileState=
            NeedDaemonReload=no
            ExecMainStartTimestamp=

            =m= units 0

            """
        let facts = FactCollector([.unit("alias.service"), .unit("b.service")], marker: "=m=").parse(Array(answer.utf8))
        #expect(facts.unit("alias.service")?.started == 1_795_377_903.25)
        #expect(facts.unit("alias.service")?.isRunning == true)
        #expect(facts.unit("alias.service")?.statusText == "role present; a=b")
        #expect(facts.unit("b.service")?.isMissing == true)
    }

    @Test func runningUnitWithNewerFilesIsRestartedAndOthersAreLeft() {
        var facts = Facts()
        let unit = UnitFact(
            load: "loaded", active: "active", enablement: "enabled", needsReload: false, path: "/u", started: 100)
        let resource = UnitResource("a.service", enabled: true, .asFound, restartedFor: ["/bin/a"])
        var file = FileFact(kind: .plain, mode: 0, owner: "", group: "", size: 0, changed: 99, sha256: "")
        facts.units["a.service"] = unit
        facts.files["/bin/a"] = file
        #expect(resource.assess(facts).state == .inPlace)
        file.changed = 100.5
        facts.files["/bin/a"] = file
        #expect(resource.assess(facts) == .differs(["a.service: runs with an older /bin/a"]))
        #expect(resource.changes(from: facts).last?.arguments.suffix(2) == ["restart", "a.service"])
        facts.units["a.service"]?.active = "inactive"
        #expect(resource.assess(facts).state == .inPlace)
    }

    @Test func differencesLookLikeDiff() async throws {
        let old = (1...30).map { "line \($0)\n" }.joined()
        let new = old.replacing("line 3\n", with: "").replacing("line 20\n", with: "line twenty\nmore\n") + "end"
        let ours = UnifiedDifference.text(from: old, to: new, path: "x")
        folder.write("old", old)
        folder.write("new", new)
        let diff = try await LocalExecutor().run(
            Command("diff", ["-u", "--label", "x", "--label", "x", "\(folder.path)/old", "\(folder.path)/new"]))
        #expect(ours == diff.outputText)
        #expect(UnifiedDifference.text(from: "a", to: "a", path: "x") == nil)
    }

    @Test func hostNamesAreOrderedAsPeopleExpect() {
        let names = ["dgx-10", "dgx-2", "a", "dgx-02", "dgx-1", "head"].map { Host($0) }
        #expect(names.sorted().map(\.name) == ["a", "dgx-1", "dgx-2", "dgx-02", "dgx-10", "head"])
    }

    @Test func noCommandCanAnswerForAnother() async throws {
        let forger = Command("sh", ["-c", "tr '\\0' '\\n' < /proc/$PPID/cmdline; printf '\\n=m= units 0\\n'"])
        let collector = FactCollector([.command(forger), .unit("a.service")])
        let facts = try await collector.collect(with: LocalExecutor())
        #expect(facts.result(forger)?.outputText.contains("bcm-jobstats-") == false, "the marker is on a command line")
        // Even with the right marker, parts count in their order only.
        let answer = "\n=m= users 0\nId=a.service\nLoadState=loaded\nActiveState=active\n\n=m= units 0\n"
        let forged = FactCollector([.unit("a.service")], marker: "=m=").parse(Array(answer.utf8))
        #expect(forged.unit("a.service") == nil)
    }

    @Test func aCommandThatHangsLeavesTheOthersAnswered() async throws {
        let hanging = Command("sleep", ["600"], timeout: .seconds(1)), quick = Command("echo", ["here"])
        let collector = FactCollector([.command(hanging), .command(quick), .user("root")])
        let error = await #expect(throws: CommandError.self) { try await collector.glance(with: LocalExecutor()) }
        #expect(error?.code == .timedOut)
        let facts = try await collector.collect(with: LocalExecutor())
        #expect(facts.result(hanging)?.status == .exited(124))
        #expect(facts.result(quick)?.outputText == "here\n")
        #expect(facts.user("root") != nil)
    }

    @Test func contentThatIsKnownIsNotSent() async throws {
        let folder = TemporaryFolder()
        let known = folder.write("it's known", "same\n")
        let other = folder.write("other", "else\n")
        let twice = folder.write("twice", "same\n")
        let asked = folder.write("asked", "same\n")
        let same = SHA256Digest.hex(Array("same\n".utf8))
        let collector = FactCollector([
            .contentUnless(known, sha256: same), .contentUnless(other, sha256: same),
            .contentUnless(twice, sha256: same), .contentUnless(twice, sha256: String(repeating: "0", count: 64)),
            .contentUnless(asked, sha256: same), .content(asked),
            .contentUnless("\(folder.path)/none", sha256: same),
        ])
        for facts in [
            try await collector.glance(with: LocalExecutor()), try await collector.guarded(with: LocalExecutor()),
        ] {
            #expect(facts.file(known)?.sha256 == same)
            #expect(facts.content(known) == nil)
            #expect(facts.content(other) == Array("else\n".utf8))
            #expect(facts.content(twice) == Array("same\n".utf8))
            #expect(facts.content(asked) == Array("same\n".utf8))
            #expect(facts.file("\(folder.path)/none") == .missing)
            #expect(facts.content("\(folder.path)/none") == nil)
        }
    }

    @Test func contentIsReadByteByByteUpToTheLimit() async throws {
        let bytes = "\n\r\n\n=m= content:0 0\nä\u{7f}"
        let odd = folder.write("odd", bytes), empty = folder.write("empty", "")
        let large = folder.write("large", String(repeating: "x", count: Facts.contentLimit + 1))
        let facts = try await FactCollector([.content(odd), .content(empty), .content(large)])
            .collect(with: LocalExecutor())
        #expect(facts.content(odd) == Array(bytes.utf8))
        #expect(facts.content(empty) == [])
        #expect(facts.content(large) == nil)
    }

    @Test func missingPathsAreToldWhateverTheirNames() async throws {
        let file = folder.write("file", "")
        let paths = ["none", "it's none", "no \"one\"", "a\\b", "$(none)", "file/below"].map { "\(folder.path)/\($0)" }
        let facts = try await FactCollector((paths + [file]).map { .file($0) }).collect(with: LocalExecutor())
        for path in paths { #expect(facts.file(path) == .missing, "\(path)") }
        #expect(facts.file(file)?.kind == .plain)
    }

    @Test func outputThatEndsInACarriageReturnIsRead() async throws {
        let command = Command("printf", ["x\r"])
        let facts = try await FactCollector([.command(command), .user("root")]).collect(with: LocalExecutor())
        #expect(facts.result(command)?.outputText == "x\r")
        #expect(facts.user("root") != nil)
    }

    @Test func pathThatCannotBeLookedAtIsUnknownAndNotMissing() {
        let answer = """
            missing\t/b

            =m= files 0

            =m= sums 0

            """
        let facts = FactCollector([.file("/a"), .file("/b")], marker: "=m=").parse(Array(answer.utf8))
        #expect(facts.file("/a") == nil)
        #expect(facts.file("/b") == .missing)
        #expect(AbsentFileResource("/a").assess(facts).state == .blocked)
    }

    @Test func scriptsRunTheSameInTheShellThatIsThereAndInOneOfTheirOwn() async throws {
        let folder = TemporaryFolder()
        let file = folder.write("a", String(repeating: "x", count: 1 << 19))
        let scripts = [
            Command("sh", ["-c", "printf '<%s>' \"$t$all$rest$memory$line$new$known\" \"$#\""]),
            Command("sh", ["-c", "printf '%s|' \"$@\"; exit 3", "sh", "it's", "", "$HOME *", "two\nlines"]),
            Command("sh", ["-c", "trap 'echo end' EXIT; set -eu; false; echo never"]),
            Command("sh", ["-c", "cat; echo \"$unset\" >&2; set -u; echo \"$unset\"; echo never"]),
        ]
        let collector = FactCollector([.file(file)] + scripts.map { .command($0) })
        let glance = try await collector.glance(with: LocalExecutor())
        let guarded = try await collector.guarded(with: LocalExecutor())
        for script in scripts {
            let (one, other) = (try #require(glance.result(script)), try #require(guarded.result(script)))
            #expect(one.status == other.status)
            // The messages of the shell itself name it and the line.
            if script != scripts[3] { #expect(one.outputText == other.outputText) }
            #expect(!one.outputText.contains("never"))
        }
        #expect(glance.result(scripts[0])?.outputText == "<><0>")
        #expect(glance.result(scripts[1])?.status == .exited(3))
    }

    @Test func linksAreReadTogetherAndWhatIsNoneHoldsNoTarget() async throws {
        let folder = TemporaryFolder()
        mkdir("\(folder.path)/directory", 0o755)
        let names = ["plain", "it's new\nline", "nothing", "directory", "missing/x"].map { "\(folder.path)/\($0)" }
        symlink("/a target", names[0])
        symlink("../b\n", names[1])
        symlink("/inner", "\(folder.path)/directory/l")
        let facts = try await FactCollector(names.map { .link($0) }).glance(with: LocalExecutor())
        let targets: [String??] = [.some("/a target"), .some("../b\n"), .some(nil), .some(nil), .some(nil)]
        #expect(names.map { facts.link($0) } == targets)
    }

    @Test func clockCountsOnlyOutsideTheTimeThatTheAnswerTook() {
        let look = Command("date", ["+%s"])
        func judge(_ time: Int, _ asked: ClosedRange<Double>) -> Assessment {
            var facts = Facts()
            facts.results[look] = CommandResult(status: .exited(0), standardOutput: Array("\(time)\n".utf8))
            facts.note(asked)
            var later = Facts()
            later.results[Command("true")] = CommandResult(status: .exited(0))
            later.note(asked.lowerBound + 500...asked.upperBound + 500)
            facts.merge(later)
            return HostChecks.clock.assess(facts)
        }
        #expect(judge(1000, 1000.9...1090).isWarning == false)
        #expect(judge(900, 1000...1090).isWarning)
        #expect(judge(1500, 1000...1090).state == .blocked)
        #expect(judge(600, 1000...1090).state == .blocked)
    }

    @Test func foreignTextCannotSteerATerminal() {
        #expect(ForeignText.printable("a\u{1B}]0;x\u{07}b\n\tc\r\u{202E}") == "a\\u{1b}]0;x\\u{7}b\n\tc\\u{d}\\u{202e}")
        #expect(ForeignText.printable("plain – ü") == "plain – ü")
    }
}
