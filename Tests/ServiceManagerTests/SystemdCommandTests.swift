import CommandExecution
import ServiceManager
import Testing

struct SystemdCommandTests {
    private let shown = RecordingExecutor { command throws(CommandError) in
        CommandResult(
            status: .exited(0),
            standardOutput: command.arguments.first == "show" ? Array(ShownUnits.answer(ShownUnits.active).utf8) : [])
    }
    private func unit() throws -> UnitName { try UnitName("t-good.service") }

    private var lines: [String] { shown.commands.map(\.description) }

    private static let show =
        "systemctl show --no-pager --timestamp=utc --property=Id,Names,LoadState,ActiveState,SubState,Result,NRestarts,"
        + "UnitFileState,FragmentPath,NeedDaemonReload,ActiveEnterTimestamp,ActiveExitTimestamp,InactiveEnterTimestamp,"
        + "InactiveExitTimestamp -- t-good.service"

    @Test func statesOfManyUnitsAreOneCall() async throws {
        let systemd = Systemd(executor: shown)
        _ = try await systemd.status(of: [unit(), UnitName("t-alias.service"), unit()])
        #expect(
            lines == [
                Self.show.split(separator: "t-good").joined(separator: "t-alias.service t-good")
            ])
        #expect(try await systemd.status(of: [] as [UnitName]).isEmpty)
        #expect(lines.count == 1)
    }

    @Test func aBlockingStartLooksAtTheUnitOnceMore() async throws {
        try await Systemd(executor: shown).start(unit())
        #expect(lines == ["systemctl start -- t-good.service", Self.show])
    }

    @Test func eachActIsOneCallOfSystemctl() async throws {
        let systemd = Systemd(executor: shown)
        try await systemd.start(unit(), blocking: false)
        try await systemd.restart(unit(), blocking: false)
        try await systemd.stop(unit())
        try await systemd.stop(unit(), blocking: false)
        try await systemd.enable(unit())
        try await systemd.disable(unit())
        try await systemd.reloadManager()
        try await systemd.resetFailed(unit())
        _ = try await systemd.journalTail(of: unit(), lines: 7)
        #expect(
            lines == [
                "systemctl start --no-block -- t-good.service", "systemctl restart --no-block -- t-good.service",
                "systemctl stop -- t-good.service", "systemctl stop --no-block -- t-good.service",
                "systemctl enable --quiet -- t-good.service", "systemctl disable --quiet -- t-good.service",
                "systemctl daemon-reload", "systemctl reset-failed -- t-good.service",
                "journalctl --no-pager --quiet --boot --output=cat --lines=7 --unit=t-good.service",
            ])
    }

    @Test func everyCallHasTheTimeOutAndTheProgramsThatWereGiven() async throws {
        let programs = Systemd.Programs(systemctl: "/opt/systemctl", journalctl: "/opt/journalctl")
        let systemd = Systemd(executor: shown, timeout: .seconds(7), programs: programs)
        try await systemd.restart(unit())
        _ = try await systemd.journalTail(of: unit(), lines: 1)
        #expect(shown.commands.map(\.executable) == ["/opt/systemctl", "/opt/systemctl", "/opt/journalctl"])
        #expect(shown.commands.allSatisfy { $0.timeout == .seconds(7) })
        #expect(Systemd(executor: shown).timeout == .seconds(30))
    }

    @Test func inAnImageUnitsAreEnabledAndNothingIsStarted() async throws {
        let executor = RecordingExecutor { _ throws(CommandError) in
            CommandResult(status: .exited(0), standardOutput: Array("enabled\n".utf8))
        }
        let systemd = Systemd(executor: executor, root: "/cm/images/dgx image")
        let unit = try unit()
        try await systemd.enable(unit)
        try await systemd.disable(unit)
        #expect(try await systemd.isEnabled(unit))
        try await systemd.reloadManager()
        let expected = [
            "systemctl '--root=/cm/images/dgx image' enable --quiet -- t-good.service",
            "systemctl '--root=/cm/images/dgx image' disable --quiet -- t-good.service",
            "systemctl '--root=/cm/images/dgx image' is-enabled -- t-good.service",
        ]
        #expect(executor.commands.map(\.description) == expected)
        let notSupported = ServiceError(.notSupported, reason: "", remedy: "")
        await #expect(throws: notSupported) { try await systemd.start(unit) }
        await #expect(throws: notSupported) { try await systemd.restart(unit, blocking: false) }
        await #expect(throws: notSupported) { try await systemd.stop(unit) }
        await #expect(throws: notSupported) { try await systemd.status(of: unit) }
        await #expect(throws: notSupported) { try await systemd.resetFailed(unit) }
        await #expect(throws: notSupported) { try await systemd.journalTail(of: unit, lines: 1) }
        #expect(executor.commands.count == expected.count)
    }

    @Test func aTemplateHasNoState() async throws {
        let systemd = Systemd(executor: shown)
        await #expect(throws: ServiceError(.invalidValue, reason: "", remedy: "")) {
            try await systemd.status(of: UnitName("getty@.service"))
        }
        #expect(lines.isEmpty)
    }
}
