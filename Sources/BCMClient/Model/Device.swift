/// A device as BCM's `/rest/v1/device` shows it.
public struct Device: Sendable, Hashable {
    /// BCM's short name of the device.
    public var hostname: String
    /// The category; nil on head nodes, which have none.
    public var category: String?
    /// The cluster's name.
    public var cluster: String?
    /// The address in the management network.
    public var ip: String?
    /// The hardware address, in BCM's upper-case form.
    public var mac: String?
    /// The management network's name.
    public var network: String?
    /// `HeadNode`, `PhysicalNode` and others; an open set.
    public var type: String?
    /// The roles shown for it. Nil means that none were shown, which is not the same as having none: a certificate may
    /// not see roles, and roles that come from overlays or categories may not be listed.
    public var roles: [String]?

    /// Creates a device.
    public init(
        hostname: String, category: String? = nil, cluster: String? = nil, ip: String? = nil, mac: String? = nil,
        network: String? = nil, type: String? = nil, roles: [String]? = nil
    ) {
        self.hostname = hostname
        self.category = category
        self.cluster = cluster
        self.ip = ip
        self.mac = mac
        self.network = network
        self.type = type
        self.roles = roles
    }
}

/// What one look at the device list says about the hosts that were asked for.
public struct DeviceLookup: Sendable, Hashable {
    /// Every device whose name equals one of the names, or whose first label equals the first label of one, letter case
    /// aside, in BCM's order. Empty when BCM does not list the host; the caller picks when there are several.
    public var matches: [Device]
    /// How many devices the whole list has.
    public var deviceCount: Int
    /// How many devices of the whole list show at least one role. Zero means that roles are not visible at all to this
    /// client, or that nobody has one.
    public var devicesShowingRoles: Int
    /// The head node that answered.
    public var headNode: HeadNode

    /// Creates a result; tests and fakes need this.
    public init(matches: [Device], deviceCount: Int, devicesShowingRoles: Int, headNode: HeadNode) {
        self.matches = matches
        self.deviceCount = deviceCount
        self.devicesShowingRoles = devicesShowingRoles
        self.headNode = headNode
    }
}

/// The versions that BCM reports about itself.
public struct BCMVersion: Sendable, Hashable {
    /// The version of Base Command Manager, such as `10.0`; nil when not shown.
    public var clusterManager: String?
    /// The version of CMDaemon, such as `3.0`; nil when not shown.
    public var cmdaemon: String?
    /// The build's number; nil when not shown.
    public var buildIndex: Int?
    /// The build's hash; nil when not shown.
    public var buildHash: String?
    /// The version of CMDaemon's database; nil when not shown.
    public var databaseVersion: Int?
    /// The head node that answered.
    public var headNode: HeadNode
    /// The whole answer as BCM wrote it.
    public var raw: JSONValue

    /// Creates a value.
    public init(
        clusterManager: String? = nil, cmdaemon: String? = nil, buildIndex: Int? = nil, buildHash: String? = nil,
        databaseVersion: Int? = nil, headNode: HeadNode, raw: JSONValue = .null
    ) {
        self.clusterManager = clusterManager
        self.cmdaemon = cmdaemon
        self.buildIndex = buildIndex
        self.buildHash = buildHash
        self.databaseVersion = databaseVersion
        self.headNode = headNode
        self.raw = raw
    }
}

/// What a client can do at one head node.
public struct ConnectivityReport: Sendable {
    /// The head node.
    public var headNode: HeadNode
    /// Whether something answered at its address.
    public var isReachable: Bool
    /// Whether it is the server that the trust settings name; nil when it was not reached.
    public var isTrusted: Bool?
    /// Whether the client's certificate may read devices there; nil when it did not come to that.
    public var isAuthorised: Bool?
    /// How long the whole answer took; nil without one.
    public var latency: Duration?
    /// How many devices it listed; nil without an understood answer.
    public var deviceCount: Int?
    /// How many of them showed roles; nil without an understood answer.
    public var devicesShowingRoles: Int?
    /// The key the server showed, to be compared or pinned; nil when no connection came about, or when it was refused for
    /// another reason than its key.
    public var serverKey: PublicKeyPin?
    /// What went wrong; nil when nothing did.
    public var error: BCMError?

    /// Creates a report; tests and fakes need this.
    public init(
        headNode: HeadNode, isReachable: Bool, isTrusted: Bool? = nil, isAuthorised: Bool? = nil,
        latency: Duration? = nil, deviceCount: Int? = nil, devicesShowingRoles: Int? = nil,
        serverKey: PublicKeyPin? = nil, error: BCMError? = nil
    ) {
        self.headNode = headNode
        self.isReachable = isReachable
        self.isTrusted = isTrusted
        self.isAuthorised = isAuthorised
        self.latency = latency
        self.deviceCount = deviceCount
        self.devicesShowingRoles = devicesShowingRoles
        self.serverKey = serverKey
        self.error = error
    }
}
