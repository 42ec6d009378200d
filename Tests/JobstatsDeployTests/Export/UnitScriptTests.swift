import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// The exported script that brings a unit into its state, with a stand-in systemctl that answers from files.
struct UnitScriptTests {
    private let folder = TemporaryFolder()

    private func run(
        _ unit: ExportUnit, load: String = "loaded", active: String = "inactive", enablement: String = "disabled",
        started: String = "", stateChanged: String = "", needsReload: String = "no", mode: String = "-y"
    ) async throws -> (calls: [String], result: CommandResult) {
        mkdir("\(folder.path)/bin", 0o755)
        let answers = [
            "LoadState": load, "ActiveState": active, "UnitFileState": enablement, "ExecMainStartTimestamp": started,
            "StateChangeTimestamp": stateChanged, "NeedDaemonReload": needsReload,
        ]
        for (name, text) in answers { folder.write(name, text + "\n") }
        folder.write(
            "bin/systemctl",
            """
            #!/bin/sh
            if [ "$1" = show ]; then cat "\(folder.path)/$5"; exit; fi
            echo "$*" >>"\(folder.path)/calls"
            """, mode: 0o755)
        unlink("\(folder.path)/calls")
        let result = try await LocalExecutor().run(
            Command(
                "sh", ["-c", ExportScripts.unit, "sh", mode] + unit.arguments,
                environment: ["PATH": "\(folder.path)/bin:/usr/bin:/bin"]))
        let calls = (folder.read("calls") ?? "").split(separator: "\n").map(String.init)
        return (calls.filter { !$0.hasPrefix("reset-failed") }, result)
    }

    private let monitored = ExportUnit("x.service", isEnabled: false, activity: .asFound, restartedFor: [])
    private let always = ExportUnit("x.service", isEnabled: true, activity: .running)

    @Test func whatIsAsWantedIsLeftAlone() async throws {
        let running = try await run(always, active: "active", enablement: "enabled")
        #expect(running.calls.isEmpty && running.result.succeeded && running.result.outputText.isEmpty)
        #expect(try await run(monitored).calls.isEmpty)
        #expect(try await run(monitored, active: "active").calls.isEmpty)
    }

    @Test func aNewUnitIsMadeKnownAndEnabledAndStarted() async throws {
        let new = try await run(always, load: "not-found", enablement: "")
        #expect(new.calls == ["daemon-reload", "enable --quiet -- x.service", "start -- x.service"])
        let look = try await run(always, load: "not-found", enablement: "", mode: "-n")
        #expect(look.calls.isEmpty && look.result.outputText.contains("systemctl start -- x.service"))
        #expect(try await run(monitored, enablement: "enabled").calls == ["disable --quiet -- x.service"])
    }

    @Test func aProcessOlderThanItsFilesIsRestartedAndConfigurationIsReloaded() async throws {
        let program = folder.write("program", "x"), rules = folder.write("rules", "x")
        let unit = ExportUnit(
            "x.service", isEnabled: true, activity: .running, restartedFor: [program, "/no/such"], reloadedFor: [rules])
        let (past, future) = ("Sun 2020-11-22 20:05:03.123456 UTC", "Sun 2120-11-24 20:05:03.123456 UTC")
        func calls(_ started: String, _ changed: String) async throws -> [String] {
            try await run(unit, active: "active", enablement: "enabled", started: started, stateChanged: changed).calls
        }
        #expect(try await calls(past, future) == ["restart -- x.service"])
        #expect(try await calls(future, past) == ["reload -- x.service"])
        #expect(try await calls(past, past) == ["restart -- x.service"])
        #expect(try await calls(future, future).isEmpty)
        #expect(try await calls("n/a", future) == ["restart -- x.service"])
    }

    @Test func aMaskedUnitIsRefused() async throws {
        let masked = try await run(always, load: "masked")
        #expect(masked.result.status == .exited(1) && masked.calls.isEmpty)
        #expect(masked.result.errorText.contains("systemctl unmask x.service"))
    }
}
