import BCMClient
import Glibc
import Logging
import RoleMonitor
import ServiceManager
import Synchronization

/// Many monitors in one process.
struct Fleet {
    var count: Int
    var interval: Duration
    /// What comes before the number in a node's name; the number has six digits.
    var prefix: String
    var folder: String

    /// Runs until there is a file "end" in the folder. A signal would reach one of the loops alone.
    func run(_ template: MonitorConfiguration) async throws {
        let quiet = Logger(label: "fleet") { _ in SwiftLogNoOpLogHandler() }
        let clients = Clients()
        let clock = BootClock()
        var loops: [MonitorLoop] = []
        for number in 0..<count {
            let digits = String(number)
            let name = prefix + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            var configuration = template
            configuration.checkInterval = interval
            configuration.stateDirectory = "\(folder)/\(name)"
            mkdir(configuration.stateDirectory, 0o700)
            let host = OneHost(name: name, number: number)
            let seams = MonitorSeams(
                makeSource: { (configuration, keys) throws(BCMError) in
                    let client = try RESTClient(
                        configuration: configuration.clientConfiguration(knownKeys: keys), logger: quiet)
                    clients.add(client)
                    return client
                }, units: RunningUnits(), store: WrittenTargets(), clock: clock, host: host)
            let monitor = try Monitor(configuration: configuration, seams: seams, logger: quiet)
            loops.append(
                MonitorLoop(
                    monitor: monitor, notifier: seams.notifier, clock: clock, host: host, logger: quiet,
                    reload: { false }))
        }
        print("running")
        fflush(nil)
        for loop in loops { Task.detached { await loop.run(controlPaths: []) } }
        while access("\(folder)/end", F_OK) != 0 { try await Task.sleep(for: .milliseconds(200)) }
        let (requests, connections, most) = clients.counted
        print("\(requests) \(connections) \(most)")
        fflush(nil)
    }
}

/// The clients of all monitors, to be counted at the end.
private final class Clients: Sendable {
    private let all = Mutex<[RESTClient]>([])

    func add(_ client: RESTClient) { all.withLock { $0.append(client) } }

    var counted: (requests: Int, connections: Int, most: Int) {
        all.withLock { clients in
            (
                clients.reduce(0) { $0 + $1.requestsSent }, clients.reduce(0) { $0 + $1.connectionsOpened },
                clients.map(\.connectionsOpened).max() ?? 0
            )
        }
    }
}

/// The machine's clocks, the machine having booted when this was made.
private struct BootClock: MonitorClock {
    private let boot = SystemClock().now().sinceBoot

    func now() -> Moment {
        var now = SystemClock().now()
        now.sinceBoot -= boot
        return now
    }

    func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}

/// A node with a name and a network card of its own.
private struct OneHost: HostIdentitySource {
    var name: String
    var number: Int

    func identity() -> HostIdentity {
        func byte(_ value: Int) -> String { String(String(value & 255 | 256, radix: 16).dropFirst()) }
        return HostIdentity(
            hostName: name, addresses: ["52:54:00:\(byte(number >> 16)):\(byte(number >> 8)):\(byte(number))"],
            bootID: "fleet")
    }
}

/// Stands in for systemd: whatever is asked about runs.
private struct RunningUnits: UnitControl {
    let callLimit = Duration.seconds(1)

    func status(of units: [UnitName]) async throws(ServiceError) -> [UnitName: UnitStatus] {
        var statuses: [UnitName: UnitStatus] = [:]
        for unit in units {
            statuses[unit] = UnitStatus(
                id: unit.description, load: .loaded, active: .active, sub: "running", result: .success, restarts: 0)
        }
        return statuses
    }
    func requestStart(_ unit: UnitName) async throws(ServiceError) {}
    func requestStop(_ unit: UnitName) async throws(ServiceError) {}
    func resetFailed(_ unit: UnitName) async throws(ServiceError) {}
    func journalTail(of unit: UnitName, lines: Int) async throws(ServiceError) -> [String] { [] }
}

/// Stands in for shared storage: every file is as it should be.
private struct WrittenTargets: TargetStore {
    let limit = Duration.seconds(1)
    func perform(_ operations: [StorageOperation]) async -> [StorageOutcome] { operations.map { _ in .unchanged } }
}
