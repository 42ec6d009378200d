public import CommandExecution

/// A file of an earlier product that must not be in use any more: it is renamed, not deleted.
public struct RetiredFileResource: Resource {
    /// Absolute path.
    public var path: String
    /// Why it is retired, in words.
    public var reason: String

    /// Creates the resource.
    public init(_ path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var summary: String { "no \(path): \(reason)" }
    public var queries: [Query] { [.file(path)] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        return file.kind == .missing ? .inPlace("not there") : .differs(["\(path) is there: \(reason)"])
    }

    public func changes(from facts: Facts) -> [Command] { [Command("mv", ["-fT", "--", path, path + ".retired"])] }

    public func removal() -> [Command]? {
        [Command("sh", ["-c", "[ ! -e \"$1.retired\" ] || mv -nT -- \"$1.retired\" \"$1\"", "sh", path])]
    }

    /// It stays retired: what it belonged to is gone.
    public var absence: (any Resource)? { nil }

    public var exportActions: [ExportAction] {
        [
            .command(
                ExportCommand(
                    summary, unless: Command("sh", ["-c", "[ ! -e \"$1\" ]", "sh", path]), changes(from: Facts())))
        ]
    }

    public var instructions: Instructions {
        let word = ShellQuoting.quote(path)
        return Instructions(
            commands: ["[ ! -e \(word) ] || mv \(word) \(word).retired"], undo: ["mv \(word).retired \(word)"])
    }
}
