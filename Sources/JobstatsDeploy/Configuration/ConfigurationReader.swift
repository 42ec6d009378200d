/// Turns a JSON document into a configuration and notes everything that is wrong on the way.
///
/// Each reading function takes one value, and gives it or notes an error and gives nil; none stops at the first error.
struct ConfigurationReader {
    private(set) var issues: [ConfigurationIssue] = []
    /// For how many unknown keys the nearest known one is still looked for, which takes time.
    private var suggestionsLeft = 200
    /// Where each key was found, for issues about several keys.
    private var locations: [String: ConfigurationIssue.Location] = [:]

    mutating func read(_ node: JSONNode) -> DeploymentConfiguration {
        var configuration = DeploymentConfiguration()
        guard let members = object(node, at: "") else { return configuration }
        warnOfUnknown(members, known: Setting.all.map(\.key), at: "")
        for member in members {
            guard let setting = Setting.all.first(where: { $0.key == member.name }) else { continue }
            locations[member.name] = member.node.location
            setting.read(member.node, &self, &configuration)
        }
        return configuration
    }

    /// Whether a key stands in the file.
    func found(_ key: String) -> Bool { locations[key] != nil }

    mutating func error(_ path: String, _ message: String, at location: ConfigurationIssue.Location? = nil) {
        issues.append(ConfigurationIssue(.error, path, message, location: location ?? locations[path]))
    }

    mutating func warning(_ path: String, _ message: String, at location: ConfigurationIssue.Location? = nil) {
        issues.append(ConfigurationIssue(.warning, path, message, location: location ?? locations[path]))
    }

    // MARK: Simple values

    mutating func text(_ node: JSONNode, at path: String, rule: ValueRules.Rule) -> String? {
        guard case .string(let text) = node.value else {
            expected("a string", node, at: path)
            return nil
        }
        if let problem = rule(text) {
            error(path, "\(Quoted(text)) \(problem)", at: node.location)
            return nil
        }
        return text
    }

    /// A string that may be left away: null and an empty one mean that there is none.
    mutating func optionalText(_ node: JSONNode, at path: String, rule: ValueRules.Rule) -> String? {
        switch node.value {
        case .null: nil
        case .string(""): nil
        default: text(node, at: path, rule: rule)
        }
    }

    mutating func number(_ node: JSONNode, at path: String, in range: ClosedRange<Int>) -> Int? {
        let what = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        switch node.value {
        case .number(let literal):
            if let number = Int(literal), range.contains(number) { return number }
            error(path, "expected \(what), found \(literal.prefix(40))", at: node.location)
        case .string(let text) where Int(text).map(range.contains) == true:
            error(path, "expected \(what), found the string \(Quoted(text)): remove the quotes", at: node.location)
        default: expected(what, node, at: path)
        }
        return nil
    }

    mutating func flag(_ node: JSONNode, at path: String) -> Bool? {
        switch node.value {
        case .bool(let flag): return flag
        case .string(let text) where ["true", "false"].contains(text.lowercased()):
            error(
                path,
                "expected true or false, found the string \(Quoted(text)): write \(text.lowercased()) without quotes",
                at: node.location)
        default: expected("true or false", node, at: path)
        }
        return nil
    }

    private mutating func expected(_ what: String, _ node: JSONNode, at path: String) {
        error(path, "expected \(what), found \(node.inWords)", at: node.location)
    }

    // MARK: Objects

    /// The members of an object, each name once.
    mutating func object(_ node: JSONNode, at path: String) -> [JSONNode.Member]? {
        guard case .object(let members) = node.value else {
            expected("an object, { ... }", node, at: path)
            return nil
        }
        var first: [String: JSONNode.Member] = [:]
        var kept: [JSONNode.Member] = []
        for member in members {
            if let earlier = first[member.name] {
                let lines = [earlier.location?.line, member.location?.line].compactMap { $0 }
                let place = lines.count == 2 ? ", on lines \(lines[0]) and \(lines[1])" : ""
                error(join(path, member.name), "stands twice\(place): keep one", at: member.location)
            } else {
                first[member.name] = member
                kept.append(member)
            }
        }
        return kept
    }

