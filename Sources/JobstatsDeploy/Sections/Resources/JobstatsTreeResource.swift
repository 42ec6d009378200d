import CommandExecution

/// The tree of the jobstats command in a directory that may hold other things.
///
/// Each file is replaced by renaming. A manifest remembers what was installed: a file that a later revision no longer
/// has is removed, one that somebody changed meanwhile is kept under a dated name.
struct JobstatsTreeResource: Resource {
    let directory: String
    /// Where the archive lies on the machine that deploys; nil when there is none yet.
    let archivePath: String?
    private let tree: Result<JobstatsTree, ResourceError>?
    private let manifest: String?

    init(_ directory: String, from program: DeploymentContext.LocalProgram?) {
        self.directory = directory
        archivePath = program?.path
        tree = program.map { program in Result { () throws(ResourceError) in try JobstatsTree(program) } }
        manifest = try? tree?.get().manifest
    }

    private var manifestPath: String { "\(directory)/\(JobstatsTree.manifestName)" }

    /// Tells with its status whether the files are those of the manifest.
    private var verification: Command {
        Command(
            "sh",
            [
                "-c",
                "cd -- \"$1\" && [ -x jobstats ] && sha256sum --check --strict --quiet -- \"$2\" 2>&1 | head -n 5",
                "sh", directory, JobstatsTree.manifestName,
            ], timeout: .seconds(60))
    }

    var summary: String {
        guard let tree = try? tree?.get() else { return "the jobstats command in \(directory)" }
        let revision = tree.revision.map { ", revision \($0.prefix(12))" } ?? ""
        return "the jobstats command in \(directory): \(tree.files.count) files\(revision)"
    }

