import BCMClient
import CommandExecution

/// One look at the jobstats command on a host where it is typed: the link, whether it starts, also without an
/// environment, and what it needs of Python. It writes nothing, no compiled Python either, and all of it is done as nobody:
/// what cannot be read or run so, users cannot read or run either.
struct CommandProbe: Sendable, Hashable {
    var link = Installed.jobstatsLink
    var directory = Installed.jobstatsDirectory
    /// The PATH of slurmctld's epilog.
    static let barePath = "\(SlurmPaths.programs):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

    var command: Command {
        Command(
            "bash", ["-c", Self.script, "bash", link, directory, Self.barePath, JobstatsTree.revisionName],
            timeout: .seconds(160))
    }

    var queries: [Query] { [.command(command)] }

    /// Arguments: the link, the directory, the epilog's PATH, the name of the file with the revision. Each line is a word, an exit status and base64.
    private static let script = """
        \(UnprivilegedShell.functions)
        link=$1 directory=$2 bare=$3
        # python3 -c looks for modules where it is started, first.
        cd /
        ask() {
            local word=$1 said
            shift
            said=$(as_nobody 20 "$@" | base64 -w 0; exit "${PIPESTATUS[0]}")
            printf '%s %s %s\\n' "$word" $? "$said"
        }
        lower || { printf 'nobody 1 \\nend 0 ZW5k\\n'; exit; }
        ask link readlink -e -- "$link"
        ask executable test -x "$link"
        ask readable test -r "$directory/config.py"
        ask starts "$link" --help
        ask bare env -i "PATH=$bare" LC_ALL=C PYTHONIOENCODING=utf-8 PYTHONDONTWRITEBYTECODE=1 jobstats --help
        ask python3 python3 -c 'pass'
        for module in requests blessed; do ask "$module" python3 -B -c "import $module"; done
        ask settings python3 -B -c '
        import json, runpy, sys
        values = runpy.run_path(sys.argv[1])
        print(json.dumps({name: values.get(name) for name in ("PROM_SERVER", "PROM_RETENTION_DAYS", "SAMPLING_PERIOD")},
                         default=str))
        ' "$directory/config.py"
        ask revision sh -c '
        cd -- "$1" || exit
        if [ -f "$2" ]; then head -c 200 -- "$2"
        elif [ -f .git/HEAD ]; then
            read -r kind path <.git/HEAD
            if [ "$kind" != ref: ]; then echo "$kind"; exit; fi
            case $path in refs/*) ;; *) exit 3 ;; esac
            case $path in *..*) exit 3 ;; esac
            if [ -f ".git/$path" ]; then head -c 200 -- ".git/$path"; exit; fi
            while read -r id name; do if [ "$name" = "$path" ]; then echo "$id"; exit; fi; done <.git/packed-refs
            exit 3
        else exit 3
        fi
        ' sh "$directory" "$4"
        echo end 0 ZW5k
        """

    /// What was found; nil when the answer was cut off.
    func answer(_ facts: Facts) -> Answer? {
        guard let result = facts.result(command) else { return nil }
        var answer = Answer()
        for line in result.outputText.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 3, let status = Int(words[1]), let bytes = Base64.decode(String(words[2])) else {
                continue
            }
            answer.parts[String(words[0])] = (status, String(decoding: bytes, as: UTF8.self).trimmed)
        }
        return answer.parts["end"] == nil ? nil : answer
    }

    struct Answer: Sendable {
        var parts: [String: (status: Int, text: String)] = [:]

        /// Why nothing was run on the host; nil where it was.
        var refusal: ValidationVerdict? {
            (parts["nobody"]?.status ?? 0) == 0
                ? nil : .unseen(UnprivilegedShell.refusal, advice: UnprivilegedShell.remedy)
        }
        func succeeded(_ word: String) -> Bool { parts[word]?.status == 0 }
        func timedOut(_ word: String) -> Bool { parts[word]?.status == 124 || parts[word]?.status == 137 }
        /// The last line of what was said.
        func said(_ word: String) -> String {
            let text = parts[word]?.text ?? ""
            return Words.cut(text.split(whereSeparator: \.isNewline).last.map(String.init) ?? "", 200)
        }

        /// What config.py says; nil when Python could not read it.
        var settings: Settings? {
            guard succeeded("settings"), let text = parts["settings"]?.text.split(whereSeparator: \.isNewline).last,
                let json = try? JSONValue(parsing: String(text))
            else { return nil }
            return Settings(
                server: json["PROM_SERVER"]?.string, retentionDays: json["PROM_RETENTION_DAYS"]?.number?.integer,
                samplingPeriod: json["SAMPLING_PERIOD"]?.number?.integer)
        }
    }

    struct Settings: Sendable, Hashable {
        var server: String?
        var retentionDays: Int?
        var samplingPeriod: Int?
    }
}
