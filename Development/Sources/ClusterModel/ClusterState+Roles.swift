/// Where a node has a role from.
public struct RoleOrigin: Sendable, Hashable {
    /// The kinds of origin.
    public enum Place: Sendable, Hashable {
        /// Assigned to the node itself.
        case node
        /// From an overlay of this name.
        case overlay(String)
        /// From the category of this name.
        case category(String)
    }
    /// The role.
    public var role: String
    /// Where it is assigned.
    public var place: Place
    /// What decides between several assignments.
    public var priority: Int

    /// As `roles; list -p` shows it: `[overlay:slurm-client:500] slurmclient`; without the number for plain `list`.
    public func text(withPriority: Bool) -> String {
        let number = withPriority ? ["\(priority)"] : []
        let parts: [String] =
            switch place {
            case .node: number
            case .overlay(let name): ["overlay", name] + number
            case .category(let name): ["category", name] + number
            }
        return parts.isEmpty ? role : "[\(parts.joined(separator: ":"))] \(role)"
    }
}

extension ClusterState {
    /// Priority of an assignment to a category.
    public static let categoryPriority = 250
    /// Priority of an assignment to a node.
    public static let nodePriority = 750

    /// Head nodes first, then compute nodes.
    public var allNodes: [Node] { headNodes + nodes }

    /// The node of this name.
    public func node(_ name: String) -> Node? { allNodes.first { $0.name == name } }

    /// Whether this is the name of a head node.
    public func isHeadNode(_ name: String) -> Bool { headNodes.contains { $0.name == name } }

    /// The roles in force on a node, each from the place with the highest priority, in the order of their names.
    public func roles(of node: Node) -> [RoleOrigin] {
        var candidates = node.roles.map {
            RoleOrigin(role: $0.name, place: .node, priority: $0.priority ?? Self.nodePriority)
        }
        for overlay in overlays where covers(overlay, node) {
            candidates += overlay.roles.map {
                RoleOrigin(
                    role: $0.name, place: .overlay(overlay.name),
                    priority: overlay.priority < 0 ? -1 : ($0.priority ?? overlay.priority))
            }
        }
        if let category = categories.first(where: { $0.name == node.category }) {
            candidates += category.roles.map {
                RoleOrigin(
                    role: $0.name, place: .category(category.name), priority: $0.priority ?? Self.categoryPriority)
            }
        }
        var best: [String: RoleOrigin] = [:]
        for candidate in candidates where candidate.priority >= 0 {
            if let known = best[candidate.role], known.priority >= candidate.priority { continue }
            best[candidate.role] = candidate
        }
        return best.values.sorted { $0.role < $1.role }
    }

    private func covers(_ overlay: Overlay, _ node: Node) -> Bool {
        overlay.nodes.contains(node.name)
            || (overlay.allHeadNodes && isHeadNode(node.name))
            || (node.category.map { overlay.categories.contains($0) } ?? false)
    }
}
