/// The part of Prometheus's configuration that reads a ``TargetDirectory``: one scrape job per exporter.
///
/// ```swift
/// let configuration = try ScrapeConfiguration(
///     clusterName: "slurm", targetsDirectory: "/cm/shared/apps/jobstats/prometheus-targets",
///     jobs: ScrapeConfiguration.standardJobs())
/// print(configuration.rendered)   // prometheus.yml
/// ```
///
/// Whoever can write the directory must not be able to steer Prometheus. Of the files' content only the labels `job`
/// and `hostname` and the address are used, and only where they agree: a target is kept when its address is just its
/// `hostname`, the configured domain and the job's port. Scheme, path, parameters, interval, time-out, `instance` and
/// `cluster` are set afresh, all other labels are dropped, and redirects are not followed.
///
/// Needs Prometheus 2.41 or later for ``AddressCheck/equality``, 2.31 or later for ``AddressCheck/derivation``.
public struct ScrapeConfiguration: Sendable, Hashable {
    /// One exporter, scraped on every host that has it.
    public struct Job: Sendable, Hashable {
        /// The value of the `job` label of this exporter's targets.
        public let label: String
        /// The exporter's TCP port.
        public let port: UInt16
        /// The job's name, which must be the only one of its kind in a Prometheus configuration.
        public let name: String

        /// Creates a job.
        ///
        /// - Parameters:
        ///   - label: the value of the `job` label; letters, digits, underscores and hyphens.
        ///   - port: the exporter's port, 1 to 65535.
        ///   - name: the job's name; the label unless said otherwise, which a Prometheus of several clusters needs.
        /// - Throws: ``PromTargetsError/Code/invalidConfiguration``.
        public init(_ label: String, port: Int, name: String? = nil) throws(PromTargetsError) {
            guard let number = UInt16(exactly: port), number > 0 else {
                throw refusal("the port of \(label) is \(port)", "use 1 to 65535")
            }
            for text in [label, name ?? label] where !isWord(text) {
                throw refusal("\(JSONText.quoted(text)) is no job", "use letters, digits, underscores and hyphens")
            }
            self.label = label
            self.port = number
            self.name = name ?? label
        }
    }

    /// Something that is scraped at fixed addresses, such as Prometheus itself.
    public struct FixedJob: Sendable, Hashable {
        /// One address.
        public struct Target: Sendable, Hashable {
            /// Where it is reached: `localhost:9090`.
            public let address: TargetAddress
            /// The value of the label `hostname`.
            public let hostName: String

            /// Creates a target.
            ///
            /// - Parameters:
            ///   - host: a host's name or address.
            ///   - port: 1 to 65535.
            ///   - hostName: the value of the label `hostname`; the host unless said otherwise.
            /// - Throws: ``PromTargetsError`` when one of them cannot be used.
            public init(host: String, port: Int, hostName: String? = nil) throws(PromTargetsError) {
                address = try TargetAddress(host: host, port: port)
                try LabelName.check("hostname", value: hostName ?? host)
                self.hostName = hostName ?? host
            }
        }

        /// The job's name, and the value of the label `job`.
        public let name: String
        /// The targets.
        public let targets: [Target]

        /// Creates a job.
        ///
        /// - Parameters:
        ///   - name: letters, digits, underscores and hyphens.
        ///   - targets: at least one.
        /// - Throws: ``PromTargetsError/Code/invalidConfiguration``.
        public init(_ name: String, _ targets: [Target]) throws(PromTargetsError) {
            guard isWord(name) else {
                throw refusal("\(JSONText.quoted(name)) is no job", "use letters, digits, underscores and hyphens")
            }
            guard !targets.isEmpty else { throw refusal("the job \(name) has no target", "name one, or leave it out") }
            self.name = name
            self.targets = targets
        }
    }

    /// How a target's address is made to agree with its `hostname` label.
    public struct AddressCheck: Sendable, Hashable {
        private let name: String
        /// A target whose address differs is dropped. Prometheus 2.41 or later (the relabel action `keepequal`).
        public static let equality = AddressCheck(name: "equality")
        /// A target with another port is dropped, and the host is set from the label. For earlier versions.
        public static let derivation = AddressCheck(name: "derivation")
    }

