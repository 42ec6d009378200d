public import CommandExecution

/// A symbolic link that holds a target.
public struct LinkResource: Resource {
    /// Absolute path of the link.
    public var path: String
    /// What it points to.
    public var target: String

    /// Creates the resource.
    public init(_ path: String, to target: String) {
        self.path = path
        self.target = target
    }

    public var summary: String { "link \(path) to \(target)" }
    public var queries: [Query] { [.file(path), .link(path)] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path), let link = facts.link(path) else { return .unknown(path) }
        switch file.kind {
        case .missing: return .differs(["\(path) is missing"])
        case .link: return link == target ? .inPlace() : .differs(["\(path) points to \(link ?? "nothing")"])
        default: return .blocked("\(path) is not a link", remedy: "move it away, after a look at what it is")
        }
    }

    public func changes(from facts: Facts) -> [Command] { [change(makesFolder: false)] }

    func change(makesFolder: Bool) -> Command {
        Command("sh", ["-c", OwnershipScripts.makeLink, "sh", target, path] + (makesFolder ? ["folder"] : []))
    }

    public func removal() -> [Command]? { [Command("rm", ["-f", "--", path])] }
    public var exportActions: [ExportAction] { [.link(path, target: target)] }

    public var instructions: Instructions {
        Instructions(
            commands: ["ln -sfn -- " + ShellQuoting.quote([target, path])],
            verification: ["readlink -f " + ShellQuoting.quote(path)], undo: ["rm -f " + ShellQuoting.quote(path)])
    }
}
