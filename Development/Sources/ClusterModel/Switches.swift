/// What differs between sites, and what tests want to be otherwise.
public struct Switches: Codable, Sendable, Hashable {
    /// How `cmsh` treats `-d {}`.
    public enum JSONTables: String, Codable, Sendable, CaseIterable {
        /// It answers with JSON.
        case on
        /// It ignores the option, as older versions do, and prints the padded table.
        case off
        /// It refuses the option.
        case error
    }

    /// Whether REST shows roles that come from overlays and categories.
    public var overlayRolesVisible = true
    /// Whether the certificates of nodes are allowed to read devices.
    public var nodeCertificatesMayRead = true
    /// Whether the server certificates name the head nodes and `master`.
    public var headNamesInCertificate = true
    /// How `cmsh` treats `-d {}`.
    public var jsonTables = JSONTables.on
    /// How long each answer is delayed, in milliseconds.
    public var latency = 0
}

/// Something that goes wrong on demand.
public enum Fault: String, Codable, Sendable, CaseIterable {
    // Before a connection.
    /// The port is closed.
    case refuse
    /// The handshake of TCP gets no answer.
    case hangConnect = "hang-connect"
    // In the handshake of TLS.
    /// The handshake of TLS gets no answer.
    case hangTLS = "hang-tls"
    /// The server certificate ran out.
    case expiredCertificate = "expired-certificate"
    /// Another authority signed the server certificate.
    case wrongCA = "wrong-ca"
    /// The cluster's authority signed a certificate with another key.
    case changedKey = "changed-key"
    /// The server certificate names another host.
    case wrongName = "wrong-name"
    /// The server speaks nothing newer than TLS 1.1.
    case oldTLS = "old-tls"
    // In the answer's transport.
    /// The request gets no answer.
    case hangHeader = "hang-header"
    /// The answer stops after half of its body.
    case hangBody = "hang-body"
    /// The connection is reset when the request has arrived.
    case reset
    /// The connection is closed after half of the body.
    case truncate
    /// The body comes a byte each second.
    case slow
    /// The body has more than 128 MiB.
    case huge
    /// The body is a gzip stream of 7 MB that unpacks to 1 GiB.
    case gzipBomb = "gzip-bomb"
    // In the answer's content.
    /// The body is no JSON.
    case garbage
    /// The body is JSON of another shape than documented.
    case wrongType = "wrong-type"
    /// HTTP status 401.
    case status401 = "status-401"
    /// HTTP status 403.
    case status403 = "status-403"
    /// HTTP status 404.
    case status404 = "status-404"
    /// HTTP status 429.
    case status429 = "status-429"
    /// HTTP status 500.
    case status500 = "status-500"
    /// HTTP status 503.
    case status503 = "status-503"
    /// A redirect to a place that would answer.
    case redirect
    /// Devices come without their roles.
    case rolesInvisible = "roles-invisible"
    /// Devices come without the role `slurmclient`, all others shown.
    case roleMissing = "role-missing"
    /// The compute nodes are not in the list.
    case hostMissing = "host-missing"
    /// Each compute node is in the list twice, the second time without roles and with another hardware address.
    case hostTwice = "host-twice"

    /// The HTTP status that the fault stands for.
    public var status: Int? { rawValue.hasPrefix("status-") ? Int(rawValue.dropFirst(7)) : nil }
}

/// Why a value could not be set.
public struct SettingError: Error, CustomStringConvertible {
    /// What was wrong, and what is possible.
    public let description: String

    /// Creates an error.
    public init(description: String) { self.description = description }
}

extension ClusterState {
    /// The settings that ``set(_:to:on:)`` knows, with what they take.
    public static let settings: [(name: String, values: String)] = [
        ("overlay-roles-visible", "yes|no"), ("node-certificates-may-read", "yes|no"),
        ("head-names-in-certificate", "yes|no"), ("json-tables", "on|off|error"), ("latency", "MILLISECONDS"),
        ("active-head", "HEAD"), ("generate-devices", "NUMBER"), ("node-status", "NODE=STATUS"),
        ("remove-node", "NODE"), ("rename-node", "OLD=NEW"), ("user-password", "USER=PASSWORD"), ("sessions", "end"),
        ("fault", (["none"] + Fault.allCases.map(\.rawValue)).joined(separator: "|")),
    ]

