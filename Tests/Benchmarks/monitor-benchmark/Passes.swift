import BCMClient
import CHeap
import CommandExecution
import Glibc
import Logging
import RoleMonitor
import ServiceManager
import Synchronization

/// One monitor that makes check after check, with the real client, the real calls of systemctl and the real child that
/// looks at target files.
struct Passes {
    var node: String
    var count: Int
    var every: Int
    /// Whether the role is lost and regained again and again.
    var flips = false

    func run(_ template: MonitorConfiguration, folder: String) async throws {
        let quiet = Logger(label: "passes") { _ in SwiftLogNoOpLogHandler() }
        var configuration = template
        configuration.targetsDirectory = "\(folder)/targets"
        configuration.stateDirectory = "\(folder)/state"
        configuration.metricsTextfile = "\(folder)/metrics.prom"
        configuration.requestTimeout = .seconds(1)
        configuration.roleLossDelay = .seconds(1)
        configuration.retryInterval = .seconds(1)
        configuration.giveUpInterval = .seconds(2)
        for path in [configuration.targetsDirectory, configuration.stateDirectory] { mkdir(path, 0o700) }
        let executor = LocalExecutor()
        let clock = HastyClock()
        let pass = Atomic<Int>(0)
        let isFlipping = flips
        let seams = MonitorSeams(
            makeSource: { (configuration, keys) throws(BCMError) in
                let client = try RESTClient(
                    configuration: configuration.clientConfiguration(knownKeys: keys), logger: quiet)
                // Every tenth check and the one after it do not show the role.
                return FlippingSource(client: client) { isFlipping && pass.load(ordering: .relaxed) % 10 < 2 }
            }, units: Systemd(executor: executor, timeout: .seconds(30)),
            store: ChildTargetStore(executor: executor, lockFile: "\(folder)/storage.lock"), clock: clock,
            host: NamedHost(name: node), certificate: CertificateFacts.init)
        let monitor = try Monitor(configuration: configuration, seams: seams, logger: quiet)
        print("checks anonymous_kB resident_kB proportional_kB used_kB held_kB arenas threads unknown failed ms_each")
        var unknown = 0, failed = 0
        var start = ContinuousClock.now
        for number in 1...count {
            pass.store(number, ordering: .relaxed)
            let report = await monitor.pass()
            if report.unknownReason != nil { unknown += 1 }
            if !report.failures.isEmpty { failed += 1 }
            guard number % every == 0 || number == count else { continue }
            let each = (ContinuousClock.now - start) / .milliseconds(1) / Double(every)
            let memory = MemoryFigures()
            let heap = cheap_usage()
            print(
                number, memory.own, memory.resident, memory.proportional, heap.used / 1024, heap.held / 1024,
                heap.arenas, memory.threads, unknown, failed, Double(Int(each * 100)) / 100)
            fflush(nil)
            start = .now
        }
    }
}

/// Time that runs a hundred times faster, so that waits within a check are short.
private struct HastyClock: MonitorClock {
    private static let haste = 100.0
    private let start = SystemClock().now()

    func now() -> Moment {
        let now = SystemClock().now()
        let passed = (now.sinceBoot - start.sinceBoot) * Self.haste
        return Moment(wall: start.wall + passed, sinceBoot: start.sinceBoot + passed)
    }

    func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration / Self.haste) }
}

private struct NamedHost: HostIdentitySource {
    var name: String
    func identity() -> HostIdentity {
        HostIdentity(hostName: name, addresses: ["52:54:00:00:00:01"], bootID: "passes")
    }
}

/// The real client, but for the role, which is missing from its answers at times.
private struct FlippingSource: RoleSource {
    var client: RESTClient
    var hides: @Sendable () -> Bool

    var headNodes: [HeadNode] { client.configuration.headNodes }
    var seenKeys: [HeadNode: PublicKeyPin] { client.seenKeys }

    func lookUp(_ hostNames: [String], at headNode: HeadNode?) async throws(BCMError) -> DeviceLookup {
        var answer = try await client.lookUp(hostNames, at: headNode)
        if hides() {
            for index in answer.matches.indices { answer.matches[index].roles?.removeAll { $0 == "slurmclient" } }
        }
        return answer
    }

    func checkConnectivity(of headNode: HeadNode) async -> ConnectivityReport {
        await client.checkConnectivity(of: headNode)
    }
}

/// What the kernel says of this process' memory, in kB.
struct MemoryFigures {
    /// Anonymous memory: heap, stacks and changed data. Private memory would count the program's text, too, where no other
    /// process runs the program, and that comes and goes.
    var own = 0, resident = 0, proportional = 0, threads = 0

    init() {
        for line in Self.lines("/proc/self/smaps_rollup") {
            if line.hasPrefix("Rss:") { resident = Self.number(line) }
            if line.hasPrefix("Pss:") { proportional = Self.number(line) }
            if line.hasPrefix("Anonymous:") { own = Self.number(line) }
        }
        for line in Self.lines("/proc/self/status") where line.hasPrefix("Threads:") { threads = Self.number(line) }
    }

    private static func number(_ line: Substring) -> Int { Int(String(line.filter(\.isNumber))) ?? 0 }

    private static func lines(_ path: String) -> [Substring] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + length, $0.count - length) }
            guard count > 0 else { break }
            length += count
        }
        return String(decoding: bytes[..<length], as: UTF8.self).split(separator: "\n")
    }
}
