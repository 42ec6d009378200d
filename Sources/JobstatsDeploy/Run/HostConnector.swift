public import CommandExecution

/// Makes the executor for a host: the seam between a plan and real machines.
public protocol HostConnector: Sendable {
    /// An executor for the host. Called once for each host of a run; may connect later.
    func connect(to host: Host) async -> any HostConnection
}

/// An executor that can be closed.
public protocol HostConnection: CommandExecutor {
    /// How many network connections it has opened.
    var attempts: Int { get }
    /// Ends it.
    func close() async
}

extension SSHConnection: HostConnection {}

/// A connection that takes a command's input in pieces, so that what goes to many hosts is in memory once.
protocol PiecewiseConnection: HostConnection {
    /// Runs a command whose input goes on with these pieces.
    func run(_ command: Command, followedBy pieces: [[UInt8]]) async throws(CommandError) -> CommandResult
}

extension SSHConnection: PiecewiseConnection {}

extension HostConnection {
    /// Runs a command whose input goes on with these pieces; where the connection takes one piece only, in one.
    func runPiecewise(_ command: Command, followedBy pieces: [[UInt8]]) async throws(CommandError) -> CommandResult {
        if let connection = self as? any PiecewiseConnection {
            return try await connection.run(command, followedBy: pieces)
        }
        var whole = command
        whole.input.reserveCapacity(pieces.reduce(command.input.count) { $0 + $1.count })
        for piece in pieces { whole.input += piece }
        return try await run(whole)
    }
}

/// The machine that this program runs on.
public struct LocalConnection: HostConnection {
    private let executor = LocalExecutor()
    /// Creates it.
    public init() {}
    /// None: nothing is opened.
    public var attempts: Int { 0 }
    /// Runs a command here.
    public func run(_ command: Command) async throws(CommandError) -> CommandResult { try await executor.run(command) }
    /// Does nothing.
    public func close() async {}
}

/// Reaches the local host without SSH and every other host with one SSH connection.
public struct SSHConnector: HostConnector {
    private let options: SSHOptions

    /// Creates a connector.
    public init(options: SSHOptions = SSHOptions()) { self.options = options }

    /// Connects when the first command is run.
    public func connect(to host: Host) async -> any HostConnection {
        host.isLocal ? LocalConnection() : SSHConnection(host: host.name, options: options)
    }
}

/// The connections of one run, one for each host.
actor ConnectionPool {
    private let connector: any HostConnector
    private var connections: [Host: any HostConnection] = [:]
    private var earlierAttempts = 0

    init(_ connector: any HostConnector) { self.connector = connector }

    func connection(to host: Host) async -> any HostConnection {
        if let connection = connections[host] { return connection }
        let connection = await connector.connect(to: host)
        connections[host] = connection
        return connection
    }

    /// Begins to connect to these hosts; whoever needs one of the connections waits for it.
    func open(_ hosts: some Sequence<Host> & Sendable) async {
        for host in hosts { _ = await connection(to: host) }
    }

    /// Closes the connections to some hosts; whoever asks for one of them again gets a new one.
    func drop(_ hosts: some Sequence<Host> & Sendable) async {
        for host in hosts {
            guard let connection = connections.removeValue(forKey: host) else { continue }
            await connection.close()
            earlierAttempts += connection.attempts
        }
    }

    /// Closes all and says how many network connections were opened.
    func closeAll() async -> Int {
        let all = Array(connections.values)
        connections = [:]
        await withTaskGroup(of: Void.self) { group in
            for connection in all { group.addTask { await connection.close() } }
        }
        return all.reduce(earlierAttempts) { $0 + $1.attempts }
    }
}

/// Lends the connections of a run; closing one of them leaves it open for the run.
struct PooledConnector: HostConnector {
    let pool: ConnectionPool

    func connect(to host: Host) async -> any HostConnection { Lent(connection: await pool.connection(to: host)) }

    private struct Lent: PiecewiseConnection {
        let connection: any HostConnection
        var attempts: Int { connection.attempts }
        func run(_ command: Command) async throws(CommandError) -> CommandResult { try await connection.run(command) }
        func run(_ command: Command, followedBy pieces: [[UInt8]]) async throws(CommandError) -> CommandResult {
            try await connection.runPiecewise(command, followedBy: pieces)
        }
        func close() async {}
    }
}
