import BCMClient
import CommandExecution
import FoundationEssentials
import Glibc
import RoleMonitor
import ServiceManager
import Testing

@testable import FleetTargets

struct FleetMetricsTests {
    private func samples(_ text: String) -> [String] {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasSuffix(" 0") }.map(String.init)
    }

    @Test func filesAreCountedAsTheyAreAfterTheRun() {
        var report = FleetReport("prune", directory: "/t")
        for (state, action) in [
            (FleetFile.State.current, FleetFile.Action.none), (.orphaned, .removed), (.orphaned, .refused),
            (.gone, .wouldRemove), (.missing, .written), (.different, .failed), (.foreign, .none),
        ] {
            var file = FleetFile("\(report.files.count).json", state)
            file.action = action
            report.files.append(file)
        }
        report.outcome = .wrong
        #expect(
            samples(FleetMetrics.text(report, at: 1_800_000_000.9)) == [
                #"prom_targets_files{command="prune",state="current"} 2"#,
                #"prom_targets_files{command="prune",state="different"} 1"#,
                #"prom_targets_files{command="prune",state="orphaned"} 1"#,
                #"prom_targets_files{command="prune",state="gone"} 1"#,
                #"prom_targets_files{command="prune",state="foreign"} 1"#,
                #"prom_targets_last_run_status{command="prune"} 1"#,
                #"prom_targets_last_run_timestamp_seconds{command="prune"} 1800000000"#,
            ])
    }

    @Test(.enabled(if: access("/usr/bin/promtool", X_OK) == 0, "promtool is not installed"))
    func promtoolFindsNoFaultInTheText() throws {
        let site = try Site(FakeHeadNodes([Device]()))
        #expect(!FleetMetrics.text(FleetReport("prune", directory: "/t"), at: 1).contains("missing"))
        #expect(FleetMetrics.text(FleetReport("check", directory: "/t"), at: 1).contains("missing"))
        let texts = [
            FleetMetrics.text(FleetReport("sync", directory: "/t"), at: 1),
            FleetMetrics.text(failed: "prune", status: 3, at: 2),
        ]
        for text in texts {
            try site.put("x.prom", text)
            let result = try run("/bin/sh", ["-c", "promtool check metrics < \"$1\"", "sh", "\(site.path)/x.prom"])
            #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        }
    }

    @Test func syncLeavesMetricsAndOneThatWaitsDoesNot() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01"), .head()]))
        let metrics = try Site(FakeHeadNodes([Device]()))
        let path = "\(metrics.path)/prom_targets_sync.prom"
        func pass(_ fleet: Fleet) async throws {
            let running = Task { try await fleet.keepSynchronized(every: .seconds(3600), textfile: path) }
            for _ in 0..<500 where access(path, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
            running.cancel()
            try await running.value
        }
        try await pass(site.fleet)
        let text = try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        #expect(text.contains("prom_targets_files{command=\"sync\",state=\"current\"} 1\n"))
        #expect(text.contains("prom_targets_last_run_status{command=\"sync\"} 0\n"))
    }

    @Test func runLeavesMetricsAlsoWhenItCannotBegin() throws {
        let site = try Site(FakeHeadNodes([Device]()))
        var written = site.configuration
        written.headNodes = ["127.0.0.1:1"]
        written.targetsDirectory = "\(site.path)/nowhere"
        written.authorityFile = "/etc/ssl/certs/ca-certificates.crt"
        let config = "\(site.path)/config.json", path = "\(site.path)/x.prom"
        try Data(written.encoded()).write(to: URL(filePath: config))
        let program = try #require(builtProgram("prom-targets"))
        let result = try run(program, ["check", "--config", config, "--textfile", path])
        #expect(result.status == 1, "\(result.errors)")
        let text = try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        #expect(text.contains("prom_targets_last_run_status{command=\"check\"} 1\n"))
        #expect(!text.contains("prom_targets_files"))
        for wrong in ["relative.prom", "/x.txt"] {
            #expect(try run(program, ["check", "--textfile", wrong]).status == 2)
        }
    }

    @Test func unitsLeaveMetricsWhereTheyMayWrite() throws {
        let units = FleetUnits(
            configurationFile: "/c.json", targetsDirectory: "/t", metricsDirectory: "/var/lib/node_exporter/x")
        for (verb, unit) in [("prune", try units.forPruning()[0]), ("sync", try units.forSyncing())] {
            let text = unit.file.rendered
            #expect(text.contains(" --textfile /var/lib/node_exporter/x/prom_targets_\(verb).prom"))
            #expect(text.contains("\nReadWritePaths=-/t -/var/lib/node_exporter/x\n"))
        }
    }
}
