/// The programs that this version of the project was made for: versions, sources with their SHA-256, licences.
///
/// It is part of the program (`Files/artifacts.json`); a site overrides single entries with `artifacts` in its
/// configuration. Each SHA-256 was found in public build recipes; `docs/artifacts.md` says how well each is attested.
public struct ArtifactManifest: Sendable {
    /// One program.
    public struct Entry: Sendable {
        /// Its version, as its makers count.
        public var version: String
        /// Its licence by SPDX's short name.
        public var licence: String
        /// Where it is at home.
        public var home: String
        /// Where it comes from.
        public var sources: ArtifactSources
    }

    /// The entries.
    public let entries: [ArtifactSource.Name: Entry]

    /// The manifest of this version.
    public static let standard =
        ArtifactManifest(parsing: PackageResources.artifacts_json) ?? ArtifactManifest(entries: [:])

    private init(entries: [ArtifactSource.Name: Entry]) { self.entries = entries }

    /// Reads a manifest; nil when anything in it is wrong.
    init?(parsing bytes: [UInt8]) {
        var reader = ConfigurationReader()
        guard let document = try? JSONNode.parse(bytes), let programs = reader.object(document, at: "") else {
            return nil
        }
        var entries: [ArtifactSource.Name: Entry] = [:]
        for program in programs {
            guard let name = ArtifactSource.Name.all.first(where: { $0.description == program.name }),
                let members = reader.object(program.node, at: program.name)
            else { return nil }
            func text(_ key: String) -> String? {
                guard case .string(let text)? = members.first(where: { $0.name == key })?.node.value else { return nil }
                return text
            }
            guard let version = text("version"), let licence = text("licence"), let home = text("home"),
                let source = members.first(where: { $0.name == "source" }),
                let sources = ArtifactSources(reading: source.node, at: program.name, with: &reader)
            else { return nil }
            entries[name] = Entry(version: version, licence: licence, home: home, sources: sources)
        }
        guard reader.issues.isEmpty else { return nil }
        self.entries = entries
    }
}
