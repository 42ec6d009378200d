import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

@Suite(.enabled(if: getuid() == 0, "changing the root directory needs root"))
struct ImageConnectionTests {
    private let folder = TemporaryFolder()

    private func mounts() -> [String] {
        (folderlessRead("/proc/self/mountinfo") ?? "").split(separator: "\n").map(String.init)
    }

    private func folderlessRead(_ path: String) -> String? {
        guard let stream = fopen(path, "r") else { return nil }
        defer { fclose(stream) }
        var text = "", buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 {
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text
    }

    @Test func commandsRunWithinTheImageOfflineAndNothingStaysMounted() async throws {
        let before = mounts()
        let connection = ImageConnection(image: SoftwareImage(name: "this machine", path: "/"))
        let result = try await connection.run(
            Command(
                "sh", ["-c", "cat; printf '%s %s' \"$SYSTEMD_OFFLINE\" \"$WORD\"; ls /run | wc -l"],
                input: Array("input ".utf8), environment: ["WORD": "it's $HOME"]))
        #expect(result.outputText == "input 1 it's $HOME0\n", "\(result.errorText)")
        #expect(mounts() == before)
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
