import CommandExecution

/// One look at a DGX node by a single program: who listens, what the exporters give, the notes about GPUs.
///
/// nvidia_gpu_exporter is only looked at from outside: versions with GPM before July 2026 could stop the kernel when two
/// clients scraped at once, and Prometheus is one already.
struct NodeProbe: Sendable, Hashable {
    let nodePort: Int
    let cgroupPort: Int
    let gpuPort: Int

    var command: Command {
        Command(
            "bash", ["-c", Self.script, "bash", "\(nodePort)", "\(cgroupPort)", "\(gpuPort)"], timeout: .seconds(25))
    }

    var queries: [Query] { [.command(command)] }

    /// Arguments: the ports of node_exporter, cgroup_exporter and nvidia_gpu_exporter. Gives lines of a word and values.
    private static let script = """
        LC_ALL=C
        # The kernel's tables of sockets may be long; one program picks those that listen (state 0A, no far end).
        listening=$(grep -hoE ' [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:0000 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
        listens() {
            local hex
            printf -v hex ':%04X ' "$1"
            [[ $listening == *"$hex"* ]]
        }
        # What bash would look for in a long text itself takes it seconds, so grep(1) looks, as the text comes.
        pattern='^(HTTP/1\\.[01] .*|node_uname_info[{].*|node_textfile_scrape_error 1|node_cpu_seconds_total|cgroup_exporter_|cgroup_cpu|cgroup_memory|cgroup_uid|go_goroutines|nvidia_gpu_)'
        metrics() {
            local line families= head=
            while IFS= read -r line; do
                line=${line%$'\\r'}
                case $line in
                    HTTP/*) head=$line ;;
                    node_uname_info*)
                        families="$families node_uname_info"
                        [[ $line =~ nodename=\\"([^\\"]*)\\" ]] && [ "$1" = node ] && echo "nodename ${BASH_REMATCH[1]}"
                        ;;
                    node_textfile*) [ "$1" != node ] || echo 'textfile error' ;;
                    *) families="$families $line" ;;
                esac
            done < <({ exec 3<>"/dev/tcp/127.0.0.1/$2"; } 2>/dev/null || exit
                printf 'GET /metrics HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3
                timeout 8 cat <&3 | grep -aoE "$pattern" | sort -u)
            if [[ $head == HTTP/1.?' '200* ]]; then
                echo "$1 answers$families"
            elif [ -n "$head$families" ]; then
                echo "$1 refused ${head:0:60}"
            else
                echo "$1 silent"
            fi
        }
        [ -f /sys/fs/cgroup/cgroup.controllers ] && echo 'cgroup 2' || echo 'cgroup 1'
        for port; do listens "$port" && echo "listens $port"; done
        metrics node "$1"
        metrics cgroup "$2"
        for note in /run/gpustat/*; do [ -e "$note" ] && echo "note ${note##*/} $(<"$note")"; done
        echo end
        """

    /// What the probe found.
    struct Answer: Sendable {
        /// What an exporter's port gave.
        enum Metrics: Sendable, Hashable {
            /// Nobody answered.
            case silent
            /// Something that is not `200 OK`.
            case refused(String)
            /// Metrics, among them these families.
            case answers(Set<String>)
        }
        var listening: Set<Int> = []
        var node = Metrics.silent
        var cgroup = Metrics.silent
        var nodeName: String?
        var hasTextfileError = false
        var cgroupVersion = 0
        /// The files in /run/gpustat with what they hold.
        var notes: [String: String] = [:]

    }

    /// The answer; nil when it was cut off.
    func answer(_ facts: Facts) -> Answer? {
        guard let result = facts.result(command) else { return nil }
        let lines = result.outputText.split(separator: "\n")
        guard lines.last == "end" else { return nil }
        var answer = Answer()
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "listens": if let port = Int(words[1]) { answer.listening.insert(port) }
            case "node": answer.node = Self.metrics(words)
            case "cgroup" where words[1] == "1" || words[1] == "2": answer.cgroupVersion = Int(words[1]) ?? 0
            case "cgroup": answer.cgroup = Self.metrics(words)
            case "nodename": answer.nodeName = words[1]
            case "textfile": answer.hasTextfileError = true
            case "note": answer.notes[words[1]] = words.dropFirst(2).joined(separator: " ")
            default: break
            }
        }
        return answer
    }

    private static func metrics(_ words: [String]) -> Answer.Metrics {
        switch words[1] {
        case "answers": .answers(Set(words.dropFirst(2)))
        case "refused": .refused(words.dropFirst(2).joined(separator: " "))
        default: .silent
        }
    }
}
