import CommandExecution
import Testing

@testable import JobstatsDeploy

@Suite struct PrometheusServiceTests {
    private let service = PrometheusService(
        port: 9090, restartedFor: ["/program"], reloadedFor: ["/rules", "/configuration"])

    private func facts(
        _ answer: String, active: String = "active", enablement: String = "enabled", started: Double = 100,
        changed: [String: Double] = [:]
    ) throws -> Facts {
        var facts = Facts()
        for path in ["/program", "/rules", "/configuration"] {
            facts.files[path] = FileFact(
                kind: .plain, mode: 0o644, owner: "root", group: "root", size: 1, changed: changed[path] ?? 50,
                sha256: "x")
        }
        facts.units["prometheus.service"] = UnitFact(
            load: "loaded", active: active, enablement: enablement, needsReload: false, path: "/x", started: started)
        let probe = try #require(
            service.queries.compactMap { if case .command(let command) = $0 { command } else { nil } }.first)
        facts.results[probe] = makeResult(answer)
        return facts
    }

    private func answer(ready: Bool = true, loaded: Double = 101, good: Bool = true) -> String {
        """
        ready \(ready ? "yes" : "no")
        prometheus_config_last_reload_success_timestamp_seconds \(loaded)
        prometheus_config_last_reload_successful \(good ? 1 : 0)
        """
    }

    private func verb(_ facts: Facts) -> String? { service.changes(from: facts).last?.arguments[4] }

    @Test func aReadyServerWithItsPresentFilesIsInPlace() throws {
        #expect(service.assess(try facts(answer())).state == .inPlace)
        #expect(service.assess(try facts(answer(loaded: 1.7643336e+09), changed: ["/rules": 1.7e9])).state == .inPlace)
    }

    @Test func newConfigurationIsReloadedAndANewProgramIsStarted() throws {
        let rules = try facts(answer(), changed: ["/rules": 200])
        #expect(service.assess(rules).detail == "prometheus.service: has an older /rules")
        #expect(verb(rules) == "reload")
        let program = try facts(answer(), changed: ["/program": 200])
        #expect(service.assess(program).state == .differs)
        #expect(verb(program) == "restart")
    }

    @Test func whatDoesNotRunOrIsNotReadyIsRestarted() throws {
        for facts in [
            try facts(answer(ready: false)), try facts("", active: "inactive"), try facts("ready no\n"),
        ] {
            #expect(service.assess(facts).state == .differs)
            #expect(verb(facts) == "restart")
        }
        #expect(service.assess(try facts(answer(good: false))).state == .differs)
        #expect(service.assess(try facts(answer(), enablement: "disabled")).state == .differs)
        #expect(service.assess(Facts()).state == .blocked)
    }
}
