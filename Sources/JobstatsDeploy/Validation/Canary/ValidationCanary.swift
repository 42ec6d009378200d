import FoundationEssentials
import PromTargets

/// A small job with one GPU, followed from the prolog over the series in Prometheus to its summary.
///
/// It is the one look at a deployment that does something: whoever runs it asks first (``Consent``, `submit-job`).
///
/// ```swift
/// let canary = ValidationCanary(configuration: configuration, localHost: Host("head-a", isLocal: true))
/// let report = await canary.run()
/// print(report.exitStatus)
/// ```
public struct ValidationCanary: Sendable {
    /// How it goes.
    public struct Options: Sendable, Hashable {
        /// The node that the job must run on; nil leaves the choice to Slurm.
        public var node: String?
        /// The partition; nil for the default one.
        public var partition: String?
        /// The account; nil for the user's default one.
        public var account: String?
        /// How long the job may wait for its turn.
        public var patience = Duration.seconds(300)

        /// Creates the defaults.
        public init() {}
    }

    /// Time as the canary sees it, so that tests need not wait.
    struct Pace: Sendable {
        /// Seconds since some moment.
        var now: @Sendable () -> Double
        /// Waits; throws when the task was cancelled.
        var pause: @Sendable (Duration) async throws -> Void

        /// The real one.
        static var real: Pace {
            let clock = ContinuousClock()
            let start = clock.now
            return Pace(
                now: { (clock.now - start) / .seconds(1) }, pause: { try await Task.sleep(for: $0) })
        }
    }

    let configuration: DeploymentConfiguration
    var options: Options
    let connector: any HostConnector
    let localHost: Host
    let pace: Pace

    /// Creates one.
    ///
    /// - Parameters:
    ///   - configuration: what the site wants.
    ///   - options: how it goes.
    ///   - connector: how hosts are reached.
    ///   - localHost: the head node that this runs on.
    public init(
        configuration: DeploymentConfiguration, options: Options = Options(),
        connector: any HostConnector = SSHConnector(options: .looking), localHost: Host? = nil
    ) {
        self.init(
            configuration: configuration, options: options, connector: connector,
            localHost: localHost ?? SetupRun.localHost, pace: .real)
    }

    init(
        configuration: DeploymentConfiguration, options: Options, connector: any HostConnector, localHost: Host,
        pace: Pace
    ) {
        self.configuration = configuration
        self.options = options
        self.connector = connector
        self.localHost = localHost
        self.pace = pace
    }

    /// Seconds between two scrapes.
    var interval: Int {
        let plan = JobstatsPlan(configuration: configuration, context: DeploymentContext(localHost: localHost))
        return (try? plan.scrapeConfiguration()).map { Int($0.scrapeInterval.components.seconds) } ?? 30
    }

    /// How long the job runs, in seconds: five scrape intervals and some.
    public var jobSeconds: Int { interval * 5 + 20 }

    /// Submits the job, follows it, and tells each station with the time that it took.
    ///
    /// The job is cancelled when the task is cancelled, and when it does not start in time. It always ends by itself.
    ///
    /// - Parameter onStation: called as each station is passed, with its finding.
    public func run(onStation: @escaping @Sendable (ValidationReport.Finding) -> Void = { _ in }) async
        -> ValidationReport
    {
        let began = Date().timeIntervalSince1970
        let start = pace.now()
        var journey = CanaryJourney(canary: self, pool: ConnectionPool(connector), onStation: onStation)
        await journey.travel()
        _ = await journey.pool.closeAll()
        var report = ValidationReport(cluster: configuration.clusterName, began: began)
        report.duration = .seconds(pace.now() - start)
        report.checks = CanaryStation.allCases.map { $0.check(jobSeconds: jobSeconds) }
        report.findings = journey.findings
        let names = Set(journey.findings.map(\.host)).sorted()
        report.hosts = names.map { name in
            .init(name: name, kinds: configuration.systems.dgxNodes.contains(name) ? ["DGX node"] : ["head node"])
        }
        if let job = journey.job { report.notices.append("Job \(job) was submitted (--canary).") }
        return report
    }
}

/// Where the job is looked for, in the order of its life.
enum CanaryStation: String, CaseIterable, Sendable {
    case submit, start, note, cgroup, gpu, end
    case gone = "note-gone"
    case summary, jobstats

    var id: String { "9.canary.\(rawValue)" }

    func check(jobSeconds: Int) -> ValidationReport.Check {
        let (title, expected, byHand): (String, String, String) =
            switch self {
            case .submit: ("Canary: submitted", "sbatch takes a job with one GPU", "sbatch --gres=gpu:1 ...")
            case .start: ("Canary: started", "the job runs", "squeue")
            case .note: ("Canary: prolog", "/run/gpustat on the node names job and user", "head /run/gpustat/*")
            case .cgroup:
                ("Canary: cgroup series", "cgroup_cpus with its jobid in Prometheus", "cgroup_cpus{jobid=\"JOB\"}")
            case .gpu:
                (
                    "Canary: GPU series", "nvidia_gpu_... with its jobid in Prometheus",
                    "nvidia_gpu_memory_total_bytes{jobid=\"JOB\"}"
                )
            case .end: ("Canary: ended", "it ends by itself after \(jobSeconds) s", "sacct -X -j JOB")
            case .gone: ("Canary: epilog", "the note in /run/gpustat is gone", "ls /run/gpustat")
            case .summary:
                (
                    "Canary: summary", "AdminComment in Slurm's database begins with JS1:",
                    "sacct -X -j JOB -o admincomment"
                )
            case .jobstats: ("Canary: jobstats", "jobstats JOB tells of it", "jobstats JOB")
            }
        return .init(id: id, group: 9, title: title, expected: expected, byHand: [byHand])
    }
}
