import CommandExecution

/// A small file on shared storage, with the directories above it.
struct MarkerResource: Resource {
    let path: String
    private let text: String

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
    }

    var summary: String { "marker \(path)" }
    var queries: [Query] { [.content(path)] }

    func assess(_ facts: Facts) -> Assessment {
        facts.content(path) == Array(text.utf8) ? .inPlace() : .differs(["\(path) is not there"])
    }

    func changes(from facts: Facts) -> [Command] {
        [
            Command(
                "sh",
                [
                    "-c",
                    """
                    set -e
                    mkdir -p -m 0755 -- "${1%/*}"
                    new=$(mktemp -- "${1%/*}/.new.XXXXXXXX")
                    trap 'rm -f -- "$new"' EXIT
                    printf '%s' "$2" >"$new"
                    chmod 0644 -- "$new"
                    mv -fT -- "$new" "$1"
                    """, "sh", path, text,
                ])
        ]
    }

    func removal() -> [Command]? {
        [
            Command(
                "sh",
                ["-c", "rm -f -- \"$1\"; rmdir --ignore-fail-on-non-empty -- \"${1%/*}\"", "sh", path])
        ]
    }

    var exportActions: [ExportAction] {
        let isThere = Command("sh", ["-c", "[ \"$(cat -- \"$1\" 2>/dev/null)\" = \"$2\" ]", "sh", path, text.trimmed])
        return [.command(ExportCommand(summary, unless: isThere, changes(from: Facts())))]
    }

    var instructions: Instructions {
        let word = ShellQuoting.quote(path)
        let directory = ShellQuoting.quote(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)))
        return Instructions(
            commands: ["mkdir -p \(directory) && echo \(ShellQuoting.quote(text.trimmed)) >\(word)"],
            verification: ["cat \(word)"], undo: ["rm -f \(word)"])
    }
}
