package import BCMClient
internal import ServiceManager

/// Reads and writes the key `rules` of the configuration file.
package enum RuleSyntax {
    package typealias Problem = MonitorConfigurationError.Problem

    package static let key = "rules"
    private static let ruleKeys = ["role", "roles_visible", "units"]
    private static let unitKeys = ["unit", "port", "job"]

    /// Takes the rules over, or says of each mistake where it is.
    package static func take(_ value: JSONValue, _ configuration: inout MonitorConfiguration) -> [Problem] {
        guard case .array(let values) = value else {
            return [
                Problem(
                    key: key,
                    "found \(value.excerpt), expected a list of rules, as in [{\"role\": \"ROLE\", \"units\": [{\"unit\": "
                        + "\"dcgm-exporter\", \"port\": 9400, \"job\": \"dcgm_exporter\"}]}]")
            ]
        }
        var problems: [Problem] = []
        configuration.additionalRules = values.enumerated().compactMap { index, value in
            rule(value, "\(key)[\(index)]", &problems)
        }
        return problems
    }

    /// The rules as a value; nil when there is none, so that a file without rules stays as it was.
    package static func give(_ rules: [RoleRule]) -> JSONValue? {
        guard !rules.isEmpty else { return nil }
        return .array(
            rules.map { rule in
                var object = JSONObject([.init("role", .text(rule.role))])
                if rule.isRoleVisible { object.members.append(.init("roles_visible", true)) }
                let units = rule.exporters.map { exporter -> JSONValue in
                    [
                        "unit": .text(exporter.unit), "port": .number(JSONNumber(exporter.port)),
                        "job": .text(exporter.job),
                    ]
                }
                object.members.append(.init("units", .array(units)))
                return .object(object)
            })
    }

    /// Units, jobs and ports that stand twice among all rules.
    package static func duplicates(in configuration: MonitorConfiguration) -> [Problem] {
        var problems: [Problem] = []
        var units = Set(configuration.exporters.map(\.unit)), jobs = Set(configuration.exporters.map(\.job))
        var ports = Set(configuration.exporters.map(\.port))
        for (index, rule) in configuration.additionalRules.enumerated() {
            for (place, exporter) in rule.exporters.enumerated() {
                let path = "\(key)[\(index)].units[\(place)]"
                if !units.insert(exporter.unit).inserted {
                    problems.append(Problem(key: path + ".unit", "\(exporter.unit) stands in another place, too"))
                }
                if !jobs.insert(exporter.job).inserted {
                    problems.append(Problem(key: path + ".job", "the job \(exporter.job) stands in another place, too"))
                }
                if !ports.insert(exporter.port).inserted {
                    problems.append(
                        Problem(key: path + ".port", "the port \(exporter.port) is another exporter's, too"))
                }
            }
        }
        return problems
    }

    /// Keys within rules that are not known.
    package static func unknownKeys(_ value: JSONValue?) -> [String] {
        func unknown(_ value: JSONValue, _ known: [String], _ path: String) -> [String] {
            (value.object?.members(besides: Set(known)) ?? []).map { "\(path).\($0.name)" }.sorted()
        }
        var keys: [String] = []
        for (index, rule) in (value?.elements ?? []).enumerated() {
            keys += unknown(rule, ruleKeys, "\(key)[\(index)]")
            for (place, unit) in (rule["units"]?.elements ?? []).enumerated() {
                keys += unknown(unit, unitKeys, "\(key)[\(index)].units[\(place)]")
            }
        }
        return keys
    }

    private static func rule(_ value: JSONValue, _ path: String, _ problems: inout [Problem]) -> RoleRule? {
        guard case .object(let object) = value else {
            problems.append(
                Problem(key: path, "found \(value.excerpt), expected an object with \"role\" and \"units\""))
            return nil
        }
        let role = text(object["role"], path + ".role", ConfigurationSyntax.word.expected, &problems) {
            ConfigurationSyntax.word.accepts($0) ? $0 : nil
        }
        var isVisible = false
        switch object["roles_visible"] {
        case nil: break
        case .boolean(let flag): isVisible = flag
        case .some(let other):
            problems.append(Problem(key: path + ".roles_visible", "found \(other.excerpt), expected true or false"))
        }
        guard case .array(let values) = object["units"], !values.isEmpty else {
            problems.append(
                Problem(
                    key: path + ".units",
                    "\(found(object["units"])), expected a list of at least one unit, as in [{\"unit\": \"dcgm-exporter\", "
                        + "\"port\": 9400, \"job\": \"dcgm_exporter\"}]"))
            return nil
        }
        let exporters = values.enumerated().compactMap { exporter($1, "\(path).units[\($0)]", &problems) }
        return role.map { RoleRule(role: $0, exporters: exporters, isRoleVisible: isVisible) }
    }

    private static func exporter(_ value: JSONValue, _ path: String, _ problems: inout [Problem]) -> Exporter? {
        guard case .object(let object) = value else {
            problems.append(
                Problem(key: path, "found \(value.excerpt), expected an object with \"unit\", \"port\" and \"job\""))
            return nil
        }
        let unit = text(
            object["unit"], path + ".unit", "the name of a service, as in \"dcgm-exporter\"", &problems,
            take: serviceName)
        let job = text(
            object["job"], path + ".job", "one word of letters, digits and the characters - _", &problems
        ) {
            ConfigurationSyntax.word.accepts($0) && !$0.contains { ".:@".contains($0) } ? $0 : nil
        }
        guard let port = object["port"]?.number?.integer, (1...65535).contains(port) else {
            problems.append(
                Problem(key: path + ".port", "\(found(object["port"])), expected a whole number from 1 to 65535"))
            return nil
        }
        guard let unit, let job else { return nil }
        return Exporter(unit: unit, job: job, port: port)
    }

    /// The name with its type: a service, and no template, which has no state.
    private static func serviceName(_ text: String) -> String? {
        guard let name = try? UnitName(text.hasSuffix(".service") ? text : text + ".service"), !name.isTemplate else {
            return nil
        }
        return name.description
    }

    private static func text(
        _ value: JSONValue?, _ path: String, _ expected: String, _ problems: inout [Problem],
        take: (String) -> String?
    ) -> String? {
        if case .text(let text) = value, let taken = take(text) { return taken }
        problems.append(Problem(key: path, "\(found(value)), expected \(expected)"))
        return nil
    }

    private static func found(_ value: JSONValue?) -> String { value.map { "found \($0.excerpt)" } ?? "missing" }
}
