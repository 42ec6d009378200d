/// Where one program that is to be installed comes from.
///
/// In the configuration's `artifacts` object, by the program's name, for all architectures or for each one:
///
/// ```json
/// "artifacts": {
///   "node_exporter": {"path": "/root/node_exporter", "sha256": "..."},
///   "cgroup_exporter": {"x86_64": {"path": "...", "sha256": "..."}, "aarch64": {"path": "...", "sha256": "..."}},
///   "prometheus": {"package": "prometheus", "binary": "/usr/bin/prometheus"},
///   "promtool": {"url": "https://example.org/prometheus.tar.gz", "sha256": "...", "member": "prometheus/promtool"},
///   "nvidia_gpu_exporter": {"git": "https://example.org/exporter", "revision": "...", "cgo": true}
/// }
/// ```
///
/// Whatever a source is, what comes from it is fetched or built once, on the machine that deploys, and checked.
public struct ArtifactSource: Sendable, Hashable {
    /// The kinds of source that exist now.
    package enum Location: Sendable, Hashable {
        case file(path: String, sha256: String)
        case package(name: String, binary: String)
        case release(url: String, sha256: String, member: String?)
        case git(url: String, revision: String, directory: String, usesC: Bool)
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

    /// A file that its makers publish, with the SHA-256 that it must have.
    ///
    /// - Parameters:
    ///   - url: where it is fetched from, by HTTPS or HTTP.
    ///   - sha256: of the file as it is fetched, in hexadecimal.
    ///   - member: the program's path in it, where it is a tar or zip archive; nil where the file is the program.
    public static func release(_ url: String, sha256: String, member: String? = nil) -> ArtifactSource {
        ArtifactSource(location: .release(url: url, sha256: sha256.lowercased(), member: member))
    }

    /// A commit of a git repository, which is built with Go; of jobstats itself, which is scripts, its tree is taken.
    ///
    /// - Parameters:
    ///   - url: the repository, by HTTPS or HTTP or as a directory.
    ///   - revision: the full commit id.
    ///   - directory: the directory of the program's main package in the repository.
    ///   - usesC: whether it needs cgo, and with it a C compiler on the machine that deploys.
    public static func git(
        _ url: String, revision: String, directory: String = ".", usesC: Bool = false
    ) -> ArtifactSource {
        ArtifactSource(
            location: .git(url: url, revision: revision.lowercased(), directory: directory, usesC: usesC))
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
        /// Princeton's jobstats: a tar archive of the tree of its repository, without a folder around it.
        public static let jobstats = Name(description: "jobstats")
        /// Grafana, as a Debian package; without a source it is the one of the distribution's repositories.
        public static let grafana = Name(description: "grafana")

        /// The program of this key; nil when there is none.
        public init?(_ key: String) {
            guard let name = Self.all.first(where: { $0.description == key }) else { return nil }
            self = name
        }

        private init(description: String) { self.description = description }

        static let all: [Name] = [
            .nodeExporter, .cgroupExporter, .nvidiaGPUExporter, .prometheus, .promtool, .roleMonitor, .jobstats,
            .grafana,
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

        /// The architecture of this name; nil when it is none of those above.
        public init?(_ name: String) {
            guard let architecture = Self.all.first(where: { $0.description == name }) else { return nil }
            self = architecture
        }

        private init(description: String) { self.description = description }

        static let all: [Architecture] = [.x86, .arm]
    }
}

/// The sources of one program: one for every architecture, or one for each.
public struct ArtifactSources: Sendable, Hashable {
    private(set) var common: ArtifactSource?
    private(set) var special: [ArtifactSource.Architecture: ArtifactSource] = [:]

    /// One source, whatever the architecture.
    public init(_ source: ArtifactSource) { common = source }

    /// One source for each architecture.
    public init(_ sources: [ArtifactSource.Architecture: ArtifactSource]) { special = sources }

    /// The source for an architecture; nil when there is none.
    public subscript(architecture: ArtifactSource.Architecture) -> ArtifactSource? {
        special[architecture] ?? common
    }

    /// Whether this architecture has a source of its own.
    func isSpecial(_ architecture: ArtifactSource.Architecture) -> Bool { special[architecture] != nil }
}