    var queries: [Query] { [.content(manifestPath), .file(manifestPath), .command(verification)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let tree else {
            return .blocked(
                "there is no archive of the jobstats command",
                remedy: "name one in the configuration: artifacts.\(ArtifactSource.Name.jobstats)")
        }
        switch tree {
        case .failure(let error): return .blocked(error.reason, remedy: error.remedy)
        case .success: break
        }
        guard let file = facts.file(manifestPath), let checked = facts.result(verification) else {
            return .unknown(directory)
        }
        if file.kind == .missing { return .differs(["not installed in \(directory)"]) }
        guard facts.content(manifestPath) == manifest.map({ Array($0.utf8) }) else {
            return .differs(["\(directory) holds another revision"])
        }
        let said = checked.outputText.trimmed
        return checked.succeeded && said.isEmpty
            ? .inPlace() : .differs(["files in \(directory) were changed: \(said.prefix(300))"])
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        guard let tree = try tree?.get() else { return [] }
        return [
            Command(
                "sh", ["-c", Self.script, "sh", directory, JobstatsTree.manifestName], input: tree.payload,
                timeout: .seconds(300))
        ]
    }

    /// `straight DIRECTORY PATH`: no folder on the way is a link. The root of any node can make one on shared storage, and
    /// it would lead the root of the head node to files of its own.
    private static let straight = """
        straight() {
            way=$1 rest=$2
            while [ "$rest" != "${rest#*/}" ]; do
                way=$way/${rest%%/*} rest=${rest#*/}
                [ ! -L "$way" ] || return 1
            done
        }

        """

    /// Arguments: the directory and the manifest's name; a tar archive on standard input. Everything is unpacked and
    /// checked beside its place, on the same file system, before the first file is touched. The names in a manifest that
    /// lies there are not trusted, since other hosts can write the directory.
    private static let script =
        straight + """
            set -eu
            directory=$1 manifest=$2
            umask 022
            mkdir -p -- "$directory"
            new=$(mktemp -d -- "$directory/.bcm-jobstats.XXXXXXXX")
            trap 'rm -rf -- "$new"' EXIT
            trap 'exit 1' HUP INT TERM
            tar -xf - -C "$new" --no-same-owner
            (cd -- "$new" && sha256sum --check --strict --quiet -- "$manifest") >&2
            old=$directory/$manifest
            [ -f "$old" ] && [ ! -L "$old" ] || old=/dev/null
            now=$(date -u +%Y%m%dT%H%M%SZ)
            sum() { sha256sum <"$1" | cut -c 1-64; }
            while read -r digest path; do
                target=$directory/$path
                straight "$directory" "$path" || { echo "$target lies behind a link that is not of this deployment" >&2; exit 1; }
                mkdir -p -- "$(dirname -- "$target")"
                if [ -f "$target" ] && [ ! -L "$target" ]; then
                    present=$(sum "$target")
                    if [ "$present" != "$digest" ] && ! grep -qxF -- "$present  $path" "$old"; then
                        # Whatever stands at that name, which others can guess, is not written through.
                        cp -aT --remove-destination -- "$target" "$target.bcm-jobstats-$now"
                    fi
                fi
                mv -fT -- "$new/$path" "$target"
            done <"$new/$manifest"
            while read -r digest path; do
                case /$path/ in */../* | */./* | *//*) continue ;; esac
                if cut -c 67- -- "$new/$manifest" | grep -qxF -- "$path"; then continue; fi
                straight "$directory" "$path" || continue
                target=$directory/$path
                if [ -f "$target" ] && [ ! -L "$target" ] && [ "$(sum "$target")" = "$digest" ]; then
                    rm -f -- "$target"
                    rmdir -- "$(dirname -- "$target")" 2>/dev/null || :
                fi
            done <"$old"
            mv -fT -- "$new/$manifest" "$directory/$manifest"
            """

    /// Arguments: the directory, the manifest's name and its SHA-256; the archive on standard input.
    private static let exported = ScriptText(
        "jobstats_tree",
        """
        set -eu
        mode=$1 directory=$2 manifest=$3 digest=$4
        files=$directory/$manifest
        reason="not installed in $directory"
        if [ -f "$files" ]; then
            reason="$directory holds another revision"
            if [ "$(sha256sum <"$files" | cut -c 1-64)" = "$digest" ]; then
                reason="files in $directory were changed"
                cd -- "$directory"
                if [ -x jobstats ] && sha256sum --check --strict --status -- "$manifest" 2>/dev/null; then exit 0; fi
            fi
        fi
        printf '%s\\n' "$reason"
        [ "$mode" = -y ] || exit 0
        sh -c "$tree_script" sh "$directory" "$manifest"
        """, running: ["tree_script": script])

    var exportActions: [ExportAction] {
        guard let tree = try? tree?.get(), let manifest else { return [.byHand(summary, instructions)] }
        let digest = SHA256Digest.hex(Array(manifest.utf8))
        return [
            .script(
                ExportScript(
                    summary, Self.exported, [directory, JobstatsTree.manifestName, digest],
                    input: [.init(nil, .data(tree.payload))], timeout: .seconds(360)))
        ]
    }

    func removal() -> [Command]? {
        [
            Command(
                "sh",
                [
                    "-c",
                    """
                    \(Self.straight)cd -- "$1" 2>/dev/null && [ -f "$2" ] || exit 0
                    while read -r digest path; do
                        case /$path/ in */../* | */./* | *//*) continue ;; esac
                        straight . "$path" && [ -f "$path" ] && [ ! -L "$path" ] || continue
                        [ "$(sha256sum <"$path" | cut -c 1-64)" = "$digest" ] || continue
                        rm -f -- "$path"
                        rmdir -- "$(dirname -- "$path")" 2>/dev/null || :
                    done <"$2"
                    rm -f -- "$2"
                    # What Python compiled of it.
                    [ -L __pycache__ ] || rm -f -- __pycache__/*.pyc
                    rmdir -- __pycache__ 2>/dev/null || :
                    """, "sh", directory, JobstatsTree.manifestName,
                ], timeout: .seconds(120))
        ]
    }

    var instructions: Instructions {
        let word = ShellQuoting.quote(directory)
        let archive = archivePath.map { ShellQuoting.quote($0) } ?? "jobstats.tar"
        return Instructions(
            commands: [
                "mkdir -p \(word)",
                "tar -xf \(archive) -C \(word) --no-same-owner --exclude=config.py --exclude=docs --exclude=tests",
                "chmod 0755 \(word)/jobstats",
            ], verification: ["ls -l \(word)"],
            undo: ["# remove the files of the archive from \(word); prometheus-targets is not part of it"])
    }
}
