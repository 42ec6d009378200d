import ClusterModel
import ClusterTestSupport
import CommandExecution
import FoundationEssentials
import Glibc
import Synchronization

/// One node under test: the real monitor as a process with a host name of its own, the simulated BCM as processes over
/// TLS, and a stand-in for systemctl. Everything is in one folder, and nothing of it is left afterwards.
final class Bench: Sendable {
    static let node = "gpu-01"
    /// A node that is somewhere else, and whose target file is none of this node's business.
    static let foreignNode = "gpu-99"
    static let exporters = ["node_exporter.service", "cgroup_exporter.service", "nvidia_gpu_exporter.service"]

    let folder: String
    let cluster: TestCluster
    let findings: Findings
    let options: Options
    private let running = Mutex<(simulators: [String: ChildProcess], ports: [String: Int], monitor: ChildProcess?)>(
        ([:], [:], nil))
    let traces = Mutex(Traces())
    /// The other node's target file as it was put there.
    let foreign: FileFacts

    /// What differs between experiments.
    struct Options: Sendable {
        /// The head nodes that the monitor knows, in its order.
        var headNodes = ["head-a"]
        /// Whether BCM's authority is known; otherwise the first key seen is trusted.
        var hasAuthority = true
        /// Whether exporters run when the monitor starts.
        var areRunning = true
        /// Whether the node has the role then.
        var hasRole = true
        /// Names beside its own that the node gets in the experiment.
        var furtherNames: [String] = []
        /// The monitor's settings beside the usual short ones.
        var settings: [String: String] = [:]
    }

    /// Makes a bench, hands it to the closure, ends everything, and looks at what is left.
    static func with(
        _ findings: Findings, _ options: Options = Options(), _ body: (Bench) async throws -> Void
    ) async throws {
        try await TestCluster.with { cluster in
            // Short, since sockets' paths are.
            var template = Array("/tmp/jobstats-fault-XXXXXX".utf8CString)
            let made = template.withUnsafeMutableBufferPointer {
                $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
            guard let folder = made else { throw Campaign.Failure(description: "no folder in /tmp") }
            let bench = try Bench(folder, cluster, findings, options)
            let outcome: Result<Void, any Error>
            do {
                for name in options.headNodes { try await bench.serve(name) }
                try bench.configure()
                outcome = .success(try await body(bench))
            } catch { outcome = .failure(error) }
            await bench.end()
            if !findings.violations.isEmpty, let path = Campaign.variable("JOBSTATS_FAULT_LOGS") {
                try? FileManager.default.copyItem(atPath: folder, toPath: "\(path)/\(UUID().uuidString)")
            }
            try? FileManager.default.removeItem(atPath: folder)
            try outcome.get()
        }
    }

    private init(_ folder: String, _ cluster: TestCluster, _ findings: Findings, _ options: Options) throws {
        self.folder = folder
        self.cluster = cluster
        self.findings = findings
        self.options = options
        for name in ["/targets", "/state", "/units", "/bin", "/metrics"] {
            try FileManager.default.createDirectory(atPath: folder + name, withIntermediateDirectories: false)
        }
        try Self.targetText(Self.foreignNode).write(
            to: URL(filePath: "\(folder)/targets/\(Self.foreignNode).json"))
        foreign = try FileFacts("\(folder)/targets/\(Self.foreignNode).json")
        try cluster.store.add(
            .init(name: Self.node, address: "10.141.0.77", hardwareAddress: Self.hardwareAddress))
        if options.hasRole { try giveRole() }
        for unit in Self.exporters { try write("units/\(unit)", options.areRunning ? "active\n" : "inactive\n") }
        try write("calls", "")
        for (name, text) in ["systemctl": StandIn.systemctl(folder), "journalctl": "#!/bin/sh\n"] {
            // Put in place by another process: a child that this one starts elsewhere at the same instant would hold the file
            // open for writing, and it could not be run (ETXTBSY).
            try write("bin/.\(name)", text)
            let install = try ChildProcess(
                ["/usr/bin/install", "-m", "755", path("bin/.\(name)"), path("bin/\(name)")], log: path("log"))
            while install.isAlive { usleep(1000) }
            guard install.waitStatus == 0 else { throw Campaign.Failure(description: read("log") ?? "install failed") }
        }
    }

    /// The address of the machine that this runs on, by which the monitor knows itself.
    static let hardwareAddress: String? = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/class/net")) ?? []
        return names.sorted().filter { $0 != "lo" }.compactMap { name in
            try? String(contentsOf: URL(filePath: "/sys/class/net/\(name)/address"), encoding: .utf8)
        }.map { String($0.prefix { $0 != "\n" }) }.first { $0.count == 17 }
    }()

