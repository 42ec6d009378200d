import ArgumentParser
import BCMSimulator
import ClusterModel
@preconcurrency import Dispatch
import Glibc
import Logging

/// The command line of the simulator.
@main
struct Simulator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bcm-simulator",
        abstract: "A simulator of BCM head nodes for tests, demonstration and training. It manages no cluster.",
        discussion: """
            'init' makes a simulated cluster in a folder, 'serve' answers as one of its head nodes, 'set' changes what \
            the cluster is like and what goes wrong, 'show' prints the state. The simulated cmsh works on the same folder.
            """,
        subcommands: [Initialize.self, Add.self, Serve.self, Set.self, Show.self])
}

/// Where the simulated cluster is.
struct Location: ParsableArguments {
    @Option(help: "The folder of the simulated cluster.")
    var directory = StateStore.defaultDirectory

    var store: StateStore { StateStore(directory: directory) }
}

/// Makes a cluster.
struct Initialize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a simulated cluster: authority, certificates, first state.")

    @OptionGroup var location: Location
    @Option(name: .customLong("head"), help: "A head node, NAME=ADDRESS; the first is active. Can stand several times.")
    var heads: [String]
    @Option(name: .customLong("node"), help: "A compute node, NAME=ADDRESS. Can stand several times.")
    var nodes: [String] = []
    @Option(name: .customLong("mac"), help: "The hardware address of a host, NAME=MAC. Can stand several times.")
    var hardwareAddresses: [String] = []
    @Option(name: .customLong("shared-address"), help: "Another address under which head nodes are reached.")
    var sharedAddresses: [String] = []

    func run() throws {
        var addresses: [String: String] = [:]
        for text in hardwareAddresses {
            let (name, address) = try pair(text)
            addresses[name] = address
        }
        func host(_ text: String) throws -> ClusterPlan.Host {
            let (name, address) = try pair(text)
            return .init(name: name, address: address, hardwareAddress: addresses.removeValue(forKey: name))
        }
        var plan = ClusterPlan(headNodes: try heads.map(host), nodes: try nodes.map(host))
        plan.sharedAddresses = sharedAddresses
        if let stray = addresses.keys.min() { throw ValidationError("--mac names \(stray), which is no host here") }
        let state = try location.store.initialize(plan)
        print(
            "simulated cluster \(state.clusterName) in \(location.directory): \(state.headNodes.count) head node(s), "
                + "\(state.nodes.count) compute node(s)")
    }

}

/// The two halves of `NAME=VALUE`.
private func pair(_ text: String) throws -> (String, String) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw ValidationError("expected NAME=VALUE, not '\(text)'") }
    return (parts[0], parts[1])
}

/// Adds a compute node.
struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Add a compute node to the cluster.")

    @OptionGroup var location: Location
    @Option(help: "The node, NAME=ADDRESS.")
    var node: String
    @Option(help: "Its hardware address; made up when left out.")
    var mac: String?

    func run() throws {
        let (name, address) = try pair(node)
        try location.store.add(.init(name: name, address: address, hardwareAddress: mac))
        print("added \(name)")
    }
}

/// Answers as a head node.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Answer REST requests as one of the head nodes.")

    @OptionGroup var location: Location
    @Option(help: "The head node to be.")
    var hostName: String
    @Option(help: "Where to listen, ADDRESS:PORT, the address a numeric one.")
    var listen = "0.0.0.0:8081"
    @Option(help: "A file for a line per request, instead of standard error.")
    var accessLog: String?

    func run() async throws {
        guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
            throw ValidationError("expected ADDRESS:PORT, not '\(listen)'")
        }
        var descriptor: Int32 = 2
        if let accessLog {
            descriptor = open(accessLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw ValidationError("\(accessLog): \(String(cString: strerror(errno)))") }
        }
        let server = try SimulatorServer(
            configuration: .init(
                directory: location.directory, headNode: hostName,
                address: listen[..<colon].filter { $0 != "[" && $0 != "]" }, port: Int(port)
            ) { [descriptor] line in
                let text = line + "\n"
                _ = write(descriptor, text, text.utf8.count)
            }, logger: Logger(label: "bcm-simulator", factory: { StreamLogHandler.standardError(label: $0) }))
        signal(SIGPIPE, SIG_IGN)
        let signals = AsyncStream<Void> { continuation in
            let sources = [SIGTERM, SIGINT].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield() }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in
                for source in sources { source.cancel() }
            }
        }
        try await server.start()
        // A line on standard output tells whoever waits that the port is open.
        print("BCM simulator, not a real head node: serving \(hostName) at \(listen) (port \(server.port))")
        fflush(nil)
        for await _ in signals { break }
        await server.stop()
    }
}

/// Changes a setting.
struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change what the cluster is like, or what goes wrong.",
        discussion: "Settings:\n" + ClusterState.settings.map { "  \($0.name) \($0.values)" }.joined(separator: "\n"))

    @OptionGroup var location: Location
    @Option(help: "The head node that a fault concerns; all when left out.")
    var host: String?
    @Argument var key: String
    @Argument var value: String

    func run() throws {
        try location.store.update { try $0.set(key, to: value, on: host) }
    }
}

/// Prints the state.
struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the state as JSON.")
    @OptionGroup var location: Location

    func run() throws {
        _ = try location.store.read()
        print(try location.store.text(), terminator: "")
    }
}
