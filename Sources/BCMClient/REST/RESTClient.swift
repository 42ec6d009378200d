public import Logging

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
            headNodes: [HeadNode], certificateFile: String? = nil, keyFile: String? = nil, trust: ServerTrust,
            verifiesHostname: Bool = true, connectTimeout: Duration = .seconds(5),
            requestTimeout: Duration = .seconds(15), answerLimit: Int = 64 << 20
        ) {
            self.headNodes = headNodes
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.trust = trust
            self.verifiesHostname = verifiesHostname
            self.connectTimeout = connectTimeout
            self.requestTimeout = requestTimeout
            self.answerLimit = answerLimit
        }
    }

    /// The configuration the client was made with.
    public let configuration: Configuration
    private let logger: Logger

    /// Creates a client. Nothing is connected yet.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration``.
    public init(configuration: Configuration, logger: Logger) throws(BCMError) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Every device that BCM lists, in its order.
    ///
    /// - Parameter headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func devices(at headNode: HeadNode? = nil) async throws(BCMError) -> [Device] {
        throw BCMError(.notReachable, at: headNode, reason: "not yet")
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
        throw BCMError(.notReachable, at: headNode, reason: "not yet")
    }

    /// BCM's versions.
    ///
    /// - Parameter headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func version(at headNode: HeadNode? = nil) async throws(BCMError) -> BCMVersion {
        throw BCMError(.notReachable, at: headNode, reason: "not yet")
    }

    /// Asks one head node for the devices and reports how far that went.
    public func checkConnectivity(of headNode: HeadNode) async -> ConnectivityReport {
        ConnectivityReport(
            headNode: headNode, isReachable: false, error: BCMError(.notReachable, at: headNode, reason: "not yet"))
    }

    /// With trust on first use: the key of each head node, those given at the start and those seen since. To be kept for
    /// the next run.
    public var seenKeys: [HeadNode: PublicKeyPin] { [:] }

    /// How many connections were opened since the client was made.
    public var connectionsOpened: Int { 0 }

    /// How many requests were sent since the client was made.
    public var requestsSent: Int { 0 }

    /// Ends all transfers and closes all connections; calls after that fail with ``BCMError/Code/cancelled``.
    /// Happens by itself when the client is released.
    public func shutDown() {}
}
