import BCMClient
import CommandExecution
import Synchronization

/// One look at Prometheus over HTTP, from the head node, whether it is ours or not: a few requests for all checks.
struct PrometheusProbe: Sendable {
    let host: String
    let port: Int
    /// How far back a sample still counts, in seconds: two scrape intervals and the time that a scrape takes.
    let window: Int
    private let memory = Memory()
    /// How far back series of jobs are looked for.
    static let jobWindow = "1d"

    init(host: String, port: Int, window: Int) {
        self.host = host
        self.port = port
        self.window = window
    }

    /// The answer that was read last, since many checks ask for the same and it may be long.
    private final class Memory: Sendable {
        let last = Mutex<(answer: [UInt8], state: PrometheusState)?>(nil)
    }

    private static let ready = "/-/ready"
    private static let metrics = "/metrics"
    private static let configuration = "/api/v1/status/config"
    private static let flags = "/api/v1/status/flags"
    private static let targets = "/api/v1/targets?state=active"
    private static let rules = "/api/v1/rules?type=alert"

    /// A question in PromQL.
    struct Question: Sendable, Hashable {
        let text: String

        var path: String { "/api/v1/query?query=" + Self.encoded(text) }

        /// What a query of a URL may hold as it is (RFC 3986, 2.3); everything else by its number.
        private static func encoded(_ text: String) -> String {
            var encoded = ""
            for byte in text.utf8 {
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                    encoded.unicodeScalars.append(Unicode.Scalar(byte))
                default:
                    let digits = String(byte, radix: 16, uppercase: true)
                    encoded += "%" + (digits.count < 2 ? "0" : "") + digits
                }
            }
            return encoded
        }
    }

    /// Series of node_exporter by their labels.
    var nodeSeries: Question {
        Question(text: "group by (cluster, hostname, instance) (last_over_time(node_uname_info[\(window)s]))")
    }
    /// Series of the GPU exporter by their labels; of MIG instances, too.
    var gpuSeries: Question {
        Question(
            text: "group by (cluster, hostname, instance, jobid, userid, GPU_I_ID) "
                + "(last_over_time({__name__=~\"nvidia_gpu_memory_total_bytes|nvidia_gpu_num_devices\"}[\(window)s]))")
    }
    /// Series of jobs' cgroups by their labels.
    var jobSeries: Question {
        Question(text: "group by (cluster, hostname, instance, jobid) (last_over_time(cgroup_cpus[\(window)s]))")
    }
    /// Jobs' cgroups that were never seen to have memory.
    var negativeMemory: Question {
        Question(
            text: "group by (cluster, hostname, jobid) "
                + "(last_over_time({__name__=~\"cgroup_memory_(total|used|rss)_bytes\"}"
                + "[\(window)s]) < 0)")
    }
    /// How many jobs were seen of late, and how many on GPUs.
    var recentJobs: Question {
        Question(text: "count(count by (jobid) (count_over_time(cgroup_cpus{jobid!=\"\"}[\(Self.jobWindow)])))")
    }
    var recentGPUJobs: Question {
        Question(
            text: "count(count by (jobid) (count_over_time(nvidia_gpu_memory_total_bytes{jobid!=\"\",jobid!=\"0\"}"
                + "[\(Self.jobWindow)])))")
    }

    private var questions: [Question] {
        [nodeSeries, gpuSeries, jobSeries, negativeMemory, recentJobs, recentGPUJobs]
    }

    private var requests: ServerRequests {
        ServerRequests(
            host: host, port: port,
            paths: [Self.ready, Self.metrics, Self.configuration, Self.flags, Self.targets, Self.rules]
                + questions.map(\.path),
            answerLimit: 24_000_000)
    }

    var command: Command { requests.command }
    var queries: [Query] { [.command(command)] }

    /// How a person asks for one of the answers.
    func byHand(_ path: String) -> String { "curl -s 'http://\(host):\(port)\(path)'" }

    /// What it answered; nil when the requests could not be made at all.
    func state(_ facts: Facts) -> PrometheusState? {
        guard let result = facts.result(command) else { return nil }
        if let known = memory.last.withLock({ $0?.answer == result.standardOutput ? $0?.state : nil }) { return known }
        let state = read(result)
        memory.last.withLock { $0 = (result.standardOutput, state) }
        return state
    }

    private func read(_ result: CommandResult) -> PrometheusState {
        let answers = requests.answers(in: result)
        var state = PrometheusState()
        state.readiness = answers[Self.ready]?.status
        if let answer = answers[Self.metrics], answer.status == 200 { state.readMetrics(answer.body) }
        func data(_ path: String) -> JSONValue? {
            guard let json = answers[path]?.value, json["status"]?.string == "success" else { return nil }
            return json["data"]
        }
        state.settings = data(Self.configuration)?["yaml"]?.string.map { PrometheusSettings($0) }
        state.flags = data(Self.flags)?.object.map { flags in
            Dictionary(flags.members.map { ($0.name, $0.value.string ?? "") }) { $1 }
        }
        state.targets = data(Self.targets)?["activeTargets"]?.elements?.map { PrometheusState.Target($0) }
        state.ruleGroups = data(Self.rules)?["groups"]?.elements?.map { PrometheusState.RuleGroup($0) }
        for question in questions {
            state.series[question] = data(question.path)?["result"]?.elements?.map { PrometheusState.Series($0) }
        }
        return state
    }
}

