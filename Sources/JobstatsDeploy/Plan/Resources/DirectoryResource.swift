public import CommandExecution

/// A directory with known mode and owner; parents are made when they are missing.
public struct DirectoryResource: Resource {
    /// Absolute path.
    public var path: String
    /// Permission bits.
    public var mode: Int
    /// Owner's name.
    public var owner: String
    /// Group's name.
    public var group: String
    /// Where the host remembers that it was made.
    public var record: OwnershipRecord

    /// Creates the resource; root and 0755 by default.
    public init(
        _ path: String, mode: Int = 0o755, owner: String = "root", group: String = "root",
        record: OwnershipRecord = .standard
    ) {
        self.path = path
        self.mode = mode
        self.owner = owner
        self.group = group
        self.record = record
    }

    public var summary: String { "directory \(path), \(Mode.octal(mode)) \(owner):\(group)" }
    public var queries: [Query] { [.file(path)] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        switch file.kind {
        case .missing: return .differs(["\(path) is missing"])
        case .directory: break
        default: return .blocked("\(path) is not a directory", remedy: "move it away: a directory belongs there")
        }
        var reasons: [String] = []
        if file.mode != mode { reasons.append("\(path): mode is \(Mode.octal(file.mode)), not \(Mode.octal(mode))") }
        if file.owner != owner || file.group != group {
            reasons.append("\(path): belongs to \(file.owner):\(file.group), not \(owner):\(group)")
        }
        return reasons.isEmpty ? .inPlace() : .differs(reasons)
    }

    public func changes(from facts: Facts) -> [Command] {
        [
            Command(
                "sh", ["-c", OwnershipScripts.makeDirectory, "sh", path, Mode.octal(mode), owner, group, record.path])
        ]
    }

    public func removal() -> [Command]? { [Command("rmdir", ["--ignore-fail-on-non-empty", "--", path])] }
    public var absence: (any Resource)? { DirectoryRemoval(path, record: record) }
    public var exportActions: [ExportAction] { [.directory(path, mode: mode, owner: owner, group: group)] }

    public var instructions: Instructions {
        let make = Command("install", ["-d", "-m", Mode.octal(mode), "-o", owner, "-g", group, "--", path])
        return Instructions(
            commands: [make.description], verification: ["stat \(ShellQuoting.quote(path))"],
            undo: ["rmdir \(ShellQuoting.quote(path))  # when empty"])
    }
}
