/// The status of a node, as `/rest/v1/status` shows it.
public struct NodeStatus: Sendable, Hashable {
    /// BCM's short name of the node.
    public var hostname: String
    /// Its state.
    public var state: NodeState
    /// Whether a health check failed; nil unless asked for verbosely.
    public var hasFailedHealthCheck: Bool?
    /// Whether a health check gave no result; nil unless asked for verbosely.
    public var hasUnknownHealthCheck: Bool?
    /// Whether provisioning failed; nil unless asked for verbosely.
    public var hasFailedProvisioning: Bool?
    /// Whether a restart is required; nil unless asked for verbosely.
    public var needsRestart: Bool?
    /// The whole row as BCM wrote it.
    public var raw: JSONValue

    /// Creates a status; tests and fakes need this.
    public init(
        hostname: String, state: NodeState, hasFailedHealthCheck: Bool? = nil, hasUnknownHealthCheck: Bool? = nil,
        hasFailedProvisioning: Bool? = nil, needsRestart: Bool? = nil, raw: JSONValue = .null
    ) {
        self.hostname = hostname
        self.state = state
        self.hasFailedHealthCheck = hasFailedHealthCheck
        self.hasUnknownHealthCheck = hasUnknownHealthCheck
        self.hasFailedProvisioning = hasFailedProvisioning
        self.needsRestart = needsRestart
        self.raw = raw
    }
}

extension NodeStatus {
    init(_ place: JSONPlace) throws(JSONError) {
        self.init(
            hostname: try place.member("hostname").text(), state: NodeState(try place.member("status").text()),
            hasFailedHealthCheck: try place.optional("health_check_failed")?.boolean(),
            hasUnknownHealthCheck: try place.optional("health_check_unknown")?.boolean(),
            hasFailedProvisioning: try place.optional("provisioning_failed")?.boolean(),
            needsRestart: try place.optional("restart_required")?.boolean(), raw: place.value)
    }
}

/// What a node's status is to say besides its state. Texts that are nil stay as they are.
public struct StatusUpdate: Sendable, Hashable {
    /// BCM's short name of the node.
    public var hostname: String
    /// The user's text.
    public var user: String?
    /// The text for information.
    public var info: String?
    /// The tool's text.
    public var tool: String?

    /// Creates an update.
    public init(hostname: String, user: String? = nil, info: String? = nil, tool: String? = nil) {
        self.hostname = hostname
        self.user = user
        self.info = info
        self.tool = tool
    }

    var json: JSONValue {
        let members = [("hostname", hostname as String?), ("user", user), ("info", info), ("tool", tool)]
        return .object(
            JSONObject(members.compactMap { name, value in value.map { JSONObject.Member(name, .text($0)) } }))
    }
}

/// An event for BCM's log of events.
public struct ClusterEvent: Sendable, Hashable {
    /// What happened, in a line.
    public var message: String
    /// More about it.
    public var details: String
    /// `notice` and others, as BCM names them.
    public var severity: String

    /// Creates an event.
    public init(_ message: String, details: String = "", severity: String = "notice") {
        self.message = message
        self.details = details
        self.severity = severity
    }
}
