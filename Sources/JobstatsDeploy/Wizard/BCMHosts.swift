import BCMClient

/// Hosts as BCM knows them, offered for a list of the configuration.
struct BCMHosts: Sendable {
    /// Hosts that could be meant.
    struct Offer: Sendable, Equatable {
        /// Why they could be, such as `role slurmclient`.
        let origin: String
        let hosts: [String]
    }

    let cmsh: Cmsh

    /// Each overlay costs a call of cmsh; others can be named.
    private static let overlayLimit = 12

    /// The roles that suggest themselves for a list of hosts.
    private static let roles: [String: [String]] = [
        "systems.dgx_nodes": ["slurmclient"],
        "systems.slurm_controller": ["slurmserver"],
        "systems.login_nodes": ["slurmsubmit", "login"],
    ]

    /// What could be meant by a list: holders of the roles that suggest themselves, head nodes, each category, and the
    /// first of the overlays.
    ///
    /// - Throws: ``BCMError`` when cmsh cannot be asked.
    func offers(for keyPath: String) async throws(BCMError) -> [Offer] {
        let devices = try await cmsh.devices()
        var offers: [Offer] = []
        for role in Self.roles[keyPath] ?? [] {
            offers.append(Offer(origin: "role \(role)", hosts: try await cmsh.devices(.role(role)).map(\.hostname)))
        }
        let heads = Offer(origin: "head nodes", hosts: try await cmsh.headNodes().map(\.hostname))
        let categories = Dictionary(grouping: devices.filter { $0.category != nil }) { $0.category ?? "" }
        let byCategory = categories.sorted { $0.key < $1.key }.map {
            Offer(origin: "category \($0.key)", hosts: $0.value.map(\.hostname))
        }
        // Compute nodes are not looked for among head nodes.
        offers += keyPath == "systems.dgx_nodes" ? byCategory : [heads] + byCategory
        // Not every version lists overlays; without them there is still a choice.
        for overlay in ((try? await cmsh.overlays()) ?? []).prefix(Self.overlayLimit) {
            if let devices = try? await cmsh.devices(.overlay(overlay)) {
                offers.append(Offer(origin: "overlay \(overlay)", hosts: devices.map(\.hostname)))
            }
        }
        return offers.filter { !$0.hosts.isEmpty }
    }

    /// The hosts of a role, category or overlay.
    ///
    /// - Throws: ``BCMError`` when cmsh cannot be asked, or the name cannot be given to it.
    func hosts(of kind: String, _ name: String) async throws(BCMError) -> [String] {
        let selection: Cmsh.Selection =
            switch kind {
            case "category": .category(name)
            case "overlay": .overlay(name)
            default: .role(name)
            }
        return try await cmsh.devices(selection).map(\.hostname)
    }

    /// The hosts as entries of a list, ranges folded.
    static func entries(_ hosts: [String]) -> [String] { HostListEditor.entries(HostRange.compress(hosts)) }
}
