public import CommandExecution

/// A system user without login, with a group of the same name, in the range that no directory service hands out.
public struct UserResource: Resource {
    /// The name.
    public var name: String
    /// The home directory, which is not created.
    public var home: String
    /// Where the host remembers that it was made.
    public var record: OwnershipRecord

    /// Creates the resource.
    public init(_ name: String, home: String = "/nonexistent", record: OwnershipRecord = .standard) {
        self.name = name
        self.home = home
        self.record = record
    }

    public var summary: String { "system user \(name)" }
    public var queries: [Query] { [.user(name)] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let user = facts.user(name) else { return .unknown("user \(name)") }
        guard let user else { return .differs(["there is no user \(name)"]) }
        // login.defs(5): SYS_UID_MAX is 999; ids from 1000 on are people's and may collide with a directory's.
        if user.id >= 1000 {
            return .warning(
                "user \(name) has the id \(user.id), outside the system range",
                remedy: "give it an id below 1000 that is free on all hosts: usermod -u ID \(name)")
        }
        return .inPlace("user \(name) has the id \(user.id)")
    }

    public func changes(from facts: Facts) -> [Command] {
        [Command("sh", ["-c", OwnershipScripts.makeUser, "sh", name, home, record.path])]
    }

    private var byHand: Command {
        Command(
            "useradd",
            [
                "--system", "--user-group", "--no-create-home", "--home-dir", home, "--shell", "/usr/sbin/nologin",
                "--",
                name,
            ])
    }

    public func removal() -> [Command]? { [Command("userdel", ["--", name])] }
    public var absence: (any Resource)? { UserRemoval(name, record: record) }
    public var exportActions: [ExportAction] { [.user(name, home: home)] }

    public var instructions: Instructions {
        let word = ShellQuoting.quote(name)
        return Instructions(
            commands: ["id -u \(word) >/dev/null 2>&1 || \(byHand)"], verification: ["id \(word)"],
            undo: ["userdel \(word)"])
    }
}
