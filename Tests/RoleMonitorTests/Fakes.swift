import BCMClient
import Logging
import PromTargets
import ServiceManager
import Synchronization

@testable import RoleMonitor

/// BCM as a test wants it: answers by head node, one after the other.
final class FakeBCM: RoleSource {
    typealias Answer = Result<DeviceLookup, BCMError>

    let headNodes: [HeadNode]
    private let state: Mutex<(devices: [Device], script: [Answer], asked: [String])>

    init(_ devices: [Device] = [], headNodes: [String] = ["head-a", "head-b"]) {
        self.headNodes = headNodes.map { HeadNode(host: $0) }
        state = Mutex((devices, [], []))
    }

    /// What BCM lists from now on.
    func list(_ devices: [Device]) { state.withLock { $0.devices = devices } }
    /// The next answers, before those that follow from the list.
    func answer(_ answers: Answer...) { state.withLock { $0.script += answers } }
    /// Where was asked, and for what: `*: dgx-01`, `head-a: dgx-01`.
    var asked: [String] { state.withLock { $0.asked } }
    func forgetAsked() { state.withLock { $0.asked = [] } }

    var seenKeys: [HeadNode: PublicKeyPin] { shownKey.withLock { $0.map { [headNodes[0]: $0] } ?? [:] } }
    /// The key that the first head node shows from now on.
    func show(_ key: PublicKeyPin) { shownKey.withLock { $0 = key } }
    private let shownKey = Mutex<PublicKeyPin?>(nil)

    func lookUp(_ hostNames: [String], at headNode: HeadNode?) async throws(BCMError) -> DeviceLookup {
        let answer = state.withLock { state -> Answer in
            state.asked.append("\(headNode?.host ?? "*"): \(hostNames.joined(separator: ","))")
            guard state.script.isEmpty else { return state.script.removeFirst() }
            return .success(Self.lookUp(hostNames, in: state.devices, at: headNode ?? headNodes[0]))
        }
        return try answer.get()
    }

    func checkConnectivity(of headNode: HeadNode) async -> ConnectivityReport {
        ConnectivityReport(headNode: headNode, isReachable: false)
    }

    /// What BCM answers when it lists these devices.
    static func lookUp(_ names: [String], in devices: [Device], at headNode: HeadNode) -> DeviceLookup {
        DeviceLookup(
            matches: devices.filter { device in
                names.contains { NodeName.label($0) == NodeName.label(device.hostname) }
            }, deviceCount: devices.count, devicesShowingRoles: devices.count { $0.roles?.isEmpty == false },
            headNode: headNode)
    }
}

/// systemd as a test wants it.
final class FakeUnits: UnitControl {
    private struct State {
        var statuses: [String: UnitStatus] = [:]
        var startResult: [String: UnitStatus.Active] = [:]
        var next: [String: [UnitStatus.Active]] = [:]
        var calls: [String] = []
        var error: ServiceError?
        var cancelsAtStart = false
    }
    private let state = Mutex(State())
    let callLimit = Duration.seconds(1)

    init(_ active: UnitStatus.Active = .inactive) {
        for exporter in MonitorConfiguration().exporters { set(exporter.unit, active) }
    }

    func set(
        _ unit: String, _ active: UnitStatus.Active, load: UnitStatus.Load = .loaded,
        sub: String = "", result: UnitStatus.Result = .success, restarts: Int = 0
    ) {
        let status = UnitStatus(id: unit, load: load, active: active, sub: sub, result: result, restarts: restarts)
        state.withLock { $0.statuses[unit] = status }
    }

    /// What a unit becomes when it is started; active by default.
    func whenStarted(_ unit: String, becomes active: UnitStatus.Active) {
        state.withLock { $0.startResult[unit] = active }
    }

    /// What a unit is at the next looks, one after the other.
    func then(_ unit: String, _ active: UnitStatus.Active...) { state.withLock { $0.next[unit] = active } }

    /// Makes every call fail.
    func fail(_ error: ServiceError?) { state.withLock { $0.error = error } }

    /// Makes a start cancel the task that asks for it.
    func cancelAtStart() { state.withLock { $0.cancelsAtStart = true } }

    /// The calls that change something, in short: `start node_exporter.service`.
    var calls: [String] { state.withLock { $0.calls.filter { $0 != "status" } } }
    var looks: Int { state.withLock { $0.calls.count { $0 == "status" } } }
    func forgetCalls() { state.withLock { $0.calls = [] } }
    func active(_ unit: String) -> UnitStatus.Active? { state.withLock { $0.statuses[unit]?.active } }

    func status(of units: [UnitName]) async throws(ServiceError) -> [UnitName: UnitStatus] {
        try call("status") { state in
            var statuses: [UnitName: UnitStatus] = [:]
            for unit in units {
                if let next = state.next[unit.description]?.first {
                    state.next[unit.description]?.removeFirst()
                    state.statuses[unit.description]?.active = next
                }
                statuses[unit] = state.statuses[unit.description]
            }
            return statuses
        }
    }

    func requestStart(_ unit: UnitName) async throws(ServiceError) {
        if state.withLock({ $0.cancelsAtStart }) { withUnsafeCurrentTask { $0?.cancel() } }
        try call("start \(unit)") { state in
            let result = state.startResult[unit.description] ?? .active
            state.statuses[unit.description]?.active = result
            state.statuses[unit.description]?.result = result == .failed ? .exitCode : .success
        }
    }

    func requestStop(_ unit: UnitName) async throws(ServiceError) {
        try call("stop \(unit)") { $0.statuses[unit.description]?.active = .inactive }
    }

