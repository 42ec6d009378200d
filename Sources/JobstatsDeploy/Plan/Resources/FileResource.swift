public import CommandExecution

/// A plain file with known bytes, mode and owner.
///
/// It is replaced by renaming, so a reader never sees half of it and a running program is never written over. A file
/// that is there and differs is kept beside it under a dated name when ``keepsBackup`` says so.
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
    /// Whether a differing file is kept under a dated name before it is replaced.
    public var keepsBackup: Bool
    /// A command that must accept the new file before it takes its place; `{}` among its arguments is the new file.
    public var validation: Command?

    /// Creates the resource; owner and group are root, mode 0644, without backup or validation by default.
    public init(
        _ path: String, _ content: FileContent, mode: Int = 0o644, owner: String = "root", group: String = "root",
        keepsBackup: Bool = false, validation: Command? = nil
    ) {
        self.path = path
        self.content = content
        self.mode = mode
        self.owner = owner
        self.group = group
        self.keepsBackup = keepsBackup
        self.validation = validation
    }

    public var summary: String {
        "file \(path), \(Mode.octal(mode)) \(owner):\(group), \(content.size) bytes, sha256 \(content.sha256.prefix(12))…"
    }

    public var queries: [Query] { [.file(path)] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        var reasons: [String] = []
        switch file.kind {
        case .missing: return .differs(["\(path) is missing"])
        case .directory:
            return .blocked("\(path) is a directory", remedy: "move it away: a file belongs there")
        case .link, .other: return .differs(["\(path) is not a plain file"])
        case .plain: break
        }
        guard let sha256 = file.sha256 else { return .unknown("the content of \(path)") }
        if sha256 != content.sha256 { reasons.append("content differs") }
        if file.mode != mode { reasons.append("mode is \(Mode.octal(file.mode)), not \(Mode.octal(mode))") }
        if file.owner != owner || file.group != group {
            reasons.append("belongs to \(file.owner):\(file.group), not \(owner):\(group)")
        }
        return reasons.isEmpty ? .inPlace() : .differs(reasons.map { "\(path): \($0)" })
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
                Command("chown", ["--", "\(owner):\(group)", path]), Command("chmod", ["--", Mode.octal(mode), path]),
            ]
        }
        let check = validation.map { [$0.executable] + $0.arguments } ?? []
        return [
            Command(
                "sh",
                [
                    "-c", Self.replaceScript, "sh", path, Mode.octal(mode), "\(owner):\(group)",
                    keepsBackup ? "yes" : "no",
                ]
                    + check,
                input: try content.bytes(), timeout: .seconds(120))
        ]
    }

    /// Arguments: path, mode, owner:group, whether to keep a backup, and the validation's words. The new bytes come on
    /// standard input. mktemp(1) creates the file readable by its owner alone, and it stays so until it is complete.
    private static let replaceScript = """
        set -eu
        path=$1 mode=$2 owner=$3 backup=$4
        shift 4
        # What an interrupted run left here goes first: it may be a key, and an image would keep it. On shared storage
        # another host may be at work in the same folder, so young files stay.
        find "$(dirname -- "$path")" -maxdepth 1 -name '.bcm-jobstats.????????' -type f -mmin +30 -delete 2>/dev/null || :
        new=$(mktemp -- "$(dirname -- "$path")/.bcm-jobstats.XXXXXXXX")
        trap 'rm -f -- "$new"' EXIT
        trap 'exit 1' HUP INT TERM
        cat >"$new"
        if [ $# -gt 0 ]; then
            count=$#
            for word in "$@"; do
                [ "$word" != "{}" ] || word=$new
                set -- "$@" "$word"
            done
            shift "$count"
            "$@" >&2
        fi
        chown -- "$owner" "$new"
        chmod -- "$mode" "$new"
        if [ "$backup" = yes ] && [ -e "$path" ]; then
            cp -a -- "$path" "$path.bcm-jobstats-$(date -u +%Y%m%dT%H%M%SZ)"
        fi
        sync -- "$new"
        mv -fT -- "$new" "$path"
        sync -- "$(dirname -- "$path")"
        """

    public func removal() -> [Command]? { [Command("rm", ["-f", "--", path])] }

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
            verification: ["sha256sum \(word)  # \(content.sha256)"], undo: ["rm -f \(word)"])
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
