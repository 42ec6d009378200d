import ClusterModel

/// The monitoring paths: entities are the nodes, measurements there are none.
enum MonitoringService {
    static func entities(_ request: RESTRequest, _ state: ClusterState) -> RESTAnswer {
        var nodes = state.allNodes
        if let range = request.query["name"] {
            guard let names = NodeRange.names(range) else { return .error(400, "invalid name range: \(range)") }
            nodes = nodes.filter { names.contains($0.name) }
        }
        if let like = request.query["like"] {
            guard let pattern = try? Regex(like) else { return .error(400, "invalid expression: \(like)") }
            nodes = nodes.filter { $0.name.firstMatch(of: pattern) != nil }
        }
        let rows = nodes.enumerated().map { index, node in
            let type = state.isHeadNode(node.name) ? "HeadNode" : "PhysicalNode"
            return JSONText.members(
                ("key", .number(281_474_976_710_000 + index)), ("name", .string(node.name)), ("type", .string(type)))
        }
        return RESTAnswer(.members(("entities", .array(rows))), indent: request.indent)
    }

    static func push(_ request: RESTRequest) -> RESTAnswer {
        struct Item: Decodable { var metric: String }
        guard let items = request.decoded([Item].self) else { return .error(400, "expected an array with metric") }
        return RESTAnswer(
            .members(("values", .members(("added", .number(items.count)), ("provided", .number(items.count))))))
    }
}
