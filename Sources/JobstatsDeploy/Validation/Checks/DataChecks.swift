import CommandExecution
import PromTargets

extension JobstatsValidation {
    /// Group 9: what is in Prometheus and in Slurm's database is what jobstats needs to find a job.
    func dataChecks() throws -> [ValidationCheck] {
        let probe = try prometheusProbe()
        let questions = SlurmQuestions(instance: configuration.wlmInstance)
        var checks = [labelsCheck(probe), memoryCheck(probe)]
        if let first = controllers.first {
            checks += [
                jobSeriesCheck(probe, questions, first), gpuJobsCheck(probe, questions, first),
                migCheck(probe, questions, first), summaryCheck(questions, first),
            ]
        }
        checks += [recentJobsCheck(probe), recentGPUJobsCheck(probe), try samplingCheck(probe)]
        return checks
    }

    /// How data are made where there are none yet.
    static let makeData =
        "let a job with a GPU run for some minutes, or have one submitted: validate-deployment --canary"

    // MARK: Labels

    /// Jobstats asks with Slurm's name of the cluster, and takes the node from `instance`.
    private func labelsCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        let hosts = dgxNodes, here = self
        let asked = [probe.nodeSeries, probe.gpuSeries, probe.jobSeries]
        return ValidationCheck(
            "9.labels", "Labels of the node's series",
            expected: "cluster is Slurm's ClusterName, instance is host:port",
            byHand: asked.map { probe.byHand($0.path) },
            about: hosts, asking: localHost, probe.queries
        ) { facts, evidence in
            let series = asked.compactMap { probe.state(facts)?.series[$0] }
            let cluster = here.runningClusterName(evidence)
            return Dictionary(
                hosts.map { host in
                    guard series.count == asked.count else {
                        return (host, Self.untold("its series", probe, probe.nodeSeries.path))
                    }
                    guard let cluster else {
                        return (
                            host,
                            .unseen(
                                "Slurm did not tell its ClusterName", advice: "see 8.cluster-name; scontrol show config"
                            )
                        )
                    }
                    let name = JobstatsPlan.shortName(host)
                    return (host, Self.judgeSeries(series.flatMap { $0 }.filter { Self.isOf(name, $0) }, name, cluster))
                }
            ) { $1 }
        }
    }

    /// Slurm's name of the cluster; without a controller the configuration's.
    private func runningClusterName(_ evidence: ValidationEvidence) -> String? {
        guard !controllers.isEmpty else { return configuration.clusterName }
        let probe = SlurmProbe(instance: configuration.wlmInstance)
        return controllers.lazy.compactMap { evidence.facts[$0] }.compactMap { probe.state($0) }
            .compactMap { $0.running("ClusterName") }.first
    }

    /// Whether a series is of a node, by the label or by the instance where the label is missing.
    private static func isOf(_ name: String, _ series: PrometheusState.Series) -> Bool {
        let hostname =
            series.labels["hostname"] ?? series.labels["instance"]?.split(separator: ":").first.map(String.init)
        return hostname?.lowercased() == name.lowercased()
    }

    /// The series of a node. Where a node of another cluster on the same Prometheus has its name, this cluster's alone.
    static func series(
        _ all: [PrometheusState.Series], of name: String, in cluster: String
    ) -> [PrometheusState.Series] {
        let named = all.filter { isOf(name, $0) }
        let own = named.filter { $0.labels["cluster"] == cluster }
        return own.isEmpty ? named : own
    }

    static func judgeSeries(
        _ series: [PrometheusState.Series], _ name: String, _ cluster: String
    ) -> ValidationVerdict {
        guard !series.isEmpty else { return .skipped("no series of the node; see 4.targets") }
        for series in series {
            let found = series.labels["cluster"]
            // Slurm makes small letters of its name, and jobstats asks with these.
            guard found == cluster else {
                return .failed(
                    "cluster is \(shown(found ?? "")), and Slurm's ClusterName is \(shown(cluster))",
                    advice: "set cluster_name to Slurm's ClusterName (it is not the partition); then guided-setup "
                        + "--section 6 9 10")
            }
            let instance = series.labels["instance"] ?? ""
            let parts = instance.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].lowercased() == name.lowercased(), Int(parts[1]) != nil else {
                return .failed(
                    "instance is \(shown(instance)), not \(name):PORT",
                    advice: "jobstats finds the node by it: guided-setup --section 6")
            }
        }
        return .passed("right on \(series.count) groups of series")
    }

    private func memoryCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        let hosts = dgxNodes, cluster = configuration.clusterName
        return ValidationCheck(
            "9.memory", "Memory of jobs", expected: "no job's memory is told as -1",
            byHand: [probe.byHand(probe.negativeMemory.path)], about: hosts, asking: localHost, probe.queries
        ) { facts, _ in
            guard let series = probe.state(facts)?.series[probe.negativeMemory],
                let jobs = probe.state(facts)?.series[probe.jobSeries]
            else {
                let silence = Self.untold("memory of jobs", probe, probe.negativeMemory.path)
                return Dictionary(hosts.map { ($0, silence) }) { $1 }
            }
            return Dictionary(
                hosts.map { host in
                    let name = JobstatsPlan.shortName(host)
                    let own = series.filter { Self.isOf(name, $0) && $0.labels["cluster"] ?? cluster == cluster }
                    guard let job = own.first?.labels["jobid"] else {
                        return jobs.contains(where: { Self.isOf(name, $0) })
                            ? (host, .passed("none is negative")) : (host, .skipped("no job's series of the node now"))
                    }
                    return (
                        host,
                        .failed(
                            "cgroup_exporter tells -1 for job \(Words.cut(job, 24))",
                            advice:
                                "Slurm does not hold jobs to their memory (see 6.constrainramspace, 8.cgroup), or the "
                                + "exporter is for the other version of cgroups: stat -fc %T /sys/fs/cgroup")
                    )
                }
            ) { $1 }
        }
    }

    // MARK: Jobs that run

    /// Judges each node by the jobs that have run there for long enough to have been scraped.
    private func jobCheck(
        _ id: String, _ title: String, expected: String, _ question: PrometheusProbe.Question, _ probe: PrometheusProbe,
        _ questions: SlurmQuestions, _ controller: Host,
        judge: @escaping @Sendable (Host, [RunningJob], [PrometheusState.Series]) -> ValidationVerdict
    ) -> ValidationCheck {
        let hosts = dgxNodes, here = self, cluster = configuration.clusterName
        return ValidationCheck(
            id, title, expected: expected, byHand: ["squeue -t running", probe.byHand(question.path)], about: hosts,
            asking: localHost, probe.queries
        ) { facts, evidence in
            let series = probe.state(facts)?.series[question]
            let answer = evidence.facts[controller].flatMap { questions.answer($0) }
            return Dictionary(
                hosts.map { host in
                    switch here.wish(host, evidence) {
                    case .unknown(let verdict): return (host, verdict)
                    case .paused: return (host, .skipped("the role monitor is paused"))
                    case .stopped: return (host, .skipped("not to run here now"))
                    case .running: break
                    }
                    guard let series else { return (host, Self.untold("series of jobs", probe, question.path)) }
                    guard let jobs = answer?.runningJobs else {
                        return (
                            host,
                            .unseen(
                                "which jobs run is not known: squeue on \(controller): "
                                    + (answer?.problem("jobs") ?? "its answer was cut off"),
                                advice: "see 8.slurmctld; on the controller: squeue")
                        )
                    }
                    let name = JobstatsPlan.shortName(host)
                    let running = jobs.filter { job in
                        job.seconds > probe.window && job.nodes.contains { $0.lowercased() == name.lowercased() }
                    }
                    return (host, judge(host, running, Self.series(series, of: name, in: cluster)))
                }
            ) { $1 }
        }
    }

    private func jobSeriesCheck(
        _ probe: PrometheusProbe, _ questions: SlurmQuestions, _ controller: Host
    ) -> ValidationCheck {
        jobCheck(
            "9.job-series", "Series of the jobs that run", expected: "cgroup_cpus with the jobid of each job",
            probe.jobSeries, probe, questions, controller
        ) { _, jobs, series in Self.judgeJobs(jobs, series) }
    }

    static func judgeJobs(_ jobs: [RunningJob], _ series: [PrometheusState.Series]) -> ValidationVerdict {
        guard !jobs.isEmpty else { return .skipped("no job has run there for long enough") }
        let known = Set(series.compactMap { $0.labels["jobid"] })
        let missing = jobs.filter { !known.contains($0.id) }
        return missing.isEmpty
            ? .passed("\(Words.count(jobs.count, "job")) seen")
            : .failed(
                "no series of job \(missing.prefix(4).map(\.id).joined(separator: ", "))",
                advice: "on the node: does /metrics of cgroup_exporter show the jobid? the exporter must be for the "
                    + "node's cgroups (stat -fc %T /sys/fs/cgroup), and Slurm must make them: see 8.proctracktype")
    }

    private func gpuJobsCheck(
        _ probe: PrometheusProbe, _ questions: SlurmQuestions, _ controller: Host
    ) -> ValidationCheck {
        jobCheck(
            "9.gpu-series", "GPU series of the jobs that run",
            expected: "labels jobid and userid of each job with GPUs",
            probe.gpuSeries, probe, questions, controller
        ) { _, jobs, series in Self.judgeGPUJobs(jobs.filter(\.hasGPUs), series) }
    }

    static func judgeGPUJobs(_ jobs: [RunningJob], _ series: [PrometheusState.Series]) -> ValidationVerdict {
        guard !jobs.isEmpty else { return .skipped("no job with GPUs has run there for long enough") }
        let advice =
            "on the node: head /run/gpustat/*; the prolog writes it (see 5.prolog, 5.generic), and nvidia_gpu_exporter "
            + "0.2.2 or later gives it as labels"
        let known = Dictionary(grouping: series) { $0.labels["jobid"] ?? "" }
        let missing = jobs.filter { known[$0.id] == nil }
        guard missing.isEmpty else {
            return .failed(
                "no GPU carries job \(missing.prefix(4).map(\.id).joined(separator: ", "))", advice: advice)
        }
        let anonymous = jobs.filter { job in known[job.id]?.contains { $0.labels["userid"]?.isEmpty != false } == true }
        return anonymous.isEmpty
            ? .passed("\(Words.count(jobs.count, "job")) seen")
            : .failed("the GPUs of job \(anonymous[0].id) carry no userid", advice: advice)
    }

    private func migCheck(
        _ probe: PrometheusProbe, _ questions: SlurmQuestions, _ controller: Host
    ) -> ValidationCheck {
        jobCheck(
            "9.mig", "Series of MIG instances", expected: "a jobid on those that a job has", probe.gpuSeries, probe,
            questions, controller
        ) { _, jobs, series in
            let instances = series.filter { $0.labels["GPU_I_ID"]?.isEmpty == false }
            if instances.isEmpty { return .skipped("no MIG instances there") }
            guard jobs.contains(where: \.hasGPUs) else {
                return .skipped("no job with GPUs has run there for long enough")
            }
            return instances.contains { !["", "0"].contains($0.labels["jobid"] ?? "") }
                ? .passed("they carry jobs")
                : .failed(
                    "jobs with GPUs run, and no MIG instance carries one",
                    advice:
                        "on the node: ls /run/gpustat; a file MIG-... must be there: the prolog needs the instances' "
                        + "UUIDs in CUDA_VISIBLE_DEVICES")
        }
    }

    // MARK: Whether there are data at all

    private func recentCheck(
        _ id: String, _ title: String, expected: String, _ question: PrometheusProbe.Question, _ probe: PrometheusProbe
    ) -> ValidationCheck {
        let subject = prometheusSubject
        return ValidationCheck(
            id, title, expected: expected, byHand: [probe.byHand(question.path)], about: [subject], asking: localHost,
            probe.queries
        ) { facts, _ in
            guard let series = probe.state(facts)?.series[question] else {
                return [subject: Self.untold("which jobs it has seen", probe, question.path)]
            }
            let count = Int(within: series.first?.value ?? 0)
            return [
                subject: count > 0
                    ? .passed("\(Words.count(count, "job")) within a day")
                    : .warning("no job was seen within a day", advice: Self.makeData)
            ]
        }
    }

    private func recentJobsCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        recentCheck(
            "9.jobs", "Jobs in Prometheus", expected: "cgroup series with a jobid within a day", probe.recentJobs, probe
        )
    }

    private func recentGPUJobsCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        recentCheck(
            "9.gpu-jobs", "Jobs with GPUs in Prometheus", expected: "GPU series with a jobid within a day",
            probe.recentGPUJobs, probe)
    }

    private func summaryCheck(_ questions: SlurmQuestions, _ controller: Host) -> ValidationCheck {
        ValidationCheck(
            "9.summary", "Summaries of jobs", expected: "the AdminComment of the job that ended last begins with JS1:",
            byHand: ["sacct -X -S now-1hours -s CD,F,TO -o jobid,end,admincomment%40"], on: [controller],
            asking: { _ in questions.queries }
        ) { _, facts, _ in
            guard let answer = questions.answer(facts) else {
                return .unseen("the host's answer was cut off", advice: "run validate-deployment again")
            }
            return Self.judgeSummaries(answer)
        }
    }

    static func judgeSummaries(_ answer: SlurmQuestions.Answer) -> ValidationVerdict {
        guard let jobs = answer.finishedJobs, let now = answer.now else {
            return .unseen("sacct: \(answer.problem("finished"))", advice: "see 8.slurmdbd")
        }
        // The epilog waits for Slurm's database, and jobstats for Prometheus.
        let settled = jobs.filter { $0.end > 0 && $0.end < now - 120 }
        let fresh = jobs.filter { $0.end >= now - 120 && $0.summary != nil }
        guard let last = fresh.last ?? settled.last else {
            return .warning(
                jobs.isEmpty ? "no job has ended within a week" : "the only jobs ended just now", advice: makeData)
        }
        let look =
            "on the controller: journalctl -t slurmctldepilog -n 20; see 5.slurmctld-epilog, 6.epilogslurmctld and 7.bare"
        guard let summary = last.summary else {
            let without = settled.suffix(3).allSatisfy { $0.summary == nil }
            return without
                ? .failed("job \(last.id) has no summary, nor have those before it", advice: look)
                : .warning("job \(last.id) has no summary, as others have", advice: look)
        }
        switch summary.lowercased() {
        case "short": return .passed("job \(last.id): Short, as it was too short to be seen")
        case "none":
            return .warning(
                "job \(last.id): None, Prometheus had no data of it",
                advice: "see 9.job-series and 9.gpu-series; then \(makeData)")
        default: return .passed("job \(last.id) has one of \(summary.count) characters")
        }
    }

    /// The command reckons with the seconds between two samples.
    private func samplingCheck(_ probe: PrometheusProbe) throws -> ValidationCheck {
        let command = CommandProbe(), here = self
        let names = try plan.standardJobs().map(\.name)
        return ValidationCheck(
            "9.sampling", "Sampling period", expected: "SAMPLING_PERIOD of jobstats is Prometheus's scrape interval",
            byHand: [
                "grep SAMPLING_PERIOD \(Installed.jobstatsDirectory)/config.py", probe.byHand("/api/v1/status/config"),
            ], on: plan.commandHosts.isEmpty ? [] : [localHost], asking: { _ in probe.queries + command.queries }
        ) { _, facts, evidence in
            guard let settings = here.prometheus(probe, evidence)?.settings else {
                return Self.untold("its scrape interval", probe, "/api/v1/status/config")
            }
            guard let period = command.answer(facts)?.settings?.samplingPeriod else {
                return .unseen("config.py tells no SAMPLING_PERIOD", advice: "see 7.settings")
            }
            return Self.judgeSampling(period, settings, names)
        }
    }

    static func judgeSampling(_ period: Int, _ settings: PrometheusSettings, _ names: [String]) -> ValidationVerdict {
        let intervals = Set(
            names.compactMap { settings.job($0)?.scrapeInterval }
                .compactMap { ExistingPrometheus.days($0).map { Int(within: ($0 * 86400).rounded()) } })
        guard !intervals.isEmpty else {
            return .unseen("Prometheus has none of the scrape jobs", advice: "see 4.directory")
        }
        return intervals == [period]
            ? .passed("\(period) s")
            : .failed(
                "SAMPLING_PERIOD is \(period), and Prometheus scrapes every "
                    + "\(intervals.sorted().map { "\($0)" }.joined(separator: ", ")) s",
                advice: "jobstats then reckons wrong: guided-setup --section 6 9")
    }
}