    /// The value of the `cluster` label.
    public let clusterName: String
    /// The directory whose `*.json` files name the targets.
    public let targetsDirectory: String
    /// The jobs, one per exporter.
    public let jobs: [Job]
    /// What is scraped beside the exporters, at fixed addresses; no part of ``renderedJobs``.
    public let fixedJobs: [FixedJob]
    /// A domain that stands after each host name in the addresses, for a Prometheus outside the cluster.
    public let targetDomain: String?
    /// The only hosts to scrape; nil for any host that the directory names.
    public let hostNames: [String]?
    /// How often a target is scraped.
    public let scrapeInterval: Duration
    /// How long a scrape may take.
    public let scrapeTimeout: Duration
    /// How often the directory is read again, besides being watched. On a network file system this is what counts.
    public let refreshInterval: Duration
    /// How many targets a job has at most; with more of them Prometheus scrapes none, and says so.
    public let targetLimit: Int
    /// Files of alert and recording rules; patterns are allowed.
    public let ruleFiles: [String]
    /// Labels that Prometheus adds when it talks to other systems.
    public let externalLabels: [String: String]
    /// How addresses are checked.
    public let addressCheck: AddressCheck

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - clusterName: the value of the `cluster` label.
    ///   - targetsDirectory: an absolute path, without characters that have a meaning in a file pattern.
    ///   - jobs: one per exporter; labels, names and ports must differ.
    ///   - fixedJobs: what is scraped beside these, none by default; names must differ from theirs.
    ///   - targetDomain: a domain that the writers of the target files append to host names; none by default.
    ///   - hostNames: the only hosts to scrape, at least one; any host by default.
    ///   - scrapeInterval: 30 seconds by default.
    ///   - scrapeTimeout: 30 seconds by default, not longer than the interval.
    ///   - refreshInterval: 30 seconds by default.
    ///   - targetLimit: 10,000 by default.
    ///   - ruleFiles: absolute paths, none by default.
    ///   - externalLabels: none by default.
    ///   - addressCheck: ``AddressCheck/equality`` by default.
    /// - Throws: ``PromTargetsError/Code/invalidConfiguration`` or ``PromTargetsError/Code/invalidLabel``.
    public init(
        clusterName: String, targetsDirectory: String, jobs: [Job], fixedJobs: [FixedJob] = [],
        targetDomain: String? = nil, hostNames: [String]? = nil, scrapeInterval: Duration = .seconds(30),
        scrapeTimeout: Duration = .seconds(30), refreshInterval: Duration = .seconds(30), targetLimit: Int = 10_000,
        ruleFiles: [String] = [],
        externalLabels: [String: String] = [:], addressCheck: AddressCheck = .equality
    ) throws(PromTargetsError) {
        try LabelName.check("cluster", value: clusterName)
        for (name, value) in externalLabels.sorted(by: { $0.key < $1.key }) { try LabelName.check(name, value: value) }
        guard targetsDirectory.hasPrefix("/"), !targetsDirectory.contains(where: { "*?[]\\".contains($0) }),
            !targetsDirectory.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
        else {
            throw refusal(
                "the targets directory \(JSONText.quoted(targetsDirectory)) cannot be used",
                "give an absolute path without *, ?, [, ] and backslashes")
        }
        let names = jobs.map(\.name) + fixedJobs.map(\.name)
        guard !jobs.isEmpty, Set(jobs.map(\.label)).count == jobs.count, Set(names).count == names.count,
            Set(jobs.map(\.port)).count == jobs.count
        else {
            throw refusal("two jobs have the same label, name or port, or there is none", "give each exporter its own")
        }
        for name in (hostNames ?? []) + (targetDomain.map { [$0] } ?? []) where !HostName.isValid(name) {
            throw refusal("\(JSONText.quoted(name)) is no host or domain name", "use a name as RFC 1123 allows it")
        }
        guard scrapeInterval >= .seconds(1), scrapeTimeout >= .milliseconds(1), refreshInterval >= .seconds(1),
            scrapeTimeout <= scrapeInterval
        else {
            throw refusal(
                "intervals are shorter than a second, or the scrape time-out exceeds its interval",
                "use a second or more, and a time-out that is not longer than the interval")
        }
        guard hostNames?.isEmpty != true else {
            throw refusal("the list of host names is empty", "name a host, or leave the list out to allow any")
        }
        guard targetLimit > 0 else { throw refusal("the target limit is \(targetLimit)", "use 1 or more") }
        for file in ruleFiles where !file.hasPrefix("/") {
            throw refusal("the rule file \(JSONText.quoted(file)) is no absolute path", "give the whole path")
        }
        self.clusterName = clusterName
        self.targetsDirectory = targetsDirectory
        self.jobs = jobs
        self.fixedJobs = fixedJobs
        self.targetDomain = targetDomain
        self.hostNames = hostNames
        self.scrapeInterval = scrapeInterval
        self.scrapeTimeout = scrapeTimeout
        self.refreshInterval = refreshInterval
        self.targetLimit = targetLimit
        self.ruleFiles = ruleFiles
        self.externalLabels = externalLabels
        self.addressCheck = addressCheck
    }

    /// The three exporters of a jobstats cluster: `node_exporter`, `cgroup_exporter` and `gpu_exporter`.
    ///
    /// - Throws: ``PromTargetsError/Code/invalidConfiguration`` for a port that is none.
    public static func standardJobs(
        nodePort: Int = ExporterPort.node, cgroupPort: Int = ExporterPort.cgroup, gpuPort: Int = ExporterPort.gpu
    ) throws(PromTargetsError) -> [Job] {
        [
            try Job("node_exporter", port: nodePort), try Job("cgroup_exporter", port: cgroupPort),
            try Job("gpu_exporter", port: gpuPort),
        ]
    }
}

private func refusal(_ reason: String, _ remedy: String) -> PromTargetsError {
    PromTargetsError(.invalidConfiguration, reason: reason, remedy: remedy)
}

private func isWord(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
}
