public import CommandExecution

/// A file of ours taken away, and what stood there before put back. A file that somebody changed stays and is named.
public struct FileRemoval: Resource {
    /// Absolute path.
    public var path: String
    /// Digests that are ours besides those that the host remembers.
    public var digests: [String]
    /// The host's memory.
    public var record: OwnershipRecord

    /// Creates the removal.
    public init(_ path: String, digests: [String] = [], record: OwnershipRecord = .standard) {
        self.path = path
        self.digests = digests
        self.record = record
    }

    public var summary: String { "no file \(path) of this deployment" }
    /// Its script looks for itself.
    public var needsFreshFacts: Bool { false }
    public var queries: [Query] { [.file(path), record.query] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        if file.kind == .missing { return .inPlace("not there") }
        let isOurs = file.sha256.map(digests.contains) == true
        switch record.standing(of: path, facts) {
        case .changedSince where !isOurs:
            return .left("\(path) was changed here since it was deployed", remedy: "when it is not needed: rm \(path)")
        case .notRecorded where !isOurs: return .left("\(path) is not of this deployment")
        default: break
        }
        let earlier = record.words(for: path, facts).contains { $0.hasPrefix("before:") }
        return .differs(["\(path) is there" + (earlier ? ", and what stood there before comes back" : "")])
    }

    public func changes(from facts: Facts) -> [Command] {
        let words = [path, digests.joined(separator: " "), record.path]
        var commands = [Command("sh", ["-c", OwnershipScripts.remove, "sh"] + words)]
        if path.hasPrefix(Installed.unitDirectory + "/") {
            commands.append(Command("systemctl", ["daemon-reload"], timeout: .seconds(90)))
        }
        return commands
    }

    public var instructions: Instructions {
        Instructions(commands: ["rm -f " + ShellQuoting.quote(path)], verification: ["ls " + ShellQuoting.quote(path)])
    }
}

extension Assessment {
    private static let leftMark = "left: "

    /// Not taken away, since it is not, or not only, ours.
    static func left(_ what: String) -> Assessment { .inPlace(leftMark + what) }
    /// Not taken away, and worth a look.
    static func left(_ what: String, remedy: String) -> Assessment { .warning(leftMark + what, remedy: remedy) }
    /// What was left, from the words of an assessment.
    static func whatWasLeft(_ detail: String) -> String? {
        detail.hasPrefix(leftMark) ? String(detail.dropFirst(leftMark.count)) : nil
    }
}
