import CommandExecution
import Glibc
import PromTargets
import Testing

@testable import JobstatsDeploy

/// The head node's look at the target files, by its own script in a real folder.
@Suite struct TargetListingTests {
    private let folder = TemporaryFolder()

    private func check(_ id: String) throws -> ValidationCheck? {
        let path = folder.path
        return try EvidenceFixture.checks {
            $0.usesCustomTargetsDirectory = true
            $0.customTargetsDirectory = path
        }[id]
    }

    private func verdict(_ id: String, role: Bool = true) async throws -> ValidationVerdict? {
        let check = try check(id)
        var fixture = EvidenceFixture(role: role)
        fixture.evidence.facts[EvidenceFixture.head] = try await Facts.collect(
            check?.queries[EvidenceFixture.head] ?? [], with: LocalExecutor())
        return fixture.verdict(check, about: id == "10.target-file" ? EvidenceFixture.node : EvidenceFixture.head)
    }

    private func answerSize() async throws -> Int {
        let check = try check("10.foreign")
        let facts = try await Facts.collect(check?.queries[EvidenceFixture.head] ?? [], with: LocalExecutor())
        return facts.results.values.reduce(0) { $0 + $1.standardOutput.count }
    }

    private func writeNode() throws {
        let plan = JobstatsPlan(
            configuration: EvidenceFixture.configuration(),
            context: DeploymentContext(localHost: EvidenceFixture.head))
        let bytes = TargetGroup.encode(try plan.targetGroups(of: EvidenceFixture.node))
        folder.write("dgx-01.json", String(decoding: bytes, as: UTF8.self))
    }

    @Test(arguments: ["a b.json", "-rf.json", "new\nline.json", "ä.json", ".json", "a\tb"])
    func aNameThatNoNodeHasHidesNoOtherFileAndIsNamed(name: String) async throws {
        try writeNode()
        folder.write(name, "[]\n")
        #expect(try await verdict("10.target-file")?.state == .passed)
        #expect(try await verdict("10.orphans")?.state != .unseen)
        let foreign = try await verdict("10.foreign")
        #expect(foreign?.state == .warning)
        let shown = name.replacing("\n", with: "?").replacing("\t", with: "\t")
        #expect(foreign?.seen.contains(shown) == true, "\(String(describing: foreign))")
    }

    @Test func theNoteOfASyncIsNotForeign() async throws {
        try writeNode()
        folder.write(".prom-targets-sync", "{}\n")
        #expect(try await verdict("10.foreign")?.state == .passed)
    }

    @Test func whatIsNoPlainFileIsNamedWhereItsNameIsThatOfATargetFile() async throws {
        try writeNode()
        mkdir("\(folder.path)/dir.json", 0o755)
        mkdir("\(folder.path)/.snapshot", 0o755)
        symlink("/etc/passwd", "\(folder.path)/link.json")
        mkfifo("\(folder.path)/pipe.json", 0o644)
        #expect(try await verdict("10.target-file")?.state == .passed)
        let foreign = try await verdict("10.foreign")
        for name in ["dir.json", "link.json", "pipe.json"] {
            #expect(foreign?.seen.contains(name) == true, "\(String(describing: foreign))")
        }
        #expect(foreign?.seen.contains(".snapshot") == false)
    }

    @Test func aFleetOfTenThousandAndOneFilesIsSeenWhole() async throws {
        for number in 0..<10_001 { folder.write("n-\(number).json", "[]\n") }
        try writeNode()
        #expect(try await verdict("10.target-file")?.state == .passed)
        let orphans = try await verdict("10.orphans")
        #expect(
            orphans?.state == .failed && orphans?.seen.contains("not in BCM") == true, "\(String(describing: orphans))")
    }

    @Test func moreFilesThanAreLookedAtAreToldWithTheirNumber() async throws {
        for number in 0..<20_050 { folder.write("n-\(number).json", "") }
        try writeNode()
        let node = try await verdict("10.target-file")
        #expect([.passed, .unseen].contains(node?.state), "\(String(describing: node))")
        let foreign = try await verdict("10.foreign")
        #expect(foreign?.state == .warning && foreign?.seen.contains("20000") == true, "\(String(describing: foreign))")
        #expect(foreign?.advice?.contains(folder.path) == true, "\(String(describing: foreign))")
        #expect(try await answerSize() < 16 << 20)
    }

    @Test func largeFilesDoNotHideTheHeadNodesOtherAnswers() async throws {
        let megabyte = String(repeating: "x", count: 1 << 20)
        for number in 0..<60 { folder.write("big-\(number).json", megabyte) }
        // Many lines, each of which is told with the file's name.
        let lines = String(repeating: "\n", count: 60_000)
        for number in 0..<60 { folder.write("lines-\(number).json", lines) }
        try writeNode()
        #expect(try await verdict("10.target-file")?.state == .passed)
        let foreign = try await verdict("10.foreign")
        #expect(foreign?.state == .warning, "\(String(describing: foreign))")
        #expect(foreign?.seen.contains("big-0.json") == true, "\(String(describing: foreign))")
        #expect(try await answerSize() < 16 << 20)
    }

    @Test(arguments: ["", "\n", "[", "no newline at its end", "\u{0}\n\u{0}", "dgx-01.json\u{0}[]\n"])
    func aFileThatIsNoTargetFileIsToldFromOneThatIsMissing(content: String) async throws {
        let stream = fopen("\(folder.path)/dgx-01.json", "w")
        let bytes = Array(content.utf8)
        fwrite(bytes, 1, bytes.count, stream)
        fclose(stream)
        let verdict = try await verdict("10.target-file")
        #expect(verdict?.state == .failed)
        #expect(verdict?.seen.contains("not a target file") == true, "\(String(describing: verdict))")
    }

    @Test func anEmptyFolderIsSeenAndAMissingOneIsNot() async throws {
        #expect(try await verdict("10.foreign")?.state == .passed)
        #expect(try await verdict("10.target-file")?.seen.contains("missing") == true)
        rmdir(folder.path)
        #expect(try await verdict("10.target-file")?.state != .failed)
    }
}
