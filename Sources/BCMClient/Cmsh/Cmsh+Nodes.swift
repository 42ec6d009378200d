extension Cmsh {
    /// All devices, or those of one kind.
    public func devices(_ selection: Selection = .all) async throws(BCMError) -> [ClusterDevice] {
        let table = try await table([
            ["device"], ["list"] + selection.checked() + ["-f", "hostname,type,ip,mac,category,status"],
        ])
        return table.rows.compactMap { row in
            guard let hostname = row["hostname"], !hostname.isEmpty else { return nil }
            func value(_ column: String) -> String? { row[column].flatMap { $0.isEmpty ? nil : $0 } }
            return ClusterDevice(
                hostname: hostname, type: value("type"), ip: value("ip"), mac: value("mac"),
                category: value("category"), status: value("status").map { NodeState($0).name })
        }
    }

    /// The head nodes, by their own names.
    public func headNodes() async throws(BCMError) -> [ClusterDevice] { try await devices(.headNodes) }

    /// A property of a node, category or overlay, such as a node's `softwareimage`.
    public func property(_ name: String, of holder: RoleHolder) async throws(BCMError) -> String {
        let output = try await run(
            [
                [holder.mode], ["use", try CmshScript.name(holder.name, holder.kind)],
                ["get", try CmshScript.name(name, "property")],
            ], expectsOutput: true)
        return output.trimmed
    }

    /// The roles of a node, with where each comes from. Those with a priority of -1 are listed, though BCM ignores them.
    public func roles(of node: String) async throws(BCMError) -> [RoleAssignment] {
        let table = try await table([
            ["device"], ["use", try CmshScript.name(node, "device")], ["roles"], ["list", "-p"],
        ])
        return table.rows.compactMap { row in
            (row["name"] ?? row["role"] ?? row.values.first).flatMap { RoleAssignment(cmsh: $0) }
        }
    }

    /// Assigns a role and commits.
    public func assignRole(_ role: String, to holder: RoleHolder) async throws(BCMError) {
        try await changeRole("assign", role, holder)
    }

    /// Takes a role away and commits.
    public func unassignRole(_ role: String, from holder: RoleHolder) async throws(BCMError) {
        try await changeRole("unassign", role, holder)
    }

    private func changeRole(_ verb: String, _ role: String, _ holder: RoleHolder) async throws(BCMError) {
        _ = try await run([
            [holder.mode], ["use", try CmshScript.name(holder.name, holder.kind)], ["roles"],
            [verb, try CmshScript.name(role, "role")], ["commit"],
        ])
    }
}

extension RoleAssignment {
    /// Reads `[overlay:slurm-client:500] slurmclient`, `[750] boot` or `boot`.
    init?(cmsh text: String) {
        guard text.hasPrefix("["), let close = text.firstIndex(of: "]") else {
            guard !text.isEmpty else { return nil }
            self.init(name: text, origin: .node)
            return
        }
        let name = text[text.index(after: close)...].trimmed
        guard !name.isEmpty else { return nil }
        let parts = text.dropFirst().prefix { $0 != "]" }.split(separator: ":", omittingEmptySubsequences: false)
            .map(\.trimmed)
        let priority = parts.last.flatMap { Int($0) }
        let named = (priority == nil ? parts : parts.dropLast()).map { String($0) }
        let origin: Origin
        if let kind = named.first, !kind.isEmpty {
            let rest = named.dropFirst().joined(separator: ":")
            origin = Origin(kind: kind.lowercased(), name: rest.isEmpty ? nil : rest)
        } else {
            // BCM names no origin for a category's and the node's own; the priorities differ.
            origin = priority == 250 ? .category(nil) : .node
        }
        self.init(name: name, origin: origin, priority: priority)
    }
}

extension RoleHolder {
    var kind: String {
        switch mode {
        case "category": "category"
        case "configurationoverlay": "configuration overlay"
        default: "device"
        }
    }
}
