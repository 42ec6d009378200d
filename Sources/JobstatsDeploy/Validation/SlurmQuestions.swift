import CommandExecution
import FoundationEssentials

/// What Slurm is asked on a controller besides its configuration (see ``SlurmProbe``). It changes nothing.
struct SlurmQuestions: Sendable, Hashable {
    let instance: String

    var command: Command {
        Command(
            "sh",
            [
                "-c", Self.script, "sh", SlurmPaths.configuration(instance), SlurmPaths.search,
                "\(SlurmPaths.folder(instance))/cgroup.conf",
            ], timeout: .seconds(100), outputLimit: 32 << 20)
    }

    var queries: [Query] { [.command(command)] }

    /// Arguments: slurm.conf, PATH and cgroup.conf. Each part is a word, an exit status and base64. Of finished jobs the
    /// least window that has any is asked for, since a busy cluster finishes thousands an hour.
    private static let script = """
        SLURM_CONF=$1 PATH=$2 SLURM_TIME_FORMAT=%s
        export SLURM_CONF PATH SLURM_TIME_FORMAT
        ask() {
            word=$1
            shift
            said=$(timeout -k 1 15 "$@" 2>&1)
            printf '%s %s ' "$word" $?
            printf '%s' "$said" | base64 -w 0
            echo
        }
        ask cgroup cat -- "$3"
        ask ping scontrol ping
        ask nodes sinfo -h -N -o '%N|%T|%E'
        ask jobs squeue -h -t running -O JobID:24,TimeUsed:24,tres-alloc:400,NodeList:8000
        ask accounting sacct -X -n -S now-1hours -o jobid
        for since in 1hours 1days 7days; do
            said=$(timeout -k 1 15 sacct -X -n -P -S "now-$since" -E now -s CD,F,TO -o jobid,end,elapsedraw,admincomment 2>&1)
            status=$?
            [ -z "$said" ] && [ "$status" = 0 ] || break
        done
        printf 'finished %s ' "$status"
        printf '%s' "$said" | tail -n 40 | base64 -w 0
        echo
        echo 'now 0' "$(date +%s | base64 -w 0)"
        """

    /// What was found; nil when the answer was cut off.
    func answer(_ facts: Facts) -> Answer? {
        guard let result = facts.result(command) else { return nil }
        var answer = Answer()
        for line in result.outputText.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 3, let status = Int(words[1]) else { continue }
            guard let bytes = words[2].isEmpty ? [] : Base64.decode(String(words[2])) else { return nil }
            answer.parts[String(words[0])] = (status, String(decoding: bytes, as: UTF8.self))
        }
        return answer.parts["now"] == nil ? nil : answer
    }

    /// The answers by their words.
    struct Answer: Sendable {
        var parts: [String: (status: Int, text: String)] = [:]

        /// What a question gave; nil when it failed.
        func text(_ word: String) -> String? { parts[word].flatMap { $0.status == 0 ? $0.text : nil } }

        /// Why a question was not answered, in words.
        func problem(_ word: String) -> String {
            guard let part = parts[word] else { return "it was not asked" }
            if part.status == 124 || part.status == 137 { return "no answer within 15 s" }
            let last = part.text.split(whereSeparator: \.isNewline).last.map { ": \(Words.cut(String($0), 160))" } ?? ""
            return "exit status \(part.status)\(last)"
        }

        /// The host's time when it was asked, in seconds since 1970.
        var now: Double? { text("now").flatMap { Double($0.trimmed) } }

        /// Each node's state and reason, as sinfo gives it; a node of several partitions once.
        var nodes: [String: (state: String, reason: String)]? {
            guard let text = text("nodes") else { return nil }
            var nodes: [String: (state: String, reason: String)] = [:]
            for line in text.split(separator: "\n") {
                let words = line.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
                guard words.count == 3 else { continue }
                nodes[words[0]] = (words[1].lowercased(), words[2])
            }
            return nodes
        }

        /// The jobs that run; nil when squeue failed.
        var runningJobs: [RunningJob]? { text("jobs").map { $0.split(separator: "\n").compactMap(RunningJob.init) } }

        /// The jobs that finished last, the newest last; nil when sacct failed.
        var finishedJobs: [FinishedJob]? {
            text("finished").map { text in
                text.split(separator: "\n").compactMap(FinishedJob.init).sorted { $0.end < $1.end }
            }
        }

        /// Whether a slurmctld answers, by its host's short name: from `scontrol ping`.
        var daemons: [String: Bool] {
            var daemons: [String: Bool] = [:]
            // "Slurmctld(primary) at head-a is UP"; scontrol ends with 1 when one is down.
            for line in (parts["ping"]?.text ?? "").split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count >= 5, words[0].hasPrefix("Slurmctld"), words[1] == "at" else { continue }
                daemons[String(words[2].prefix { $0 != "." })] = words.last == "UP"
            }
            return daemons
        }
    }
}

/// A job that runs.
struct RunningJob: Sendable, Hashable {
    var id: String
    /// For how long, in seconds.
    var seconds: Int
    var hasGPUs: Bool
    var nodes: [String]

    /// Reads a line of `squeue -O JobID,TimeUsed,tres-alloc,NodeList`.
    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count >= 4, let seconds = Self.seconds(words[1]) else { return nil }
        id = String(words[0])
        self.seconds = seconds
        hasGPUs = words[2].contains("gres/gpu")
        nodes = Self.names(String(words[3]))
    }

    /// `days-hours:minutes:seconds`, its beginning left out where it is nothing.
    static func seconds(_ text: Substring) -> Int? {
        let parts = text.split(separator: "-")
        guard let clock = parts.last else { return nil }
        var seconds = 0
        for word in clock.split(separator: ":") {
            guard let number = Int(word), (0..<1_000_000).contains(number) else { return nil }
            seconds = seconds * 60 + number
        }
        guard let days = parts.count > 1 ? Int(parts[0]) : 0, (0..<1_000_000).contains(days) else { return nil }
        return days * 86400 + seconds
    }

    /// The nodes of Slurm's list, such as `dgx-[01-03,07],login-01`.
    static func names(_ list: String) -> [String] {
        var entries: [String] = []
        var entry = ""
        var depth = 0
        for character in list {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if character == ",", depth == 0 {
                entries.append(entry)
                entry = ""
            } else {
                entry.append(character)
            }
        }
        return (entries + [entry]).flatMap { (try? HostRange.expand($0, limit: 10_000)) ?? [$0] }
    }
}

/// A job that ended by itself.
struct FinishedJob: Sendable, Hashable {
    var id: String
    /// Seconds since 1970.
    var end: Double
    /// How long it ran, in seconds.
    var elapsed: Int
    var comment: String

    /// Reads a line of `sacct -P -o jobid,end,elapsedraw,admincomment` with times as numbers.
    init?(_ line: Substring) {
        let words = line.split(separator: "|", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 4, let end = Double(words[1]), let elapsed = Int(words[2]) else { return nil }
        id = words[0]
        self.end = end
        self.elapsed = elapsed
        comment = words[3]
    }

    /// What stands behind `JS1:`; nil without it. Slurm's 22.05 makes small letters of what it stores.
    var summary: String? { comment.lowercased().hasPrefix("js1:") ? String(comment.dropFirst(4)) : nil }
}
