import CommandExecution

/// Small HTTP requests from a host to itself, made by bash(1) so that no further program is needed there.
enum HTTPProbe {
    /// Ends with 0 when the port gives a metric whose name begins so.
    static func metrics(port: Int, beginningWith metric: String) -> Command {
        Command(
            "bash", ["-c", script, "bash", String(port), "/metrics", "^\(metric)"], timeout: .seconds(20))
    }

    /// Ends with 0 when the answer to a request has a line that matches this pattern of grep(1).
    static func answer(port: Int, path: String, matching pattern: String) -> Command {
        Command("bash", ["-c", script, "bash", String(port), path, pattern], timeout: .seconds(20))
    }

    private static let script = """
        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
        printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' "$2" >&3
        timeout 15 cat <&3 | grep -q -- "$3" || { echo "no answer on port $1 with $3" >&2; exit 1; }
        """
}
