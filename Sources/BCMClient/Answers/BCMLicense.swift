public import FoundationEssentials

/// BCM's licence, as `/rest/v1/license` shows it. What a version of BCM does not show is nil.
public struct BCMLicense: Sendable, Hashable {
    /// The edition.
    public var edition: String?
    /// The type, such as `Free` or `Commercial`.
    public var type: String?
    /// How many nodes are licensed.
    public var licensedNodes: Int?
    /// How many nodes there are.
    public var nodeCount: Int?
    /// How many accelerator nodes are licensed.
    public var licensedAcceleratorNodes: Int?
    /// How many accelerator nodes there are.
    public var acceleratorNodeCount: Int?
    /// How many burst nodes there are.
    public var burstNodeCount: Int?
    /// The moment from which it holds.
    public var start: Date?
    /// The moment until which it holds.
    public var end: Date?
    /// The serial number, as BCM writes it.
    public var serial: String?
    /// For whom it is.
    public var licensee: String?
    /// What BCM has to say about it.
    public var message: String?
    /// The version it is for.
    public var version: String?
    /// The whole answer as BCM wrote it.
    public var raw: JSONValue

    /// Creates a licence of which nothing is known; tests and fakes need this.
    public init(raw: JSONValue = .null) { self.raw = raw }
}

extension BCMLicense {
    init(_ place: JSONPlace) throws(JSONError) {
        _ = try place.members()
        self.init(raw: place.value)
        edition = try place.optional("edition")?.text()
        type = try place.optional("licenseType")?.text()
        licensedNodes = try place.optional("licensedNodes")?.count()
        nodeCount = try place.optional("nodeCount")?.count()
        licensedAcceleratorNodes = try place.optional("licensedAcceleratorNodes")?.count()
        acceleratorNodeCount = try place.optional("acceleratorNodeCount")?.count()
        burstNodeCount = try place.optional("burstNodeCount")?.count()
        start = try place.optional("startTime")?.unixSeconds()
        end = try place.optional("endTime")?.unixSeconds()
        serial = try place.optional("serial")?.textOrNumber()
        licensee = try place.optional("licensee")?.text()
        message = try place.optional("message")?.text()
        version = try place.optional("version")?.textOrNumber()
    }
}

/// Somebody who is connected to CMDaemon, as `/rest/v1/session` shows it.
public struct BCMSession: Sendable, Hashable {
    /// The user's name.
    public var username: String
    /// The group; nil when not shown.
    public var group: String?
    /// The type, such as `node`; nil when not shown.
    public var type: String?
    /// The address the session comes from; nil when not shown.
    public var address: String?
    /// The node it belongs to; nil when it belongs to none.
    public var node: String?
    /// The whole row as BCM wrote it.
    public var raw: JSONValue

    init(_ place: JSONPlace) throws(JSONError) {
        username = try place.member("username").text()
        group = try place.optional("group")?.text()
        type = try place.optional("type")?.text()
        address = try place.optional("address")?.text()
        node = try place.optional("node")?.text()
        raw = place.value
    }
}