    mutating func warnOfUnknown(_ members: [JSONNode.Member], known: [String], at path: String) {
        for member in members where !known.contains(member.name) {
            let keyPath = join(path, member.name)
            if path.isEmpty, let reason = Setting.retired[member.name] {
                warning(keyPath, "has no effect any more: \(reason)", at: member.location)
            } else if path.isEmpty, HostList.all.contains(where: { $0.key == member.name }) {
                warning(keyPath, "has no effect here: move it into \"systems\"", at: member.location)
            } else if suggestionsLeft > 0, let near = nearest(member.name, in: known) {
                warning(keyPath, "unknown key, it has no effect; did you mean \"\(near)\"?", at: member.location)
            } else {
                warning(keyPath, "unknown key, it has no effect", at: member.location)
            }
        }
    }

    private mutating func nearest(_ name: String, in known: [String]) -> String? {
        suggestionsLeft -= 1
        return NearestName.find(name, in: known)
    }

    private func join(_ path: String, _ name: String) -> String {
        let isPlain = !name.isEmpty && name.utf8.count <= 64 && ValueRules.isPlainKey(name)
        let shown = isPlain ? name : "\(Quoted(name))"
        return path.isEmpty ? shown : "\(path).\(shown)"
    }

    mutating func artifacts(_ node: JSONNode, into configuration: inout DeploymentConfiguration) {
        guard let members = object(node, at: "artifacts") else { return }
        warnOfUnknown(members, known: ArtifactSource.Name.all.map(\.description), at: "artifacts")
        for member in members {
            guard let name = ArtifactSource.Name.all.first(where: { $0.description == member.name }) else { continue }
            configuration.artifacts[name] = ArtifactSources(
                reading: member.node, at: "artifacts.\(member.name)", with: &self)
        }
    }

    // MARK: Hosts

    mutating func systems(_ node: JSONNode, into configuration: inout DeploymentConfiguration) {
        guard let members = object(node, at: "systems") else { return }
        warnOfUnknown(members, known: HostList.all.map(\.key), at: "systems")
        for member in members {
            guard let list = HostList.all.first(where: { $0.key == member.name }) else { continue }
            locations[list.keyPath] = member.node.location
            configuration.systems[keyPath: list.path] = hosts(
                member.node, at: list.keyPath, areNodes: list.key == HostList.dgxNodes.key)
        }
    }

    /// A list of hosts.
    ///
    /// - Parameter areNodes: they are nodes that BCM knows by the first part of their names.
    mutating func hosts(_ node: JSONNode, at path: String, areNodes: Bool = false) -> [String] {
        guard case .array(let entries) = node.value else {
            let hint: String
            if case .string(let text) = node.value { hint = ": write [\(Quoted(text))]" } else { hint = "" }
            error(path, "expected a list of host names, found \(node.inWords)\(hint)", at: node.location)
            return []
        }
        var hosts: [String] = []
        var origins: [String: Int] = [:]
        for (index, entry) in entries.enumerated() {
            let entryPath = "\(path)[\(index)]"
            for name in names(entry, at: entryPath, limit: Setting.hostLimit - hosts.count) {
                // BCM knows a node by the first part of its name, so a longer form is the same node.
                let isNode = areNodes && !ValueRules.isIPv4(name)
                let identity = isNode ? String(name.lowercased().prefix { $0 != "." }) : name.lowercased()
                if let earlier = origins[identity] {
                    let place = earlier == index ? "the same entry" : "\(path)[\(earlier)]"
                    warning(
                        entryPath, "\(Quoted(name)) is the same host as one in \(place): it counts once",
                        at: entry.location)
                    continue
                }
                origins[identity] = index
                hosts.append(name)
            }
        }
        return hosts
    }

    private mutating func names(_ node: JSONNode, at path: String, limit: Int) -> [String] {
        guard case .string(let text) = node.value else {
            expected("a host name or a range of them", node, at: path)
            return []
        }
        let names: [String]
        do {
            names = try HostRange.expand(text, limit: limit)
        } catch {
            let reason =
                error.message == HostRange.tooMany.message
                ? "\(error.message): a list has at most \(Setting.hostLimit)" : error.message
            self.error(path, "\(Quoted(text)) \(reason)", at: node.location)
            return []
        }
        for name in names {
            guard let problem = ValueRules.host(name) ?? ValueRules.reserved(name) else { continue }
            let origin = name == text ? "" : ", from \(Quoted(text)),"
            error(path, "\(Quoted(name))\(origin) \(problem)", at: node.location)
            return []
        }
        return names
    }
}
