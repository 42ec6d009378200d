import BCMClient
import FoundationEssentials
import ServiceManager
import Testing

@testable import FleetTargets

struct FleetUnitsTests {
    private let units = FleetUnits(configurationFile: "/etc/c o.json", targetsDirectory: "/cm/shared/t")

    @Test func timerStartsAPruneOnceADay() throws {
        let made = try units.forPruning()
        #expect(made.map(\.name) == ["prom-targets-prune.service", "prom-targets-prune.timer"])
        let service = made[0].file.rendered
        #expect(
            service.contains(
                "ExecStart=/usr/local/bin/prom-targets prune --config \"/etc/c o.json\" --prometheus-targets-dir "
                    + "/cm/shared/t --apply\n"))
        for line in [
            "Type=oneshot", "ProtectSystem=strict", "ReadWritePaths=-/cm/shared/t", "NoNewPrivileges=yes",
            "SystemCallFilter=~@privileged @resources", "TimeoutStartSec=900",
        ] { #expect(service.contains("\n\(line)\n"), "\(line)") }
        #expect(!service.contains("[Install]"))
        let timer = made[1].file.rendered
        for line in ["OnCalendar=daily", "RandomizedDelaySec=1h", "Persistent=yes", "WantedBy=timers.target"] {
            #expect(timer.contains("\n\(line)\n"), "\(line)")
        }
        #expect(
            try units.forPruning(calendar: "hourly", maximumRemovals: 7)[0].file.rendered.contains("--max-removals 7\n")
        )
    }

    @Test func syncRunsForEver() throws {
        let text = try units.forSyncing(interval: 30, categories: ["dgx"]).file.rendered
        for line in [
            "Type=notify", "Restart=on-failure", "RestartPreventExitStatus=2", "WatchdogSec=900",
            "WantedBy=multi-user.target", "StartLimitIntervalSec=0",
        ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
        #expect(text.contains(" --interval 30 --category dgx\n"))
    }

    @Test func valueThatCannotStandInAUnitIsRefused() {
        #expect(throws: ServiceError(.invalidValue, reason: "", remedy: "")) {
            try units.forPruning(calendar: "daily\nX=")
        }
        for interval in [0, -1, 86_401] {
            #expect(throws: ServiceError(.invalidValue, reason: "", remedy: "")) {
                try units.forSyncing(interval: interval)
            }
        }
    }

    @Test func installationWritesOnceAndLeavesFilesOfOthers() throws {
        let site = try Site(FakeHeadNodes([Device]()))
        let unit = try units.forSyncing()
        #expect(try FleetUnits.install(unit, in: site.path))
        #expect(try !FleetUnits.install(unit, in: site.path))
        #expect(
            try FleetUnits.install(try units.forSyncing(interval: 5), in: site.path), "its own earlier file is replaced"
        )
        try site.put(unit.name, "[Service]\n")
        #expect(throws: FleetError(.directory, reason: "", remedy: "")) { try FleetUnits.install(unit, in: site.path) }
        #expect(throws: FleetError(.directory, reason: "", remedy: "")) {
            try FleetUnits.install(unit, in: "\(site.path)/nowhere")
        }
    }

    /// systemd's own opinion, where it is installed.
    @Test func systemdAcceptsTheUnits() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze") else { return }
        let site = try Site(FakeHeadNodes([Device]()))
        let units = FleetUnits(program: "/bin/true", configurationFile: "/etc/c.json", targetsDirectory: "/cm/shared/t")
        var paths: [String] = []
        for unit in try units.forPruning() + [try units.forSyncing()] {
            try FleetUnits.install(unit, in: site.path)
            paths.append("\(site.path)/\(unit.name)")
        }
        let result = try run("/usr/bin/systemd-analyze", ["verify", "--man=no"] + paths)
        let complaints = result.errors.split(separator: "\n").filter { $0.contains("prom-targets") }
        #expect(complaints.isEmpty, "\(result.errors)")
    }
}
