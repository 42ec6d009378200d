public import CommandExecution

/// A directory that this deployment made taken away when nothing is in it.
public struct DirectoryRemoval: Resource {
    /// Absolute path.
    public var path: String
    /// The host's memory.
    public var record: OwnershipRecord

    /// Creates the removal.
    public init(_ path: String, record: OwnershipRecord = .standard) {
        self.path = path
        self.record = record
    }

    public var summary: String { "no directory \(path), unless something else is in it" }
    public var queries: [Query] { [.file(path), record.query, .command(look)] }

    /// Names one thing that is in it.
    private var look: Command {
        Command("find", [path, "-mindepth", "1", "-maxdepth", "1", "-printf", "%f\\n", "-quit"])
    }

    public func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        if file.kind == .missing { return .inPlace("not there") }
        guard record.words(for: path, facts).contains("directory") else {
            return .left("the directory \(path), which the host does not remember as made by this deployment")
        }
        guard let content = facts.result(look), content.succeeded else { return .unknown("what is in \(path)") }
        if !content.outputText.isEmpty { return .left("the directory \(path), since something is in it") }
        return .differs(["\(path) is there and empty"])
    }

    public func changes(from facts: Facts) -> [Command] {
        [Command("sh", ["-c", OwnershipScripts.removeDirectory, "sh", path, record.path])]
    }

    public var instructions: Instructions {
        Instructions(commands: ["rmdir " + ShellQuoting.quote(path) + "  # when empty"])
    }
}

/// A directory taken away with everything in it, which was agreed to by name.
struct DataRemoval: Resource {
    let path: String
    private let record: OwnershipRecord

    init(_ path: String, record: OwnershipRecord = .standard) {
        self.path = path
        self.record = record
    }

    var summary: String { "no \(path), with all that is in it" }
    var queries: [Query] { [.file(path)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        switch file.kind {
        case .missing: return .inPlace("not there")
        case .directory: return .differs(["\(path) is there"])
        default: return .left("\(path), which is not a directory")
        }
    }

    func changes(from facts: Facts) -> [Command] {
        [
            Command("rm", ["-rf", "--one-file-system", "--", path], timeout: .seconds(900)),
            Command("sh", ["-c", OwnershipScripts.removeDirectory, "sh", path, record.path]),
        ]
    }

    var instructions: Instructions { Instructions(commands: ["rm -rf " + ShellQuoting.quote(path)]) }
}
