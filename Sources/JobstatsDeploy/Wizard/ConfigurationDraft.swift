/// A configuration file while it is being changed: keys that this program does not know, and the order of all, stay.
struct ConfigurationDraft: Sendable {
    private var members: [JSONNode.Member]

    /// A file of every setting's default, with empty lists of hosts.
    init() {
        members = Setting.all.compactMap { setting in
            setting.write(DeploymentConfiguration()).map { .init(name: setting.key, location: nil, node: $0) }
        }
    }

    /// Why a present file cannot be changed.
    struct Unusable: Error, CustomStringConvertible {
        /// The reason, with its place in the file.
        let description: String
    }

    /// Takes over a present file.
    ///
    /// - Throws: ``Unusable`` when it is not one JSON object, or a key stands in it twice, since one would be lost.
    init(_ bytes: [UInt8]) throws(Unusable) {
        let node: JSONNode
        do throws(JSONDamage) {
            node = try JSONNode.parse(bytes)
        } catch {
            let place = "line \(error.location.line), column \(error.location.column)"
            throw Unusable(description: "it is not JSON: \(error.message) (\(place))")
        }
        guard case .object(let members) = node.value else {
            throw Unusable(description: "it is not a JSON object but \(node.inWords)")
        }
        var names = Set<String>()
        let systems = members.first { $0.name == "systems" }?.node.members ?? []
        for member in members where !names.insert(member.name).inserted {
            throw Unusable(description: "the key \(Quoted(member.name)) stands in it twice")
        }
        names = []
        for member in systems where !names.insert(member.name).inserted {
            throw Unusable(description: "the key systems.\(Quoted(member.name)) stands in it twice")
        }
        self.members = members
    }

    /// The file's bytes; short lists of names stand on one line.
    var encoded: [UInt8] { JSONNode(.object(members)).encoded(inlineWidth: 100) }

    /// The value of a key, such as `cluster_name` or `systems.dgx_nodes`.
    subscript(_ keyPath: String) -> JSONNode? {
        get {
            let (key, inner) = Self.split(keyPath)
            let node = members.first { $0.name == key }?.node
            guard let inner else { return node }
            return node?.members?.first { $0.name == inner }?.node
        }
        set {
            let (key, inner) = Self.split(keyPath)
            guard let inner else { return Self.set(key, newValue, in: &members) }
            var list = self[key]?.members ?? []
            Self.set(inner, newValue, in: &list)
            Self.set(key, JSONNode(.object(list)), in: &members)
        }
    }

    /// The configuration with everything that is wrong or doubtful in it.
    func reading(sections: Set<Int>) -> ConfigurationReading {
        DeploymentConfiguration.parse(encoded, sections: sections)
    }

    /// What is wrong or doubtful about one key.
    func issues(about keyPath: String) -> [ConfigurationIssue] {
        reading(sections: []).issues.filter { issue in
            issue.keyPath == keyPath || issue.keyPath.hasPrefix("\(keyPath)[") || issue.keyPath.hasPrefix("\(keyPath).")
        }
    }

    private static func split(_ keyPath: String) -> (key: String, inner: String?) {
        let parts = keyPath.split(separator: ".", maxSplits: 1).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : nil)
    }

    /// Puts a value in its key's place; a new key comes before `systems`, the longest, or at the end.
    private static func set(_ name: String, _ node: JSONNode?, in members: inout [JSONNode.Member]) {
        let index = members.firstIndex { $0.name == name }
        guard let node else {
            if let index { members.remove(at: index) }
            return
        }
        let member = JSONNode.Member(name: name, location: nil, node: node)
        if let index {
            members[index] = member
        } else {
            members.insert(member, at: members.firstIndex { $0.name == "systems" } ?? members.endIndex)
        }
    }
}

extension JSONNode {
    /// The members of an object; nil for anything else.
    var members: [Member]? {
        if case .object(let members) = value { members } else { nil }
    }
}
