/// How packages of the distribution come to a host.
public enum PackageSource: Sendable, Hashable {
    /// From the repositories that the host is configured with.
    case repository
    /// From files that were verified on the machine that deploys; nothing is fetched.
    case files(PackageFiles)
}

/// Debian packages on this machine, with everything that they depend on.
public struct PackageFiles: Sendable, Hashable {
    /// One package.
    public struct File: Sendable, Hashable {
        /// The package's name.
        public var name: String
        /// Its version.
        public var version: String
        /// The `.deb` file.
        public var content: FileContent

        /// Names a package's file.
        public init(name: String, version: String, content: FileContent) {
            self.name = name
            self.version = version
            self.content = content
        }
    }

    /// What the packages are made for, in the words of os-release and dpkg: `ubuntu 24.04 amd64`.
    public var platform: String
    /// The files.
    public var files: [File]
    /// For each package that was asked for, itself and all that it needs on an empty system.
    public var closures: [String: [String]]

    /// Describes packages.
    public init(platform: String, files: [File], closures: [String: [String]]) {
        self.platform = platform
        self.files = files
        self.closures = closures
    }

    /// The files for some packages and all that these need, by name; nil when one of them is not here.
    func closure(of names: [String]) -> [File]? {
        var needed = Set<String>()
        for name in names {
            guard let closure = closures[name] else { return nil }
            needed.formUnion(closure)
            needed.insert(name)
        }
        let found = files.filter { needed.contains($0.name) }
        return found.count == needed.count ? found.sorted { $0.name < $1.name } : nil
    }
}
