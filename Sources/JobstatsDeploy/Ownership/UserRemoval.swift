public import CommandExecution

/// A system user that this deployment made taken away when no process runs as it.
public struct UserRemoval: Resource {
    /// The name.
    public var name: String
    /// The host's memory.
    public var record: OwnershipRecord

    /// Creates the removal.
    public init(_ name: String, record: OwnershipRecord = .standard) {
        self.name = name
        self.record = record
    }

    public var summary: String { "no system user \(name), unless it was there before or processes run as it" }
    public var queries: [Query] { [.user(name), record.query, .command(processes)] }

    /// Names one process of the user.
    private var processes: Command {
        Command(
            "sh",
            [
                "-c",
                """
                id -u -- "$1" >/dev/null 2>&1 || exit 0
                find /proc -maxdepth 1 -name '[0-9]*' -user "$1" -printf '%f\\n' -quit 2>/dev/null || :
                """, "sh", name,
            ])
    }

    public func assess(_ facts: Facts) -> Assessment {
        guard let user = facts.user(name) else { return .unknown("user \(name)") }
        guard user != nil else { return .inPlace("not there") }
        guard record.words(for: name, facts).contains("user") else {
            return .left("the user \(name), whom the host does not remember as made by this deployment")
        }
        guard let found = facts.result(processes), found.succeeded else { return .unknown("processes of \(name)") }
        if !found.outputText.isEmpty {
            return .left("the user \(name), since process \(found.outputText.trimmed) runs as it")
        }
        return .differs(["user \(name) is there"])
    }

    public func changes(from facts: Facts) -> [Command] {
        [Command("sh", ["-c", OwnershipScripts.removeUser, "sh", name, record.path])]
    }

    public var instructions: Instructions { Instructions(commands: ["userdel " + ShellQuoting.quote(name)]) }
}
