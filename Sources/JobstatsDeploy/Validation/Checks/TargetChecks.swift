import CommandExecution
import PromTargets

extension JobstatsValidation {
    /// Of group 4, what is about the targets of each node; and the GPU exporter, which is judged through Prometheus.
    func targetChecks(_ probe: PrometheusProbe) throws -> [ValidationCheck] {
        let here = self
        let jobs = try plan.standardJobs()
        let path = "/api/v1/targets?state=active"
        func check(
            _ id: String, _ title: String, expected: String, about hosts: [Host],
            judge:
                @escaping @Sendable (Host, [String: [PrometheusState.Target]], ValidationEvidence) ->
                ValidationVerdict
        ) -> ValidationCheck {
            ValidationCheck(
                id, title, expected: expected, byHand: [probe.byHand(path)], about: hosts, asking: localHost,
                probe.queries
            ) { facts, evidence in
                guard let targets = probe.state(facts)?.targets else {
                    let silence = Self.untold("its targets", probe, path)
                    return Dictionary(hosts.map { ($0, silence) }) { $1 }
                }
                let byAddress = Dictionary(grouping: targets, by: \.address)
                return Dictionary(hosts.map { ($0, judge($0, byAddress, evidence)) }) { $1 }
            }
        }
        return [
            check(
                "4.targets", "Prometheus reaches the node's exporters",
                expected: "\(jobs.map(\.label).joined(separator: ", ")): known and up", about: dgxNodes
            ) { host, targets, evidence in
                switch here.wish(host, evidence) {
                case .unknown(let verdict): return verdict
                case .paused: return .skipped("the role monitor is paused")
                case .stopped: return .skipped("not to run here now")
                case .running: return Self.judgeTargets(host, here.addresses(of: host, jobs), targets)
                }
            },
            check(
                "4.labels", "Labels of the node's targets",
                expected: "job, cluster, hostname, and instance as host:port",
                about: dgxNodes
            ) { host, targets, _ in
                Self.judgeLabels(
                    here.addresses(of: host, jobs), targets, cluster: here.configuration.clusterName,
                    hostname: JobstatsPlan.shortName(host))
            },
            check(
                "4.surplus", "No targets that nobody expects", expected: "targets of nodes that have the role alone",
                about: dgxNodes + [prometheusSubject]
            ) { host, targets, evidence in
                if here.dgxNodes.contains(host) {
                    switch here.wish(host, evidence) {
                    case .unknown(let verdict): return verdict
                    case .running, .paused: return .passed("none")
                    case .stopped: break
                    }
                    let known = here.addresses(of: host, jobs).filter { targets[$0.address]?.isEmpty == false }
                    return known.isEmpty
                        ? .passed("none")
                        : .failed(
                            "Prometheus asks \(known.map(\.job).joined(separator: ", ")), and BCM gives the node no role "
                                + evidence.site.role,
                            advice: "on the head node: prom-targets prune; the role may have gone just now: look again")
                }
                return here.judgeStrangers(targets.values.flatMap { $0 }, jobs, evidence)
            },
        ]
    }

    /// Whether exporters shall run on a node, by what the node and BCM said.
    func wish(_ host: Host, _ evidence: ValidationEvidence) -> ExporterWish {
        Self.wanted(host, evidence.facts[host] ?? Facts(), evidence, configuration)
    }

    /// A target that a node must have.
    struct ExpectedTarget: Sendable, Hashable {
        var job: String
        var address: String
        var port: UInt16
    }

    func addresses(of host: Host, _ jobs: [ScrapeConfiguration.Job]) -> [ExpectedTarget] {
        jobs.map { ExpectedTarget(job: $0.label, address: "\(plan.targetName(host)):\($0.port)", port: $0.port) }
    }

    static func judgeTargets(
        _ host: Host, _ expected: [ExpectedTarget], _ targets: [String: [PrometheusState.Target]]
    ) -> ValidationVerdict {
        let unknown = expected.filter { targets[$0.address]?.isEmpty != false }
        guard unknown.isEmpty else {
            return .failed(
                "Prometheus does not know \(unknown.map { "\($0.job) (\($0.address))" }.joined(separator: ", "))",
                advice: "is the node's target file there and right? prom-targets list; see 4.directory and group 10")
        }
        let found = expected.flatMap { expected in (targets[expected.address] ?? []).map { (expected, $0) } }
        let down = found.filter { $0.1.health == "down" }
        guard down.isEmpty else {
            let words = down.map { expected, target in
                "\(expected.job) is down: \(Words.cut(ForeignText.printable(target.lastError), 160))"
            }
            let unit = down[0].0.job == "gpu_exporter" ? "nvidia_gpu_exporter" : down[0].0.job
            return .failed(
                words.joined(separator: "; "),
                advice: "on the node: systemctl status \(unit); on the Prometheus server: "
                    + (unit == "nvidia_gpu_exporter"
                        ? "nc -vz \(down[0].0.address.replacing(":", with: " "))"
                        : "curl -s http://\(down[0].0.address)/metrics | head"))
        }
        let fresh = found.filter { $0.1.health != "up" }
        return fresh.isEmpty
            ? .passed("\(expected.count) up")
            : .warning(
                "\(fresh.map(\.0.job).joined(separator: ", ")): not asked yet", advice: "look again in a minute")
    }

