import BCMClient
import PromTargets
import ServiceManager
import Testing

@testable import RoleMonitor

/// The decision as a table: what is seen, and what follows for one unit.
struct DecideTests {
    static let now = Moment(wall: 1_800_000_000, sinceBoot: 10_000)
    static let host = FakeHost().identity()
    static let unit = "node_exporter.service"
    static let present = RoleFinding.present(node: "dgx-01")
    static let absent = RoleFinding.absent(node: "dgx-01")
    static let unknown = RoleFinding.unknown(UnknownRole("not reachable", "down"))

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var role: RoleFinding
        var active: UnitStatus.Active
        var load = UnitStatus.Load.loaded
        var result = UnitStatus.Result.success
        var retry: MonitorState.UnitRetry?
        var isPaused = false
        var manages = true
        var actions: [String] = []
        var remarks: [Remark] = []
        var retryAfter: MonitorState.UnitRetry?
        var testDescription: String { name }
    }

    static func name() -> UnitName { (try? UnitName(unit)) ?? exporterName }
    static let exporterName: UnitName = {
        guard let name = try? UnitName(unit) else { preconditionFailure("the test's own unit name") }
        return name
    }()

    static let first = MonitorState.UnitRetry(attempts: 1, lastAttempt: 10_000)
    static let rows: [Row] = [
        Row(
            name: "present, inactive: start", role: present, active: .inactive, actions: ["start 1"], retryAfter: first),
        Row(name: "present, failed: start", role: present, active: .failed, actions: ["start 1"], retryAfter: first),
        Row(
            name: "present, start limit hit: reset and start", role: present, active: .failed, result: .startLimitHit,
            actions: ["reset, start 1"], retryAfter: first),
        Row(name: "present, active: nothing", role: present, active: .active),
        Row(name: "present, reloading: nothing", role: present, active: .reloading),
        Row(
            name: "present, active: counters forgotten", role: present, active: .active,
            retry: .init(attempts: 3, lastAttempt: 1, isGivenUp: true)),
        Row(
            name: "present, activating: waited for", role: present, active: .activating,
            remarks: [.unsettled(exporterName, "activating")]),
        Row(
            name: "present, deactivating: waited for", role: present, active: .deactivating,
            remarks: [.unsettled(exporterName, "deactivating")]),
        Row(
            name: "present, missing: reported", role: present, active: .inactive, load: .notFound,
            remarks: [.missing(exporterName)]),
        Row(
            name: "present, masked: reported", role: present, active: .inactive, load: .masked,
            remarks: [.masked(exporterName)]),
        Row(name: "present, masked but active: nothing", role: present, active: .active, load: .masked),
        Row(
            name: "present, failed a moment ago: waits", role: present, active: .failed,
            retry: .init(attempts: 1, lastAttempt: 9401), remarks: [.waiting(exporterName, seconds: 1)],
            retryAfter: .init(attempts: 1, lastAttempt: 9401)),
        Row(
            name: "present, retry due: second attempt", role: present, active: .failed,
            retry: .init(attempts: 1, lastAttempt: 9400), actions: ["start 2"],
            retryAfter: .init(attempts: 2, lastAttempt: 10_000)),
        Row(
            name: "present, third attempt failed: given up", role: present, active: .failed,
            retry: .init(attempts: 3, lastAttempt: 9400),
            remarks: [.givenUp(exporterName, attempts: 3), .waiting(exporterName, seconds: 3000)],
            retryAfter: .init(attempts: 3, lastAttempt: 9400, isGivenUp: true)),
        Row(
            name: "present, given up: waits an hour", role: present, active: .failed,
            retry: .init(attempts: 3, lastAttempt: 6401, isGivenUp: true),
            remarks: [.waiting(exporterName, seconds: 1)],
            retryAfter: .init(attempts: 3, lastAttempt: 6401, isGivenUp: true)),
        Row(
            name: "present, given up an hour ago: one attempt", role: present, active: .failed,
            retry: .init(attempts: 3, lastAttempt: 6400, isGivenUp: true), actions: ["start 4"],
            retryAfter: .init(attempts: 4, lastAttempt: 10_000, isGivenUp: true)),
        Row(name: "present, not managed: nothing", role: present, active: .inactive, manages: false),
        Row(name: "absent, active: stop", role: absent, active: .active, actions: ["stop"]),
        Row(name: "absent, activating: stop", role: absent, active: .activating, actions: ["stop"]),
        Row(name: "absent, deactivating: stop", role: absent, active: .deactivating, actions: ["stop"]),
        Row(name: "absent, reloading: stop", role: absent, active: .reloading, actions: ["stop"]),
        Row(
            name: "absent, missing file but active: stop", role: absent, active: .active, load: .notFound,
            actions: ["stop"]),
        Row(name: "absent, inactive: nothing", role: absent, active: .inactive),
        Row(
            name: "absent, failed: counters forgotten", role: absent, active: .failed,
            retry: .init(attempts: 3, lastAttempt: 1, isGivenUp: true)),
        Row(name: "absent, not managed: nothing", role: absent, active: .active, manages: false),
        Row(name: "unknown, active: nothing", role: unknown, active: .active),
        Row(name: "unknown, inactive: nothing", role: unknown, active: .inactive),
        Row(
            name: "unknown, failed: counters kept", role: unknown, active: .failed, retry: first, retryAfter: first),
        Row(name: "paused, active: stop", role: unknown, active: .active, isPaused: true, actions: ["stop"]),
        Row(name: "paused, present, inactive: nothing", role: present, active: .inactive, isPaused: true),
        Row(name: "paused, failed: nothing", role: present, active: .failed, isPaused: true),
    ]

    @Test(arguments: rows)
    func unitFollowsTheRole(row: Row) {
        var state = MonitorState(host: Self.host)
        state.retries[Self.unit] = row.retry
        // The role was there before, so that it is not regained now.
        state.settled = .init(role: "slurmclient", isPresent: true, node: "dgx-01")
        state.pauseEnd = row.isPaused ? Self.now.wall + 60 : nil
        var configuration = MonitorConfiguration(headNodes: ["head-a"])
        configuration.managesTargets = false
        configuration.managesServices = row.manages
        let status = UnitStatus(id: Self.unit, load: row.load, active: row.active, result: row.result)
        let decision = decide(
            Observation(host: Self.host, role: row.role, units: .known([Self.exporterName: status])), state,
            configuration, now: Self.now)
        let actions = decision.actions.map { action in
            switch action {
            case .start(let unit, let attempt, let resets):
                "\(resets ? "reset, " : "")start \(attempt)" + (unit == Self.exporterName ? "" : "?")
            case .stop: "stop"
            default: "\(action)"
            }
        }
        #expect(actions == row.actions)
        #expect(decision.remarks == row.remarks)
        #expect(decision.state.retries[Self.unit] == row.retryAfter)
    }

    private func decision(
        _ role: RoleFinding, _ state: MonitorState, listed: [String: String?]? = [:],
        _ change: (inout MonitorConfiguration) -> Void = { _ in }
    ) -> Decision {
        var configuration = MonitorConfiguration(headNodes: ["head-a"])
        configuration.targetsDirectory = "/t"
        change(&configuration)
        return decide(
            Observation(host: Self.host, role: role, listed: listed, units: .known([:])), state, configuration,
            now: Self.now)
    }

    private func target(_ name: String, directory: String = "/t") -> MonitorState.WrittenTarget {
        .init(directory: directory, name: name, digest: "digest of \(name)")
    }

    @Test func targetFileHasOneEntryPerExporterUnderTheNameOfBCM() throws {
        var host = Self.host
        host.hostName = "dgx-01.cluster.example"
        let decision = decision(Self.present, MonitorState(host: host))
        guard case .writeTarget(let file, let groups, _) = decision.actions.first else {
            Issue.record("\(decision.actions)")
            return
        }
        #expect(file.path == "/t/dgx-01.json")
        #expect(groups.map(\.targets) == [["dgx-01:9100"], ["dgx-01:9306"], ["dgx-01:9445"]])
        #expect(groups[2].labels == ["job": "gpu_exporter", "cluster": "slurm", "hostname": "dgx-01"])
        #expect(decision.state.targets.map(\.name) == ["dgx-01"])
        #expect(decision.actions.count == 1)
    }

    @Test func targetDomainPortsAndClusterComeFromTheConfiguration() throws {
        var configuration = MonitorConfiguration(headNodes: ["head-a"])
        configuration.targetDomain = "example.org"
        configuration.gpuExporterPort = 1234
        configuration.clusterName = "other"
        let groups = try configuration.targetGroups(of: "dgx-01")
        #expect(
            groups.map(\.targets) == [
                ["dgx-01.example.org:9100"], ["dgx-01.example.org:9306"], ["dgx-01.example.org:1234"],
            ])
        #expect(groups[0].labels == ["job": "node_exporter", "cluster": "other", "hostname": "dgx-01"])
    }

    @Test func nameThatCannotBeATargetIsReportedAndNothingIsWritten() {
        let decision = decision(.present(node: "../../etc/x"), MonitorState(host: Self.host))
        #expect(decision.actions.isEmpty)
        guard case .noTarget = decision.remarks.first else {
            Issue.record("\(decision.remarks)")
            return
        }
    }

    @Test func absentRoleRemovesTheTargetEvenIfTheStateWasLost() {
        let decision = decision(Self.absent, MonitorState(host: Self.host))
        #expect(decision.actions == [.removeTarget(TargetFile(directory: "/t", name: "dgx-01"), onlyIf: nil)])
    }

    @Test func unknownRoleTouchesNoTarget() {
        var state = MonitorState(host: Self.host)
        state.targets = [target("dgx-01"), target("old")]
        #expect(decision(Self.unknown, state, listed: nil).actions.isEmpty)
    }

    @Test func targetsAreLeftAloneWhenNotManaged() {
        #expect(decision(Self.present, MonitorState(host: Self.host)) { $0.managesTargets = false }.actions.isEmpty)
    }

    /// The old target, what BCM lists of its name, whether it is removed, and whether it is remembered.
    static let renames: [(String, [String: String?]?, Bool, Bool)] = [
        ("BCM does not list the old name", [:], true, true),
        ("the old name is another machine's now", ["old": "0a:00:00:00:00:99"], false, false),
        ("the old name is still this machine's", ["old": "0a:00:00:00:00:01"], false, true),
        ("the old name is someone's, no address is shown", ["old": String?.none], false, true),
        ("it cannot be told", nil, false, true),
    ]

    @Test(arguments: renames)
    func oldTargetIsRemovedOnlyWhenBCMNoLongerListsItsName(
        name: String, listed: [String: String?]?, isRemoved: Bool, isRemembered: Bool
    ) {
        var state = MonitorState(host: Self.host)
        state.targets = [target("old")]
        for role in [Self.present, Self.absent] {
            let decision = decision(role, state, listed: listed)
            let removal = Action.removeTarget(TargetFile(directory: "/t", name: "old"), onlyIf: "digest of old")
            #expect(decision.actions.contains(removal) == isRemoved, "\(name)")
            #expect(decision.state.targets.contains { $0.name == "old" } == isRemembered, "\(name)")
        }
    }

    @Test func targetInAFormerDirectoryIsRemovedIfUnchanged() {
        var state = MonitorState(host: Self.host)
        state.targets = [target("dgx-01", directory: "/before")]
        let decision = decision(Self.present, state)
        #expect(
            decision.actions.last
                == .removeTarget(TargetFile(directory: "/before", name: "dgx-01"), onlyIf: "digest of dgx-01"))
    }

    @Test func pauseRemovesTheTargetAndEndsAtItsTime() {
        var state = MonitorState(host: Self.host)
        state.settled = .init(role: "slurmclient", isPresent: true, node: "dgx-01")
        state.pauseEnd = Self.now.wall + 1
        #expect(
            decision(Self.unknown, state, listed: nil).actions
                == [.removeTarget(TargetFile(directory: "/t", name: "dgx-01"), onlyIf: nil)])
        state.pauseEnd = Self.now.wall
        let after = decision(Self.present, state)
        #expect(after.state.pauseEnd == nil)
        #expect(after.goal == .run(node: "dgx-01"))
    }

    @Test func regainedRoleForgetsFailedStarts() {
        var state = MonitorState(host: Self.host)
        state.settled = .init(role: "slurmclient", isPresent: false, node: "dgx-01")
        state.retries[Self.unit] = .init(attempts: 3, lastAttempt: 1, isGivenUp: true)
        #expect(decision(Self.present, state).state.retries.isEmpty)
    }

    @Test func rebootForgetsFailedStartsAndARestartDoesNot() {
        var state = MonitorState(host: Self.host)
        state.settled = .init(role: "slurmclient", isPresent: true, node: "dgx-01")
        state.retries[Self.unit] = .init(attempts: 3, lastAttempt: 1, isGivenUp: true)
        #expect(decision(Self.unknown, state).state.retries.count == 1)
        state.bootID = "an earlier boot"
        #expect(decision(Self.unknown, state).state.retries.isEmpty)
    }

    @Test func oneShownRoleIsRemembered() {
        #expect(decision(Self.present, MonitorState(host: Self.host)).state.shownRole == "slurmclient")
        #expect(decision(Self.absent, MonitorState(host: Self.host)).state.shownRole == nil)
    }

    @Test func failedLookAtUnitsStillWritesTheTarget() {
        var configuration = MonitorConfiguration(headNodes: ["head-a"])
        configuration.targetsDirectory = "/t"
        let decision = decide(
            Observation(
                host: Self.host, role: Self.present, listed: [:],
                units: .failed(ServiceError(.timedOut, reason: "", remedy: ""))), MonitorState(host: Self.host),
            configuration, now: Self.now)
        #expect(decision.actions.count == 1)
    }
}
