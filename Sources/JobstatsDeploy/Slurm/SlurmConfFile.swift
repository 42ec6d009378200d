import CommandExecution

/// slurm.conf with the settings that jobstats needs, outside BCM's section and each once.
///
/// What is right already, in the file, in what it includes or by Slurm's own default, is left alone. Where something
/// differs, only these values change; the earlier file stays beside it under a dated name.
struct SlurmConfFile: Resource {
    let instance: String
    let settings: [SlurmSetting]

    init(instance: String, settings: [SlurmSetting] = SlurmSetting.needed) {
        self.instance = instance
        self.settings = settings
    }

    private var probe: SlurmProbe { SlurmProbe(instance: instance) }
    private var path: String { probe.path }

    var summary: String { "\(path): " + settings.map(\.description).joined(separator: ", ") }
    var queries: [Query] { [.command(probe.command)] }

    // MARK: Judging

    func assess(_ facts: Facts) -> Assessment {
        guard let state = probe.state(facts) else { return .unknown(path) }
        guard let conf = state.conf else {
            return .blocked(
                "there is no \(path)",
                remedy: "set wlm_instance to the name that BCM lists with: cmsh -c 'wlm; list'; on this host "
                    + "/cm/shared must be mounted")
        }
        var reasons: [String] = [], problems: [ResourceError] = []
        for setting in settings where needsChange(setting, conf, state) {
            do throws(ResourceError) {
                let value = conf.value(of: setting.key)
                if value == nil, let file = conf.includes.first(where: { !$0.isKnown })?.file {
                    throw ResourceError(
                        "\(setting.key) is not as needed, and may stand in \(file), which could not be read",
                        remedy: "make that file readable here, or set \(setting.description) there")
                }
                let wanted = setting.wanted(insteadOf: value)
                _ = try conf.setting(setting.key, to: wanted)
                reasons.append(value.map { "\(setting.key) is \($0), not \(wanted)" } ?? "\(setting.key) is not set")
            } catch {
                problems.append(error)
            }
        }
        // Half of the settings are no use: all of them are written, or none.
        if let problem = problems.first {
            return .blocked(
                problems.map(\.reason).joined(separator: "; "),
                remedy: problem.remedy.replacing("INSTANCE", with: instance))
        }
        if !reasons.isEmpty, state.linkCount > 1 {
            return .blocked(
                "\(path) has \(state.linkCount) hard links, which a replacement would part",
                remedy: "make the edit by hand: " + reasons.joined(separator: "; "))
        }
        if !reasons.isEmpty { return .differs(reasons.map { "\(path): \($0)" }) }
        if let conflict = conf.conflicts.first {
            return .warning(
                "\(conflict.key) stands both in BCM's section and outside: lines "
                    + conflict.lines.map { String($0) }.joined(separator: ", "),
                remedy: "take the one outside out: Slurm may refuse to start with both")
        }
        return .inPlace("as needed")
    }

    private func needsChange(_ setting: SlurmSetting, _ conf: SlurmConf, _ state: SlurmState) -> Bool {
        if let value = conf.value(of: setting.key) {
            return !setting.isSatisfied(by: value)
        }
        // It may come from a file that was not looked at, or be Slurm's default.
        return !setting.isSatisfied(by: state.running(setting.key))
    }

    private func wanted(_ state: SlurmState) throws(ResourceError) -> SlurmConf? {
        guard var conf = state.conf else { return nil }
        for setting in settings where needsChange(setting, conf, state) {
            conf = try conf.setting(setting.key, to: setting.wanted(insteadOf: conf.value(of: setting.key)))
        }
        return conf
    }

    func difference(_ facts: Facts) -> String? {
        guard let state = probe.state(facts), let old = state.conf, let new = try? wanted(state) else { return nil }
        return UnifiedDifference.text(from: old.text, to: new.text, path: path)
    }

    // MARK: Changing

    func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        guard let state = probe.state(facts), let old = state.conf, let new = try wanted(state) else {
            throw ResourceError("\(path) could not be read", remedy: "run again with --check")
        }
        return [Self.replacement(of: path, old.bytes, with: new.bytes, mark: SlurmPaths.changeMark)]
    }

    static func replacement(of path: String, _ old: [UInt8], with new: [UInt8], mark: String) -> Command {
        Command(
            "sh", ["-c", replaceScript, "sh", path, SHA256Digest.hex(old), mark, SHA256Digest.hex(new)], input: new,
            timeout: .seconds(60))
    }

    /// Arguments: the file, the SHA-256 that it had, the mark, the SHA-256 of the new bytes. These come on standard input. The earlier file
    /// keeps its inode under a dated name, so that what somebody writes into it at this moment is not lost either.
    static let replaceScript = """
        set -eu
        path=$1 expected=$2 mark=$3 wanted=$4
        real=$(readlink -f -- "$path")
        folder=${real%/*}
        sum() { sha256sum <"$1" | cut -c 1-64; }
        changed() {
            echo "$path was changed by somebody else meanwhile and was left as it is: run again" >&2
            exit 1
        }
        [ "$(sum "$real")" = "$expected" ] || changed
        [ "$(stat -c %h -- "$real")" = 1 ] || { echo "$path has several hard links" >&2; exit 1; }
        mkdir -p -m 0755 -- "${mark%/*}"
        new=$(mktemp -- "$folder/.bcm-jobstats.XXXXXXXX")
        trap 'rm -f -- "$new"' EXIT
        trap 'exit 1' HUP INT TERM
        cat >"$new"
        [ "$(sum "$new")" = "$wanted" ] || { echo "the new $path did not come whole, and the present one stays" >&2; exit 1; }
        # Owner, mode, access lists and attributes.
        cp --attributes-only --preserve=mode,ownership,xattr -- "$real" "$new" 2>/dev/null ||
            cp --attributes-only --preserve=mode,ownership -- "$real" "$new"
        sync -- "$new"
        stamp=$(date -u +%Y%m%dT%H%M%SZ) backup=$real.bcm-jobstats-$stamp count=1
        while ! ln -T -- "$real" "$backup" 2>/dev/null; do
            count=$((count + 1))
            [ "$count" -le 20 ] || { echo "no backup of $path can be made in $folder" >&2; exit 1; }
            backup=$real.bcm-jobstats-$stamp-$count
        done
        if [ "$(sum "$real")" != "$expected" ] || [ ! "$real" -ef "$backup" ]; then
            rm -f -- "$backup"
            changed
        fi
        mv -fT -- "$new" "$real"
        if [ "$(sum "$backup")" != "$expected" ]; then
            mv -fT -- "$backup" "$real"
            changed
        fi
        touch -- "$mark"
        sync -- "$folder"
        """

    var exportActions: [ExportAction] {
        [ExportSlurm.conf("settings in slurm.conf", path, settings, mark: SlurmPaths.changeMark)]
    }

    var instructions: Instructions {
        let word = ShellQuoting.quote(path)
        return Instructions(
            commands: ["cp -a \(word) \(word).before-jobstats", "${EDITOR:-vi} \(word)"]
                + settings.map { "#   \($0.description)" }
                + ["#   each once, and not between BCM's lines BEGIN and END AUTOGENERATED SECTION"],
            verification: [
                "grep -iE '^(\(settings.map(\.key).joined(separator: "|")))' \(word)",
                "scontrol show config | grep -iE '^(\(settings.map(\.key).joined(separator: "|")))'",
            ], undo: ["cp -a \(word).before-jobstats \(word)  # then restart Slurm's daemons"])
    }
}
