import CommandExecution

/// A configuration file that belongs to the site once somebody edited it.
///
/// One that was made here and not changed since follows the deployment; any other is kept, and what differs is shown.
/// The first two lines tell which it is: a mark, and the digest of what follows them.
struct KeptConfiguration: Resource {
    private var file: FileResource
    private let marks: Marks

    /// How a file of the deployment begins.
    struct Marks: Sendable {
        /// The first line.
        let first: String
        /// How the second line begins; the SHA-256 of what follows that line stands behind.
        let digest: String

        /// Whether a text was made by the deployment and not edited since.
        func areTrue(of text: String) -> Bool {
            let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
            return lines.count == 3 && lines[0] == first && lines[1].hasPrefix(digest)
                && lines[1].dropFirst(digest.count) == SHA256Digest.hex(Array(lines[2].utf8))
        }
    }
    private let consent: String
    private let isAdopted: Bool

    /// - Parameters:
    ///   - file: what it would be.
    ///   - consent: what must be allowed to replace the site's own.
    ///   - marks: how one of the deployment begins.
    init(_ file: FileResource, consent: String, isAdopted: Bool, marks: Marks) {
        self.file = file
        self.consent = consent
        self.isAdopted = isAdopted
        self.marks = marks
        if isAdopted { self.file.keepsBackup = true }
    }

    var summary: String { file.summary + ", unless the site has its own" }
    var queries: [Query] { file.queries + [.content(file.path)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let known = facts.file(file.path) else { return .unknown(file.path) }
        guard !isAdopted, known.kind != .missing, known.sha256 != file.content.sha256 else {
            return file.assess(facts)
        }
        guard known.kind == .plain else {
            return .warning("\(file.path) is not a plain file and is kept", remedy: "look whether it is as wanted")
        }
        guard let content = facts.content(file.path) else { return .unknown("the content of \(file.path)") }
        if marks.areTrue(of: String(decoding: content, as: UTF8.self)) { return file.assess(facts) }
        return .warning(
            "\(file.path) is the site's own and is kept",
            remedy: "compare it with what this configuration gives (the document shows it), or replace it with "
                + "--allow adopt-\(consent), which keeps a backup")
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] { try file.changes(from: facts) }
    /// Arguments: `yes` when the site's own is replaced, path, mode, owner:group, SHA-256, the record, the first line and
    /// how the second one begins; the new bytes on standard input.
    private static let exported = ScriptText(
        "kept_configuration",
        """
        set -eu
        mode=$1 adopted=$2 path=$3 access=$4 owner=$5 digest=$6 record=$7 first=$8 second=$9
        sum() { sha256sum | cut -c 1-64; }
        reason="$path is missing"
        if [ -e "$path" ] || [ -L "$path" ]; then
            if [ ! -f "$path" ] || [ -L "$path" ]; then
                echo "$path is not a plain file and is kept" >&2
                exit 0
            fi
            reason="$path is of an earlier configuration"
            if [ "$(sum <"$path")" = "$digest" ]; then
                [ "0$(stat -c '%a %U:%G' -- "$path")" != "0${access#0} $owner" ] || exit 0
                reason="$path has another mode or owner"
            elif [ "$adopted" != yes ] && { [ "$(sed -n 1p "$path")" != "$first" ] ||
                [ "$(sed -n 2p "$path")" != "$second$(tail -n +3 -- "$path" | sum)" ]; }; then
                echo "$path is the site's own and is kept" >&2
                exit 0
            fi
        fi
        printf '%s\\n' "$reason"
        [ "$mode" = -y ] || exit 0
        sh -c "$replace_script" sh "$path" "$access" "$owner" "$digest" "$adopted" "$record"
        """, running: ["replace_script": OwnershipScripts.replace])

    var exportActions: [ExportAction] {
        guard !isAdopted else { return file.exportActions }
        let words = [
            file.path, Mode.octal(file.mode), "\(file.owner):\(file.group)", file.content.sha256, file.record.path,
            marks.first, marks.digest,
        ]
        return [
            .script(
                ExportScript(summary, Self.exported, words, adoption: consent, input: [.init(nil, file.content)]))
        ]
    }

    /// One that the site edited stays, and is named.
    var absence: (any Resource)? { file.absence }
    var instructions: Instructions { file.instructions }
    var differenceQueries: [Query] { file.differenceQueries }
    func difference(_ facts: Facts) -> String? { file.difference(facts) }
}
