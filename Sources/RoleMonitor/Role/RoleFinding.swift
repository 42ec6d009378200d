package import BCMClient

/// What BCM says about this node's role.
package enum RoleFinding: Sendable, Hashable {
    /// The node has the role. `node` is BCM's name of it.
    case present(node: String)
    /// The node does not have the role, certainly.
    case absent(node: String)
    /// It cannot be told, so nothing is changed.
    case unknown(UnknownRole)

    /// The finding without the node's name and the reason.
    package var state: RoleState {
        switch self {
        case .present: .present
        case .absent: .absent
        case .unknown: .unknown
        }
    }
}

/// Why the role cannot be told.
package struct UnknownRole: Sendable, Hashable {
    /// A bounded word for metrics: `not reachable`, `not listed`, `roles hidden`, ...
    package var kind: String
    /// The reason in words, with what to do.
    package var message: String

    package init(_ kind: String, _ message: String) {
        self.kind = kind
        self.message = message
    }

    init(_ error: BCMError) {
        self.init(error.code.description, error.description)
    }
}

/// Which of BCM's devices is this node.
package enum NodeMatch: Sendable, Hashable {
    case found(Device)
    case notListed
    case ambiguous([String])

    /// Finds this node among devices with the same first label.
    ///
    /// An exact name goes before a short one, and among several of a kind the one with a hardware address of this host
    /// wins. Two fully qualified names that differ are the same node only if the hardware address says so.
    package init(hostName: String, addresses: Set<String>, among devices: [Device]) {
        let own = hostName.lowercased()
        func isOurs(_ device: Device) -> Bool {
            device.mac.map { addresses.contains(HostIdentity.normalized($0)) } ?? false
        }
        let exact = devices.filter { $0.hostname.lowercased() == own }
        let short = devices.filter { device in
            let name = device.hostname.lowercased()
            guard NodeName.label(name) == NodeName.label(own) else { return false }
            return !name.contains(".") || !own.contains(".") || isOurs(device)
        }
        let candidates = exact.isEmpty ? short : exact
        guard candidates.count != 1 else {
            self = .found(candidates[0])
            return
        }
        let ours = candidates.filter(isOurs)
        if ours.count == 1 {
            self = .found(ours[0])
        } else {
            self = candidates.isEmpty ? .notListed : .ambiguous(candidates.map(\.hostname))
        }
    }
}

/// Parts of host names.
package enum NodeName {
    /// The part before the first dot, in lower case.
    package static func label(_ name: String) -> String {
        String(name.lowercased().prefix { $0 != "." })
    }
}

extension RoleFinding {
    /// What one answer says, before any second look.
    ///
    /// - Parameters:
    ///   - answer: the documented array, searched for this node.
    ///   - isRoleKnownVisible: whether BCM is known to show this role at all.
    package init(_ answer: DeviceLookup, host: HostIdentity, role: String, isRoleKnownVisible: Bool) {
        switch NodeMatch(hostName: host.hostName, addresses: host.addresses, among: answer.matches) {
        case .notListed:
            self = .unknown(
                UnknownRole(
                    "not listed",
                    "\(answer.headNode) does not list this node, \"\(host.hostName)\", among \(answer.deviceCount) "
                        + "devices; add it in BCM, or correct the host name"))
        case .ambiguous(let names):
            self = .unknown(
                UnknownRole(
                    "ambiguous name",
                    "\(answer.headNode) lists several nodes that may be this one (\(names.joined(separator: ", "))), "
                        + "and none or more than one has a hardware address of this host; correct the name or the "
                        + "address in BCM"))
        case .found(let device):
            if device.roles?.contains(role) == true {
                self = .present(node: device.hostname)
            } else if answer.devicesShowingRoles == 0 {
                self = .unknown(
                    UnknownRole(
                        "roles hidden",
                        "\(answer.headNode) shows no role of any of its \(answer.deviceCount) devices; the "
                            + "certificate may not be allowed to see them"))
            } else if !isRoleKnownVisible {
                self = .unknown(
                    UnknownRole(
                        "role never shown",
                        "\(answer.headNode) does not show the role \(role) for \(device.hostname), but it never did: "
                            + "roles of overlays and categories may not be shown; set \"roles_visible\" once it is "
                            + "certain that they are"))
            } else {
                self = .absent(node: device.hostname)
            }
        }
    }
}

extension RoleFinding {
    /// BCM's name of the node; nil where the role is unknown.
    var node: String? {
        switch self {
        case .present(let node), .absent(let node): node
        case .unknown: nil
        }
    }
}
