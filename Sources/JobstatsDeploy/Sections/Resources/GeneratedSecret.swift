import CommandExecution

/// A random password that is made on the host and never leaves it: an environment file of root's alone.
///
/// One that is there is never replaced.
struct GeneratedSecret: Resource {
    let path: String
    /// The variable that holds it in the file.
    let variable: String

    init(_ path: String, variable: String) {
        self.path = path
        self.variable = variable
    }

    var summary: String { "a random password in \(path), 0600 root:root, made on the host" }
    var queries: [Query] { [.file(path)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let file = facts.file(path) else { return .unknown(path) }
        switch file.kind {
        case .missing: return .differs(["\(path) is missing"])
        case .plain: break
        default: return .blocked("\(path) is not a plain file", remedy: "move it away, after a look at what it is")
        }
        if file.size == 0 { return .blocked("\(path) is empty", remedy: "remove it, and run again") }
        guard file.mode == 0o600, file.owner == "root", file.group == "root" else {
            return .differs(["\(path) is open to others: \(Mode.octal(file.mode)) \(file.owner):\(file.group)"])
        }
        return .inPlace()
    }

    func changes(from facts: Facts) -> [Command] {
        [Command("sh", ["-c", Self.script, "sh", path, variable])]
    }

    /// The password is on no command line: printf is the shell's own. 32 characters of 62 are 190 bits.
    private static let script = """
        set -eu
        path=$1 variable=$2
        umask 077
        directory=$(dirname -- "$path")
        [ -d "$directory" ] || mkdir -p -m 0755 -- "$directory"
        if [ ! -e "$path" ]; then
            new=$(mktemp -- "$directory/.bcm-jobstats.XXXXXXXX")
            trap 'rm -f -- "$new"' EXIT
            trap 'exit 1' HUP INT TERM
            password=$(head -c 4096 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c 32)
            [ "${#password}" -eq 32 ]
            printf '%s=%s\\n' "$variable" "$password" >"$new"
            sync -- "$new"
            # Never over one that came to be meanwhile.
            ln -T -- "$new" "$path"
        fi
        chown -- root:root "$path"
        chmod -- 0600 "$path"
        """

    /// Arguments: the path, the variable.
    private static let exported = ScriptText(
        "secret",
        """
        set -eu
        mode=$1 path=$2 variable=$3
        if [ -e "$path" ] || [ -L "$path" ]; then
            if [ ! -f "$path" ] || [ -L "$path" ]; then
                echo "$path is not a plain file: move it away, after a look at what it is" >&2
                exit 1
            fi
            [ -s "$path" ] || { echo "$path is empty: remove it, and run this again" >&2; exit 1; }
            [ "$(stat -c '%a %U:%G' -- "$path")" != '600 root:root' ] || exit 0
            echo "$path is open to others"
        else
            echo "$path is missing"
        fi
        [ "$mode" = -y ] || exit 0
        sh -c "$generate_script" sh "$path" "$variable"
        """, running: ["generate_script": script])

    var exportActions: [ExportAction] { [.script(ExportScript(summary, Self.exported, [path, variable]))] }

    func removal() -> [Command]? { [Command("rm", ["-f", "--", path])] }

    var instructions: Instructions {
        let word = ShellQuoting.quote(path)
        return Instructions(
            commands: [
                "umask 077; mkdir -p -m 0755 \(ShellQuoting.quote(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])))",
                "printf '\(variable)=%s\\n' \"$(head -c 4096 /dev/urandom | tr -dc A-Za-z0-9 | head -c 32)\" >\(word)",
            ], verification: ["stat -c '%a %U %s' \(word)"], undo: ["rm -f \(word)"])
    }
}
