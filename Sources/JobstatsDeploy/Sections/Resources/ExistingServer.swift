import BCMClient
import CommandExecution

/// Requests to a server that is not ours, and its answers.
struct ServerRequests: Sendable {
    let host: String
    let port: Int
    let paths: [String]
    /// How many bytes of one answer are read: 4 MB unless said otherwise. One that is cut off is no JSON any more.
    var answerLimit = 4_000_000

    /// One answer of a server.
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]

        /// Reads an HTTP/1.x answer; nil for anything else.
        init?(_ bytes: [UInt8]) {
            guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
            let words = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(words[1].prefix(3)) else {
                return nil
            }
            self.status = status
            body = Array(bytes[end.upperBound...])
        }

        /// The body as JSON.
        var json: JSONNode? { try? JSONNode.parse(body) }

        /// The body as JSON, for long answers: no value knows its place in the text.
        var value: JSONValue? { try? JSONValue(parsing: body) }
    }

    /// Prints one line of base64 for each request, empty where nothing answered.
    var command: Command {
        Command(
            "bash", ["-c", Self.script, "bash", host, String(port), String(answerLimit)] + paths,
            timeout: .seconds(15 * paths.count + 5), outputLimit: max(16 << 20, answerLimit * 2))
    }

    /// A connection that nobody answers would wait for minutes, so each request is a process with a time-out; after one
    /// that got no answer no other is made.
    private static let script = """
        host=$1 port=$2 limit=$3
        shift 3
        for path; do
            timeout -k 1 12 bash -c '
                { exec 3<>"/dev/tcp/$1/$2"; } 2>/dev/null || exit 1
                printf "GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n" "$3" "$1" >&3
                head -c "$4" <&3
            ' bash "$host" "$port" "$path" "$limit" 2>/dev/null | base64 -w 0 | { read -r line; printf '%s\\n' "$line"; [ -n "$line" ]; } ||
                exit 0
        done
        """

    /// The answers by path; those that did not come are left out.
    func answers(in result: CommandResult) -> [String: Answer] {
        let lines = result.outputText.split(separator: "\n", omittingEmptySubsequences: false)
        var answers: [String: Answer] = [:]
        for (path, line) in zip(paths, lines) {
            answers[path] = Base64.decode(String(line)).flatMap { Answer($0) }
        }
        return answers
    }

    /// The same requests as a person would type them.
    var byHand: [String] {
        paths.map { "curl -s --max-time 10 " + ShellQuoting.quote("http://\(host):\(port)\($0)") }
    }
}

/// A Prometheus that is not ours: ready, with the scrape jobs, keeping its samples long enough.
struct ExistingPrometheus: Resource {
    let host: String
    let port: Int
    let targetsDirectory: String
    let jobs: [String]
    let cluster: String
    let retentionDays: Int

    private static let ready = "/-/ready"
    private static let configuration = "/api/v1/status/config"
    private static let flags = "/api/v1/status/flags"

    /// How many targets of each job answer. Host lists of large sites make the whole list of targets long.
    private var targets: String {
        "/api/v1/query?query=sum%20by%20(job)%20(up%7Bcluster%3D%22\(cluster)%22%7D)"
    }

    private var requests: ServerRequests {
        ServerRequests(host: host, port: port, paths: [Self.ready, Self.configuration, Self.flags, targets])
    }

