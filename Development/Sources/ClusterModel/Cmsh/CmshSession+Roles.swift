extension CmshSession {
    /// The commands in `roles` of a device, category or overlay.
    mutating func runRoles(
        _ mode: CmshPlace.Mode, _ object: String, _ name: String, _ words: [String]
    ) throws -> Bool {
        switch name {
        case "list":
            let options = try CmshOptions(words, valued: ["-d"], flags: ["-p"])
            let rows = roleRows(mode, object, withPriority: options.flags.contains("-p"))
            output += try CmshTable(columns: ["Name (key)"], rows: rows.map { [$0] })
                .text(delimiter: options["-d"], switches: state.switches)
        case "assign":
            guard words.count == 1, let role = words.first else { throw CmshError("assign takes one role") }
            guard Self.knownRoles.contains(role.lowercased()) else { throw CmshError("no such role: '\(role)'") }
            guard !roles(mode, object).contains(where: { $0.name == role }) else {
                throw CmshError("role is already assigned: '\(role)'")
            }
            try changeRoles(mode, object) { $0.append(Role(name: role.lowercased())) }
            place = .role(mode, object, role.lowercased())
        case "unassign":
            guard words.count == 1, let role = words.first else { throw CmshError("unassign takes one role") }
            guard roles(mode, object).contains(where: { $0.name == role }) else {
                throw CmshError("role is not assigned here: '\(role)'")
            }
            try changeRoles(mode, object) { $0.removeAll { $0.name == role } }
        case "use":
            guard words.count == 1, roles(mode, object).contains(where: { $0.name == words[0] }) else {
                throw CmshError("role is not assigned here: '\(words.joined(separator: " "))'")
            }
            place = .role(mode, object, words[0])
        default: return false
        }
        return true
    }

    /// The commands of one assignment.
    mutating func runRole(
        _ mode: CmshPlace.Mode, _ object: String, _ role: String, _ name: String, _ words: [String]
    ) throws -> Bool {
        switch (name, words.first) {
        case ("get", "name"): output += role + "\n"
        case ("get", "priority"):
            let own = roles(mode, object).first { $0.name == role }?.priority
            output += "\(own ?? 0)\n"
        case ("set", "priority"):
            guard words.count == 2, let number = Int(words[1]), number >= -1 else {
                throw CmshError("invalid priority: \(words.dropFirst().joined(separator: " "))")
            }
            try changeRoles(mode, object) { roles in
                for index in roles.indices where roles[index].name == role { roles[index].priority = number }
            }
        case ("get", _), ("set", _): throw CmshError("no such property: \(words.first ?? "")")
        case ("assign", _), ("unassign", _), ("list", _), ("use", _):
            // As in `assign a; assign b`: the session still stands in the role just assigned.
            place = place.parent
            return try runRoles(mode, object, name, words)
        default: return false
        }
        return true
    }

    private func roleRows(_ mode: CmshPlace.Mode, _ object: String, withPriority: Bool) -> [String] {
        if mode == .device, let node = state.node(object) {
            return state.roles(of: node).map { $0.text(withPriority: withPriority) }
        }
        let usual =
            mode == .category
            ? ClusterState.categoryPriority : state.overlays.first { $0.name == object }?.priority ?? 500
        return roles(mode, object).sorted { $0.name < $1.name }.map {
            withPriority ? "[\($0.priority ?? usual)] \($0.name)" : $0.name
        }
    }

    private func roles(_ mode: CmshPlace.Mode, _ object: String) -> [Role] {
        switch mode {
        case .device: state.node(object)?.roles ?? []
        case .category: state.categories.first { $0.name == object }?.roles ?? []
        case .configurationoverlay: state.overlays.first { $0.name == object }?.roles ?? []
        default: []
        }
    }

    private mutating func changeRoles(
        _ mode: CmshPlace.Mode, _ object: String, _ body: @escaping (inout [Role]) -> Void
    ) throws {
        try change { state in
            switch mode {
            case .device: try Node.change(&state, object) { body(&$0.roles) }
            case .category: try Category.change(&state, object) { body(&$0.roles) }
            case .configurationoverlay: try Overlay.change(&state, object) { body(&$0.roles) }
            default: break
            }
        }
    }

    private static let knownRoles: Set = [
        "backup", "boot", "headnode", "monitoring", "provisioning", "storage", "generic", "login", "slurmclient",
        "slurmserver", "slurmsubmit", "slurmaccounting", "firewall", "docker", "pyxis", "jupyterhub",
    ]
}
