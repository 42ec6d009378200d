import ClusterModel
import FoundationEssentials
import Glibc

/// The monitoring paths that only look. Entities are the nodes; their load and a health check are made up from names and times, and what
/// was pushed is shown beside them.
enum MonitoringService {
    /// A value made up or pushed.
    private struct Value {
        var entity: String
        var measurable: String
        var raw: String
        var value: String
        var info: String?
        /// Unix milliseconds.
        var time: Int
    }

    /// How often a made-up value is measured, in milliseconds.
    private static let interval = 120_000
    private static let metrics = ["LoadOne", "MemoryFree"]
    private static let checks = ["ssh2node"]
    private static let limit = 10_000

    static var now: Int { Int(Date().timeIntervalSince1970 * 1000) }

    static func entities(_ request: RESTRequest, _ state: ClusterState) -> RESTAnswer {
        guard let nodes = nodes(request.query["name"], state) else { return badRange }
        guard let wanted = matching(request, nodes.map(\.name)) else { return badExpression }
        let rows = state.allNodes.enumerated().filter { wanted.contains($0.element.name) }.compactMap {
            index, node -> JSONText? in
            let type = state.isHeadNode(node.name) ? "HeadNode" : "PhysicalNode"
            if let asked = request.query["type"]?.lowercased(), asked != "node", asked != type.lowercased() {
                return nil
            }
            return entry(281_474_976_710_000 + index, node.name, type)
        }
        return RESTAnswer(.members(("entities", .array(rows))), indent: request.indent)
    }

    static func measurables(_ request: RESTRequest, _ state: ClusterState) -> RESTAnswer {
        let all = measurables(state)
        guard var names = matching(request, all.map(\.name)) else { return badExpression }
        if let name = request.query["name"], !name.isEmpty { names = names.intersection([name]) }
        let rows = all.enumerated().filter { names.contains($0.element.name) }.map { index, measurable in
            entry(99_999_999_000 + index, measurable.name, measurable.type)
        }
        return RESTAnswer(.members(("measurables", .array(rows))), indent: request.indent)
    }

    static func usage(_ request: RESTRequest, _ state: ClusterState) -> RESTAnswer {
        guard let nodes = nodes(request.query["entity"], state) else { return badRange }
        let rows = nodes.flatMap { node in
            chosen(request, state).map { measurable in
                JSONText.members(("entity", .string(node.name)), ("measurable", .string(measurable)))
            }
        }
        return RESTAnswer(.members(("data", .array(rows))), indent: request.indent)
    }

    static func latest(_ request: RESTRequest, _ state: ClusterState) -> RESTAnswer {
        guard let nodes = nodes(request.query["entity"], state) else { return badRange }
        let now = now
        var rows: [JSONText] = []
        for node in nodes {
            for name in chosen(request, state) {
                guard let value = value(node.name, name, at: now, state) else { continue }
                var members = [JSONText.Member("age", .decimal(Double(now - value.time) / 1000))]
                members += self.members(value)
                members.append(.init("time", .number(value.time)))
                members.append(.init("value", .string(value.value)))
                if let info = value.info, !info.isEmpty { members.append(.init("info", .string(info))) }
                rows.append(.object(members))
            }
        }
        return RESTAnswer(.members(("data", .array(rows))), indent: request.indent)
    }

    static func dump(_ request: RESTRequest, _ state: ClusterState) -> RESTAnswer {
        guard request.query["entity"] != nil, request.query["measurable"] != nil else {
            return .error(400, "entity and measurable are required")
        }
        guard let nodes = nodes(request.query["entity"], state) else { return badRange }
        let now = now
        guard let start = moment(request.query["start"] ?? "-1h", now),
            let end = moment(request.query["end"] ?? "now", now), start <= end
        else { return .error(400, "start and end are no period") }
        guard let intervals = Int(request.query["intervals"] ?? "0"), intervals >= 0 else {
            return .error(400, "intervals is no number")
        }
        let step = intervals == 0 ? interval : max(1, (end - start) / intervals)
        let isEpoch = request.query["epoch"] == "1"
        var rows: [JSONText] = []
        for node in nodes {
            for name in chosen(request, state) {
                for time in stride(from: (start + step - 1) / step * step, through: end, by: step) {
                    guard rows.count < limit else { return .error(400, "more than \(limit) values") }
                    guard let value = value(node.name, name, at: time, state), value.time >= start else { continue }
                    let stamp: JSONText = isEpoch ? .number(time / 1000) : .string(Self.stamp(time))
                    rows.append(
                        .object(members(value) + [.init("time", stamp), .init("value", .string(value.value))]))
                }
            }
        }
        return RESTAnswer(.members(("data", .array(rows))), indent: request.indent)
    }

