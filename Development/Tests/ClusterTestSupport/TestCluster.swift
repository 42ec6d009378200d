public import BCMSimulator
public import ClusterModel
import CommandExecution
import FoundationEssentials
import Glibc
import Logging

/// A simulated cluster in a temporary folder: head nodes `head-a` and `head-b`, nodes `dgx-01` to `dgx-03`.
public struct TestCluster: Sendable {
    /// The cluster's folder.
    public let store: StateStore
    /// Its certificates.
    public let authority: CertificateAuthority

    private static let template = Result {
        let store = StateStore(directory: try Scratch.path("template"))
        var plan = ClusterPlan(
            headNodes: [
                .init(name: "head-a", address: "10.141.255.254"), .init(name: "head-b", address: "10.141.255.253"),
            ],
            nodes: (1...3).map { .init(name: "dgx-0\($0)", address: "10.141.0.\($0)") })
        plan.sharedAddresses = ["10.141.255.252"]
        try store.initialize(plan)
        return store
    }

    /// Makes a cluster, hands it to the closure, and removes it.
    public static func with<Result>(_ body: (TestCluster) async throws -> Result) async throws -> Result {
        let directory = try Scratch.path("cluster")
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // The keys are made once in a process and copied.
        try FileManager.default.copyItem(atPath: try template.get().directory, toPath: directory)
        let store = StateStore(directory: directory)
        return try await body(TestCluster(store: store, authority: CertificateAuthority(of: store)))
    }

    /// Makes a cluster and serves `head-a` on a free port.
    public static func served<Result>(
        _ body: (TestCluster, SimulatorServer) async throws -> Result
    ) async throws -> Result {
        try await with { cluster in try await cluster.serving("head-a") { try await body(cluster, $0) } }
    }

    /// Serves a head node on a free port of the loopback address while the closure runs.
    public func serving<Result>(
        _ headNode: String, accessLog: (@Sendable (String) -> Void)? = nil,
        _ body: (SimulatorServer) async throws -> Result
    ) async throws -> Result {
        let server = try SimulatorServer(
            configuration: .init(directory: store.directory, headNode: headNode, port: 0, accessLog: accessLog),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await server.start()
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// A program that was built beside the tests.
    public static func program(_ name: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/" + name
        guard access(path, X_OK) == 0 else {
            throw CommandError(.notFound, executable: path, reason: "it was not built beside the tests")
        }
        return path
    }

    /// A path that does not exist yet and goes with the process.
    public static func scratchPath(_ name: String) throws -> String { try Scratch.path(name) }

    /// Changes a setting.
    public func set(_ key: String, _ value: String, on headNode: String? = nil) throws {
        try store.update { try $0.set(key, to: value, on: headNode) }
    }

    /// Runs commands of `cmsh` in a session of their own, as on a head node.
    public func cmsh(_ commands: String, on headNode: String = "head-a") throws -> (output: String, errors: [String]) {
        var session = try CmshSession(store: store, localHost: headNode)
        session.run(commands)
        session.end()
        return (session.output, session.errors)
    }

    /// What curl made of a request.
    public struct Answer: Sendable {
        /// curl's exit status.
        public var exit: Int32
        /// The HTTP status; 0 when there was none.
        public var status: Int
        /// Connections opened.
        public var connections: Int
        /// The body.
        public var body: String
        /// What curl complained of.
        public var complaint: String
    }

    /// The identities a request can be made with.
    public enum Identity: Sendable {
        /// The administrator's certificate.
        case admin
        /// A node's certificate.
        case node(String)
        /// These files.
        case files(certificate: String, key: String)
        /// No certificate.
        case none
    }

    /// Asks a service with curl, under the name of its head node and trusting the cluster's authority.
    public func curl(
        _ server: SimulatorServer, _ paths: String..., as identity: Identity = .admin, options: [String] = [],
        timeout: Int = 15
    ) async throws -> Answer {
        let host = server.configuration.headNode
        var arguments = ["-sS", "--max-time", "\(timeout)", "--cacert", authority.certificateFile]
        arguments += ["--connect-to", "\(host):\(server.port):127.0.0.1:\(server.port)"]
        switch identity {
        case .admin: arguments += ["--cert", authority.adminCertificate, "--key", authority.adminKey]
        case .node(let name):
            arguments += ["--cert", authority.certificate(ofNode: name), "--key", authority.key(ofNode: name)]
        case .files(let certificate, let key): arguments += ["--cert", certificate, "--key", key]
        case .none: break
        }
        arguments += options + ["--write-out", "\n%{http_code} %{num_connects}"]
        arguments += paths.map { "https://\(host):\(server.port)\($0)" }
        let result = try await LocalExecutor().run(
            Command("curl", arguments, timeout: .seconds(timeout + 60), outputLimit: 512 << 20))
        guard case .exited(let code) = result.status else {
            throw CommandError(.notStarted, executable: "curl", reason: "\(result.status)")
        }
        var lines = result.outputText.split(separator: "\n", omittingEmptySubsequences: false)
        let figures = lines.popLast()?.split(separator: " ").compactMap { Int($0) } ?? []
        return Answer(
            exit: code, status: figures.first ?? 0, connections: figures.last ?? 0,
            body: lines.joined(separator: "\n"), complaint: result.errorText)
    }
}

/// Folders that go with the process.
enum Scratch {
    /// One folder for the process, removed at its end.
    private static let root = Result {
        let path = FileManager.default.temporaryDirectory.path() + "/bcm-simulator-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        atexit { Scratch.remove() }
        return path
    }

    static func path(_ name: String) throws -> String { try root.get() + "/\(name)-\(UUID().uuidString)" }

    private static func remove() {
        if case .success(let path) = root { try? FileManager.default.removeItem(atPath: path) }
    }
}

/// Asks again and again until the answer is yes, for ten seconds at most; whether it was.
public func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(10)
    while clock.now < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}
