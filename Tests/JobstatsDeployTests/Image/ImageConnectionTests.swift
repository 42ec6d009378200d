import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

@Suite(.enabled(if: getuid() == 0, "changing the root directory needs root"))
struct ImageConnectionTests {
    private let folder = TemporaryFolder()

    /// What is mounted where an image's parts would be; other programs mount elsewhere meanwhile.
    private func mounts() async throws -> [String] {
        let table = try await LocalExecutor().run(Command("cat", ["/proc/self/mountinfo"])).outputText
        return table.split(separator: "\n").map { String($0.split(separator: " ")[4]) }
            .filter { ["/proc", "/dev", "/run"].contains($0) }
    }

    @Test func commandsRunWithinTheImageOfflineAndNothingStaysMounted() async throws {
        let before = try await mounts()
        let connection = ImageConnection(image: SoftwareImage(name: "this machine", path: "/"))
        let result = try await connection.run(
            Command(
                "sh", ["-c", "cat; printf '%s %s' \"$SYSTEMD_OFFLINE\" \"$WORD\"; ls /run | wc -l"],
                input: Array("input ".utf8), environment: ["WORD": "it's $HOME"]))
        #expect(result.outputText == "input 1 it's $HOME0\n", "\(result.errorText)")
        #expect(try await mounts() == before)
    }

    @Test func factsAreGatheredInAnImageAsOnAHost() async throws {
        let connection = ImageConnection(image: SoftwareImage(name: "this machine", path: "/"))
        let facts = try await FactCollector([.file("/etc/passwd"), .user("root")]).collect(with: connection)
        #expect(facts.file("/etc/passwd")?.kind == .plain && facts.user("root")??.id == 0)
    }

    @Test func aFolderThatIsNoRootOfASystemIsRefused() async throws {
        for path in [folder.path, "\(folder.path)/none"] {
            let connection = ImageConnection(image: SoftwareImage(name: "x", path: path))
            await #expect(throws: CommandError.self) { try await connection.run(Command("true")) }
        }
        #expect(folder.names.isEmpty)
    }
}
