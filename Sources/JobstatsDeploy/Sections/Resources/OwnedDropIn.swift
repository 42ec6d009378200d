import CommandExecution
import ServiceManager

/// An addition of ours to a unit of the distribution. A unit that somebody else put to work is not touched without
/// consent.
struct OwnedDropIn: Resource {
    let unit: String
    private let isAdopted: Bool
    private let name: String
    private let file: FileResource

    /// - Parameters:
    ///   - path: the drop-in's path.
    ///   - unit: the unit's name with its suffix.
    ///   - definition: the drop-in, which carries ``Installed/mark``.
    ///   - isAdopted: whether a unit in use may be taken over.
    ///   - name: what is adopted or skipped.
    init(_ path: String, of unit: String, _ definition: UnitFile, isAdopted: Bool, name: String) {
        self.unit = unit
        self.isAdopted = isAdopted
        self.name = name
        file = FileResource(path, .text(definition.rendered), keepsBackup: isAdopted)
    }

    var path: String { file.path }
    var summary: String { "addition to \(unit): " + file.summary }
    var queries: [Query] { file.queries + [.contentUnless(path, sha256: file.content.sha256), .unit(unit)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let known = facts.file(path), let state = facts.unit(unit) else { return .unknown(unit) }
        guard !isAdopted else { return file.assess(facts) }
        let remedy =
            "set use_existing_\(name) to true to leave it as it is, take it over with --allow adopt-\(name), or leave "
            + "\(name) out with --allow skip-\(name)"
        if known.kind == .missing {
            guard state.isRunning || state.enablement == "enabled" else { return file.assess(facts) }
            return .blocked("\(unit) runs or is enabled, and this deployment did not install it", remedy: remedy)
        }
        let text = facts.content(path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard known.sha256 == file.content.sha256 || text.contains(Installed.mark) else {
            return .blocked("\(path) was not made by this deployment", remedy: remedy)
        }
        return file.assess(facts)
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
        return [Command("mkdir", ["-p", "-m", "0755", "--", directory])] + (try file.changes(from: facts))
    }

    /// It only looks. Arguments: `yes` when it is adopted, path, mark, the unit, and the adoption's name.
    private static let exported = ScriptText(
        "drop_in",
        """
        set -eu
        adopted=$2 path=$3 mark=$4 unit=$5 name=$6
        [ "$adopted" != yes ] || exit 0
        if [ -e "$path" ]; then
            grep -qF -- "$mark" "$path" && exit 0
            what="$path was not made by this deployment"
        else
            if ! systemctl is-active --quiet -- "$unit" && ! systemctl is-enabled --quiet -- "$unit" 2>/dev/null; then
                exit 0
            fi
            what="$unit runs or is enabled, and this deployment did not install it"
        fi
        echo "$what: to take it over (a copy is kept), allow adopt-$name; otherwise set use_existing_$name to true and export again" >&2
        exit 1
        """)

    var exportActions: [ExportAction] {
        let directory = PresentDirectory(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
        let guarded = ExportScript(
            "\(unit) is free or ours", Self.exported, [path, Installed.mark, unit, name], adoption: name)
        return (isAdopted ? [] : [.script(guarded)]) + directory.exportActions + file.exportActions
    }

    func removal() -> [Command]? { file.removal() }
    var differenceQueries: [Query] { file.differenceQueries }
    func difference(_ facts: Facts) -> String? { file.difference(facts) }

    var instructions: Instructions {
        var instructions = file.instructions
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
        instructions.commands.insert("mkdir -p " + ShellQuoting.quote(directory), at: 0)
        return instructions
    }
}
