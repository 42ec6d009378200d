import PromTargets
import RoleMonitor
import Testing

@testable import JobstatsDeploy

struct MonitorTimesTests {
    private func read(_ json: String) -> ConfigurationReading {
        DeploymentConfiguration.parse(Array(json.utf8), sections: [])
    }

    @Test func timesOfTheMonitorAreReadAndWrittenBack() throws {
        let configuration = try read(#"{"role_monitor": {"check_interval": 5, "bcm_port": 8082}}"#).get()
        #expect(configuration.monitorTimes.checkInterval == 5)
        #expect(configuration.monitorTimes.port == 8082)
        #expect(configuration.monitorTimes.retryInterval == 600)
        let again = try DeploymentConfiguration.parse(configuration.encoded(), sections: []).get()
        #expect(again == configuration)
    }

    private static let rules = #"""
        {"role_monitor": {"rules": [{"role": "gpu-metrics", "units": [{"unit": "dcgm-exporter", "port": 9400, "job": "dcgm_exporter"}]}]}}
        """#

    @Test func rulesOfTheMonitorAreScrapedAndReachTheNodes() throws {
        var configuration = try read(Self.rules).get()
        #expect(configuration.monitorRules.first?.role == "gpu-metrics")
        #expect(try DeploymentConfiguration.parse(configuration.encoded(), sections: []).get() == configuration)
        let written = MonitorSettings(configuration, nil).configurationText
        let monitor = try MonitorConfiguration.parse(
            Array(written.replacing("\"bcm_headnodes\": []", with: "\"bcm_headnodes\": [\"head-a\"]").utf8))
        #expect(monitor.configuration.additionalRules == configuration.monitorRules)
        configuration = makeConfiguration { $0.monitorRules = configuration.monitorRules }
        func scraped() throws -> [String] {
            try JobstatsPlan(configuration: configuration, context: makeContext()).scrapeConfiguration().jobs.map {
                "\($0.label):\($0.port)"
            }
        }
        #expect(
            try scraped() == ["node_exporter:9100", "cgroup_exporter:9306", "gpu_exporter:9445", "dcgm_exporter:9400"])
        configuration.deploysRoleMonitor = false
        #expect(try scraped().count == 3)
    }

    @Test func mistakesInRulesAreNamedWithTheirPlace() {
        let wrong = read(Self.rules.replacing("9400", with: "0"))
        #expect(
            wrong.errors.map(\.description) == [
                "error: role_monitor.rules[0].units[0].port: found 0, expected a whole number from 1 to 65535 (line 1, column 28)"
            ])
        let twice = read(Self.rules.replacing("9400", with: "9100"))
        #expect(twice.errors.map(\.keyPath) == ["role_monitor.rules[0].units[0].port"])
        let unknown = read(Self.rules.replacing("\"role\":", with: "\"rolle\": 1, \"role\":"))
        #expect(unknown.warnings.contains { $0.keyPath == "role_monitor.rules[0].rolle" })
    }

    @Test func wrongTimesAreErrorsAndUnknownOnesWarnings() {
        let reading = read(#"{"role_monitor": {"check_interval": 0, "max_retries": "x", "chek_interval": 5}}"#)
        #expect(reading.errors.map(\.keyPath) == ["role_monitor.check_interval", "role_monitor.max_retries"])
        #expect(reading.warnings.contains { $0.message.contains("check_interval") })
    }
}
