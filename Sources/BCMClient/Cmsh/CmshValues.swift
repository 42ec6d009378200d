extension Cmsh {
    /// Which devices are meant.
    public struct Selection: Sendable, Hashable {
        let arguments: [String]
        /// All of them.
        public static let all = Selection(arguments: [])
        /// Head nodes.
        public static let headNodes = type("headnode")
        /// Physical nodes: everything that is not a head node and not a cloud node or a switch.
        public static let physicalNodes = type("physicalnode")
        /// Devices of a type, as cmsh names it: `headnode`, `physicalnode` and others.
        public static func type(_ name: String) -> Selection { Selection(arguments: ["-t", name]) }
        /// Nodes of a category.
        public static func category(_ name: String) -> Selection { Selection(arguments: ["-c", name]) }
        /// Nodes with a role, wherever it comes from.
        public static func role(_ name: String) -> Selection { Selection(arguments: ["-l", name]) }
        /// Nodes of an overlay.
        public static func overlay(_ name: String) -> Selection { Selection(arguments: ["-e", name]) }
        /// These nodes.
        public static func nodes(_ range: NodeRange) -> Selection { Selection(arguments: ["-n", range.description]) }
        /// Those that both mean.
        public func and(_ other: Selection) -> Selection { Selection(arguments: arguments + other.arguments) }

        /// The options, once their values can stand in a command.
        func checked() throws(BCMError) -> [String] {
            for index in arguments.indices where index % 2 == 1 {
                _ = try CmshScript.name(arguments[index], "selection of devices")
            }
            return arguments
        }
    }
}

/// A device as cmsh lists it.
public struct ClusterDevice: Sendable, Hashable {
    /// BCM's short name.
    public var hostname: String
    /// `HeadNode`, `PhysicalNode` and others; nil when not shown.
    public var type: String?
    /// The address; nil when not shown.
    public var ip: String?
    /// The hardware address; nil when not shown.
    public var mac: String?
    /// The category; nil on head nodes.
    public var category: String?
    /// The status without its decoration: `UP`, `DOWN` and others; nil when not shown.
    public var status: String?

    /// Creates a device; tests and fakes need this.
    public init(
        hostname: String, type: String? = nil, ip: String? = nil, mac: String? = nil, category: String? = nil,
        status: String? = nil
    ) {
        self.hostname = hostname
        self.type = type
        self.ip = ip
        self.mac = mac
        self.category = category
        self.status = status
    }
}

/// Something that roles are assigned to.
public struct RoleHolder: Sendable, Hashable {
    let mode: String
    let name: String
    /// A node itself.
    public static func node(_ name: String) -> RoleHolder { RoleHolder(mode: "device", name: name) }
    /// A category of nodes.
    public static func category(_ name: String) -> RoleHolder { RoleHolder(mode: "category", name: name) }
    /// A configuration overlay.
    public static func overlay(_ name: String) -> RoleHolder { RoleHolder(mode: "configurationoverlay", name: name) }
}

/// A role of a node, and where it comes from.
public struct RoleAssignment: Sendable, Hashable {
    /// The role's name.
    public var name: String
    /// Where it comes from.
    public var origin: Origin
    /// BCM's priority of the assignment: 250 for categories, 500 for overlays unless changed, 750 for the node itself;
    /// -1 means that it is ignored. Nil when not shown.
    public var priority: Int?

    /// Where a role comes from; an open set.
    public struct Origin: Sendable, Hashable, CustomStringConvertible {
        /// `node`, `category`, `overlay`, or what a later version of BCM writes.
        public let kind: String
        /// The name of the category or overlay; nil for the node itself.
        public let name: String?
        /// The node itself.
        public static let node = Origin(kind: "node", name: nil)
        /// A category.
        public static func category(_ name: String?) -> Origin { Origin(kind: "category", name: name) }
        /// A configuration overlay.
        public static func overlay(_ name: String) -> Origin { Origin(kind: "overlay", name: name) }
        init(kind: String, name: String?) {
            self.kind = kind
            self.name = name
        }
        /// `overlay slurm-client`, or `node`.
        public var description: String { kind + (name.map { " " + $0 } ?? "") }
    }

    /// Creates an assignment; tests and fakes need this.
    public init(name: String, origin: Origin, priority: Int? = nil) {
        self.name = name
        self.origin = origin
        self.priority = priority
    }
}

/// A certificate to be made by BCM.
public struct CertificateRequest: Sendable, Hashable {
    /// The certificate's common name.
    public var commonName: String
    /// The profile that says what it may do, such as `readonly`.
    public var profile: String
    /// Where the key is written on the head node, an absolute path.
    public var keyFile: String
    /// Where the certificate is written on the head node, an absolute path.
    public var certificateFile: String
    /// How many days it is valid; 3650 by default.
    public var days: Int
    /// The length of the RSA key in bits; 2048 by default.
    public var bits: Int
    /// Organisation, unit, locality, state and country, in this order.
    public var organisation: [String]
    /// The system login it belongs to; empty for none.
    public var systemLogin: String

    /// Creates a request.
    public init(
        commonName: String, profile: String, keyFile: String, certificateFile: String, days: Int = 3650,
        bits: Int = 2048, organisation: [String] = ["", "", "", "", ""], systemLogin: String = ""
    ) {
        self.commonName = commonName
        self.profile = profile
        self.keyFile = keyFile
        self.certificateFile = certificateFile
        self.days = days
        self.bits = bits
        self.organisation = organisation
        self.systemLogin = systemLogin
    }
}

/// A certificate that BCM lists as issued. All texts are as BCM writes them.
public struct IssuedCertificate: Sendable, Hashable {
    /// The serial number.
    public var serial: String
    /// The common name.
    public var name: String
    /// The profile; nil when not shown.
    public var profile: String?
    /// How many days it is still valid, as BCM counts; nil when not shown.
    public var daysLeft: Int?
    /// Whether it is revoked; nil when not shown.
    public var isRevoked: Bool?
    /// Every column of the row under its heading.
    public var columns: [String: String]

    /// Creates a value; tests and fakes need this.
    public init(
        serial: String, name: String, profile: String? = nil, daysLeft: Int? = nil, isRevoked: Bool? = nil,
        columns: [String: String] = [:]
    ) {
        self.serial = serial
        self.name = name
        self.profile = profile
        self.daysLeft = daysLeft
        self.isRevoked = isRevoked
        self.columns = columns
    }
}

/// What `cmha status` says.
public struct HighAvailability: Sendable, Hashable {
    /// The head nodes it names, in its order; empty without HA.
    public var headNodes: [String]
    /// The active one; nil without HA, or when none is marked.
    public var activeHost: String?
    /// Whether two head nodes are set up at all.
    public var isConfigured: Bool { headNodes.count > 1 }

    /// Whether this host is the active head node: its name or its first label equals the active one's.
    public func isActive(_ host: String) -> Bool {
        guard let activeHost else { return false }
        return firstLabel(host.lowercased()) == firstLabel(activeHost.lowercased())
    }

    /// Creates a value; tests and fakes need this.
    public init(headNodes: [String], activeHost: String?) {
        self.headNodes = headNodes
        self.activeHost = activeHost
    }
}

/// The part of a host name before its first dot.
func firstLabel(_ name: String) -> Substring { name.prefix { $0 != "." } }
