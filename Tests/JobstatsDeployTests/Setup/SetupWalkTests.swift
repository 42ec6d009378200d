import CommandExecution
import Glibc
import Logging
import Testing

@testable import JobstatsDeploy

/// Every host is this machine, whose cmsh and shared storage lie in a folder.
private struct FolderHosts: HostConnector {
    let folder: String

    func connect(to host: Host) async -> any HostConnection { Connection(folder: folder) }

    private struct Connection: HostConnection {
        let folder: String
        var attempts: Int { 1 }

        func run(_ command: Command) async throws(CommandError) -> CommandResult {
            func moved(_ text: String) -> String {
                text.replacing("/cm/local/apps/cmd/bin/cmsh", with: "\(folder)/cmsh")
                    .replacing("/cm/shared", with: "\(folder)/shared")
            }
            return try await LocalExecutor().run(
                Command(
                    moved(command.executable), command.arguments.map(moved),
                    input: Array(moved(String(decoding: command.input, as: UTF8.self)).utf8),
                    environment: command.environment, timeout: command.timeout))
        }

        func close() async {}
    }
}

/// The guided setup on a terminal, from the configuration to the exit status.
@Suite(.enabled(if: getuid() == 0, "a deployment needs root")) struct SetupWalkTests {
    private let folder = TemporaryFolder()

    private func run(
        _ answers: [String], isActive: Bool = true, _ change: (inout SetupOptions) -> Void = { _ in }
    ) async -> (status: Int32, console: TestConsole) {
        let file = folder.write(
            "config.json", "{\"systems\": {\"dgx_nodes\": [\"dgx-01\"], \"prometheus_server\": [\"mon-01\"]}}")
        let mode = isActive ? "running in active mode" : "running in passive mode"
        folder.write("cmsh", "#!/bin/sh\necho '\(mode)'\n", mode: 0o755)
        var options = SetupOptions(
            configurationFile: file, stateDirectory: "\(folder.path)/state", programFolder: "/nonexistent")
        options.walks = true
        options.canResume = true
        options.sections = [1]
        options.invocation = ["guided-setup", "--section", "1"]
        change(&options)
        let console = TestConsole(isTerminal: true, answers: answers)
        let setup = SetupRun(
            options: options, console: console, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            connector: FolderHosts(folder: folder.path))
        return (await setup.run(), console)
    }

    @Test func sectionIsShownAndQuittingAtOnceDoesNothing() async {
        let (status, console) = await run(["quit"])
        #expect(status == 1, "\(console.output)\(console.errors)")
        #expect(console.output.contains("1. Overview and prerequisites"))
        #expect(console.output.hasSuffix("Nothing was done.\n"))
        #expect(folder.read("state/guided_setup_progress.json") == nil)
        #expect(folder.read("state/guided_setup_document.md") == nil)
    }

    @Test func whatWasReachedIsSavedDocumentedAndResumedFromThere() async throws {
        // This machine is no node of a cluster, so some prerequisites fail, and are told at once.
        let (status, console) = await run(["check", "a", "run", "output", "a", "skip"])
        #expect(status == 1, "\(console.output)\(console.errors)")
        #expect(console.output.contains("retry, output, skip, quit, ? [retry]: "))
        #expect(console.output.contains("   failed          1 Overview and prerequisites"))
        #expect(console.output.contains("guided-setup --section 1 --resume"))
        #expect(folder.read("state/guided_setup_document.md")?.contains("what was done") == true)
        let progress = try ProgressFile.load("\(folder.path)/state/guided_setup_progress.json")
        #expect(progress.hosts.values.contains { $0.values.contains { $0.outcome == "failed" } })
        let (_, resumed) = await run(["quit"]) { $0.resumes = true }
        #expect(resumed.output.contains("a walk begins at the first section that was not."))
        #expect(resumed.output.contains("1. Overview and prerequisites"))
    }

    @Test func passiveHeadNodeIsRefusedBeforeAnythingIsAsked() async {
        let (status, console) = await run(["run"], isActive: false)
        #expect(status == 1)
        #expect(console.output.contains("passive head node") && !console.output.contains("[run]: "))
        #expect(console.errors.contains("Nothing was done."))
    }

    @Test func yesAndNonInteractiveAskNothing() async {
        for change in [{ $0.assumesYes = true }, { $0.isNonInteractive = true }] as [(inout SetupOptions) -> Void] {
            let (_, console) = await run([], change)
            #expect(!console.output.contains("[run]: ") && console.output.contains("Document: "))
        }
    }
}