    // MARK: Values

    private static func measurables(_ state: ClusterState) -> [(name: String, type: String)] {
        var all = metrics.map { ($0, "Metric") } + checks.map { ($0, "HealthCheck") }
        for value in state.pushedValues where !all.contains(where: { $0.0 == value.metric }) {
            all.append((value.metric, value.isHealthCheck ? "HealthCheck" : "Metric"))
        }
        return all.map { (name: $0.0, type: $0.1) }
    }

    private static func chosen(_ request: RESTRequest, _ state: ClusterState) -> [String] {
        let names = measurables(state).map(\.name)
        guard let name = request.query["measurable"], !name.isEmpty else { return names }
        return names.filter { $0 == name }
    }

    /// The newest value at a time; nil when there is none.
    private static func value(_ entity: String, _ name: String, at time: Int, _ state: ClusterState) -> Value? {
        let measured = time / interval * interval
        let seed = entity.utf8.reduce(0) { ($0 * 31 + Int($1)) % 1000 } + measured / interval % 7
        switch name {
        case "LoadOne":
            let hundredths = seed % 400
            let text = "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
            return Value(entity: entity, measurable: name, raw: text, value: text, time: measured)
        case "MemoryFree":
            let gibibytes = 16 + seed % 48
            return Value(
                entity: entity, measurable: name, raw: "\(gibibytes << 30)", value: "\(gibibytes) GiB", time: measured)
        case "ssh2node":
            let isUp = state.node(entity)?.status == "UP"
            return Value(
                entity: entity, measurable: name, raw: isUp ? "0" : "2", value: isUp ? "PASS" : "FAIL", time: measured)
        default:
            guard
                let pushed = state.pushedValues.last(where: {
                    $0.entity == entity && $0.metric == name && $0.time <= time
                })
            else { return nil }
            let number = Double(pushed.value).map { _ in pushed.value }
            let raw = number ?? (pushed.value == "PASS" ? "0" : pushed.value == "FAIL" ? "2" : "1")
            return Value(
                entity: entity, measurable: name, raw: raw, value: pushed.value, info: pushed.info, time: pushed.time)
        }
    }

    private static func members(_ value: Value) -> [JSONText.Member] {
        [
            .init("entity", .string(value.entity)), .init("measurable", .string(value.measurable)),
            .init("raw", .literal(value.raw)),
        ]
    }

    private static func entry(_ key: Int, _ name: String, _ type: String) -> JSONText {
        .members(("key", .number(key)), ("name", .string(name)), ("type", .string(type)))
    }

    // MARK: What is asked for

    private static let badRange = RESTAnswer.error(400, "invalid name range")
    private static let badExpression = RESTAnswer.error(400, "invalid expression")

    private static func nodes(_ range: String?, _ state: ClusterState) -> [Node]? {
        guard let range, !range.isEmpty else { return state.allNodes }
        guard let names = NodeRange.names(range) else { return nil }
        let chosen = Set(names)
        return state.allNodes.filter { chosen.contains($0.name) }
    }

    private static func matching(_ request: RESTRequest, _ names: [String]) -> Set<String>? {
        guard let like = request.query["like"] else { return Set(names) }
        guard let pattern = try? Regex(like) else { return nil }
        return Set(names.filter { $0.firstMatch(of: pattern) != nil })
    }

    /// `now`, `-1h` and the like, or Unix seconds; in Unix milliseconds.
    private static func moment(_ text: String, _ now: Int) -> Int? {
        if text == "now" { return now }
        if let seconds = Int(text), seconds >= 0 { return seconds * 1000 }
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        guard text.hasPrefix("-"), let unit = text.last.flatMap({ units[$0] }),
            let number = Int(text.dropFirst().dropLast()), (0...100_000).contains(number)
        else { return nil }
        return now - number * unit * 1000
    }

    private static func stamp(_ milliseconds: Int) -> String {
        var seconds = milliseconds / 1000
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int32) -> String { (number < 10 ? "0" : "") + "\(number)" }
        return "\(parts.tm_year + 1900)/\(padded(parts.tm_mon + 1))/\(padded(parts.tm_mday)) "
            + "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
    }
}
