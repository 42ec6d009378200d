import CommandExecution
import FoundationEssentials
@testable import ServiceManager
import Testing

struct UnitStatusTests {
    private func status(_ names: [String], answer: String) async throws -> [String: UnitStatus] {
        let executor = RecordingExecutor { _ throws(CommandError) in
            CommandResult(status: .exited(0), standardOutput: Array(answer.utf8))
        }
        let units = try names.map { try UnitName($0) }
        let statuses = try await Systemd(executor: executor).status(of: units)
        return Dictionary(uniqueKeysWithValues: statuses.map { ($0.key.description, $0.value) })
    }

    @Test func manyUnitsAreReadFromOneAnswer() async throws {
        let statuses = try await status(
            ["t-good.service", "t-fail.service", "-.mount", "basic.target"],
            answer: ShownUnits.answer(
                ShownUnits.target, ShownUnits.active, ShownUnits.mount, ShownUnits.failed))
        let start = Date(timeIntervalSince1970: 1_795_380_130)
        #expect(
            statuses["t-good.service"]
                == UnitStatus(
                    id: "t-good.service", active: .active, sub: "running", since: start, restarts: 2,
                    fileState: .enabled, filePath: "/run/systemd/system/t-good.service", needsManagerReload: true))
        #expect(
            statuses["t-fail.service"]
                == UnitStatus(
                    id: "t-fail.service", active: .failed, sub: "failed", result: .exitCode, since: start + 1,
                    fileState: .static, filePath: "/run/systemd/system/t-fail.service"))
        #expect(
            statuses["-.mount"]
                == UnitStatus(
                    id: "-.mount", active: .active, sub: "mounted",
                    since: Date(timeIntervalSince1970: 1_795_380_095)))
        #expect(statuses["basic.target"]?.result == .success)
        #expect(statuses.count == 4)
    }

    @Test func maskedAndMissingUnitsAreToldApart() async throws {
        let statuses = try await status(
            ["t-mask.service", "t-missing.service"],
            answer: ShownUnits.answer(ShownUnits.masked, ShownUnits.missing))
        let masked = try #require(statuses["t-mask.service"])
        let missing = try #require(statuses["t-missing.service"])
        #expect(masked.isMasked && !masked.isMissing && !masked.isActive)
        #expect(missing.isMissing && !missing.isMasked && !missing.isActive)
        #expect(masked.since == nil && missing.since == nil)
        #expect(masked.fileState == UnitFileState.maskedRuntime && missing.fileState == nil && missing.filePath == nil)
    }

    @Test func aUnitAskedForByItsAliasIsFoundUnderBothNames() async throws {
        let statuses = try await status(
            ["t-alias.service", "t-good.service"],
            answer: ShownUnits.answer(ShownUnits.active, ShownUnits.active))
        #expect(statuses["t-alias.service"]?.id == "t-good.service")
        #expect(statuses["t-alias.service"] == statuses["t-good.service"])
    }

    @Test func aUnitThatWaitsForItsNextRestartIsTransient() async throws {
        let statuses = try await status(["t-auto.service"], answer: ShownUnits.answer(ShownUnits.waitingForRestart))
        #expect(statuses["t-auto.service"]?.active.isTransient == true)
        #expect(statuses["t-auto.service"]?.sub == "auto-restart")
    }

    @Test(
        arguments: [
            ("", nil), ("n/a", nil), ("0", nil), ("@", nil), ("@1767693600", 1_767_693_600),
            ("@1767693600.25", 1_767_693_600.25),
            ("Tue 2026-01-06 10:00:00 UTC", 1_767_693_600), ("Tue 2026-01-06 10:00:00.500000 UTC", 1_767_693_600.5),
            ("Thu 1970-01-01 00:00:01 UTC", 1), ("Thu 2024-02-29 23:59:59 UTC", 1_709_251_199),
            ("Fri 2024-03-01 00:00:00 UTC", 1_709_251_200), ("Tue 2100-03-02 00:00:00 UTC", 4_107_628_800),
            ("Tue 2026-01-06 10:00:00 CET", nil), ("Tue 2026-13-06 10:00:00 UTC", nil), ("Tue 2026-01-06 UTC", nil),
            ("Tue x-y-z 10:00:00 UTC", nil),
        ] as [(String, Double?)])
    func timesAreReadWithoutAnyTimeZone(text: String, expected: Double?) async throws {
        let shown = ShownUnits.mount.split(separator: "\n").map {
            $0.hasPrefix("ActiveEnterTimestamp=") ? "ActiveEnterTimestamp=\(text)" : "\($0)"
        }
        let statuses = try await status(["-.mount"], answer: shown.joined(separator: "\n"))
        #expect(statuses["-.mount"]?.since == expected.map { Date(timeIntervalSince1970: $0) })
    }

    @Test(arguments: [
        "", "\n", "garbage", "\0\0\0", "Id=other.service\nNames=other.service\nLoadState=loaded\nActiveState=active",
        "Id=a.service\nLoadState=loaded", "Id=a.service\nActiveState=active", "Id=a.service\nLoadState=\nActiveState=",
        "Id=a.service\nLoadState=loaded\nActiveState=active\nNRestarts=many",
        "Id=a.service\nLoadState=loaded\nActiveState=active\nNRestarts=-1",
        "Id=a.service\nLoadState=loaded\n\nActiveState=active", "<html>Id=a.service</html>",
    ])
    func anAnswerWithoutTheUnitsStateIsNotUnderstood(answer: String) async throws {
        let error = await #expect(throws: ServiceError.self) { try await status(["a.service"], answer: answer) }
        #expect(error?.code == .notUnderstood)
    }

    @Test func valuesThatAreNotKnownArePassedOn() async throws {
        let answer = "New=1\nId=a.service\nLoadState=merged\nActiveState=maintenance\nSubState=x\nResult=condition\n"
        let status = try #require(try await status(["a.service"], answer: answer)["a.service"])
        #expect(status.load.rawValue == "merged" && status.active.rawValue == "maintenance")
        #expect(status.result.description == "condition" && !status.active.isTransient)
    }

    @Test(
        arguments: [
            ("Thu 1970-01-01 00:00:00.000000 UTC", 0.0), ("Thu 2024-02-29 12:00:00.500000 UTC", 1_709_208_000.5),
            ("Tue 2000-03-01 00:00:00.000000 UTC", 951_868_800.0), ("n/a", nil), ("", nil),
            ("x 9223372036854775807-1-1 0:0:0 UTC", nil), ("x 2000-1-1 9223372036854775807:0:0 UTC", nil),
            ("x 2000-1-1 0:9223372036854775807:0 UTC", nil), ("x 2000-1-1 0:0:inf UTC", nil),
            ("x 2000-9223372036854775807-1 0:0:0 UTC", nil),
        ] as [(Substring, Double?)])
    func aTimeIsReadAndWhatCannotBeOneIsNone(_ text: Substring, _ seconds: Double?) {
        #expect(Timestamp.parse(text)?.timeIntervalSince1970 == seconds)
    }
}