    static func judgeLabels(
        _ expected: [ExpectedTarget], _ targets: [String: [PrometheusState.Target]], cluster: String, hostname: String
    ) -> ValidationVerdict {
        var odd: [String] = []
        var count = 0
        for expected in expected {
            for target in targets[expected.address] ?? [] {
                count += 1
                let wanted = [
                    ("job", expected.job), ("cluster", cluster), ("hostname", hostname),
                    ("instance", "\(hostname):\(expected.port)"),
                ]
                for (label, value) in wanted where target.labels[label] != value {
                    let seen = target.labels[label].map { "is \(Words.cut(ForeignText.printable($0), 64))" }
                    odd.append("\(label) of \(expected.job) \(seen ?? "is missing"), not \(value)")
                }
            }
        }
        if count == 0 { return .skipped("no target is known; see 4.targets") }
        return odd.isEmpty
            ? .passed("right on \(count) targets")
            : .failed(
                odd.prefix(3).joined(separator: "; "),
                advice: "compare relabel_configs with section 6 of the document, and the target file of the node; "
                    + "jobstats finds a job by these labels: guided-setup --section 6")
    }

    /// Targets of this cluster that belong to no node of the configuration.
    private func judgeStrangers(
        _ targets: [PrometheusState.Target], _ jobs: [ScrapeConfiguration.Job], _ evidence: ValidationEvidence
    ) -> ValidationVerdict {
        let names = Set(dgxNodes.map { JobstatsPlan.shortName($0).lowercased() })
        let labels = Set(jobs.map(\.label))
        var strangers = Set<String>(), newcomers = Set<String>()
        for target in targets where target.labels["cluster"] == configuration.clusterName {
            guard let job = target.labels["job"], labels.contains(job) else { continue }
            let name = target.labels["hostname"] ?? target.address
            guard !names.contains(name.lowercased()) else { continue }
            if evidence.site.hasRole(Host(name)) == true { newcomers.insert(name) } else { strangers.insert(name) }
        }
        if case .failure = evidence.site.rolesByNode, !strangers.isEmpty {
            return evidence.site.roleProblem(Host(strangers.min() ?? ""))
        }
        if !strangers.isEmpty {
            return .failed(
                "Prometheus asks nodes that are neither configured nor have the role: "
                    + Words.hosts(strangers.sorted().map { Words.cut(ForeignText.printable($0), 64) }),
                advice: "on the head node: prom-targets list; prom-targets prune")
        }
        return newcomers.isEmpty
            ? .passed("none")
            : .warning(
                "nodes with the role that are not in dgx_nodes: \(Words.hosts(newcomers.sorted()))",
                advice: "add them to the configuration, so that they are looked at, too")
    }

    /// The GPU exporter by what Prometheus has of it: to scrape it twice at once could stop the kernel.
    func gpuExporterCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        let hosts = dgxNodes, here = self
        return ValidationCheck(
            "3.nvidia_gpu_exporter", "Metrics of nvidia_gpu_exporter, by Prometheus",
            expected: "nvidia_gpu_... of the last two scrape intervals", byHand: [probe.byHand(probe.gpuSeries.path)],
            about: hosts, asking: localHost, probe.queries
        ) { facts, evidence in
            guard let series = probe.state(facts)?.series[probe.gpuSeries] else {
                let silence = Self.untold("its GPU series", probe, probe.gpuSeries.path)
                return Dictionary(hosts.map { ($0, silence) }) { $1 }
            }
            let names = Set(series.compactMap { $0.labels["hostname"]?.lowercased() })
            return Dictionary(
                hosts.map { host in
                    switch here.wish(host, evidence) {
                    case .unknown(let verdict): return (host, verdict)
                    case .paused: return (host, .skipped("the role monitor is paused"))
                    case .stopped: return (host, .skipped("not to run here now"))
                    case .running: break
                    }
                    return names.contains(JobstatsPlan.shortName(host).lowercased())
                        ? (host, .passed("series of the last \(probe.window) s"))
                        : (
                            host,
                            .failed(
                                "Prometheus has no nvidia_gpu_... of the last \(probe.window) s",
                                advice:
                                    "see 4.targets; on the node: systemctl status nvidia_gpu_exporter; nvidia-smi -L")
                        )
                }
            ) { $1 }
        }
    }
}
