import CommandExecution
import Testing

@testable import JobstatsDeploy

struct UnitResourceTests {
    private let unit = UnitResource(
        "x.service", enabled: true, .running, restartedFor: ["/usr/local/bin/x", "/etc/systemd/system/x.service"])

    private func facts(_ load: String, _ active: String, _ enablement: String, started: Double? = nil) -> Facts {
        var facts = Facts()
        facts.units["x.service"] = UnitFact(
            load: load, active: active, enablement: enablement, needsReload: false, path: "", started: started)
        facts.files["/usr/local/bin/x"] = FileFact(
            kind: .plain, mode: 0o755, owner: "root", group: "root", size: 1, changed: 5, sha256: "")
        return facts
    }

    /// The verbs of its commands.
    private func verbs(_ unit: UnitResource, _ facts: Facts, _ paths: Set<String>) -> [String] {
        unit.changes(from: facts, after: Effects(paths: paths)).map {
            $0.executable == "systemctl" ? $0.arguments[0] : $0.arguments[3]
        }
    }

    @Test func aUnitThatIsNewIsEnabledAndStartedTogetherWithItsFiles() {
        let file: Set = ["/etc/systemd/system/x.service"]
        #expect(verbs(unit, facts("not-found", "inactive", ""), file) == ["enable", "start"])
        var left = unit
        left.isEnabled = false
        left.activity = .asFound
        #expect(left.assess(facts("not-found", "inactive", ""), after: Effects(paths: file)).state == .inPlace)
    }

    @Test func aUnitWhoseFilesAreReplacedBeforeItIsRestarted() {
        let running = facts("loaded", "active", "enabled", started: 10)
        #expect(unit.assess(running, after: Effects()).state == .inPlace)
        #expect(verbs(unit, running, ["/usr/local/bin/x"]) == ["restart"])
        #expect(verbs(unit, running, ["/etc/systemd/system/x.service"]) == ["daemon-reload", "restart"])
        #expect(verbs(unit, facts("loaded", "inactive", "enabled"), ["/usr/local/bin/x"]) == ["start"])
        #expect(unit.assess(running, after: Effects(paths: ["/etc/other"])).state == .inPlace)
    }

    @Test func whatIsUnknownOrForbiddenStaysSo() {
        #expect(unit.assess(Facts(), after: Effects(paths: ["/usr/local/bin/x"])).isUnknown)
        #expect(unit.assess(facts("masked", "inactive", "masked"), after: Effects()).state == .blocked)
    }
}
