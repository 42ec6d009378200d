package import BCMClient
package import RoleMonitor

/// What BCM said about all nodes at one moment.
package enum FleetAnswer: Sendable {
    /// A list that can be judged by.
    case listed(DeviceIndex)
    /// Nothing can be told from it, so nothing is removed.
    case unknown(UnknownFleet)

    /// Judges a list: one that is empty, or that shows the roles of no device, or none of these rules' roles, says nothing
    /// about a node. A single node cannot tell a role that is hidden from one that it has not; among all nodes it shows.
    package init(_ devices: [Device], from headNode: HeadNode, rules: [RoleRule]) {
        let index = DeviceIndex(devices, from: headNode)
        if devices.isEmpty {
            self = .unknown(
                UnknownFleet("\(headNode) lists no device at all; check what its certificate may see"))
        } else if index.devicesShowingRoles == 0 {
            self = .unknown(
                UnknownFleet(
                    "\(headNode) shows no role of any of its \(devices.count) devices; the certificate may not be "
                        + "allowed to see them"))
        } else if !rules.contains(where: { index.shownRoles.contains($0.role) }) {
            let names = rules.map(\.role).joined(separator: ", ")
            self = .unknown(
                UnknownFleet(
                    "\(headNode) shows \(names) for none of its \(devices.count) devices: either the certificate may not "
                        + "see it, or no node has it; if no node has it, remove the files by hand"))
        } else {
            self = .listed(index)
        }
    }
}

/// Why nothing can be told about the nodes.
package struct UnknownFleet: Sendable, Hashable {
    /// The reason in words, with what to do.
    package var message: String
    /// Whether a head node is not trusted, or did not authorise this client.
    package var isRefusal = false

    package init(_ message: String, isRefusal: Bool = false) {
        self.message = message
        self.isRefusal = isRefusal
    }

    /// Takes the failures of every head node that was asked.
    package init(_ failures: [BCMError]) {
        self.init(
            failures.map(\.description).joined(separator: " | "),
            isRefusal: failures.contains { $0.code == .notTrusted || $0.code == .notAuthorised })
    }
}

/// A list of devices in which a name is found at once.
package struct DeviceIndex: Sendable {
    package let headNode: HeadNode
    package let devices: [Device]
    /// How many devices show at least one role.
    package let devicesShowingRoles: Int
    /// The roles that at least one device shows.
    package let shownRoles: Set<String>
    private let byLabel: [String: [Device]]

    package init(_ devices: [Device], from headNode: HeadNode) {
        self.headNode = headNode
        self.devices = devices
        devicesShowingRoles = devices.count { $0.roles?.isEmpty == false }
        shownRoles = Set(devices.flatMap { $0.roles ?? [] })
        byLabel = Dictionary(grouping: devices) { NodeName.label($0.hostname) }
    }

    /// Whether the list shows a role for every node that has it, and there is one. Head nodes do not count: their roles
    /// are always shown.
    package func shows(_ role: String, of holders: [String]) -> Bool {
        let known = holders.flatMap { byLabel[NodeName.label($0)] ?? [] }.filter { $0.type != "HeadNode" }
        return !known.isEmpty && known.allSatisfy { $0.roles?.contains(role) == true }
    }

    /// What the list says about the node whose target file has this name, rule by rule.
    package func finding(of name: String, rules: [RoleRule]) -> NodeFinding {
        let answer = DeviceLookup(
            matches: byLabel[NodeName.label(name)] ?? [], deviceCount: devices.count,
            devicesShowingRoles: devicesShowingRoles, headNode: headNode)
        let host = HostIdentity(hostName: name, addresses: [], bootID: "")
        if NodeMatch(hostName: name, addresses: [], among: answer.matches) == .notListed {
            return .gone(devices: devices.count, headNode: headNode)
        }
        var node: String?
        var present: [RoleRule] = []
        var undecided: [RoleRule] = []
        var reason: UnknownRole?
        for rule in rules {
            switch RoleFinding(answer, host: host, role: rule.role, isRoleKnownVisible: rule.isRoleVisible) {
            case .present(let name):
                node = name
                present.append(rule)
            case .absent(let name) where shownRoles.contains(rule.role): node = name
            case .absent:
                undecided.append(rule)
                reason =
                    reason ?? UnknownRole("role never shown", "\(headNode) shows \(rule.role) for no device at all")
            case .unknown(let why):
                undecided.append(rule)
                reason = reason ?? why
            }
        }
        if let node, !present.isEmpty { return .has(node: node, present: present, undecided: undecided) }
        if let reason { return .unknown(reason.message) }
        return .lost(node: node ?? name, roles: rules.map(\.role), headNode: headNode)
    }
}

/// What one list says about one node.
package enum NodeFinding: Sendable, Hashable {
    /// The node has the roles of these rules; of others it cannot be told.
    case has(node: String, present: [RoleRule], undecided: [RoleRule])
    /// BCM lists the node, and it certainly has none of the roles.
    case lost(node: String, roles: [String], headNode: HeadNode)
    /// BCM lists other nodes and not this one.
    case gone(devices: Int, headNode: HeadNode)
    /// It cannot be told.
    case unknown(String)

    /// Whether the node's target file has no reason to be there.
    package var isOrphaning: Bool {
        switch self {
        case .lost, .gone: true
        case .has, .unknown: false
        }
    }
}
