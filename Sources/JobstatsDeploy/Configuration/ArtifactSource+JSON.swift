extension ArtifactSources {
    init?(reading node: JSONNode, at path: String, with reader: inout ConfigurationReader) {
        guard let members = reader.object(node, at: path) else { return nil }
        let names = ArtifactSource.Architecture.all.map(\.description)
        guard members.contains(where: { names.contains($0.name) }) else {
            guard let source = ArtifactSource(reading: node, at: path, with: &reader) else { return nil }
            self.init(source)
            return
        }
        var sources: [ArtifactSource.Architecture: ArtifactSource] = [:]
        reader.warnOfUnknown(members, known: names, at: path)
        for member in members {
            guard let architecture = ArtifactSource.Architecture.all.first(where: { $0.description == member.name })
            else { continue }
            sources[architecture] = ArtifactSource(reading: member.node, at: "\(path).\(member.name)", with: &reader)
        }
        self.init(sources)
    }

    var node: JSONNode {
        if let common { return common.node }
        return .object(ArtifactSource.Architecture.all.map { ($0.description, special[$0]?.node) })
    }
}

extension ArtifactSource {
    private static let rules: [String: ValueRules.Rule] = [
        "path": ValueRules.path, "sha256": ValueRules.sha256, "package": ValueRules.packageName,
        "binary": ValueRules.path, "url": ValueRules.url, "member": ValueRules.relativePath,
        "git": ValueRules.repository, "revision": ValueRules.revision, "build": ValueRules.buildDirectory,
    ]

    init?(reading node: JSONNode, at path: String, with reader: inout ConfigurationReader) {
        guard let members = reader.object(node, at: path) else { return nil }
        reader.warnOfUnknown(
            members,
            known: ["path", "sha256", "package", "binary", "url", "member", "git", "revision", "build", "cgo"], at: path
        )
        var values: [String: String] = [:]
        var usesC: Bool?
        var isGood = true
        for member in members {
            if member.name == "cgo" {
                usesC = reader.flag(member.node, at: "\(path).cgo")
                if usesC == nil { isGood = false }
            }
            guard let rule = Self.rules[member.name] else { continue }
            values[member.name] = reader.text(member.node, at: "\(path).\(member.name)", rule: rule)
            if values[member.name] == nil { isGood = false }
        }
        guard isGood else { return nil }
        var keys = Set(values.keys)
        if usesC != nil { keys.insert("cgo") }
        if let source = Self.source(keys, values, usesC: usesC ?? false) {
            self = source
        } else {
            reader.error(path, Self.advice(keys, values), at: node.location)
            return nil
        }
    }

    private static func source(_ keys: Set<String>, _ values: [String: String], usesC: Bool) -> ArtifactSource? {
        func isKind(_ needed: Set<String>, _ optional: Set<String> = []) -> Bool {
            keys.isSuperset(of: needed) && keys.isSubset(of: needed.union(optional))
        }
        func value(_ key: String) -> String { values[key] ?? "" }
        if isKind(["path", "sha256"]) { return .file(path: value("path"), sha256: value("sha256")) }
        if isKind(["package", "binary"]) { return .package(value("package"), binary: value("binary")) }
        if isKind(["url", "sha256"], ["member"]) {
            return .release(value("url"), sha256: value("sha256"), member: values["member"])
        }
        if isKind(["git", "revision"], ["build", "cgo"]) {
            return .git(
                value("git"), revision: value("revision"), directory: values["build"] ?? ".", usesC: usesC)
        }
        return nil
    }

    /// What to write instead of these keys.
    private static func advice(_ keys: Set<String>, _ values: [String: String]) -> String {
        if keys == ["path"] {
            return "a file needs its \"sha256\" beside \"path\": sha256sum \(values["path"] ?? "FILE") prints it"
        }
        if keys == ["package"] {
            return "a package needs \"binary\" beside \"package\": the program's path in it"
        }
        if keys.contains("url"), !keys.contains("sha256"), keys.isSubset(of: ["url", "member"]) {
            return "a release needs its \"sha256\" beside \"url\": the one that its makers publish"
        }
        if keys.contains("git"), !keys.contains("revision"), keys.isSubset(of: ["git", "build", "cgo"]) {
            return "a repository needs \"revision\" beside \"git\": the full id of a commit"
        }
        return "expected \"path\" and \"sha256\", \"package\" and \"binary\", \"url\" and \"sha256\", "
            + "or \"git\" and \"revision\""
    }

    var node: JSONNode {
        func text(_ text: String?) -> JSONNode? { text.map { JSONNode(.string($0)) } }
        return switch location {
        case .file(let path, let sum): .object([("path", text(path)), ("sha256", text(sum))])
        case .package(let name, let binary): .object([("package", text(name)), ("binary", text(binary))])
        case .release(let url, let sum, let member):
            .object([("url", text(url)), ("sha256", text(sum)), ("member", text(member))])
        case .git(let url, let revision, let directory, let usesC):
            .object([
                ("git", text(url)), ("revision", text(revision)), ("build", directory == "." ? nil : text(directory)),
                ("cgo", usesC ? JSONNode(.bool(true)) : nil),
            ])
        }
    }
}
