import CommandExecution
import Testing

@testable import JobstatsDeploy

struct AptCommandsTests {
    private let folder = TemporaryFolder()

    /// Runs the installation with an apt-get that installs only after an update, or never.
    private func run(knowsAfterUpdate: Bool) async throws -> CommandResult {
        folder.write(
            "apt-get",
            """
            #!/bin/sh
            echo "$*" >>"\(folder.path)/calls"
            case $1 in
                update) \(knowsAfterUpdate ? "touch \"\(folder.path)/updated\"" : ":") ;;
                install) [ -e "\(folder.path)/updated" ] || { echo "E: Unable to locate package" >&2; exit 100; } ;;
            esac
            """, mode: 0o755)
        var command = AptCommands.install(["a", "it's $(b)"])
        command.environment["PATH"] = "\(folder.path):/usr/bin:/bin"
        return try await LocalExecutor().run(command)
    }

    private var verbs: [Substring] {
        (folder.read("calls") ?? "").split(separator: "\n").compactMap { $0.split(separator: " ").first }
    }

    @Test func whatAptDoesNotKnowYetIsInstalledAfterALookAtTheRepositories() async throws {
        #expect(try await run(knowsAfterUpdate: true).succeeded)
        #expect(verbs == ["install", "update", "install"])
        #expect(folder.read("calls")?.hasSuffix("-- a it's $(b)\n") == true)
        #expect(try await run(knowsAfterUpdate: true).succeeded)
        #expect(verbs == ["install", "update", "install", "install"], "nothing is fetched where it is known")
    }

    @Test func aPackageThatNobodyHasFailsWithAptsOwnWords() async throws {
        let result = try await run(knowsAfterUpdate: false)
        #expect(!result.succeeded && result.errorText.contains("Unable to locate package"))
    }
}
