import CommandExecution

/// One look at an instance of Slurm: its slurm.conf with what that includes, and the configuration that slurmctld runs
/// with. It changes nothing.
struct SlurmProbe: Sendable, Hashable {
    let instance: String

    var path: String { SlurmPaths.configuration(instance) }

    var command: Command {
        Command(
            "sh", ["-c", Self.script, "sh", path, SlurmPaths.search], timeout: .seconds(60),
            outputLimit: 16 << 20)
    }

    /// What was found; nil when the host did not answer.
    func state(_ facts: Facts) -> SlurmState? {
        guard let result = facts.result(command), result.succeeded else { return nil }
        return SlurmState(result.outputText)
    }

    /// Arguments: slurm.conf and PATH. Each part of the answer is a word and base64, so no file can pass for another part.
    private static let script = """
        conf=$1 PATH=$2
        export PATH
        part() { printf '%s ' "$1"; base64 -w 0; echo; }
        real=$(readlink -f -- "$conf") && [ -f "$real" ] && [ -r "$real" ] || { echo 'missing -'; exit 0; }
        SLURM_CONF=$conf
        export SLURM_CONF
        printf '%s' "$real" | part real
        stat -c %h -- "$real" | part links
        part file <"$real"
        sed -n 's/\\r$//; s/[[:space:]]*#.*//; s/[[:space:]]*$//; s/^[[:space:]]*[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:space:]][[:space:]]*//p' "$real" |
            head -n 64 | while IFS= read -r name; do
            case $name in
                /*) file=$name ;;
                *) file=${real%/*}/$name ;;
            esac
            [ -f "$file" ] && [ -r "$file" ] || continue
            printf '%s' "$name" | part name
            head -c 1048576 -- "$file" | part included
        done
        if said=$(timeout 15 scontrol show config 2>&1); then
            printf '%s' "$said" | part running
            timeout 15 squeue -h -t running,suspended -o %i 2>/dev/null | wc -l | part jobs
        else
            printf '%s' "$said" | tail -n 3 | part silent
        fi
        exit 0
        """
}

/// What a ``SlurmProbe`` found.
struct SlurmState: Sendable, Hashable {
    /// The file; nil when there is none.
    var conf: SlurmConf?
    /// Where it really lies, links followed.
    var realPath = ""
    /// How many names the file has.
    var linkCount = 1
    /// What slurmctld runs with, by keys in lower case; nil when it gave no answer.
    var running: [String: String]?
    /// What `scontrol` said instead of an answer.
    var silence = ""
    /// How many jobs run.
    var jobs = 0

    init() {}

    /// Reads the probe's answer; nil when it is none.
    init?(_ answer: String) {
        var file: [UInt8]?
        var included: [String: [UInt8]] = [:]
        var name: String?
        var isMissing = false
        for line in answer.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard words.count == 2 else { continue }
            if words[0] == "missing" { isMissing = true }
            guard let bytes = words[1].isEmpty ? [] : Base64.decode(String(words[1])) else { continue }
            let text = String(decoding: bytes, as: UTF8.self)
            switch words[0] {
            case "real": realPath = text
            case "links": linkCount = Int(text.trimmed) ?? 1
            case "file": file = bytes
            case "name": name = text
            case "included": if let name { included[name] = bytes }
            case "running": running = Self.settings(text)
            case "jobs": jobs = Int(text.trimmed) ?? 0
            case "silent": silence = text.trimmed
            default: break
            }
        }
        guard file != nil || isMissing else { return nil }
        conf = file.map { SlurmConf($0, included: included) }
    }

    /// Lines such as `ProctrackType           = proctrack/cgroup`.
    private static func settings(_ text: String) -> [String: String] {
        var settings: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let key = String(line[..<equals]).trimmed.lowercased()
            guard !key.isEmpty, !key.contains(" ") else { continue }
            settings[key] = String(line[line.index(after: equals)...]).trimmed
        }
        return settings
    }

    /// What slurmctld runs with; nil when it did not tell.
    func running(_ key: String) -> String? {
        guard let value = running?[key.lowercased()], value != "(null)" else { return nil }
        return value
    }

    /// The settings among these that slurmctld does not run with.
    func notRunning(_ settings: [SlurmSetting]) -> [SlurmSetting] {
        settings.filter { !$0.isSatisfied(by: running($0.key)) }
    }
}
