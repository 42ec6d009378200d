import BCMClient
import FoundationEssentials
import Glibc
import PromTargets
import RoleMonitor
import Testing

@testable import FleetTargets

/// The program as it is installed.
struct ProgramTests {
    private let site: Site
    private let config: String

    init() throws {
        site = try Site(FakeHeadNodes([Device]()))
        var written = site.configuration
        written.headNodes = ["127.0.0.1:1"]
        written.authorityFile = "/etc/ssl/certs/ca-certificates.crt"
        written.certificateFile = "/nonexistent.pem"
        config = "\(site.path)-config.json"
        try Data(written.encoded()).write(to: URL(filePath: config))
    }

    private func program(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
        defer { unlink(config) }
        return try run(try #require(builtProgram("prom-targets")), arguments)
    }

    @Test func listNeedsNoConfiguration() throws {
        try site.monitorsWrite("dgx-01")
        try site.put("b.json", "x")
        let result = try program("list", "--prometheus-targets-dir", site.path)
        #expect(result.errors == "")
        #expect(
            result.output == """
                FILE         STATE    ACTION  TARGETS                              REASON
                b.json       foreign  -       -                                    it is not a JSON array of target groups: \
                The given data was not valid JSON.
                dgx-01.json  current  -       dgx-01:9100,dgx-01:9306,dgx-01:9445  -
                2 files in \(site.path): 1 current, 1 foreign

                """)
        #expect(result.status == 0)
    }

    @Test func unreachableHeadNodeIsStatusThree() throws {
        try site.monitorsWrite("dgx-01")
        let result = try program("prune", "--config", config, "--apply", "--json")
        #expect(result.status == 3, "\(result.errors)")
        #expect(result.output.contains("\"status\" : 3"))
        #expect(site.names == ["dgx-01.json"])
    }

    @Test(arguments: [
        ["prune", "--config", "/nonexistent.json"], ["prune", "--max-removals", "-1"], ["sync", "--interval", "0"],
        ["nonsense"], ["list", "--prometheus-targets-dir", "relative"],
        ["write", "--config", "/nonexistent.json", "x"],
        ["unit", "sync", "--prometheus-targets-dir", "/t", "--interval", "0"],
        ["unit", "prune", "--prometheus-targets-dir", "/t", "--on-calendar", "daily; rm"],
    ])
    func wrongUseIsStatusTwo(arguments: [String]) throws {
        let result = try run(try #require(builtProgram("prom-targets")), arguments)
        #expect(result.status == 2, "\(result.output)\(result.errors)")
        #expect(!result.errors.isEmpty && result.output.isEmpty)
    }

    @Test(.enabled(if: access("/usr/bin/systemd-analyze", X_OK) == 0, "systemd-analyze is not here"))
    func calendarThatSystemdDoesNotReadIsStatusTwo() throws {
        let result = try program("unit", "prune", "--config", config, "--on-calendar", "bogus nonsense")
        #expect(result.status == 2 && result.errors.contains("bogus nonsense") && result.output.isEmpty)
    }

    @Test func textOfOthersHoldsNoControlCharacters() throws {
        let escape = "\u{1B}[2J\u{9B}31m"
        let file = try run(try #require(builtProgram("prom-targets")), ["check", "--config", "/none/\(escape)"])
        #expect(file.status == 2 && file.errors.contains("\\u{1b}[2J\\u{9b}31m"), "\(file.errors)")
        try site.put("\u{1B}[2J.json", "x")
        let list = try program("list", "--prometheus-targets-dir", site.path)
        #expect(list.output.contains("\\u{1b}[2J.json") && !list.output.contains("\u{1B}"), "\(list.output)")
    }

    @Test func outputThatCannotBeWrittenIsStatusOne() throws {
        try site.monitorsWrite("dgx-01")
        let program = try #require(builtProgram("prom-targets"))
        for (words, status, said) in [
            (["list", "--prometheus-targets-dir", site.path], 1, "No space left on device"),
            (["--version"], 1, "No space"),
            (["--help"], 1, "No space"), (["unit", "sync", "--config", config], 1, "No space"),
        ] as [([String], Int32, String)] {
            let full = try run("/bin/sh", ["-c", #""$@" >/dev/full"#, "sh", program] + words)
            #expect(full.status == status && full.errors.contains(said), "\(words): \(full.errors)")
            let closed = try run(
                "/bin/bash", ["-c", #""$@" | true; exit "${PIPESTATUS[0]}""#, "bash", program] + words)
            #expect(closed.status == 0 && closed.errors == "", "\(words): \(closed.errors)")
        }
        unlink(config)
    }

    @Test func eachInstallationShowsItsOwnOptionsAlone() throws {
        let timer = try program("install-timer", "--help").output
        let service = try program("install-service", "--help").output
        #expect(timer.contains("--on-calendar") && !timer.contains("--interval") && !timer.contains("--category"))
        #expect(!service.contains("--on-calendar") && service.contains("--interval") && service.contains("--category"))
        #expect(timer.contains("--unit-dir <dir>") && timer.contains("--config <file>"))
    }

    @Test func missingDirectoryIsStatusOne() throws {
        let result = try program("list", "--prometheus-targets-dir", "\(site.path)/nowhere")
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("\(site.path)/nowhere: directory missing"))
    }

    @Test func unitsArePrintedAndInstalled() throws {
        let printed = try run(
            try #require(builtProgram("prom-targets")),
            ["unit", "prune", "--config", config, "--on-calendar", "hourly", "--program", "/opt/prom-targets"])
        #expect(printed.output.contains("\nExecStart=/opt/prom-targets prune --config \(config)"))
        #expect(printed.output.contains("\nOnCalendar=hourly\n"))
        let result = try program("install-service", "--config", config, "--unit-dir", site.path)
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            result.output == """
                wrote \(site.path)/prom-targets-sync.service
                next: systemctl daemon-reload && systemctl enable --now prom-targets-sync.service

                """)
    }

    @Test func syncEndsOnSIGTERM() async throws {
        let process = try start(
            try #require(builtProgram("prom-targets")), ["sync", "--config", config, "--interval", "1"])
        defer { kill(process, SIGKILL) }
        let record = "\(site.path)/\(SyncRecord.fileName)"
        for _ in 0..<1000 where access(record, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(access(record, F_OK) == 0)
        kill(process, SIGTERM)
        var status: Int32 = 0
        var isEnded = false
        for _ in 0..<1000 where !isEnded {
            isEnded = waitpid(process, &status, WNOHANG) == process
            if !isEnded { try await Task.sleep(for: .milliseconds(10)) }
        }
        unlink(config)
        #expect(isEnded && status == 0)
    }
}
