public import BCMClient
public import CommandExecution
import FoundationEssentials
import Synchronization

/// A look at a whole deployment: everything is asked at once, then judged. Nothing is changed anywhere.
///
/// ```swift
/// let run = ValidationRun(configuration: configuration)
/// let report = await run.report()
/// print(report.exitStatus, report.count(.failed))
/// ```
public struct ValidationRun: Sendable {
    /// How it goes.
    public struct Options: Sendable {
        /// The hosts to look at, by name; nil for all. Those that answer for others, such as the Prometheus server, are
        /// asked all the same.
        public var limit: Set<String>?
        /// How many hosts are asked at once.
        public var parallel = 32
        /// The version that the report names.
        public var version = ""

        /// Creates the defaults.
        public init() {}
    }

    let configuration: DeploymentConfiguration
    let options: Options
    let connector: any HostConnector
    let cmsh: Cmsh
    let localHost: Host

    /// Creates a run.
    ///
    /// - Parameters:
    ///   - configuration: what the site wants.
    ///   - options: how it goes.
    ///   - connector: how hosts are reached.
    ///   - cmsh: BCM's shell on this machine.
    ///   - localHost: the head node that this runs on.
    public init(
        configuration: DeploymentConfiguration, options: Options = Options(),
        connector: any HostConnector = SSHConnector(options: .looking), cmsh: Cmsh = Cmsh(executor: LocalExecutor()),
        localHost: Host? = nil
    ) {
        self.configuration = configuration
        self.options = options
        self.connector = connector
        self.cmsh = cmsh
        self.localHost = localHost ?? SetupRun.localHost
    }

    /// Asks all hosts and BCM, judges, and reports. A host that cannot be reached makes its checks ``ValidationState/unseen``.
    ///
    /// - Throws: what ``JobstatsPlan/plan(sections:)`` throws for a configuration that was made in code.
    public func report() async throws -> ValidationReport {
        let began = Date().timeIntervalSince1970
        let clock = ContinuousClock()
        let start = clock.now
        let checks = try JobstatsValidation(configuration: configuration, localHost: localHost).checks()
        var evidence = await look(for: checks)
        evidence.now = Date().timeIntervalSince1970
        var report = judge(checks, evidence)
        report.began = began
        report.duration = clock.now - start
        return report
    }

    /// Asks everything at once: BCM, and each host one question that covers all checks.
    func look(for checks: [ValidationCheck]) async -> ValidationEvidence {
        var queries: [Host: [Query]] = [:]
        for check in checks {
            for (host, asked) in check.queries where isAsked(host, by: check) { queries[host, default: []] += asked }
        }
        async let site = ValidationSite.ask(cmsh, role: "slurmclient")
        let asked = queries
        let found = Mutex<ValidationEvidence>(ValidationEvidence())
        let pool = ConnectionPool(connector)
        // This machine's answers take longest, since they hold cmsh's and Prometheus's.
        let order = queries.keys.sorted { ($0.isLocal ? 0 : 1, $0) < ($1.isLocal ? 0 : 1, $1) }
        await Bounded.forEach(order, atOnce: options.parallel + 1) { host in
            let connection = await pool.connection(to: host)
            let collector = FactCollector(asked[host] ?? [], sums: KnownSums(isWritten: false))
            do throws(CommandError) {
                let facts = try await collector.collect(with: connection)
                found.withLock { $0.facts[host] = facts }
            } catch {
                found.withLock { $0.problems[host] = "\(error)" }
            }
        }
        _ = await pool.closeAll()
        var evidence = found.withLock { $0 }
        evidence.site = await site
        return evidence
    }

    /// Whether a host is asked for a check: one within the limit, or one that answers for others.
    private func isAsked(_ host: Host, by check: ValidationCheck) -> Bool {
        isWanted(host) || host.isLocal || check.queries.count == 1
    }

    private func isWanted(_ host: Host) -> Bool { options.limit?.contains(host.name) ?? true }

    /// Judges; a pure function of checks and evidence.
    func judge(_ checks: [ValidationCheck], _ evidence: ValidationEvidence) -> ValidationReport {
        var report = ValidationReport(cluster: configuration.clusterName, version: options.version)
        var hosts = Set<Host>()
        for check in checks {
            let verdicts = check.verdicts(evidence).filter { isWanted($0.0) }
            guard !verdicts.isEmpty else { continue }
            report.checks.append(check.description)
            for (host, verdict) in verdicts {
                hosts.insert(host)
                report.findings.append(.init(check: check.description.id, host: host.name, verdict: verdict))
            }
        }
        report.hosts = hosts.sorted().map { .init(name: $0.name, kinds: kinds(of: $0)) }
        if let limit = options.limit {
            report.notices.append("Only \(Words.hosts(limit.sorted())) looked at (--limit).")
        }
        return report
    }

    private func kinds(of host: Host) -> [String] {
        let systems = configuration.systems
        let kinds = [
            ("head node", host.isLocal ? [host.name] : []), ("DGX node", systems.dgxNodes),
            ("Slurm controller", systems.slurmController), ("login node", systems.loginNodes),
            ("Prometheus", systems.prometheusServer), ("Grafana", systems.grafanaServer),
        ]
        return kinds.filter { $0.1.contains { $0.lowercased() == host.name.lowercased() } }.map(\.0)
    }
}
