import CommandExecution
import FoundationEssentials
import Glibc
import Testing

/// Which tests `scripts/test.sh --sanitize=... --filter ...` runs, with a stand-in for `swift`.
struct SanitizerScriptTests {
    private let script = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/scripts/test.sh"

    /// Lists one test of the libraries and so many of the simulator's that they do not fit into a pipe.
    private static let swift = """
        #!/bin/bash
        case "$*" in
        --version) echo 'Swift version 6.3.1' ;;
        'test list --package-path Development'*)
            for ((n = 0; n < 20000; n++)); do echo "BCMIntegrationTests.StormTests/storm$n()"; done ;;
        'test list'*) echo 'BCMClientTests.CmshTests/table()' ;;
        test*) echo '✔ Test storm() passed after 0.1 seconds.' ;;
        esac
        """

    private func run(filter: String) async throws -> CommandResult {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sanitize-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(Self.swift.utf8).write(to: URL(filePath: "\(folder)/swift"))
        chmod("\(folder)/swift", 0o755)
        return try await LocalExecutor().run(
            Command(
                "bash",
                [
                    "-c", "PATH=$1:$PATH exec \"$2\" --sanitize=address --filter \"$3\"", "bash", folder, script,
                    filter,
                ], timeout: .seconds(60)))
    }

    @Test(arguments: ["StormTests", "BCMIntegrationTests.StormTests", "storm19999", "CmshTests"])
    func testsThatMatchAreRun(filter: String) async throws {
        let result = try await run(filter: filter)
        #expect(result.succeeded && result.outputText.hasSuffix("1 passed, 0 failed, 0 skipped\n"), "\(result)")
        // Built is what can hold the test.
        #expect(result.errorText.contains("Building the libraries' tests") != filter.hasPrefix("BCMIntegrationTests."))
    }

    @Test func anExpressionThatMatchesNoTestIsAFailure() async throws {
        let result = try await run(filter: "NoSuchTests")
        #expect(result.status == .exited(1) && result.outputText.hasSuffix("0 passed, 1 failed, 0 skipped\n"))
        #expect(result.errorText.contains("no test's name matches NoSuchTests"), "\(result)")
    }
}
