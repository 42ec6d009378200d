/// Where one program that is to be installed comes from.
///
/// In the configuration's `artifacts` object, by the program's name, for all architectures or for each one:
///
/// ```json
/// "artifacts": {
///   "node_exporter": {"path": "/root/node_exporter", "sha256": "..."},
///   "cgroup_exporter": {"x86_64": {"path": "...", "sha256": "..."}, "aarch64": {"path": "...", "sha256": "..."}},
///   "prometheus": {"package": "prometheus", "binary": "/usr/bin/prometheus"}
/// }
/// ```
public struct ArtifactSource: Sendable, Hashable {
    /// The kinds of source that exist now.
    package enum Location: Sendable, Hashable {
        case file(path: String, sha256: String)
        case package(name: String, binary: String)
    }

    package let location: Location

    /// A file on the host that deploys, with the SHA-256 that it must have, in hexadecimal.
    public static func file(path: String, sha256: String) -> ArtifactSource {
        ArtifactSource(location: .file(path: ValueRules.normalized(path), sha256: sha256.lowercased()))
    }

    /// A package of the distribution, and the program's path in it.
    public static func package(_ name: String, binary: String) -> ArtifactSource {
        ArtifactSource(location: .package(name: name, binary: ValueRules.normalized(binary)))
    }

    /// The name of a program that can be given a source.
    public struct Name: Sendable, Hashable, CustomStringConvertible {
        /// The key in the configuration.
        public let description: String
        /// The metrics of a node.
        public static let nodeExporter = Name(description: "node_exporter")
        /// The metrics of a job's processes.
        public static let cgroupExporter = Name(description: "cgroup_exporter")
        /// The metrics of the GPUs.
        public static let nvidiaGPUExporter = Name(description: "nvidia_gpu_exporter")
        /// The Prometheus server.
        public static let prometheus = Name(description: "prometheus")
        /// The checker of Prometheus's files.
        public static let promtool = Name(description: "promtool")
        /// This project's role monitor.
        public static let roleMonitor = Name(description: "bcm-role-monitor")

        static let all: [Name] = [
            .nodeExporter, .cgroupExporter, .nvidiaGPUExporter, .prometheus, .promtool, .roleMonitor,
        ]
    }

    /// A processor architecture, as `uname -m` names it.
    public struct Architecture: Sendable, Hashable, CustomStringConvertible {
        /// The name, as in `x86_64`.
        public let description: String
        /// 64-bit Intel and AMD.
        public static let x86 = Architecture(description: "x86_64")
        /// 64-bit Arm.
        public static let arm = Architecture(description: "aarch64")

        static let all: [Architecture] = [.x86, .arm]
    }
}

/// The sources of one program: one for every architecture, or one for each.
public struct ArtifactSources: Sendable, Hashable {
    private var common: ArtifactSource?
    private var special: [ArtifactSource.Architecture: ArtifactSource] = [:]

    /// One source, whatever the architecture.
    public init(_ source: ArtifactSource) { common = source }

    /// One source for each architecture.
    public init(_ sources: [ArtifactSource.Architecture: ArtifactSource]) { special = sources }

    /// The source for an architecture; nil when there is none.
    public subscript(architecture: ArtifactSource.Architecture) -> ArtifactSource? {
        special[architecture] ?? common
    }
}

// MARK: - Reading and writing

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
    init?(reading node: JSONNode, at path: String, with reader: inout ConfigurationReader) {
        guard let members = reader.object(node, at: path) else { return nil }
        reader.warnOfUnknown(members, known: ["path", "sha256", "package", "binary"], at: path)
        let rules: [String: ValueRules.Rule] = [
            "path": ValueRules.path, "sha256": ValueRules.sha256, "package": ValueRules.packageName,
            "binary": ValueRules.path,
        ]
        var values: [String: String] = [:]
        var isGood = true
        for member in members {
            guard let rule = rules[member.name] else { continue }
            values[member.name] = reader.text(member.node, at: "\(path).\(member.name)", rule: rule)
            if values[member.name] == nil { isGood = false }
        }
        guard isGood else { return nil }
        switch (values["path"], values["sha256"], values["package"], values["binary"]) {
        case (let file?, let sum?, nil, nil): self = .file(path: file, sha256: sum)
        case (nil, nil, let name?, let binary?): self = .package(name, binary: binary)
        case (let file?, nil, nil, nil):
            reader.error(
                path, "a file needs its \"sha256\" beside \"path\": sha256sum \(file) prints it", at: node.location)
            return nil
        case (nil, nil, .some, nil):
            reader.error(
                path, "a package needs \"binary\" beside \"package\": the program's path in it", at: node.location)
            return nil
        default:
            reader.error(
                path, "expected either \"path\" and \"sha256\", or \"package\" and \"binary\"", at: node.location)
            return nil
        }
    }

    var node: JSONNode {
        switch location {
        case .file(let path, let sum):
            .object([("path", JSONNode(.string(path))), ("sha256", JSONNode(.string(sum)))])
        case .package(let name, let binary):
            .object([("package", JSONNode(.string(name))), ("binary", JSONNode(.string(binary)))])
        }
    }
}
