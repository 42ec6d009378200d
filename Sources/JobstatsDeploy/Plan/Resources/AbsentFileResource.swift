public import CommandExecution

/// A file of ours that must not be there any more.
public struct AbsentFileResource: Resource {
    /// Absolute path.
    public var path: String

    /// Creates the resource.
    public init(_ path: String) { self.path = path }

    public var summary: String { "no file \(path)" }
    public var queries: [Query] { [.file(path)] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        switch file.kind {
        case .missing: return .inPlace("not there")
        case .directory: return .blocked("\(path) is a directory", remedy: "look at what it is")
        default: return .differs(["\(path) is there"])
        }
    }

    public func changes(from facts: Facts) -> [Command] { [Command("rm", ["-f", "--", path])] }

    public var exportActions: [ExportAction] { [.absent(path)] }

    public var instructions: Instructions { Instructions(commands: ["rm -f " + ShellQuoting.quote(path)]) }
}
