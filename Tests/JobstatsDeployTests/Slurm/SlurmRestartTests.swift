import CommandExecution
import Testing

@testable import JobstatsDeploy

@Suite struct SlurmRestartTests {
    private func unit(_ active: String, started: Double?) -> UnitFact {
        UnitFact(
            load: "loaded", active: active, enablement: "enabled", needsReload: false, path: "/x", started: started)
    }

    private func mark(_ time: Double?) -> FileFact {
        time.map {
            FileFact(kind: .plain, mode: 0o644, owner: "root", group: "root", size: 0, changed: $0, sha256: "")
        } ?? .missing
    }

    private func facts(_ fixture: SlurmFixture?, _ unit: UnitFact, mark time: Double?) async throws -> Facts {
        var facts = try await fixture?.facts() ?? Facts()
        facts.units["slurmctld.service"] = unit
        facts.units["slurmd.service"] = unit
        facts.files[SlurmPaths.changeMark] = mark(time)
        return facts
    }

    @Test func aNodesDaemonIsRestartedWhenItIsOlderThanAChange() async throws {
        let node = SlurmRestart(.node, instance: "slurm")
        #expect(node.assess(try await facts(nil, unit("active", started: 100), mark: nil)).state == .inPlace)
        #expect(node.assess(try await facts(nil, unit("active", started: 100), mark: 99)).state == .inPlace)
        #expect(node.assess(try await facts(nil, unit("active", started: 100), mark: 101)).state == .differs)
        #expect(node.assess(try await facts(nil, unit("inactive", started: 100), mark: 101)).state == .inPlace)
        #expect(node.assess(try await facts(nil, unit("active", started: nil), mark: 101)).state == .blocked)
        #expect(node.assess(Facts()).state == .blocked)
    }

    @Test func aControllersDaemonIsRestartedWhenItRunsWithOtherSettings() async throws {
        let controller = SlurmRestart(.controller, instance: "slurm")
        let stale = SlurmFixture(conf: SlurmFixture.goodText, running: ["ProctrackType": "proctrack/pgid"], jobs: 2)
        let found = controller.assess(try await facts(stale, unit("active", started: 100), mark: nil))
        #expect(found.state == .differs)
        #expect(found.detail.contains("slurmctld runs with ProctrackType=proctrack/pgid"))
        #expect(found.detail.contains("2 jobs run now"))
        let good = SlurmFixture(conf: SlurmFixture.goodText, running: SlurmFixture.good)
        #expect(controller.assess(try await facts(good, unit("active", started: 100), mark: 50)).state == .inPlace)
        #expect(controller.assess(try await facts(good, unit("active", started: 100), mark: 150)).state == .differs)
        #expect(controller.assess(try await facts(good, unit("inactive", started: nil), mark: 150)).isWarning)
    }

    @Test func aFileThatLacksTheSettingsMakesARestartUseless() async throws {
        let controller = SlurmRestart(.controller, instance: "slurm")
        let fixture = SlurmFixture(conf: "A=1\n", running: [:])
        let found = controller.assess(try await facts(fixture, unit("active", started: 100), mark: nil))
        #expect(found.state == .blocked)
        #expect(found.remedy == "bring the step on slurm.conf about first")
    }

    @Test func aSilentSlurmctldIsNotInPlace() async throws {
        let controller = SlurmRestart(.controller, instance: "slurm")
        let fixture = SlurmFixture(conf: SlurmFixture.goodText, running: nil)
        let found = controller.assess(try await facts(fixture, unit("active", started: 100), mark: nil))
        #expect(found.state == .blocked)
        #expect(found.detail.contains("Unable to contact slurm controller"))
    }

    /// The restart's script with stand-ins for systemctl and scontrol.
    @Test func theRestartSetsTheMarkBeforeAndWaitsForAnAnswer() async throws {
        let folder = TemporaryFolder()
        folder.write("systemctl", "#!/bin/sh\necho \"systemctl $*\" >>'\(folder.path)/log'\n", mode: 0o755)
        folder.write("scontrol", "#!/bin/sh\necho \"scontrol $*\" >>'\(folder.path)/log'\n", mode: 0o755)
        let restart = SlurmRestart(.controller, instance: "slurm", mark: "\(folder.path)/var/mark")
        var command = try #require(restart.changes(from: Facts()).first)
        #expect(command.arguments[5] == "yes")
        command.arguments[7] = "\(folder.path):/usr/bin:/bin"
        let result = try await LocalExecutor().run(command)
        #expect(result.succeeded, "\(result.errorText)")
        #expect(
            folder.read("log")
                == "systemctl reset-failed -- slurmctld.service\nsystemctl restart -- slurmctld.service\nscontrol show config\n"
        )
        #expect(folder.names.contains("var"))
    }

    @Test func aDaemonThatDoesNotComeBackIsAFailureWithItsWords() async throws {
        let folder = TemporaryFolder()
        folder.write("systemctl", "#!/bin/sh\n[ \"$1\" != restart ]\n", mode: 0o755)
        folder.write("journalctl", "#!/bin/sh\necho 'fatal: bad plugin'\n", mode: 0o755)
        let restart = SlurmRestart(.node, instance: "slurm", mark: "\(folder.path)/mark")
        var command = try #require(restart.changes(from: Facts()).first)
        command.arguments[7] = "\(folder.path):/usr/bin:/bin"
        let result = try await LocalExecutor().run(command)
        #expect(!result.succeeded)
        #expect(result.errorText.contains("slurmd.service does not come back"))
        #expect(result.errorText.contains("fatal: bad plugin"))
    }
}
