import CommandExecution
public import Logging
import Synchronization

/// A client of BCM's REST interface that keeps its connections and moves on to the next head node when one fails.
///
/// ```swift
/// let client = try RESTClient(
///     configuration: .init(
///         headNodes: [HeadNode(host: "head-a"), HeadNode(host: "head-b")],
///         certificateFile: "/cm/local/apps/cmd/etc/cert.pem", keyFile: "/cm/local/apps/cmd/etc/cert.key",
///         trust: .authority(file: "/cm/local/apps/cmd/etc/cacert.pem")),
///     logger: logger)
/// let answer = try await client.lookUp(["dgx-01"])
/// print(answer.matches.first?.roles ?? [])
/// ```
public final class RESTClient: Sendable {
    /// What a client needs to know.
    public struct Configuration: Sendable {
        /// The head nodes, in the order in which they are tried at first; at least one.
        public var headNodes: [HeadNode]
        /// The client's certificate, a PEM file; nil for none. It is read again for each new connection.
        public var certificateFile: String?
        /// The private key of the certificate, an unencrypted PEM file; nil only without a certificate.
        public var keyFile: String?
        /// User and password, for those who have no certificate; nil for none. REST gets them by HTTP basic authentication, the JSON
        /// interface by a session, see ``RESTClient/login(at:)``.
        public var credentials: Credentials?
        /// How the servers are verified.
        public var trust: ServerTrust
        /// Whether the server's certificate must name the host that was asked for; counts only with
        /// ``ServerTrust/authority(file:)``.
        public var verifiesHostname: Bool
        /// How long a connection may take to come about, TLS included.
        public var connectTimeout: Duration
        /// How long a whole request may take at one head node, connecting included.
        public var requestTimeout: Duration
        /// The largest answer that is read, in bytes, after decoding of any content encoding.
        public var answerLimit: Int

        /// Creates a configuration.
        public init(
            headNodes: [HeadNode], certificateFile: String? = nil, keyFile: String? = nil,
            credentials: Credentials? = nil, trust: ServerTrust, verifiesHostname: Bool = true,
            connectTimeout: Duration = .seconds(5),
            requestTimeout: Duration = .seconds(15), answerLimit: Int = 64 << 20
        ) {
            self.headNodes = headNodes
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.credentials = credentials
            self.trust = trust
            self.verifiesHostname = verifiesHostname
            self.connectTimeout = connectTimeout
            self.requestTimeout = requestTimeout
            self.answerLimit = answerLimit
        }
    }

    /// The configuration the client was made with.
    public let configuration: Configuration
    let logger: Logger
    let engine: TransferEngine
    let resolver: NameResolver
    package let order: HeadNodeOrder
    private let gates: Mutex<[HeadNode: PeerGate]>
    /// The cookies of the sessions that are open.
    let sessions = Mutex<[HeadNode: Secret]>([:])
    /// The logins on their way, so that calls at the same time share one.
    let logins = Mutex<[HeadNode: Promise<Result<Secret, BCMError>>]>([:])

    /// Creates a client. Nothing is connected yet.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration``.
    public convenience init(configuration: Configuration, logger: Logger) throws(BCMError) {
        try self.init(configuration: configuration, logger: logger, resolver: NameResolver())
    }

    init(configuration: Configuration, logger: Logger, resolver: NameResolver) throws(BCMError) {
        try configuration.validate()
        self.configuration = configuration
        self.logger = logger
        self.resolver = resolver
        order = HeadNodeOrder(configuration.headNodes)
        let trust = configuration.trust
        gates = Mutex(
            Dictionary(
                uniqueKeysWithValues: Set(configuration.headNodes).map { ($0, PeerGate(headNode: $0, trust: trust)) }))
        engine = try TransferEngine()
    }

    deinit { engine.shutDown() }

    /// The gate of a head node; one that is not configured gets one when it is asked first.
    func gate(of headNode: HeadNode) throws(BCMError) -> PeerGate {
        if let gate = gates.withLock({ $0[headNode] }) { return gate }
        try headNode.validate()
        return gates.withLock { gates in
            let gate = gates[headNode] ?? PeerGate(headNode: headNode, trust: configuration.trust)
            gates[headNode] = gate
            return gate
        }
    }

