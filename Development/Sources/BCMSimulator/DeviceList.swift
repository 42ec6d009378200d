import ClusterModel

/// What `/rest/v1/device` answers.
enum DeviceList {
    static func answer(_ state: ClusterState, fault: Fault?, indent: Int) -> RESTAnswer {
        var devices = state.headNodes.map { device($0, "HeadNode", state, fault) }
        if fault != .hostMissing {
            for node in state.nodes {
                devices.append(device(node, "PhysicalNode", state, fault))
                guard fault == .hostTwice else { continue }
                var twin = node
                twin.hardwareAddress = "02:00:00:00:00:01"
                twin.address = "10.255.255.1"
                devices.append(device(twin, "PhysicalNode", state, .rolesInvisible))
            }
        }
        // Made-up devices stand on both sides of the real ones, so that these are in the middle of the list.
        let generated = (0..<state.generatedDevices).map { device(generatedNode($0), "PhysicalNode", state, fault) }
        let half = generated.count / 2
        return RESTAnswer(.array(generated[..<half] + devices + generated[half...]), indent: indent)
    }

    /// The roles that REST shows: those of overlays and categories only where the site's switch says so.
    static func visibleRoles(_ node: Node, _ state: ClusterState, fault: Fault?) -> [String] {
        if fault == .rolesInvisible && !state.isHeadNode(node.name) { return [] }
        return state.roles(of: node).filter { origin in
            if fault == .roleMissing && origin.role == "slurmclient" { return false }
            return origin.place == .node || state.switches.overlayRolesVisible
        }.map(\.role)
    }

    /// One device, as the JSON interface gives it as well.
    static func device(_ node: Node, _ state: ClusterState, _ fault: Fault?) -> JSONText {
        device(node, state.isHeadNode(node.name) ? "HeadNode" : "PhysicalNode", state, fault)
    }

    private static func device(_ node: Node, _ type: String, _ state: ClusterState, _ fault: Fault?) -> JSONText {
        var members: [JSONText.Member] = []
        if let category = node.category { members.append(.init("category", .string(category))) }
        members.append(.init("cluster", .string(state.clusterName)))
        members.append(.init("hostname", .string(node.name)))
        members.append(.init("ip", .string(node.address)))
        members.append(.init("mac", .string(node.hardwareAddress)))
        members.append(.init("network", .string(node.network)))
        let roles = visibleRoles(node, state, fault: fault)
        if !roles.isEmpty { members.append(.init("roles", .array(roles.map { .string($0) }))) }
        members.append(.init("type", .string(type)))
        return .object(members)
    }

    private static func generatedNode(_ index: Int) -> Node {
        let digits = "\(index)"
        var node = Node(
            name: "generated-gpu-node-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits,
            address: "10.\(150 + index / 65536).\(index / 256 % 256).\(index % 256)",
            hardwareAddress: ClusterState.hardwareAddress(
                forBytes: [
                    0xFE, 0x16, UInt8(index >> 24 & 255), UInt8(index >> 16 & 255), UInt8(index >> 8 & 255),
                    UInt8(index & 255),
                ]),
            category: "generated-category-a100")
        // Seven roles make a device of about 340 bytes.
        node.roles = [
            "slurmclient", "slurmsubmit", "provisioning", "pyxis", "docker", "monitoring-storage",
            "generic-gpu-node-with-eight",
        ].map { Role(name: $0) }
        return node
    }
}
