import CommandExecution

/// A program, copied from this machine in the version for the host's architecture.
struct ProgramResource: Resource {
    let name: ArtifactSource.Name
    let path: String
    private let files: [ArtifactSource.Architecture: FileResource]

    static let architecture = Command("uname", ["-m"])

    init(
        _ name: ArtifactSource.Name, at path: String,
        from programs: [ArtifactSource.Architecture: DeploymentContext.LocalProgram]
    ) {
        self.name = name
        self.path = path
        files = programs.mapValues {
            FileResource(path, .localFile($0.path, sha256: $0.sha256, size: $0.size), mode: 0o755)
        }
    }

    /// What identifies the content, whatever the architecture.
    var fingerprint: String {
        files.sorted { $0.key.description < $1.key.description }.map { "\($0.key) \($0.value.content.sha256)" }
            .joined(separator: "\n")
    }

    private var sorted: [(ArtifactSource.Architecture, FileResource)] {
        files.sorted { $0.key.description < $1.key.description }.map { ($0.key, $0.value) }
    }

    var summary: String {
        guard !files.isEmpty else { return "program \(path), from a source that is not known yet" }
        return "program \(path) 0755: "
            + sorted.map { "\($0), \($1.content.size) bytes, sha256 \($1.content.sha256.prefix(12))…" }
            .joined(separator: "; ")
    }

    var queries: [Query] { [.command(Self.architecture), .file(path), OwnershipRecord.standard.query] }

    private func file(_ facts: Facts) -> (name: String, file: FileResource?)? {
        guard let result = facts.result(Self.architecture), result.succeeded else { return nil }
        let name = result.outputText.split(whereSeparator: \.isWhitespace).first.map { String($0) } ?? ""
        return (name, files.first { $0.key.description == name }?.value)
    }

    func assess(_ facts: Facts) -> Assessment {
        guard let (architecture, file) = file(facts) else { return .unknown("the architecture") }
        guard let file else {
            return .blocked(
                "there is no \(name) for \(architecture)",
                remedy: "name one in the configuration: artifacts.\(name).\(architecture)")
        }
        return file.assess(facts)
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        guard let file = file(facts)?.file else {
            throw ResourceError(
                "there is no \(name) for this architecture", remedy: "name one in the configuration: artifacts.\(name)")
        }
        return try file.changes(from: facts)
    }

    func removal() -> [Command]? { [Command("rm", ["-f", "--", path])] }
    var absence: (any Resource)? { FileRemoval(path, digests: sorted.map { $1.content.sha256 }) }

    var exportActions: [ExportAction] {
        guard !files.isEmpty else { return [.byHand(summary, instructions)] }
        return [
            .file(
                ExportFile(
                    path, mode: 0o755, owner: "root", group: "root",
                    contents: sorted.map { .init($0.description, $1.content) }))
        ]
    }

    var instructions: Instructions {
        guard !files.isEmpty else {
            return Instructions(
                commands: [
                    "# copy the program \(name) to \(path), root:root 0755, under a new name first, then rename"
                ],
                verification: ["test -x \(path)"], undo: ["rm -f \(path)"])
        }
        var all = Instructions()
        let word = ShellQuoting.quote(path)
        for (architecture, file) in sorted {
            let hint = files.count > 1 ? "  # for \(architecture)" : ""
            let source = ShellQuoting.quote(file.content.localPath ?? "")
            all.commands.append("scp \(source) root@HOST:\(word).new  # on the head node, for each HOST\(hint)")
            all.verification.append("sha256sum \(word)  # \(file.content.sha256)\(hint)")
        }
        all.commands.append("chown root:root \(word).new && chmod 0755 \(word).new && mv -fT \(word).new \(word)")
        all.undo = ["rm -f \(word)"]
        return all
    }
}
