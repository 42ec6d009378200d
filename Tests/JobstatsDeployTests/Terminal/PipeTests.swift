import CommandExecution
import Testing

@testable import JobstatsDeploy

/// The command behind pipes, with closed streams, and on terminals that can little.
@Suite(.enabled(if: BuiltPrograms.areThere, "needs the programs that are built with these tests"))
struct PipeTests {
    private let folder = TemporaryFolder()

    /// Runs the dry run of a small plan in a shell; `$@` is the command.
    private func shell(_ script: String, environment: [String: String] = [:]) async throws -> CommandResult {
        let file = folder.write(
            "config.json",
            #"{"systems": {"dgx_nodes": ["dgx-[001-500]"], "prometheus_server": ["mon-01"], "grafana_server": ["mon-01"]}}"#
        )
        let program = "\(try #require(BuiltPrograms.folder))/guided-setup"
        return try await LocalExecutor().run(
            Command(
                "bash",
                [
                    "-c", script, "bash", program, "--config", file, "--dry-run", "--state-dir",
                    "\(folder.path)/state", "--section", "4", "6", "10",
                ], environment: environment, timeout: .seconds(60)))
    }

    @Test func aFullDiskIsSaidAndIsAFailureAndTheDocumentIsThere() async throws {
        let result = try await shell("\"$@\" >/dev/full")
        #expect(result.status == .exited(1), "\(result.errorText)")
        let said = "standard output cannot be written: No space left on device"
        #expect(result.errorText.split(separator: said, omittingEmptySubsequences: false).count == 2, "once")
        #expect(folder.read("state/guided_setup_document.md")?.contains("## How to undo it") == true)
    }

    @Test(arguments: ["\"$@\" | head -n 1; exit ${PIPESTATUS[0]}", "\"$@\" >&-", "\"$@\" 2>&-"])
    func aReaderThatGoesAwayDoesNotKeepTheDocumentBack(_ script: String) async throws {
        let result = try await shell(script)
        #expect(result.status == .exited(0), "\(result.errorText)")
        #expect(folder.read("state/guided_setup_document.md")?.contains("## How to undo it") == true)
    }

    @Test(arguments: ["40", "80"]) func inAPipeNothingIsPaintedAndLinesFit(_ columns: String) async throws {
        let result = try await shell("\"$@\" | cat", environment: ["COLUMNS": columns, "TERM": "xterm"])
        #expect(!result.outputText.contains("\u{1B}"))
        let width = Int(columns) ?? 80
        // A link or a path stays whole, alone on its line.
        for line in result.outputText.split(separator: "\n") where String(line).trimmed.contains(" ") {
            #expect(line.count <= width, "\(line)")
        }
        #expect(result.outputText.contains("dgx-[001-500]"))
    }

    @Test(arguments: [["TERM": "dumb"], ["TERM": "xterm", "NO_COLOR": "1"]])
    func withoutColourATerminalGetsPlainText(_ environment: [String: String]) async throws {
        let file = folder.write("config.json", #"{"systems": {"dgx_nodes": ["dgx-[001-500]"]}}"#)
        let session = try await Terminal.run(
            "guided-setup",
            ["--config", file, "--dry-run", "--state-dir", "\(folder.path)/state", "--section", "4"], [],
            columns: 40, environment: environment)
        #expect(session.status == 0, "\(session.text)")
        #expect(!session.text.contains("\u{1B}"))
        for line in session.text.split(whereSeparator: \.isNewline)
        where !line.contains("https://") && !line.contains("/state/") {
            #expect(line.count <= 40, "\(line)")
        }
    }
}
