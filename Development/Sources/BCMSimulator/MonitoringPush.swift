import ClusterModel
import FoundationEssentials

/// Takes values that are pushed; they are about the head node that is asked.
enum MonitoringPush {
    private struct Declaration: Decodable {
        var metric: String
        var `class`: String?
    }

    private struct Item: Decodable {
        var metric: String
        var value: Value
        var info: String?
    }

    /// A number or a word.
    private struct Value: Decodable {
        var text: String
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let word = try? container.decode(String.self) {
                text = word
            } else {
                let number = try container.decode(Double.self)
                text = Int(exactly: number).map { "\($0)" } ?? "\(number)"
            }
        }
    }

    static func declare(_ request: RESTRequest, _ store: StateStore) -> RESTAnswer {
        guard let metrics = request.decoded([Declaration].self) else {
            return .error(400, "expected an array of objects with metric and class")
        }
        return answer {
            try store.update { state in
                for metric in metrics {
                    state.pushedMetrics.removeAll { $0.name == metric.metric }
                    state.pushedMetrics.append(
                        PushedMetric(name: metric.metric, metricClass: metric.class ?? "Push/Single"))
                }
            }
            return .members(("initialized", .number(metrics.count)))
        }
    }

    /// A collection adds what was declared, and nothing else.
    static func collection(_ request: RESTRequest, _ service: RESTService, _ state: ClusterState) -> RESTAnswer {
        guard let items = request.decoded([Item].self) else {
            return .error(400, "expected an array of objects with metric and value")
        }
        let known = items.filter { item in state.pushedMetrics.contains { $0.name == item.metric } }
        return answer {
            try add(known.map { ($0.metric, $0.value.text, $0.info ?? "", false) }, service)
            return result(known.count, items.count)
        }
    }

    static func single(_ request: RESTRequest, _ service: RESTService) -> RESTAnswer {
        let name = String(request.path.dropFirst("/monitoring/push/".count))
        let value = String(decoding: request.body, as: UTF8.self).filter { !$0.isNewline }
        guard !name.isEmpty, !value.isEmpty else { return .error(400, "a name and a value are required") }
        let isCheck = request.query["healthcheck"] == "yes"
        return answer {
            try add([(name, value, request.query["info"] ?? "", isCheck)], service)
            return result(1, 1)
        }
    }

    private static func result(_ added: Int, _ provided: Int) -> JSONText {
        .members(("values", .members(("added", .number(added)), ("provided", .number(provided)))))
    }

    private static func add(
        _ values: [(name: String, value: String, info: String, isCheck: Bool)], _ service: RESTService
    ) throws {
        let now = MonitoringService.now
        try service.store.update { state in
            let new = values.map {
                PushedValue(
                    entity: service.headNode, metric: $0.name, value: $0.value, info: $0.info, time: now,
                    isHealthCheck: $0.isCheck)
            }
            // A cluster that runs for weeks must not fill its state with values.
            state.pushedValues = state.pushedValues.suffix(1000 - min(1000, new.count)) + new.suffix(1000)
        }
    }

    private static func answer(_ make: () throws -> JSONText) -> RESTAnswer {
        do {
            return RESTAnswer(try make())
        } catch {
            return .error(500, "\(error)")
        }
    }
}
