import ClusterModel

/// `/rest/v1/status`, read and written.
enum StatusService {
    static func get(_ request: RESTRequest, _ state: ClusterState) -> RESTAnswer {
        var nodes = state.allNodes
        if let range = request.query["name"] {
            guard let names = NodeRange.names(range) else { return .error(400, "invalid name range: \(range)") }
            let chosen = Set(names)
            nodes = nodes.filter { chosen.contains($0.name) }
        }
        let verbose = request.query["verbose"] == "1"
        let rows = nodes.map { node in
            var members: [JSONText.Member] = [.init("hostname", .string(node.name))]
            if verbose {
                members += ["health_check_failed", "health_check_unknown", "provisioning_failed", "restart_required"]
                    .map { .init($0, false) }
            }
            members.append(.init("status", .string(node.status)))
            return JSONText.object(members)
        }
        return RESTAnswer(.array(rows), indent: request.indent)
    }

    private struct Change: Decodable {
        var hostname: String
        var user: String?
        var info: String?
        var tool: String?
    }

    static func post(_ request: RESTRequest, _ store: StateStore) -> RESTAnswer {
        guard let changes = request.decoded([Change].self) else {
            return .error(400, "expected an array of objects with hostname")
        }
        do {
            let counts = try store.update { state in changes.map { apply($0, to: &state) } }
            return RESTAnswer(.array(counts.map { .number($0) }))
        } catch {
            return .error(500, "\(error)")
        }
    }

    private static func apply(_ change: Change, to state: inout ClusterState) -> Int {
        var count = 0
        func set(_ value: String?, _ field: inout String) {
            guard let value, value != field else { return }
            field = value
            count += 1
        }
        func edit(_ node: inout Node) {
            set(change.user, &node.userMessage)
            set(change.info, &node.infoMessage)
            set(change.tool, &node.toolMessage)
        }
        for index in state.headNodes.indices where state.headNodes[index].name == change.hostname {
            edit(&state.headNodes[index])
        }
        for index in state.nodes.indices where state.nodes[index].name == change.hostname { edit(&state.nodes[index]) }
        return count
    }
}
