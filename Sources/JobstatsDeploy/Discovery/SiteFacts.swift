/// What BCM itself says about a site, found before a plan is made. A dry run contacts nothing and plans without it.
public struct SiteFacts: Sendable, Hashable {
    /// Where the monitors' client certificate comes from.
    public struct MonitorCertificate: Sendable, Hashable {
        /// The certificate's path on each node.
        public var certificateFile: String
        /// The key's path on each node.
        public var keyFile: String
        /// PEM bytes to install at these paths; nil when each node has its own already.
        public var content: Content?
        /// Which one it is and why it was chosen, in words.
        public var reason: String

        /// Bytes to install.
        public struct Content: Sendable, Hashable {
            /// The certificate as PEM.
            public var certificate: [UInt8]
            /// The key as PEM; secret.
            public var key: [UInt8]
        }
    }

    /// BCM's head nodes by their own names, the active one first.
    public var headNodes: [String] = []
    /// The CA that signed the head nodes' certificates, as PEM; nil when there is none to copy.
    public var authority: [UInt8]?
    /// Public-key pins of the head nodes, when no CA verifies them.
    public var pinnedKeys: [String] = []
    /// Whether the head nodes' certificates carry their names.
    public var namesAreVerifiable = false
    /// Whether REST shows the role for the nodes that have it by cmsh's account.
    public var areRolesVisible = false
    /// The roles of each node by cmsh's account; nodes that cmsh does not know are absent.
    public var rolesByNode: [String: Set<String>] = [:]
    /// The monitors' client certificate.
    public var certificate: MonitorCertificate?
    /// Each node's software image, where BCM told it.
    public var imageByNode: [String: String] = [:]
    /// What an administrator should know about what was found.
    public var remarks: [String] = []

    /// Creates facts that know nothing.
    public init() {}
}