    var summary: String { "the existing Prometheus at \(host):\(port) scrapes the nodes; nothing of it is touched" }
    var queries: [Query] { [.command(requests.command)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let result = facts.result(requests.command) else { return .unknown(summary) }
        let answers = requests.answers(in: result)
        guard let ready = answers[Self.ready] else {
            return .warning(
                "\(host):\(port) does not answer HTTP requests from here",
                remedy: "if it is reached in another way, check there what section 6 of the document says")
        }
        guard ready.status == 200 else {
            return .warning(
                "\(host):\(port) is not ready (HTTP \(ready.status))", remedy: "is it a Prometheus? \(byHand)")
        }
        let problems = configurationProblems(answers[Self.configuration]) + retentionProblems(answers[Self.flags])
        guard problems.isEmpty else {
            return .warning(
                problems.joined(separator: "; "), remedy: "add what section 6 of the document says, then run --check")
        }
        return .inPlace("it is ready and has the scrape jobs\(upWords(answers[targets]))")
    }

    private var byHand: String { requests.byHand[0] }

    private func configurationProblems(_ answer: ServerRequests.Answer?) -> [String] {
        guard let text = answer?.json?["data"]?["yaml"]?.string else { return ["it does not tell its configuration"] }
        let lines = text.split(separator: "\n").map { $0.trimmingPrefix { " -\"'".contains($0) } }
        var problems: [String] = []
        if !lines.contains(where: { $0.hasPrefix(targetsDirectory + "/") }) {
            problems.append("its configuration does not read \(targetsDirectory)")
        }
        let names = Set(
            lines.filter { $0.hasPrefix("job_name: ") }.map { $0.dropFirst(10).filter { !"\"' ".contains($0) } })
        let missing = jobs.filter { !names.contains($0) }
        if !missing.isEmpty { problems.append("it has no scrape job \(missing.joined(separator: ", "))") }
        return problems
    }

    private func retentionProblems(_ answer: ServerRequests.Answer?) -> [String] {
        guard let flags = answer?.json?["data"] else { return [] }
        let text = flags["storage.tsdb.retention.time"]?.string ?? ""
        guard let days = Self.days(text) else { return [] }
        // Without any limit of its own Prometheus keeps 15 days.
        let bySize = (flags["storage.tsdb.retention.size"]?.string ?? "0B") != "0B"
        if days == 0, bySize { return [] }
        let kept = days == 0 ? 15 : days
        return kept < Double(retentionDays)
            ? ["it keeps \(Int(kept)) days, and jobstats is told \(retentionDays) (prometheus_retention_days)"] : []
    }

    /// A duration as Prometheus writes it (`1y2w3d`, `36h`), in days; nil for anything else.
    static func days(_ text: String) -> Double? {
        let units: [String: Double] = [
            "y": 365, "w": 7, "d": 1, "h": 1 / 24, "m": 1 / 1440, "s": 1 / 86400, "ms": 1 / 86_400_000,
        ]
        var days = 0.0
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let size = units[String(unit)] else { return nil }
            days += number * size
        }
        return days
    }

    private func upWords(_ answer: ServerRequests.Answer?) -> String {
        let counts = (answer?.json?["data"]?["result"]?.elements ?? []).compactMap { series -> String? in
            guard let job = series["metric"]?["job"]?.string, jobs.contains(job),
                let value = series["value"]?.elements.last?.string
            else { return nil }
            return "\(value.prefix(10)) \(job)"
        }
        return counts.isEmpty ? "; no target answers yet" : "; answering: \(counts.sorted().joined(separator: ", "))"
    }

    func changes(from facts: Facts) -> [Command] { [] }
    var instructions: Instructions { Instructions(verification: requests.byHand) }
}

/// A Grafana that is not ours and answers.
struct ExistingGrafana: Resource {
    let host: String
    let port: Int

    private var requests: ServerRequests { ServerRequests(host: host, port: port, paths: ["/api/health"]) }

    var summary: String { "the existing Grafana at \(host):\(port) answers; nothing of it is touched" }
    var queries: [Query] { [.command(requests.command)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let result = facts.result(requests.command) else { return .unknown(summary) }
        let remedy = "if it is reached in another way, add there what section 7 of the document says"
        guard let answer = requests.answers(in: result)["/api/health"] else {
            return .warning("\(host):\(port) does not answer HTTP requests from here", remedy: remedy)
        }
        guard answer.status == 200, let json = answer.json, json["database"]?.string == "ok" else {
            return .warning(
                "\(host):\(port) answers, but not as a healthy Grafana (HTTP \(answer.status))", remedy: remedy)
        }
        return .inPlace("Grafana \(json["version"]?.string?.prefix(40) ?? "") answers")
    }

    func changes(from facts: Facts) -> [Command] { [] }
    var instructions: Instructions { Instructions(verification: requests.byHand) }
}
