public import CommandExecution

/// A unit whose file this deployment put there: neither enabled nor running.
public struct UnitRemoval: Resource {
    /// The unit's name with its suffix.
    public var name: String
    /// How long it may take to stop, in seconds.
    public var patience: Int
    /// Copies that go with it.
    public var copies: [String]
    /// The host's memory.
    public var record: OwnershipRecord

    /// Creates the removal.
    public init(_ name: String, patience: Int = 120, copies: [String] = [], record: OwnershipRecord = .standard) {
        self.name = name
        self.patience = patience
        self.copies = copies
        self.record = record
    }

    public var summary: String { "unit \(name) neither enabled nor running, if it is of this deployment" }
    public var queries: [Query] { [.unit(name), .content(unitFile), record.query] + copies.map { .file($0) } }
    private var unitFile: String { Installed.unitFile(name) }

    public func assess(_ facts: Facts) -> Assessment {
        guard let unit = facts.unit(name) else { return .unknown("unit \(name)") }
        var reasons = copies.filter { facts.file($0).map { $0.kind != .missing } ?? false }.map { "\($0) is there" }
        if unit.isRunning || unit.active == "failed" { reasons.append("\(name) is \(unit.active)") }
        if unit.enablement == "enabled" { reasons.append("\(name) is enabled") }
        if reasons.isEmpty { return .inPlace(unit.isMissing ? "not there" : "\(name) is \(unit.active)") }
        let path = unit.path.isEmpty ? unitFile : unit.path
        let text = path == unitFile ? facts.content(path).map { String(decoding: $0, as: UTF8.self) } : nil
        guard !record.words(for: path, facts).isEmpty || text?.contains(Installed.mark) == true else {
            return .left("unit \(name), which is not of this deployment")
        }
        return .differs(reasons)
    }

    public func changes(from facts: Facts) -> [Command] {
        var commands = [
            Command(
                "sh",
                [
                    "-c",
                    """
                    systemctl disable --now --quiet -- "$1" || exit
                    systemctl reset-failed -- "$1" 2>/dev/null || :
                    """, "sh", name,
                ], timeout: .seconds(patience))
        ]
        if !copies.isEmpty { commands.append(Command("rm", ["-f", "--"] + copies)) }
        return commands
    }

    public var instructions: Instructions {
        Instructions(commands: ["systemctl disable --now " + ShellQuoting.quote(name)])
    }
}