    // MARK: Files

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path(name))) }

    func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []).sorted()
    }

    // MARK: BCM

    func giveRole() throws { _ = try cluster.cmsh("device use \(Self.node); roles; assign slurmclient; commit") }
    func takeRole() throws { _ = try cluster.cmsh("device use \(Self.node); roles; unassign slurmclient; commit") }

    /// Starts the simulator of a head node, on the port it had before if it had one.
    func serve(_ headNode: String) async throws {
        let port = running.withLock { $0.ports[headNode] } ?? 0
        let output = path("simulator-\(headNode)")
        unlink(output)
        let child = try ChildProcess(
            [
                try TestCluster.program("bcm-simulator"), "serve", "--directory", cluster.store.directory,
                "--host-name", headNode, "--listen", "127.0.0.1:\(port)", "--access-log", path("access-\(headNode)"),
            ], log: path("simulator.log"), output: output)
        running.withLock { $0.simulators[headNode] = child }
        var found: Int?
        _ = await within(.seconds(30)) {
            found = read("simulator-\(headNode)")?.split(separator: "(port ").last.flatMap {
                Int($0.prefix { $0 != ")" })
            }
            return found != nil || !child.isAlive
        }
        guard let found else { throw Campaign.Failure(description: "no simulator: \(read("simulator.log") ?? "")") }
        running.withLock { $0.ports[headNode] = found }
    }

    /// Ends the simulator of a head node.
    func stopServing(_ headNode: String) { running.withLock { $0.simulators.removeValue(forKey: headNode) }?.kill() }

    // MARK: The monitor

    static let program = Result {
        try Campaign.variable("JOBSTATS_MONITOR") ?? TestCluster.program("bcm-role-monitor")
    }

    func configure(_ changes: [String: String] = [:]) throws {
        let ports = running.withLock { $0.ports }
        let nodes = options.headNodes.map { "\"127.0.0.1:\(ports[$0] ?? 1)\"" }.joined(separator: ", ")
        let authority = cluster.authority
        var settings = [
            "bcm_headnodes": "[\(nodes)]", "cert_path": "\"\(authority.adminCertificate)\"",
            "key_path": "\"\(authority.adminKey)\"", "check_interval": "1", "retry_interval": "1",
            "give_up_interval": "2", "role_loss_delay": "1", "request_timeout": "1", "roles_visible": "true",
            "prometheus_targets_dir": "\"\(path("targets"))\"", "state_dir": "\"\(path("state"))\"",
            "metrics_textfile": "\"\(path("metrics/m.prom"))\"",
        ]
        if options.hasAuthority { settings["ca_path"] = "\"\(authority.certificateFile)\"" }
        settings.merge(options.settings) { $1 }
        settings.merge(changes) { $1 }
        try write(
            "config.json",
            "{\n" + settings.sorted { $0.key < $1.key }.map { "  \"\($0.key)\": \($0.value)" }.joined(separator: ",\n")
                + "\n}\n")
    }

    /// Starts the monitor on a host of this name, in mount and host name namespaces of its own.
    ///
    /// - Parameter prefix: what runs it, as in `["/usr/bin/strace", ...]`.
    func start(
        prefix: [String] = [], environment: [String: String] = [:], name: String = node, arguments: [String] = []
    ) throws {
        let script = "hostname \"$0\"; PATH=$STAND_IN; export PATH; exec \"$@\""
        let child = try ChildProcess(
            ["/usr/bin/unshare", "--uts", "--mount", "/bin/sh", "-c", script, name] + prefix
                + [try Self.program.get(), "--config", path("config.json")] + arguments,
            log: path("log"), environment: ["STAND_IN": path("bin")].merging(environment) { $1 })
        running.withLock { $0.monitor = child }
    }

    var monitor: ChildProcess? { running.withLock { $0.monitor } }

    /// Waits for so many more checks, counted by the times that the metrics were replaced; a monitor that ends makes none.
    func expectPasses(_ count: Int, limit: Duration = .seconds(60)) async throws {
        let watch = try FolderWatch(path("metrics"))
        var seen = 0
        let time = await within(limit) {
            sample()
            seen += watch.drain().count { $0.name == "m.prom" && $0.has(Int32(IN_MOVED_TO)) }
            return seen >= count || monitor?.isAlive != true
        }
        findings.check(monitor?.isAlive == true, "the monitor ended with \(monitor?.waitStatus ?? -1)")
        findings.check(seen >= count, "only \(seen) of \(count) checks were made within \((time ?? limit).words)")
    }

    /// Notes the monitor's children and its namespace, to be looked for at the end.
    func sample() {
        guard let monitor, monitor.isAlive else { return }
        traces.withLock { $0.note(monitor.identifier) }
    }

    /// Runs a command for the monitor's process, as in `prlimit` or `nsenter`.
    @discardableResult
    func run(_ words: String...) async throws -> CommandResult {
        let result = try await LocalExecutor().run(Command(words[0], Array(words.dropFirst())))
        findings.check(result.succeeded, "\(words.joined(separator: " ")): \(result.errorText)")
        return result
    }

    /// Ends the monitor, and with it what looks at its calls.
    func stop() async {
        if let monitor, monitor.isAlive {
            let start = ContinuousClock.now
            monitor.signal(SIGTERM)
            _ = await within(.seconds(20)) { !monitor.isAlive }
            // One second is the contract's; the rest is for a machine that is busy with other experiments.
            findings.check(
                ContinuousClock.now - start < .seconds(5), "SIGTERM took \((ContinuousClock.now - start).words)")
            findings.check(monitor.waitStatus == 0, "the monitor ended with \(monitor.waitStatus ?? -1)")
        }
        monitor?.kill()
        _ = await within(.seconds(5)) { Processes.naming(path("strace")).isEmpty }
    }

    private func end() async {
        await stop()
        for simulator in running.withLock({ $0.simulators.values.map(\.self) }) { simulator.kill() }
        await checkLeftovers()
    }
}
