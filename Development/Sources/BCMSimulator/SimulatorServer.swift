import ClusterModel
import Glibc
public import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The REST service of one simulated head node: real mutual TLS, documented answers, faults on demand.
///
/// The service follows the state in its folder: whatever `cmsh` or `bcm-simulator set` change is seen by the next
/// request, and connections made under another certificate or fault are closed within a tenth of a second.
public final class SimulatorServer: Sendable {
    /// What a service needs to know.
    public struct Configuration: Sendable {
        /// The simulated cluster's folder.
        public var directory: String
        /// The head node that the service is.
        public var headNode: String
        /// The address to listen on.
        public var address: String
        /// The port to listen on; 0 takes a free one.
        public var port: Int
        /// Takes a line for each request; called on the service's own thread.
        public var accessLog: (@Sendable (String) -> Void)?

        /// Describes a service.
        public init(
            directory: String, headNode: String, address: String = "127.0.0.1", port: Int = 8081,
            accessLog: (@Sendable (String) -> Void)? = nil
        ) {
            self.directory = directory
            self.headNode = headNode
            self.address = address
            self.port = port
            self.accessLog = accessLog
        }
    }

    /// What was counted since the start; requests to `/simulator/` and their connections do not count.
    public struct Counters: Sendable, Hashable {
        /// Connections that were accepted, whatever became of them.
        public var accepted = 0
        /// Connections that made at least one request.
        public var connections = 0
        /// Requests.
        public var requests = 0

        /// Creates counters.
        public init(accepted: Int = 0, connections: Int = 0, requests: Int = 0) {
            self.accepted = accepted
            self.connections = connections
            self.requests = requests
        }
    }

    private struct Shared {
        var counters = Counters()
        var listener: (any Channel)?
        var descriptor: Int32?
        var silent: SilentListener?
        var listening: TransportMode.Listener?
        var changing = false
        var hasComplained = false
        var port = 0
        var children: [Int: (channel: any Channel, handshake: TransportMode.Handshake)] = [:]
        var contexts: [TransportMode.Handshake: NIOSSLContext] = [:]
        var watch: RepeatedTask?
    }

    /// What the service was told.
    public let configuration: Configuration
    let service: RESTService
    let cache: StateCache
    let logger: Logger
    private let authority: CertificateAuthority
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let shared = Mutex(Shared())

    /// Reads the state; listens to nothing yet.
    public init(configuration: Configuration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        let store = StateStore(directory: configuration.directory)
        cache = try StateCache(store: store)
        service = RESTService(store: store, headNode: configuration.headNode)
        authority = CertificateAuthority(of: store)
        guard cache.state.isHeadNode(configuration.headNode) else {
            throw SettingError(description: "the simulated cluster has no head node \(configuration.headNode)")
        }
    }

    /// The port that is listened on, once started.
    public var port: Int { shared.withLock { $0.port } }
    /// What was counted so far.
    public var counters: Counters { shared.withLock { $0.counters } }