    func resetFailed(_ unit: UnitName) async throws(ServiceError) { try call("reset \(unit)") { _ in } }

    func journalTail(of unit: UnitName, lines: Int) async throws(ServiceError) -> [String] { ["it said why"] }

    private func call<Value: Sendable>(
        _ name: String, _ body: (inout State) -> Value
    ) throws(ServiceError) -> Value {
        let result = state.withLock { state -> Result<Value, ServiceError> in
            state.calls.append(name)
            if let error = state.error { return .failure(error) }
            return .success(body(&state))
        }
        return try result.get()
    }
}

/// Shared storage in memory.
final class FakeStore: TargetStore {
    private let state = Mutex<(files: [String: String], log: [String], failure: StorageFailure?)>(([:], [], nil))
    let limit = Duration.seconds(1)

    /// What lies there: a digest by path.
    var files: [String: String] { state.withLock { $0.files } }
    /// What changed something, in short: `write /t/dgx-01.json`.
    var writes: [String] { state.withLock { $0.log } }
    func put(_ path: String, _ digest: String) { state.withLock { $0.files[path] = digest } }
    func remove(_ path: String) { state.withLock { $0.files[path] = nil } }
    func fail(_ failure: StorageFailure?) { state.withLock { $0.failure = failure } }

    func perform(_ operations: [StorageOperation]) async -> [StorageOutcome] {
        state.withLock { state in
            operations.map { operation in
                if let failure = state.failure { return .failed(failure) }
                let path = "\(operation.directory)/\(operation.name).json"
                let kept = operation.keptOnly ?? []
                let wanted = operation.groups.map { groups in
                    ContentDigest.of(TargetGroup.encode(groups.filter { !kept.contains($0) }))
                }
                switch operation.kind {
                case .write:
                    guard state.files[path] != wanted else { return .unchanged }
                    state.files[path] = wanted
                    state.log.append("write \(path)")
                    return .written
                case .remove:
                    guard let found = state.files[path] else { return .notThere }
                    guard operation.digest == nil || operation.digest == found else { return .kept }
                    state.files[path] = nil
                    state.log.append("remove \(path)")
                    return .removed
                case .inspect:
                    guard let found = state.files[path] else { return .notThere }
                    return found == wanted ? .unchanged : .different
                }
            }
        }
    }
}

/// Clocks that move only when something waits, or when a test says so.
final class ManualClock: MonitorClock {
    private let moment = Mutex(Moment(wall: 1_800_000_000, sinceBoot: 10_000))

    func now() -> Moment { moment.withLock { $0 } }
    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        advance(duration)
    }
    func advance(_ duration: Duration) {
        moment.withLock {
            $0.wall += duration.inSeconds
            $0.sinceBoot += duration.inSeconds
        }
    }
}

/// A host that can be renamed and rebooted.
final class FakeHost: HostIdentitySource {
    private let current: Mutex<HostIdentity>
    init(_ name: String = "dgx-01", addresses: Set<String> = ["0a:00:00:00:00:01"], boot: String = "boot-1") {
        current = Mutex(HostIdentity(hostName: name, addresses: addresses, bootID: boot))
    }
    func identity() -> HostIdentity { current.withLock { $0 } }
    func rename(_ name: String) { current.withLock { $0.hostName = name } }
    func reboot(_ boot: String) { current.withLock { $0.bootID = boot } }
}

/// A log that a test can read.
final class MemoryLog: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func count(_ part: String) -> Int { all.count { $0.contains(part) } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    private struct Handler: LogHandler {
        let log: MemoryLog
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { log.lines.withLock { $0.append("\(event.level): \(event.message)") } }
    }
}

/// A node with everything around it.
struct Node {
    let bcm: FakeBCM
    let units: FakeUnits
    let store = FakeStore()
    let clock = ManualClock()
    let host: FakeHost
    let log = MemoryLog()
    let folder: TemporaryFolder
    var configuration: MonitorConfiguration

    init(
        _ devices: [Device] = [.dgx("dgx-01", roles: ["slurmclient"])], units: FakeUnits = FakeUnits(),
        host: FakeHost = FakeHost(), folder: TemporaryFolder? = nil
    ) throws {
        bcm = FakeBCM(devices + [.head])
        self.units = units
        self.host = host
        self.folder = try folder ?? TemporaryFolder()
        configuration = MonitorConfiguration(headNodes: ["head-a", "head-b"])
        configuration.targetsDirectory = "/t"
        configuration.stateDirectory = self.folder.path("state")
        configuration.metricsTextfile = self.folder.path("metrics.prom")
        configuration.areRolesVisible = true
    }

    /// A monitor that has just been started.
    func monitor(isDryRun: Bool = false) throws -> Monitor {
        let bcm = bcm
        return try Monitor(
            configuration: configuration,
            seams: MonitorSeams(
                makeSource: { _, _ in bcm }, units: units, store: store, clock: clock, host: host), logger: log.logger,
            version: "1.2.3", isDryRun: isDryRun)
    }
}

extension Device {
    /// A head node, which always shows its roles.
    static let head = Device(hostname: "head-a", type: "HeadNode", roles: ["headnode"])

    static func dgx(_ name: String, mac: String? = nil, roles: [String]? = nil) -> Device {
        Device(hostname: name, mac: mac, type: "PhysicalNode", roles: roles)
    }
}

let exporterUnits = ["node_exporter.service", "cgroup_exporter.service", "nvidia_gpu_exporter.service"]
