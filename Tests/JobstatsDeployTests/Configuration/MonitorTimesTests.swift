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

    @Test func wrongTimesAreErrorsAndUnknownOnesWarnings() {
        let reading = read(#"{"role_monitor": {"check_interval": 0, "max_retries": "x", "chek_interval": 5}}"#)
        #expect(reading.errors.map(\.keyPath) == ["role_monitor.check_interval", "role_monitor.max_retries"])
        #expect(reading.warnings.contains { $0.message.contains("check_interval") })
    }
}
