import CommandExecution
import ServiceManager
import Testing

/// What `systemctl` of systemd 252 said and returned in each of these cases.
struct SystemdFailureTests {
    private func systemd(
        _ verb: String, status: Int32, says text: String, output: String = "", shows shown: String = "",
        journal: String = ""
    ) -> Systemd {
        Systemd(
            executor: RecordingExecutor { command throws(CommandError) in
                if command.executable == "journalctl" {
                    return CommandResult(status: .exited(0), standardOutput: Array(journal.utf8))
                }
                if command.arguments.first == "show", verb != "show" {
                    return CommandResult(status: .exited(0), standardOutput: Array(shown.utf8))
                }
                return CommandResult(
                    status: .exited(status), standardOutput: Array(output.utf8), standardError: Array(text.utf8))
            })
    }

    @Test(arguments: [
        (1, "Failed to start t.service: Unit t.service is masked.\n", ServiceError.Code.masked),
        (5, "Failed to start t.service: Unit t.service not found.\n", .notFound),
        (
            1,
            "Failed to start t.service: Interactive authentication required.\nSee system logs and 'systemctl status "
                + "t.service' for details.\n", .notPermitted
        ), (1, "Failed to start t.service: Access denied\n", .notPermitted),
        (
            1,
            "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: "
                + "Host is down\n", .managerUnavailable
        ), (1, "Failed to connect to bus: No such file or directory\n", .managerUnavailable),
    ])
    func aRefusedStartIsToldByWhatSystemctlSays(status: Int32, text: String, code: ServiceError.Code) async throws {
        for blocking in [true, false] {
            let error = await #expect(throws: ServiceError.self) {
                try await systemd("start", status: status, says: text).start(UnitName("t.service"), blocking: blocking)
            }
            #expect(error?.code == code)
            #expect(error?.unit?.description == "t.service")
        }
    }

    @Test func aFailedStartCarriesTheUnitsLastJournalLines() async throws {
        let error = await #expect(throws: ServiceError.self) {
            try await systemd(
                "start", status: 1,
                says: "Job for t-fail.service failed because the control process exited with error code.\nSee more.\n",
                shows: ShownUnits.failed, journal: "first problem\nsecond \u{1b}[31mproblem\n"
            ).start(UnitName("t-fail.service"))
        }
        #expect(error?.code == .startFailed)
        #expect(error?.journal == ["first problem", "second \\u{1B}[31mproblem"])
        #expect(
            error?.description == """
                t-fail.service: start failed: it is failed (failed), result exit-code; start ended with exit status 1: \
                Job for t-fail.service failed because the control process exited with error code.; look at systemctl \
                status t-fail.service and journalctl --unit=t-fail.service
                  last lines of its journal:
                    first problem
                    second \\u{1B}[31mproblem
                """)
    }

    @Test(arguments: [ShownUnits.failed, ShownUnits.waitingForRestart])
    func aUnitThatIsDownRightAfterItsStartHasFailed(shown: String) async throws {
        let name = try #require(shown.split(separator: "\n").first { $0.hasPrefix("Id=") }).dropFirst(3)
        let error = await #expect(throws: ServiceError.self) {
            try await systemd("start", status: 0, says: "", shows: shown, journal: "why\n").start(UnitName("\(name)"))
        }
        #expect(error?.code == .startFailed)
        #expect(error?.journal == ["why"])
    }

    @Test func aUnitThatMustStayUpMayNotEndWell() async throws {
        let shown = ShownUnits.masked.split(separator: "masked\n").joined(separator: "loaded\n")
        let systemd = systemd("start", status: 0, says: "", shows: shown)
        try await systemd.start(UnitName("t-mask.service"))
        await #expect(throws: ServiceError(.startFailed, reason: "", remedy: "")) {
            try await systemd.start(UnitName("t-mask.service"), stayingUp: .milliseconds(1))
        }
    }

    @Test func aStartLimitIsToldByResultOrJournal() async throws {
        let limited = ShownUnits.failed.split(separator: "exit-code").joined(separator: "start-limit-hit")
        let journal = """
            t-fail.service: Failed with result 'exit-code'.
            t-fail.service: Start request repeated too quickly.
            t-fail.service: Failed with result 'exit-code'.
            Failed to start t-fail.service.
            """
        let text = "Job for t-fail.service failed because the control process exited with error code.\n"
        for (shown, journal) in [(limited, ""), (ShownUnits.failed, journal)] {
            let error = await #expect(throws: ServiceError.self) {
                try await systemd("start", status: 1, says: text, shows: shown, journal: journal)
                    .start(UnitName("t-fail.service"))
            }
            #expect(error?.code == .startLimitHit)
            #expect(error?.remedy == "mend the cause, then run systemctl reset-failed t-fail.service")
        }
    }

    @Test func aBadUnitFileIsNamedAsSuch() async throws {
        let text = "Failed to start t-bad.service: Unit t-bad.service has a bad unit file setting.\nSee system logs.\n"
        await #expect(throws: ServiceError(.badUnitFile, reason: "", remedy: "")) {
            try await systemd("start", status: 1, says: text, shows: ShownUnits.badSetting)
                .start(UnitName("t-bad.service"))
        }
    }

    @Test func stoppingOrDisablingWhatDoesNotExistIsDone() async throws {
        let unit = try UnitName("t.service")
        try await systemd("stop", status: 5, says: "Failed to stop t.service: Unit t.service not loaded.\n").stop(unit)
        try await systemd("disable", status: 1, says: "Failed to disable unit: Unit file t.service does not exist.\n")
            .disable(unit)
        try await systemd(
            "reset-failed", status: 1,
            says: "Failed to reset failed state of unit t.service: Unit t.service not loaded.\n"
        ).resetFailed(unit)
        await #expect(throws: ServiceError(.notFound, reason: "", remedy: "")) {
            try await systemd("enable", status: 1, says: "Failed to enable unit: Unit file t.service does not exist.\n")
                .enable(unit)
        }
        await #expect(throws: ServiceError(.masked, reason: "", remedy: "")) {
            try await systemd(
                "enable", status: 1, says: "Failed to enable unit: Unit file /etc/systemd/system/t.service is masked.\n"
            ).enable(unit)
        }
    }

    @Test(
        arguments: [
            ("enabled\n", 0, "", UnitFileState.enabled, true), ("enabled-runtime\n", 0, "", .enabledRuntime, true),
            ("disabled\n", 1, "", .disabled, false), ("static\n", 0, "", .static, false),
            ("masked\n", 1, "", .masked, false), ("masked-runtime\n", 1, "", .maskedRuntime, false),
            ("indirect\n", 0, "", UnitFileState(rawValue: "indirect"), false), ("not-found\n", 4, "", .notFound, false),
            ("", 1, "Failed to get unit file state for t.service: No such file or directory\n", .notFound, false),
        ] as [(String, Int32, String, UnitFileState, Bool)])
    func enablementIsReadFromTheWordAndNotTheStatus(
        output: String, status: Int32, text: String, state: UnitFileState, isEnabled: Bool
    ) async throws {
        let systemd = systemd("is-enabled", status: status, says: text, output: output)
        #expect(try await systemd.fileState(of: UnitName("t.service")) == state)
        #expect(try await systemd.isEnabled(UnitName("t.service")) == isEnabled)
    }

    @Test func aMissingImageIsNotAMissingUnit() async throws {
        let text = "Failed to initialize unit search paths for root directory /x: No such file or directory\n"
        await #expect(throws: ServiceError(.refused, reason: "", remedy: "")) {
            try await systemd("is-enabled", status: 1, says: text).fileState(of: UnitName("t.service"))
        }
        await #expect(throws: ServiceError(.refused, reason: "", remedy: "")) {
            try await systemd("enable", status: 1, says: text).enable(UnitName("t.service"))
        }
    }

    @Test(arguments: [
        (CommandError.Code.timedOut, ServiceError.Code.timedOut), (.cancelled, .cancelled),
        (.notFound, .managerUnavailable), (.notStarted, .managerUnavailable), (.connectionLost, .connectionLost),
        (.outputTooLarge, .notUnderstood),
    ])
    func aProgramWithoutResultKeepsItsKindAndItsHost(code: CommandError.Code, expected: ServiceError.Code) async throws
    {
        let executor = RecordingExecutor { command throws(CommandError) in
            throw CommandError(code, executable: command.executable, host: "dgx-01", reason: "because")
        }
        let error = await #expect(throws: ServiceError.self) {
            try await Systemd(executor: executor).start(UnitName("t.service"))
        }
        #expect(error?.code == expected)
        #expect(error?.description.hasPrefix("dgx-01: t.service: \(expected): systemctl: because; ") == true)
    }
}