    /// The fault of a head node.
    public func fault(at headNode: String) -> Fault? { faults[headNode] }

    /// Changes one setting; faults concern one head node, or all when none is named.
    public mutating func set(_ key: String, to value: String, on headNode: String? = nil) throws(SettingError) {
        if headNode != nil && key != "fault" { throw SettingError(description: "--host goes with fault alone") }
        switch key {
        case "overlay-roles-visible": switches.overlayRolesVisible = try Self.truth(value, key)
        case "node-certificates-may-read": switches.nodeCertificatesMayRead = try Self.truth(value, key)
        case "head-names-in-certificate": switches.headNamesInCertificate = try Self.truth(value, key)
        case "json-tables":
            guard let choice = Switches.JSONTables(rawValue: value) else { throw Self.refused(key, value) }
            switches.jsonTables = choice
        case "latency":
            guard let number = Int(value), (0...3_600_000).contains(number) else { throw Self.refused(key, value) }
            switches.latency = number
        case "generate-devices":
            guard let number = Int(value), (0...1_000_000).contains(number) else { throw Self.refused(key, value) }
            generatedDevices = number
        case "active-head":
            guard isHeadNode(value) else { throw unknownHead(value) }
            activeHeadNode = value
        case "node-status":
            let (name, status) = try pair(key, value)
            change(name) { $0.status = status }
        case "rename-node":
            let (name, new) = try pair(key, value)
            guard node(new) == nil else { throw SettingError(description: "\(new) exists already") }
            change(name) { $0.name = new }
            for index in overlays.indices {
                overlays[index].nodes = overlays[index].nodes.map { $0 == name ? new : $0 }
            }
        case "remove-node":
            guard nodes.contains(where: { $0.name == value }) else { throw Self.refused(key, value) }
            nodes.removeAll { $0.name == value }
        case "user-password":
            let parts = value.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let index = users.firstIndex(where: { $0.name == parts[0] }) else {
                throw Self.refused(key, value)
            }
            users[index].password = parts[1]
        case "sessions":
            guard value == "end" else { throw Self.refused(key, value) }
            sessionEpoch += 1
        case "fault": try setFault(value, on: headNode)
        default:
            let names = Self.settings.map(\.name).joined(separator: ", ")
            throw SettingError(description: "there is no setting \(key); there are \(names)")
        }
    }

    private mutating func setFault(_ value: String, on headNode: String?) throws(SettingError) {
        let fault = Fault(rawValue: value)
        guard fault != nil || value == "none" else { throw Self.refused("fault", value) }
        if let headNode, !isHeadNode(headNode) { throw unknownHead(headNode) }
        for name in headNode.map({ [$0] }) ?? headNodes.map(\.name) { faults[name] = fault }
    }

    private mutating func change(_ name: String, _ body: (inout Node) -> Void) {
        for index in headNodes.indices where headNodes[index].name == name { body(&headNodes[index]) }
        for index in nodes.indices where nodes[index].name == name { body(&nodes[index]) }
    }

    private func pair(_ key: String, _ value: String) throws(SettingError) -> (String, String) {
        let parts = value.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, node(parts[0]) != nil else { throw Self.refused(key, value) }
        return (parts[0], parts[1])
    }

    private func unknownHead(_ name: String) -> SettingError {
        let names = headNodes.map(\.name).joined(separator: ", ")
        return SettingError(description: "there is no head node \(name); there are \(names)")
    }

    private static func refused(_ key: String, _ value: String) -> SettingError {
        let expected = settings.first { $0.name == key }?.values ?? ""
        return SettingError(description: "\(key) cannot be \(value); expected \(expected)")
    }

    private static func truth(_ value: String, _ key: String) throws(SettingError) -> Bool {
        switch value {
        case "yes", "on", "true": true
        case "no", "off", "false": false
        default: throw refused(key, value)
        }
    }
}
