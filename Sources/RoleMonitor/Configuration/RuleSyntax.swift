internal import ServiceManager

/// Reads and writes the key `rules` of the configuration file.
enum RuleSyntax {
    typealias Problem = MonitorConfigurationError.Problem

    static let key = "rules"
    private static let ruleKeys = ["role", "roles_visible", "units"]
    private static let unitKeys = ["unit", "port", "job"]

    /// Takes the rules over, or says of each mistake where it is.
    static func take(_ value: JSONValue, _ configuration: inout MonitorConfiguration) -> [Problem] {
        guard case .list(let values) = value else {
            return [
                Problem(
                    key: key,
                    "found \(value.shown), expected a list of rules, as in [{\"role\": \"ROLE\", \"units\": [{\"unit\": "
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
    static func give(_ rules: [RoleRule]) -> JSONValue? {
        guard !rules.isEmpty else { return nil }
        return .list(
            rules.map { rule in
                var members: [String: JSONValue] = ["role": .text(rule.role)]
                if rule.isRoleVisible { members["roles_visible"] = .flag(true) }
                members["units"] = .list(
                    rule.exporters.map {
                        .object(["unit": .text($0.unit), "port": .number(Double($0.port)), "job": .text($0.job)])
                    })
                return .object(members)
            })
    }

    /// Units, jobs and ports that stand twice among all rules.
    static func duplicates(in configuration: MonitorConfiguration) -> [Problem] {
        var problems: [Problem] = []
        var seen = configuration.exporters
        for (index, rule) in configuration.additionalRules.enumerated() {
            for (place, exporter) in rule.exporters.enumerated() {
                let path = "\(key)[\(index)].units[\(place)]"
                if seen.contains(where: { $0.unit == exporter.unit }) {
                    problems.append(Problem(key: path + ".unit", "\(exporter.unit) stands in another place, too"))
                }
                if seen.contains(where: { $0.job == exporter.job }) {
                    problems.append(Problem(key: path + ".job", "the job \(exporter.job) stands in another place, too"))
                }
                if seen.contains(where: { $0.port == exporter.port }) {
                    problems.append(
                        Problem(key: path + ".port", "the port \(exporter.port) is another exporter's, too"))
                }
                seen.append(exporter)
            }
        }
        return problems
    }

    /// Keys within rules that are not known.
    static func unknownKeys(_ value: JSONValue?) -> [String] {
        guard case .list(let rules) = value else { return [] }
        var unknown: [String] = []
        for (index, rule) in rules.enumerated() {
            guard case .object(let members) = rule else { continue }
            unknown += members.keys.filter { !ruleKeys.contains($0) }.sorted().map { "\(key)[\(index)].\($0)" }
            guard case .list(let units) = members["units"] else { continue }
            for (place, unit) in units.enumerated() {
                guard case .object(let members) = unit else { continue }
                unknown += members.keys.filter { !unitKeys.contains($0) }.sorted()
                    .map { "\(key)[\(index)].units[\(place)].\($0)" }
            }
        }
        return unknown
    }

    private static func rule(_ value: JSONValue, _ path: String, _ problems: inout [Problem]) -> RoleRule? {
        guard case .object(let members) = value else {
            problems.append(Problem(key: path, "found \(value.shown), expected an object with \"role\" and \"units\""))
            return nil
        }
        let role = text(members["role"], path + ".role", ConfigurationSyntax.word.expected, &problems) {
            ConfigurationSyntax.word.accepts($0) ? $0 : nil
        }
        var isVisible = false
        switch members["roles_visible"] {
        case nil: break
        case .flag(let flag): isVisible = flag
        case .some(let other):
            problems.append(Problem(key: path + ".roles_visible", "found \(other.shown), expected true or false"))
        }
        guard case .list(let values) = members["units"], !values.isEmpty else {
            problems.append(
                Problem(
                    key: path + ".units",
                    "\(found(members["units"])), expected a list of at least one unit, as in [{\"unit\": \"dcgm-exporter\", "
                        + "\"port\": 9400, \"job\": \"dcgm_exporter\"}]"))
            return nil
        }
        let exporters = values.enumerated().compactMap { exporter($1, "\(path).units[\($0)]", &problems) }
        return role.map { RoleRule(role: $0, exporters: exporters, isRoleVisible: isVisible) }
    }

    private static func exporter(_ value: JSONValue, _ path: String, _ problems: inout [Problem]) -> Exporter? {
        guard case .object(let members) = value else {
            problems.append(
                Problem(key: path, "found \(value.shown), expected an object with \"unit\", \"port\" and \"job\""))
            return nil
        }
        let unit = text(
            members["unit"], path + ".unit", "the name of a service, as in \"dcgm-exporter\"", &problems,
            take: serviceName)
        let job = text(
            members["job"], path + ".job", "one word of letters, digits and the characters - _", &problems
        ) {
            ConfigurationSyntax.word.accepts($0) && !$0.contains { ".:@".contains($0) } ? $0 : nil
        }
        guard case .number(let number) = members["port"], let port = Int(exactly: number), (1...65535).contains(port)
        else {
            problems.append(
                Problem(key: path + ".port", "\(found(members["port"])), expected a whole number from 1 to 65535"))
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

    private static func found(_ value: JSONValue?) -> String { value.map { "found \($0.shown)" } ?? "missing" }
}