    /// Begins to listen.
    public func start() async throws {
        shared.withLock { $0.port = configuration.port }
        let loop = group.next()
        // Even a service that starts with a closed port must know its number.
        try await open(on: loop).get()
        for _ in 0..<100 {
            try await adjust(on: loop).get()
            let wanted = TransportMode(cache.state, headNode: configuration.headNode).listener
            if shared.withLock({ $0.listening == wanted }) { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        let watch = loop.scheduleRepeatedTask(initialDelay: .milliseconds(50), delay: .milliseconds(50)) { [self] _ in
            _ = adjust(on: loop)
        }
        shared.withLock { $0.watch = watch }
        logger.info(
            "BCM simulator (not a real head node) serves \(configuration.headNode) at \(configuration.address):\(port)")
    }

    /// Closes every connection and the port.
    public func stop() async {
        let (watch, listener, children) = shared.withLock { shared in
            defer {
                shared.silent = nil
                shared.changing = true
            }
            return (shared.watch, shared.listener, shared.children.values.map(\.channel))
        }
        watch?.cancel()
        try? await listener?.close()
        for child in children { try? await child.close() }
        try? await group.shutdownGracefully()
    }

    // MARK: The port

    /// Brings port and connections in line with the present faults.
    private func adjust(on loop: any EventLoop) -> EventLoopFuture<Void> {
        let mode = TransportMode(cache.state, headNode: configuration.headNode)
        let (stale, listener, needed) = shared.withLock { shared -> ([any Channel], (any Channel)?, Bool) in
            let stale = shared.children.values.filter {
                mode.listener != .open || $0.handshake != mode.handshake
            }.map(\.channel)
            guard !shared.changing, shared.listening != mode.listener else { return (stale, nil, false) }
            shared.changing = true
            shared.silent = nil
            defer { shared.listener = nil }
            shared.listening = nil
            // A child process that was just forked still holds the socket; shut down, it listens no more even so.
            if let descriptor = shared.descriptor { shutdown(descriptor, Int32(SHUT_RDWR)) }
            shared.descriptor = nil
            return (stale, shared.listener, true)
        }
        for channel in stale { Self.drop(channel) }
        guard needed else { return loop.makeSucceededVoidFuture() }
        let closed = listener?.close() ?? loop.makeSucceededVoidFuture()
        return closed.recover { _ in }.flatMap { [self] in
            switch mode.listener {
            case .open: return open(on: loop)
            case .closed: shared.withLock { $0.listening = .closed }
            case .silent:
                // The port may still be held by a child process that was just forked: the watch tries again.
                guard let silent = try? SilentListener(address: configuration.address, port: port) else { break }
                shared.withLock {
                    $0.silent = silent
                    $0.listening = .silent
                }
            }
            return loop.makeSucceededVoidFuture()
        }.always { [self] result in
            let isNew = shared.withLock { shared in
                shared.changing = false
                defer {
                    if case .failure = result { shared.hasComplained = true } else { shared.hasComplained = false }
                }
                return !shared.hasComplained
            }
            if isNew, case .failure(let error) = result { logger.error("cannot listen, trying again: \(error)") }
        }
    }

    private func open(on loop: any EventLoop) -> EventLoopFuture<Void> {
        let descriptor: Int32
        do {
            descriptor = try BoundSocket.make(address: configuration.address, port: port)
        } catch {
            return loop.makeFailedFuture(error)
        }
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel) }
            }
            .withBoundSocket(descriptor)
            .map { [self] channel in
                shared.withLock {
                    $0.listener = channel
                    $0.descriptor = descriptor
                    $0.listening = .open
                    $0.port = channel.localAddress?.port ?? $0.port
                }
            }
    }

    private func accept(_ channel: any Channel) throws {
        let mode = TransportMode(cache.state, headNode: configuration.headNode)
        let number = shared.withLock { shared in
            shared.counters.accepted += 1
            shared.children[shared.counters.accepted] = (channel, mode.handshake)
            return shared.counters.accepted
        }
        channel.closeFuture.whenComplete { [self] _ in shared.withLock { $0.children[number] = nil } }
        let pipeline = channel.pipeline.syncOperations
        guard case .tls = mode.handshake else {
            try pipeline.addHandler(SwallowingHandler())
            return
        }
        try pipeline.addHandler(NIOSSLServerHandler(context: try context(for: mode.handshake)))
        try pipeline.addHandlers(ConnectionHandler.decoders)
        try pipeline.addHandler(ConnectionHandler(server: self, number: number, handshake: mode.handshake))
    }

    private func context(for handshake: TransportMode.Handshake) throws -> NIOSSLContext {
        if let known = shared.withLock({ $0.contexts[handshake] }) { return known }
        guard case .tls(let certificate, let key, let old) = handshake else {
            throw ChannelError.inappropriateOperationForState
        }
        let made = try authority.context(head: configuration.headNode, certificate: certificate, key: key, old: old)
        shared.withLock { $0.contexts[handshake] = made }
        return made
    }

    // MARK: What connections report

    func count(firstOnConnection: Bool) {
        shared.withLock {
            $0.counters.requests += 1
            if firstOnConnection { $0.counters.connections += 1 }
        }
    }

    /// Closes a connection without the farewell of TLS.
    static func drop(_ channel: any Channel) {
        channel.eventLoop.execute {
            if let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) {
                tls.close(mode: .all, promise: nil)
            } else {
                channel.close(promise: nil)
            }
        }
    }
}

/// Reads and says nothing.
private final class SwallowingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