    /// Every device that BCM lists, in its order.
    ///
    /// - Parameter headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func devices(at headNode: HeadNode? = nil) async throws(BCMError) -> [Device] {
        try await lookUp(nil, at: headNode).matches
    }

    /// The devices with one of these names, found without keeping the rest of the list.
    ///
    /// A device matches when its name equals one of the names, or when their first labels are equal; letter case does
    /// not count.
    ///
    /// - Parameters:
    ///   - hostNames: short or fully qualified names.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func lookUp(_ hostNames: [String], at headNode: HeadNode? = nil) async throws(BCMError) -> DeviceLookup {
        try await lookUp(Optional(hostNames), at: headNode)
    }

    /// The same for all devices when no names are given.
    func lookUp(_ hostNames: [String]?, at headNode: HeadNode?) async throws(BCMError) -> DeviceLookup {
        let wanted = hostNames.map { HostNameSet($0) }
        return try await get(Self.deviceRequest, at: headNode) {
            DeviceConsumer(wanted: wanted)
        } check: { answer throws(BCMError) in
            try answer.consumer.result(from: answer.headNode)
        }
    }

    /// Asks one head node for the devices and reports how far that went.
    public func checkConnectivity(of headNode: HeadNode) async -> ConnectivityReport {
        var report = ConnectivityReport(headNode: headNode, isReachable: false)
        do {
            (report.latency, report.deviceCount, report.devicesShowingRoles) = try await get(
                Self.deviceRequest, at: headNode
            ) {
                DeviceConsumer(wanted: HostNameSet([]))
            } check: { answer throws(BCMError) in
                let lookup = try answer.consumer.result(from: answer.headNode)
                return (answer.latency, lookup.deviceCount, lookup.devicesShowingRoles)
            }
            (report.isReachable, report.isTrusted, report.isAuthorised) = (true, true, true)
        } catch {
            report.error = error
            switch error.code {
            case .notTrusted: (report.isReachable, report.isTrusted) = (true, false)
            case .notAuthorised: (report.isReachable, report.isTrusted, report.isAuthorised) = (true, true, false)
            case .notUnderstood, .notFound, .tooLarge, .unavailable: report.isReachable = true
            case .connectionLost, .timedOut: report.isReachable = true
            default: break
            }
        }
        report.serverKey = (try? gate(of: headNode))?.shown
        return report
    }

    private static let deviceRequest = Request(path: "/rest/v1/device", acceptsCompression: false)

    /// With trust on first use: the key of each head node, those given at the start and those seen since. To be kept for
    /// the next run. Empty with other kinds of trust.
    public var seenKeys: [HeadNode: PublicKeyPin] {
        guard case .firstUse(var keys) = configuration.trust.method else { return [:] }
        for gate in gates.withLock({ Array($0.values) }) {
            if let key = gate.known { keys[gate.headNode] = key }
        }
        return keys
    }

    /// How many connections were opened since the client was made.
    public var connectionsOpened: Int { engine.connectionsOpened }

    /// How many requests were sent since the client was made.
    public var requestsSent: Int { engine.requestsSent }

    /// Ends all transfers and closes all connections; calls after that fail with ``BCMError/Code/cancelled``.
    /// Happens by itself when the client is released.
    public func shutDown() { engine.shutDown() }
}

extension RESTClient.Configuration {
    func validate() throws(BCMError) {
        func refuse(_ reason: String, _ remedy: String) throws(BCMError) -> Never {
            throw BCMError(.invalidConfiguration, reason: reason, remedy: remedy)
        }
        guard !headNodes.isEmpty else { try refuse("no head node is given", "give at least one") }
        for headNode in headNodes { try headNode.validate() }
        if (certificateFile == nil) != (keyFile == nil) {
            try refuse("a certificate needs its key, and a key its certificate", "give both files or none")
        }
        if case .pinnedKeys(let pins) = trust.method, pins.isEmpty {
            try refuse("the set of pinned keys is empty", "pin at least one key")
        }
        if case .authority(let file) = trust.method, file.isEmpty {
            try refuse("the name of the CA file is empty", "give a PEM file")
        }
        let files = [certificateFile, keyFile].compactMap { $0 }
        if files.contains(where: { $0.isEmpty || $0.utf8.contains(0) }) {
            try refuse("the name of the certificate or key file is empty or holds a NUL character", "give PEM files")
        }
        try credentials?.validate()
        guard connectTimeout > .zero, requestTimeout > .zero else {
            try refuse("a time-out is not above zero", "give time-outs of some seconds")
        }
        guard answerLimit > 0 else { try refuse("the limit of answers is not above zero", "allow some megabytes") }
    }
}