/// What Prometheus answered. What is nil it did not tell, or the answer was cut off.
struct PrometheusState: Sendable {
    /// A target as Prometheus knows it.
    struct Target: Sendable {
        var labels: [String: String]
        /// Where it is asked, as `host:port`.
        var address: String
        /// `up`, `down`, or `unknown` before the first scrape.
        var health: String
        var lastError: String

        init(_ json: JSONValue) {
            labels = PrometheusState.labels(json["labels"])
            address = PrometheusState.authority(json["scrapeUrl"]?.string ?? "")
            health = json["health"]?.string ?? "unknown"
            lastError = json["lastError"]?.string ?? ""
        }
    }

    struct RuleGroup: Sendable {
        var name: String
        var file: String
        /// The alerts, with the error of the last evaluation; empty where there was none.
        var alerts: [(name: String, error: String)]

        init(_ json: JSONValue) {
            name = json["name"]?.string ?? ""
            file = json["file"]?.string ?? ""
            alerts = (json["rules"]?.elements ?? []).map { rule in
                (
                    rule["name"]?.string ?? "",
                    rule["health"]?.string == "err" ? rule["lastError"]?.string ?? "error" : ""
                )
            }
        }
    }

    struct Series: Sendable {
        var labels: [String: String]
        var value: Double?

        init(_ json: JSONValue) {
            labels = PrometheusState.labels(json["metric"])
            value = json["value"]?.elements?.last?.string.flatMap { Double($0) }
        }
    }

    /// The HTTP status of `/-/ready`; nil when nobody answered.
    var readiness: Int?
    var lastReloadWentWell: Bool?
    /// When the present configuration was loaded, in seconds since 1970 by the server's clock.
    var loaded: Double?
    var settings: PrometheusSettings?
    var flags: [String: String]?
    var targets: [Target]?
    var ruleGroups: [RuleGroup]?
    var series: [PrometheusProbe.Question: [Series]] = [:]

    /// Prometheus's metrics about itself.
    mutating func readMetrics(_ bytes: [UInt8]) {
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard line.hasPrefix("prometheus_config_last_reload_success") else { continue }
            let words = line.split(separator: " ")
            guard words.count == 2, let value = Double(words[1]) else { continue }
            if words[0].hasSuffix("_successful") { lastReloadWentWell = value == 1 }
            if words[0].hasSuffix("_timestamp_seconds") { loaded = value }
        }
    }

    private static func labels(_ json: JSONValue?) -> [String: String] {
        Dictionary((json?.object?.members ?? []).map { ($0.name, $0.value.string ?? "") }) { $1 }
    }

    /// `host:port` of a URL.
    private static func authority(_ url: String) -> String {
        guard let start = url.firstRange(of: "://")?.upperBound else { return url }
        return String(url[start...].prefix { $0 != "/" })
    }
}

/// What of the running configuration matters here, read from the regular YAML that Prometheus gives of it.
struct PrometheusSettings: Sendable, Hashable {
    /// A scrape job.
    struct Job: Sendable, Hashable {
        var name: String
        var scrapeInterval: String?
        var files: [String] = []
        var refreshIntervals: [String] = []
    }

    var jobs: [Job] = []

    init(_ yaml: String) {
        var isScraping = false
        var isInFiles = false
        for line in yaml.split(separator: "\n") {
            let indentation = line.prefix { $0 == " " }.count
            var text = line.dropFirst(indentation)
            if indentation == 0, !text.hasPrefix("-") {
                isScraping = text.hasPrefix("scrape_configs:")
                continue
            }
            guard isScraping else { continue }
            if indentation == 0 { jobs.append(Job(name: "")) }
            var isItem = false
            while text.hasPrefix("- ") {
                text = text.dropFirst(2)
                isItem = true
            }
            guard !jobs.isEmpty else { continue }
            let last = jobs.count - 1
            if let value = Self.value(text, "job_name") { jobs[last].name = value }
            if let value = Self.value(text, "scrape_interval") { jobs[last].scrapeInterval = value }
            if let value = Self.value(text, "refresh_interval") { jobs[last].refreshIntervals.append(value) }
            if text == "files:" {
                isInFiles = true
            } else if isInFiles, isItem {
                jobs[last].files.append(Self.plain(text))
            } else {
                isInFiles = false
            }
        }
    }

    /// The job of a name; the name may have something behind it, as a Prometheus of several clusters needs.
    func job(_ name: String) -> Job? { jobs.first { $0.name == name } ?? jobs.first { $0.name.hasPrefix("\(name)_") } }

    private static func value(_ text: Substring, _ key: String) -> String? {
        text.hasPrefix("\(key): ") ? plain(text.dropFirst(key.count + 2)) : nil
    }

    private static func plain(_ text: Substring) -> String {
        for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
            return String(text.dropFirst().dropLast())
        }
        return String(text)
    }
}
