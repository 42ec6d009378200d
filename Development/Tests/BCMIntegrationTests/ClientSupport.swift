import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import CommandExecution
import Logging
import Synchronization
import Testing

extension SimulatorServer {
    /// The service as the client names it.
    var headNode: BCMClient.HeadNode { .init(host: "127.0.0.1", port: port) }
}

extension TestCluster {
    /// A client with the administrator's certificate, unless told otherwise,.
    func client(
        _ servers: SimulatorServer..., trust: ServerTrust? = nil, certificate: String? = nil, key: String? = nil,
        verifiesHostname: Bool = true, connectTimeout: Duration = .seconds(10), requestTimeout: Duration = .seconds(20),
        answerLimit: Int = 64 << 20
    ) throws -> RESTClient {
        try RESTClient(
            configuration: .init(
                headNodes: servers.map(\.headNode), certificateFile: certificate ?? authority.adminCertificate,
                keyFile: key ?? authority.adminKey, trust: trust ?? .authority(file: authority.certificateFile),
                verifiesHostname: verifiesHostname, connectTimeout: connectTimeout, requestTimeout: requestTimeout,
                answerLimit: answerLimit),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// A client without a certificate, for a user.
    func user(_ name: String, _ password: String, _ servers: SimulatorServer...) throws -> RESTClient {
        try RESTClient(
            configuration: .init(
                headNodes: servers.map(\.headNode), credentials: .init(username: name, password: Secret(password)),
                trust: .authority(file: authority.certificateFile)),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// The client for cmsh, which runs the simulated program as on this head node.
    func shell(on headNode: String = "head-a") throws -> Cmsh {
        let environment = [StateStore.directoryVariable: store.directory, "BCM_SIMULATOR_HOST": headNode]
        return Cmsh(
            executor: HeadNodeExecutor(environment: environment), executable: try Self.program("simulated-cmsh"))
    }

    /// The pin of a head node's key: of its usual one, or of that of a fault.
    func pin(of certificate: String, _ headNode: String = "head-a") throws -> PublicKeyPin {
        try Certificate.read(file: authority.file(certificate + ".pem", ofHead: headNode)).publicKeyPin
    }
}

/// Runs commands on this machine as if it were a head node of the simulated cluster.
struct HeadNodeExecutor: CommandExecutor {
    var environment: [String: String]

    func run(_ command: Command) async throws(CommandError) -> CommandResult {
        var command = command
        command.environment.merge(environment) { $1 }
        return try await LocalExecutor().run(command)
    }
}

/// The error that the closure throws; nil when it throws none.
func failure<Value>(_ body: () async throws(BCMError) -> Value) async -> BCMError? {
    do throws(BCMError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

/// The code of the error that the closure throws; nil when it throws none.
func code<Value>(_ body: () async throws(BCMError) -> Value) async -> BCMError.Code? { await failure(body)?.code }

/// Lines from several threads.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
    func count(where isWanted: (String) -> Bool) -> Int { all.count(where: isWanted) }
}

/// Keeps what a client says in its log.
struct CapturingLog: LogHandler {
    var logLevel = Logger.Level.notice
    var metadata: Logger.Metadata = [:]
    let lines: LogLines

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let values = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        lines.append("\(event.message)" + values.joined())
    }
}
