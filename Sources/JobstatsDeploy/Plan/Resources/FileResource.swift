public import CommandExecution

/// A plain file with known bytes, mode and owner.
///
/// It is replaced by renaming, so a reader never sees half of it and a running program is never written over. The host
/// remembers its digest (``OwnershipRecord``). What this deployment did not put there, or somebody changed since, is kept
/// below the record's backups before it is replaced.
public struct FileResource: Resource {
    /// Absolute path.
    public var path: String
    /// What it shall hold.
    public var content: FileContent
    /// Permission bits.
    public var mode: Int
    /// Owner's name.
    public var owner: String
    /// Group's name.
    public var group: String
    /// Whether a copy is kept also of a file that is ours and of an older version.
    public var keepsBackup: Bool
    /// A command that must accept the new file before it takes its place; `{}` among its arguments is the new file.
    public var validation: Command?
    /// Where the host remembers it.
    public var record: OwnershipRecord

    /// Creates the resource; owner and group are root, mode 0644, without validation by default.
    public init(
        _ path: String, _ content: FileContent, mode: Int = 0o644, owner: String = "root", group: String = "root",
        keepsBackup: Bool = false, validation: Command? = nil, record: OwnershipRecord = .standard
    ) {
        self.path = path
        self.content = content
        self.mode = mode
        self.owner = owner
        self.group = group
        self.keepsBackup = keepsBackup
        self.validation = validation
        self.record = record
    }

    public var summary: String {
        "file \(path), \(Mode.octal(mode)) \(owner):\(group), \(content.size) bytes, sha256 \(content.sha256.prefix(12))…"
    }

    public var queries: [Query] { [.file(path), record.query] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        var reasons: [String] = []
        switch file.kind {
        case .missing: return .differs(["\(path) is missing"])
        case .directory:
            return .blocked("\(path) is a directory", remedy: "move it away: a file belongs there")
        case .link, .other: return .differs(["\(path) is not a plain file"], isDrift: isDrift(facts))
        case .plain: break
        }
        guard let sha256 = file.sha256 else { return .unknown("the content of \(path)") }
        let isDrift = isDrift(facts)
        if sha256 != content.sha256 {
            reasons.append(
                isDrift
                    ? "changed here since it was deployed (what was changed is kept below \(record.backups))"
                    : "content differs")
        }
        if file.mode != mode { reasons.append("mode is \(Mode.octal(file.mode)), not \(Mode.octal(mode))") }
        if file.owner != owner || file.group != group {
            reasons.append("belongs to \(file.owner):\(file.group), not \(owner):\(group)")
        }
        return reasons.isEmpty ? .inPlace() : .differs(reasons.map { "\(path): \($0)" }, isDrift: isDrift)
    }

    /// Whether somebody changed it since the deployment put it there.
    private func isDrift(_ facts: Facts) -> Bool {
        facts.file(path)?.sha256 != content.sha256 && record.standing(of: path, facts) == .changedSince
    }

    public var differenceQueries: [Query] { content.text == nil ? [] : [.content(path)] }

    public func difference(_ facts: Facts) -> String? {
        guard let wanted = content.text else { return nil }
        let present = facts.content(path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return UnifiedDifference.text(from: present, to: wanted, path: path)
    }

    public func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        if let file = facts.file(path), file.kind == .plain, file.sha256 == content.sha256 {
            return [
                Command(
                    "sh", ["-c", OwnershipScripts.giveAccess, "sh", path, Mode.octal(mode), "\(owner):\(group)"])
            ]
        }
        return [
            Command(
                "sh", ["-c", OwnershipScripts.replace, "sh"] + replaceArguments, input: try content.bytes(),
                timeout: .seconds(120))
        ]
    }

    /// The arguments of ``OwnershipScripts/replace``.
    private var replaceArguments: [String] {
        [
            path, Mode.octal(mode), "\(owner):\(group)", "\(content.sha256):\(content.size)",
            keepsBackup ? "yes" : "no", record.path,
        ]
            + (validation.map { [$0.executable] + $0.arguments } ?? [])
    }

    public func removal() -> [Command]? { [Command("rm", ["-f", "--", path])] }
    public var absence: (any Resource)? { FileRemoval(path, digests: [content.sha256], record: record) }

    public var exportActions: [ExportAction] {
        [
            .file(
                ExportFile(
                    path, mode: mode, owner: owner, group: group, contents: [.init(nil, content)],
                    keepsBackup: keepsBackup, validation: validation))
        ]
    }

    public var instructions: Instructions {
        var commands: [String] = []
        let word = ShellQuoting.quote(path)
        if let source = content.localPath {
            commands.append(
                "install -o \(owner) -g \(group) -m \(Mode.octal(mode)) \(ShellQuoting.quote(source)) \(word).new && mv -fT \(word).new \(word)"
            )
        } else if content.isSecret {
            commands.append("# put the secret file at \(path) with mode \(Mode.octal(mode)); it is not shown here")
        } else {
            commands.append("# write \(path) as shown")
            commands.append("chown \(owner):\(group) \(word) && chmod \(Mode.octal(mode)) \(word)")
        }
        if let validation {
            commands.append(validation.description.replacing("{}", with: word).replacing("'\(word)'", with: word))
        }
        return Instructions(
            commands: commands, files: content.text.map { [.init(path: path, text: $0)] } ?? [],
            verification: ["sha256sum \(word)  # \(content.sha256)"],
            undo: [
                "rm -f \(word)" + (path.hasPrefix(Installed.unitDirectory + "/") ? " && systemctl daemon-reload" : "")
            ])
    }
}

/// Permission bits as people write them.
package enum Mode {
    /// `0644`
    package static func octal(_ mode: Int) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
