import CommandExecution
import FoundationEssentials
import Glibc
import ServiceManager
import Testing

/// A real program in systemctl's place that hangs, dies, or talks nonsense.
struct FakeSystemctlTests {
    /// Runs the body with a `Systemd` whose programs are this shell script.
    private func withScript(
        _ script: String, timeout: Duration = .seconds(10), _ body: (Systemd, String) async throws -> Void
    ) async throws {
        var template = Array("/tmp/service-manager-tests-XXXXXX".utf8CString)
        let path = try #require(
            template.withUnsafeMutableBufferPointer {
                $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        let program = "\(path)/systemctl"
        try Data("#!/bin/sh\ncd '\(path)'\n\(script)\n".utf8).write(to: URL(filePath: program))
        #expect(chmod(program, 0o755) == 0)
        let executor = LocalExecutor(terminationDelay: .milliseconds(100), abandonDelay: .seconds(1))
        try await body(
            Systemd(
                executor: executor, timeout: timeout, programs: .init(systemctl: program, journalctl: program)), path)
    }

    @Test func aSystemctlThatHangsEndsWithATimeOut() async throws {
        try await withScript("trap '' TERM; sleep 60", timeout: .milliseconds(200)) { systemd, _ in
            let unit = try UnitName("t.service")
            let clock = ContinuousClock()
            let start = clock.now
            let error = await #expect(throws: ServiceError.self) { try await systemd.status(of: unit) }
            #expect(error?.code == .timedOut)
            #expect(clock.now - start < .seconds(10))
        }
    }

    @Test func aCancelledTaskEndsSystemctl() async throws {
        try await withScript("echo $$ > pid; exec sleep 60") { systemd, path in
            let unit = try UnitName("t.service")
            let task = Task { try await systemd.start(unit) }
            var process: pid_t?
            let deadline = ContinuousClock.now.advanced(by: .seconds(20))
            while process == nil, ContinuousClock.now < deadline {
                process = FileManager.default.contents(atPath: "\(path)/pid")
                    .flatMap { String(decoding: $0, as: UTF8.self).split(separator: "\n").first }.flatMap { pid_t($0) }
                try await Task.sleep(for: .milliseconds(10))
            }
            task.cancel()
            await #expect(throws: ServiceError(.cancelled, reason: "", remedy: "")) { try await task.value }
            #expect(kill(try #require(process), 0) == -1)
        }
    }

    @Test func garbageAndEndlessOutputAreNotUnderstood() async throws {
        for script in ["head -c 100000 /dev/urandom", "yes Id=t.service", "echo", "exit 0"] {
            try await withScript(script) { systemd, _ in
                let unit = try UnitName("t.service")
                await #expect(throws: ServiceError(.notUnderstood, reason: "", remedy: ""), "\(script)") {
                    try await systemd.status(of: unit)
                }
            }
        }
    }

    @Test func aSystemctlThatASignalEndsIsUnavailable() async throws {
        try await withScript("kill -9 $$") { systemd, _ in
            let unit = try UnitName("t.service")
            await #expect(throws: ServiceError(.managerUnavailable, reason: "", remedy: "")) {
                try await systemd.stop(unit)
            }
        }
    }

    @Test func aMissingSystemctlIsUnavailable() async throws {
        let unit = try UnitName("t.service")
        let systemd = Systemd(executor: LocalExecutor(), programs: .init(systemctl: "/nonexistent/systemctl"))
        await #expect(throws: ServiceError(.managerUnavailable, reason: "", remedy: "")) {
            try await systemd.start(unit)
        }
    }

    @Test func theJournalThatAnErrorCarriesIsBounded() async throws {
        let script = """
            case $1 in
            start) echo "Job for t.service failed." >&2; exit 1;;
            show) printf 'Id=t.service\\nLoadState=loaded\\nActiveState=failed\\nSubState=failed\\n';;
            *) i=0; while [ $i -lt 50 ]; do printf "%02000d\\n" $i; i=$((i+1)); done;;
            esac
            """
        try await withScript(script) { systemd, _ in
            let unit = try UnitName("t.service")
            let error = await #expect(throws: ServiceError.self) { try await systemd.start(unit) }
            #expect(error?.code == .startFailed)
            #expect(error?.journal.count == 10)
            #expect(error?.journal.allSatisfy { $0.utf8.count == 503 } == true)
        }
    }

    @Test func waitingEndsWhenTheUnitsAreSettled() async throws {
        // Activating twice, then active.
        let script = """
            echo >> calls
            state=activating; [ $(wc -l < calls) -gt 2 ] && state=active
            printf 'Id=a.service\\nLoadState=loaded\\nActiveState=%s\\n\\n' $state
            printf 'Id=b.service\\nLoadState=loaded\\nActiveState=failed\\n'
            """
        try await withScript(script) { systemd, path in
            let units = [try UnitName("a.service"), try UnitName("b.service")]
            let statuses = try await systemd.waitUntilSettled(
                units, timeout: .seconds(20), pollInterval: .milliseconds(1))
            #expect(units.map { statuses[$0]?.active } == [.active, .failed])
            #expect(FileManager.default.contents(atPath: "\(path)/calls")?.count == 3)
        }
    }

    @Test func waitingIsBoundedAndNamesWhatDidNotSettle() async throws {
        try await withScript("printf 'Id=a.service\\nLoadState=loaded\\nActiveState=deactivating\\n'") { systemd, _ in
            let unit = try UnitName("a.service")
            let error = await #expect(throws: ServiceError.self) {
                try await systemd.waitUntilSettled([unit], timeout: .milliseconds(50), pollInterval: .milliseconds(1))
            }
            #expect(error?.code == .timedOut)
            #expect(error?.reason.hasSuffix("a.service is deactivating") == true)
        }
    }
}
