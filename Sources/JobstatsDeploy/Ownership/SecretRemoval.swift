import CommandExecution

/// A key, a certificate, or a file that names them, taken away whoever put it there, with the copies of it below the
/// host's backups: nothing that opens a door stays behind.
struct SecretRemoval: Resource {
    let path: String
    let record: OwnershipRecord

    init(_ path: String, record: OwnershipRecord = .standard) {
        self.path = path
        self.record = record
    }

    var summary: String { "no file \(path), and no copy of it below \(record.backups)" }
    var queries: [Query] { [.file(path), record.query, .command(look)] }

    /// Names one copy, below the backups or beside its place, where a run was cut off.
    private var look: Command {
        Command(
            "sh",
            [
                "-c",
                """
                [ ! -d "$1" ] || find "$1" -path "$1/*$2" ! -type d -print -quit
                for left in "${2%/*}"/.bcm-jobstats.????????; do
                    [ ! -f "$left" ] || printf '%s\\n' "$left"
                done
                """, "sh", record.backups, path,
            ])
    }

    func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path), let copies = facts.result(look), copies.succeeded else {
            return .unknown(path)
        }
        if file.kind == .directory { return .blocked("\(path) is a directory", remedy: "look at what it is") }
        var reasons = file.kind == .missing ? [] : ["\(path) is there"]
        if !copies.outputText.isEmpty { reasons.append("a copy of it is at \(copies.outputText.trimmed)") }
        if !record.words(for: path, facts).isEmpty { reasons.append("the host remembers \(path)") }
        return reasons.isEmpty ? .inPlace("not there") : .differs(reasons)
    }

    func changes(from facts: Facts) -> [Command] {
        [Command("sh", ["-c", OwnershipScripts.removeSecret, "sh", path, record.path])]
    }

    var exportActions: [ExportAction] { [.absent(path)] }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    var instructions: Instructions {
        Instructions(commands: [
            "rm -f " + ShellQuoting.quote(path),
            "rm -f \(ShellQuoting.quote(record.backups))/*" + ShellQuoting.quote(path)
                + " \(ShellQuoting.quote(Self.folder(of: path)))/.bcm-jobstats.????????",
        ])
    }
}
