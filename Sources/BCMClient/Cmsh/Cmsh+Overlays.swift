/// A configuration overlay: roles for a set of nodes.
public struct ConfigurationOverlay: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// The priority of its roles; -1 means that they are ignored. Nil when not shown.
    public var priority: Int?
    /// Its nodes, by name; those of its categories do not count.
    public var nodes: [String]
    /// The categories whose nodes it covers.
    public var categories: [String]
    /// Whether it covers every head node; nil when not shown.
    public var coversHeadNodes: Bool?
    /// The roles it gives.
    public var roles: [String]

    /// Creates an overlay; tests and fakes need this.
    public init(
        name: String, priority: Int? = nil, nodes: [String] = [], categories: [String] = [],
        coversHeadNodes: Bool? = nil, roles: [String] = []
    ) {
        self.name = name
        self.priority = priority
        self.nodes = nodes
        self.categories = categories
        self.coversHeadNodes = coversHeadNodes
        self.roles = roles
    }
}

extension Cmsh {
    /// The names of the configuration overlays.
    public func overlays() async throws(BCMError) -> [String] {
        try await table([["configurationoverlay"], ["list"]]).rows.compactMap { $0["name"] }.filter { !$0.isEmpty }
    }

    /// The configuration overlays with what they cover and give.
    public func overlayDetails() async throws(BCMError) -> [ConfigurationOverlay] {
        let table = try await table([
            ["configurationoverlay"], ["list", "-f", "name,priority,nodes,categories,allheadnodes,roles"],
        ])
        return table.rows.compactMap { row in
            guard let name = row["name"], !name.isEmpty else { return nil }
            let heads = (row["allheadnodes"] ?? row["all head nodes"])?.lowercased()
            return ConfigurationOverlay(
                name: name, priority: row["priority"].flatMap { Int($0) }, nodes: Self.list(row["nodes"] ?? ""),
                categories: Self.list(row["categories"] ?? ""), coversHeadNodes: heads.map { $0 == "yes" },
                roles: Self.list(row["roles"] ?? ""))
        }
    }

    /// Takes nodes into an overlay, commits, and reads it back.
    public func addNodes(_ nodes: NodeRange, toOverlay name: String) async throws(BCMError) {
        try await changeNodes(nodes) { node, transaction in transaction.append(node, to: "nodes", of: .overlay(name)) }
    }

    /// Takes nodes out of an overlay, commits, and reads it back.
    public func removeNodes(_ nodes: NodeRange, fromOverlay name: String) async throws(BCMError) {
        try await changeNodes(nodes) { node, transaction in transaction.remove(node, from: "nodes", of: .overlay(name))
        }
    }

    private func changeNodes(
        _ nodes: NodeRange, _ change: (String, inout CmshTransaction) -> Void
    ) async throws(BCMError) {
        var transaction = CmshTransaction()
        for node in nodes.names { change(node, &transaction) }
        do throws(CmshTransactionError) {
            try await commit(transaction)
        } catch {
            throw error.cause
        }
    }
}
