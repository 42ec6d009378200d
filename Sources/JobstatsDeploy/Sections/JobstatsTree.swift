/// What of the upstream tree is installed: the command with its modules, and what belongs to it.
struct JobstatsTree: Sendable, Hashable {
    /// The file that lists what was installed, with SHA-256 sums, so that a later revision can take away what it no
    /// longer has.
    static let manifestName = ".jobstats-files"
    /// The file that holds the revision, where the archive tells it; validation reads it.
    static let revisionName = ".jobstats-revision"
    /// The dashboard in the tree.
    static let dashboardPath = "grafana/Single_Job_Stats.json"
    /// The Open OnDemand application in the tree.
    static let onDemandPath = "ood-jobstats-helper"

    /// By path, without the configuration, which is made for the site.
    let files: [TarArchive.File]
    /// The revision, where the archive tells it.
    let revision: String?

    /// Reads an archive of the tree, with or without one directory around everything.
    init(archive bytes: [UInt8]) throws(ResourceError) {
        let archive = try TarArchive(bytes)
        var files = archive.files
        if !files.contains(where: { $0.path == "jobstats" }), let top = files.first?.path.split(separator: "/").first,
            files.allSatisfy({ $0.path.hasPrefix("\(top)/") })
        {
            for index in files.indices { files[index].path.removeFirst(top.count + 1) }
        }
        guard let command = files.firstIndex(where: { $0.path == "jobstats" }) else {
            throw ResourceError(
                "the archive holds no file jobstats", remedy: "it must hold the tree of the jobstats repository")
        }
        files[command].isExecutable = true
        var installed = files.filter { Self.isInstalled($0.path) }
        revision = archive.revision
        if let revision {
            let line = Array("\(revision)\n".utf8)
            installed.append(TarArchive.File(path: Self.revisionName, bytes: line, isExecutable: false))
        }
        self.files = installed.sorted { $0.path < $1.path }
    }

    /// Reads the tree that lies on this machine; its SHA-256 is checked.
    init(_ program: DeploymentContext.LocalProgram) throws(ResourceError) {
        try self.init(archive: program.content.bytes())
    }

    private static func isInstalled(_ path: String) -> Bool {
        let top = path.split(separator: "/").first ?? ""
        return path != "config.py" && !top.hasPrefix(".") && !["docs", "tests", "mkdocs.yml"].contains(top)
    }

    /// The bytes of one file.
    func file(_ path: String) -> [UInt8]? { files.first { $0.path == path }?.bytes }

    /// The list of files as `sha256sum` reads it.
    var manifest: String {
        files.map { "\(SHA256Digest.hex($0.bytes))  \($0.path)\n" }.joined()
    }

    /// The files and their manifest as one archive, made afresh from what was checked.
    var payload: [UInt8] {
        let manifest = TarArchive.File(path: Self.manifestName, bytes: Array(manifest.utf8), isExecutable: false)
        return TarArchive(files: files + [manifest]).encoded
    }
}
