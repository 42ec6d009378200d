import CommandExecution
import FoundationEssentials
import Glibc
import ServiceManager
import Testing

/// The same calls against a systemd that runs, in a container whose first process `LIVE_SYSTEMD_PID` names, for
/// instance one that `systemd-nspawn --boot` started. Units named `live-test-*` are made in its `/run` and removed.
@Suite(
    .enabled(if: LiveSystemd.leader != nil, "LIVE_SYSTEMD_PID does not name the first process of a container"),
    .serialized)
struct LiveSystemdTests {
    private let systemd = Systemd(executor: LiveSystemd.executor)

    private func withUnit(
        _ name: String, _ directives: [UnitFile.Directive], unit section: [UnitFile.Directive] = [],
        _ body: (UnitName) async throws -> Void
    ) async throws {
        let unit = try UnitName("live-test-\(name).service")
        let file = UnitFile(sections: [
            .init("Unit", section), .init("Service", directives),
            .init("Install", [try .init("WantedBy", "multi-user.target")]),
        ])
        let path = "/run/systemd/system/\(unit)"
        let written = try await LiveSystemd.executor.run(
            Command("tee", ["--", path], input: Array(file.rendered.utf8)))
        try #require(written.succeeded)
        try await systemd.reloadManager()
        do { try await body(unit) } catch { Issue.record(error) }
        try await systemd.stop(unit)
        try await systemd.resetFailed(unit)
        _ = try await LiveSystemd.executor.run(Command("rm", ["--", path]))
        try await systemd.reloadManager()
    }

    @Test func aServiceIsStartedSeenRestartedAndStopped() async throws {
        try await withUnit("good", [try .init("ExecStart", arguments: ["/bin/sleep", "1000"])]) { unit in
            let before = Date()
            try await systemd.start(unit, stayingUp: .milliseconds(300))
            let status = try await systemd.status(of: unit)
            #expect(status.active == .active && status.sub == "running" && status.result == .success)
            #expect(abs(try #require(status.since).timeIntervalSince(before)) < 5)
            try await systemd.restart(unit)
            try await systemd.stop(unit)
            #expect(try await systemd.status(of: unit).active == .inactive)
            try await systemd.start(unit, blocking: false)
            #expect(try await systemd.waitUntilSettled([unit], timeout: .seconds(10))[unit]?.active == .active)
        }
    }

    @Test func aServiceThatDiesAtOnceFailsWithItsJournal() async throws {
        let argument = #"100% of $HOME; it's "wrong" \ ${X}"#
        let directives: [UnitFile.Directive] = [
            try .init("ExecStart", arguments: ["/bin/sh", "-c", #"printf '%s\n' "$1"; exit 3"#, "sh", argument])
        ]
        try await withUnit("dies", directives) { unit in
            let error = await #expect(throws: ServiceError.self) {
                try await systemd.start(unit, stayingUp: .seconds(2))
            }
            #expect(error?.code == .startFailed)
            #expect(error?.journal.contains(argument) == true)
        }
    }

    @Test func aStartLimitIsSeenAndReset() async throws {
        let limit: [UnitFile.Directive] = [
            try .init("StartLimitBurst", "2"), try .init("StartLimitIntervalSec", "1000"),
        ]
        let directives: [UnitFile.Directive] = [
            try .init("Type", "oneshot"), try .init("ExecStart", arguments: ["/bin/false"]),
        ]
        try await withUnit("limit", directives, unit: limit) { unit in
            for code in [ServiceError.Code.startFailed, .startFailed, .startLimitHit] {
                let error = await #expect(throws: ServiceError.self) { try await systemd.start(unit) }
                #expect(error?.code == code)
            }
            try await systemd.resetFailed(unit)
            let error = await #expect(throws: ServiceError.self) { try await systemd.start(unit) }
            #expect(error?.code == .startFailed)
        }
    }

    @Test func enablingIsSeen() async throws {
        try await withUnit("enabled", [try .init("ExecStart", arguments: ["/bin/sleep", "1000"])]) { unit in
            #expect(try await !systemd.isEnabled(unit))
            try await systemd.enable(unit)
            #expect(try await systemd.isEnabled(unit))
            try await systemd.disable(unit)
            #expect(try await systemd.fileState(of: unit) == .disabled)
        }
    }

    @Test func missingMaskedAndBrokenUnitsAreToldApart() async throws {
        let missing = try UnitName("live-test-missing.service")
        #expect(try await systemd.status(of: missing).isMissing)
        await #expect(throws: ServiceError(.notFound, reason: "", remedy: "")) { try await systemd.start(missing) }
        #expect(try await systemd.fileState(of: missing) == .notFound)
        try await systemd.stop(missing)
        try await systemd.disable(missing)
        try await withUnit("masked", [try .init("ExecStart", arguments: ["/bin/true"])]) { unit in
            _ = try await LiveSystemd.executor.run(
                Command("ln", ["--symbolic", "--force", "/dev/null", "/run/systemd/system/\(unit)"]))
            try await systemd.reloadManager()
            #expect(try await systemd.status(of: unit).isMasked)
            await #expect(throws: ServiceError(.masked, reason: "", remedy: "")) { try await systemd.start(unit) }
        }
        try await withUnit("broken", [try .init("Type", "simple")]) { unit in
            let status = try await systemd.status(of: unit)
            #expect(status.load == .badSetting)
            await #expect(throws: ServiceError(.badUnitFile, reason: "", remedy: "")) { try await systemd.start(unit) }
        }
    }
}

private enum LiveSystemd {
    static let leader = ProcessInfo.processInfo.environment["LIVE_SYSTEMD_PID"].flatMap { pid_t($0) }
    static let executor = NamespaceExecutor(leader: leader ?? 0)
}

/// Runs commands in a container's namespaces.
private struct NamespaceExecutor: CommandExecutor {
    let leader: pid_t

    func run(_ command: Command) async throws(CommandError) -> CommandResult {
        var inside = command
        inside.executable = "nsenter"
        inside.arguments =
            ["--target=\(leader)", "--mount", "--uts", "--ipc", "--net", "--pid", "--", command.executable]
            + command.arguments
        return try await LocalExecutor().run(inside)
    }
}
