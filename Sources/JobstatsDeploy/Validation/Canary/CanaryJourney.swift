import BCMClient
import CommandExecution

/// One canary on its way: what it has found so far.
struct CanaryJourney {
    let canary: ValidationCanary
    let pool: ConnectionPool
    let onStation: @Sendable (ValidationReport.Finding) -> Void
    private(set) var findings: [ValidationReport.Finding] = []
    private(set) var job: String?
    /// The node that it runs on; until that is known, who is asked.
    private var node: Host
    private let controller: Host

    init(
        canary: ValidationCanary, pool: ConnectionPool,
        onStation: @escaping @Sendable (ValidationReport.Finding) -> Void
    ) {
        self.canary = canary
        self.pool = pool
        self.onStation = onStation
        let context = DeploymentContext(localHost: canary.localHost)
        let name = canary.configuration.systems.slurmController.first
        controller = name.map { context.host($0) } ?? canary.localHost
        node = canary.options.node.map { context.host($0) } ?? controller
    }

    // MARK: The way

    mutating func travel() async {
        guard await submit() else { return await skipRest(after: .submit, "no job was submitted") }
        await withCancellation { journey in
            guard await journey.awaitStart() else {
                await journey.cancel()
                return await journey.skipRest(after: .start, "the job did not run")
            }
            await journey.followRun()
            await journey.followEnd()
        }
    }

    /// A job whose follower was interrupted is taken back.
    private mutating func withCancellation(_ body: (inout CanaryJourney) async -> Void) async {
        await body(&self)
        guard Task.isCancelled else { return }
        await cancel()
        let found = Set(findings.map(\.check))
        for station in CanaryStation.allCases where !found.contains(station.id) {
            record(
                station,
                .unseen(
                    "interrupted; scancel was sent",
                    advice: "look that it is gone: squeue -n jobstats-canary; then run it again")
            )
        }
    }

    private mutating func submit() async -> Bool {
        let seconds = canary.jobSeconds
        let options = canary.options
        var words = [
            "sbatch", "--parsable", "--job-name=jobstats-canary", "--nodes=1", "--ntasks=1", "--gres=gpu:1",
            "--time=\(seconds / 60 + 2)", "--output=/dev/null", "--chdir=/tmp",
            // Slurm itself drops one that nobody follows any more.
            "--deadline=now+\(seconds + 60 + Int(options.patience / .seconds(1)))seconds",
        ]
        if let node = options.node { words.append("--nodelist=\(JobstatsPlan.shortName(Host(node)))") }
        if let partition = options.partition { words.append("--partition=\(partition)") }
        if let account = options.account { words.append("--account=\(account)") }
        words.append("--wrap=sleep \(seconds)")
        let began = canary.pace.now()
        let answer = await slurm(words, on: controller)
        switch answer {
        case .failure(let problem):
            record(
                .submit,
                .unseen("sbatch on \(controller): \(problem.reason)", advice: "look at: ssh \(controller) sinfo"))
            return false
        case .success(let result):
            // "17" or "17;cluster".
            let first = result.outputText.trimmed.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
            let id = String(first.prefix { $0 != ";" })
            guard result.succeeded, !id.isEmpty, id.allSatisfy(\.isNumber) else {
                record(
                    .submit,
                    .failed(
                        "sbatch: \(Self.said(result))",
                        advice: "may root submit jobs there, with an account and a partition that has GPUs? try it by "
                            + "hand: sbatch --gres=gpu:1 --wrap 'sleep 60'"))
                return false
            }
            job = id
            record(.submit, .passed("job \(id), \(since(began))"))
            return true
        }
    }

    private mutating func awaitStart() async -> Bool {
        guard let job else { return false }
        let began = canary.pace.now()
        var last = ""
        let seen = await poll(within: canary.options.patience) { journey -> String? in
            guard
                case .success(let result) = await journey.slurm(
                    ["squeue", "-h", "-t", "all", "-j", job, "-o", "%T|%N|%r"], on: journey.controller),
                result.succeeded
            else { return nil }
            let words = result.outputText.trimmed.split(separator: "|", omittingEmptySubsequences: false)
            guard words.count >= 3 else { return nil }
            last = "\(words[0]) (\(words[2]))"
            return words[0] == "RUNNING" && !words[1].isEmpty ? String(words[1]) : nil
        }
        guard let seen else {
            if !Task.isCancelled {
                record(
                    .start,
                    last.isEmpty
                        ? .unseen("squeue gave no answer about job \(job)", advice: "look at: squeue -j \(job)")
                        : .failed(
                            "after \(since(began)) it is \(ForeignText.printable(last)); it was cancelled",
                            advice: "are GPUs free? squeue; sinfo -R; or name a node that has one"))
            }
            return false
        }
        let names = canary.configuration.systems.dgxNodes
        let known = names.first { JobstatsPlan.shortName(Host($0)).lowercased() == seen.lowercased() }
        node = DeploymentContext(localHost: canary.localHost).host(known ?? seen)
        rename()
        record(.start, .passed("on \(node) after \(since(began))"))
        return true
    }

    /// While it runs: the note, and both kinds of series. They are looked for by turns, since each takes its own time.
    private mutating func followRun() async {
        guard let job else { return }
        let began = canary.pace.now()
        var open: [CanaryStation] = [.note, .cgroup, .gpu]
        var problems: [CanaryStation: String] = [:]
        // A scrape, and what it takes until it can be asked for.
        let limit = Double(min(canary.jobSeconds - 10, canary.interval * 5))
        while !open.isEmpty, canary.pace.now() - began < limit {
            for station in open {
                switch station == .note ? await noteIsThere(job) : await seriesIsThere(station, job) {
                case .success(true):
                    record(station, .passed("after \(since(began))"))
                    open.removeAll { $0 == station }
                case .success(false): problems[station] = nil
                case .failure(let problem): problems[station] = problem.reason
                }
            }
            if open.isEmpty { break }
            guard await wait() else { break }
        }
        guard !Task.isCancelled else { return }
        for station in open {
            let advice =
                switch station {
                case .note:
                    "on the node: ls /run/gpustat; journalctl -t jobstats-prolog; see 5.prolog and 5.generic"
                case .cgroup:
                    "see 4.targets; on the node: curl -s http://localhost:\(canary.configuration.cgroupExporterPort)/metrics | grep jobid"
                default: "see 4.targets and 9.canary.note; on the node: head /run/gpustat/*"
                }
            record(
                station,
                problems[station].map { .unseen($0, advice: advice) }
                    ?? .failed("not there after \(since(began))", advice: advice))
        }
    }

    private mutating func followEnd() async {
        guard let job, !Task.isCancelled else { return }
        await awaitEnd(job)
        guard !Task.isCancelled else { return }
        let ended = canary.pace.now()
        var problem: String?
        let gone = await poll(within: .seconds(60)) { journey -> Bool? in
            switch await journey.noteIsThere(job) {
            case .success(let isThere):
                problem = nil
                return isThere ? nil : true
            case .failure(let failure):
                problem = failure.reason
                return nil
            }
        }
        guard !Task.isCancelled else { return }
        let look = "on the node: ls /run/gpustat; readlink -f \(SlurmPaths.epilogLink); see 5.epilog"
        record(
            .gone,
            gone != nil
                ? .passed("after \(since(ended))")
                : problem.map { .unseen($0, advice: look) }
                    ?? .failed("still there after \(since(ended))", advice: look))
        await awaitSummary(job, since: ended)
        guard !Task.isCancelled else { return }
        await askJobstats(job)
    }

    private mutating func awaitEnd(_ job: String) async {
        let began = canary.pace.now()
        var last = ""
        let state = await poll(within: .seconds(canary.jobSeconds + 90)) { journey -> String? in
            guard
                case .success(let result) = await journey.slurm(
                    ["squeue", "-h", "-t", "all", "-j", job, "-o", "%T"], on: journey.controller)
            else { return nil }
            last = result.outputText.trimmed
            // Slurm forgets a job some minutes after its end.
            if !result.succeeded { return last.lowercased().contains("invalid job id") ? "gone" : nil }
            return ["", "PENDING", "RUNNING", "COMPLETING", "CONFIGURING"].contains(last) ? nil : last
        }
        guard !Task.isCancelled else { return }
        switch state {
        case "COMPLETED"?, "gone"?: record(.end, .passed("after \(since(began)) more"))
        case let state?:
            record(
                .end,
                .failed("it ended as \(ForeignText.printable(state))", advice: "look at: scontrol show job \(job)"))
        case nil:
            await cancel()
            record(
                .end,
                .failed(
                    "after \(since(began)) it is \(last.isEmpty ? "not known" : ForeignText.printable(last)); it was cancelled",
                    advice: "look at: scontrol show job \(job)"))
        }
    }

    private mutating func awaitSummary(_ job: String, since ended: Double) async {
        var last = ""
        let summary = await poll(within: .seconds(240)) { journey -> String? in
            guard
                case .success(let result) = await journey.slurm(
                    ["sacct", "-X", "-n", "-P", "-j", job, "-o", "admincomment"], on: journey.controller)
            else { return nil }
            last = result.succeeded ? "" : "sacct: \(Self.said(result))"
            let text = result.outputText.trimmed
            return result.succeeded && text.lowercased().hasPrefix("js1:") ? String(text.dropFirst(4)) : nil
        }
        guard !Task.isCancelled else { return }
        let look =
            "on the controller: journalctl -t slurmctldepilog -n 20; see 5.slurmctld-epilog and 6.epilogslurmctld"
        guard let summary else {
            record(
                .summary,
                last.isEmpty
                    ? .failed("none after \(since(ended))", advice: look) : .unseen(last, advice: "see 8.slurmdbd"))
            return
        }
        switch summary.lowercased() {
        case "none", "short":
            record(
                .summary,
                .failed("it is \(summary): jobstats found no data of the job", advice: "see 9.canary.cgroup; \(look)"))
        default: record(.summary, .passed("\(summary.count) characters after \(since(ended))"))
        }
    }

    private mutating func askJobstats(_ job: String) async {
        let began = canary.pace.now()
        let context = DeploymentContext(localHost: canary.localHost)
        let host = canary.configuration.systems.loginNodes.first.map { context.host($0) } ?? controller
        switch await slurm([Installed.jobstatsLink, job], on: host, timeout: 60) {
        case .failure(let problem):
            record(.jobstats, .unseen("\(host): \(problem.reason)", advice: "on \(host): jobstats \(job)"))
        case .success(let result):
            let names = result.outputText.contains(job)
            record(
                .jobstats,
                result.succeeded && names
                    ? .passed("tells of it on \(host), \(since(began))")
                    : .failed(
                        "on \(host): \(result.succeeded ? "it does not name the job" : Self.said(result))",
                        advice: "on \(host): jobstats \(job); see group 7"))
        }
    }

    // MARK: Looking

    private struct Problem: Error { var reason: String }

    private func noteIsThere(_ job: String) async -> Result<Bool, Problem> {
        let script = """
            for note in /run/gpustat/*; do
                [ -f "$note" ] || continue
                read -r job user _ <"$note" && [ "$job" = "$1" ] && [ -n "$user" ] && echo yes && exit 0
            done
            echo no
            """
        switch await run(Command("sh", ["-c", script, "sh", job], timeout: .seconds(20)), on: node) {
        case .failure(let problem): return .failure(problem)
        case .success(let result):
            let word = result.outputText.trimmed
            return ["yes", "no"].contains(word)
                ? .success(word == "yes") : .failure(Problem(reason: "\(node): \(Self.said(result))"))
        }
    }

    private func seriesIsThere(_ station: CanaryStation, _ job: String) async -> Result<Bool, Problem> {
        let metric =
            station == .cgroup ? "cgroup_cpus" : "{__name__=~\"nvidia_gpu_memory_total_bytes|nvidia_gpu_jobId\"}"
        let selector =
            station == .cgroup
            ? "\(metric){jobid=\"\(job)\"}" : "\(metric.dropLast()),jobid=\"\(job)\"}"
        let question = PrometheusProbe.Question(text: "count(\(selector))")
        let requests = ServerRequests(
            host: canary.configuration.prometheusServer, port: Int(canary.configuration.prometheusPort),
            paths: [question.path])
        switch await run(requests.command, on: canary.localHost) {
        case .failure(let problem): return .failure(problem)
        case .success(let result):
            guard let json = requests.answers(in: result)[question.path]?.value, json["status"]?.string == "success",
                let series = json["data"]?["result"]?.elements
            else { return .failure(Problem(reason: "Prometheus gives no answer")) }
            return .success(!series.isEmpty)
        }
    }

    // MARK: Means

    private func run(_ command: Command, on host: Host) async -> Result<CommandResult, Problem> {
        do throws(CommandError) {
            return .success(try await pool.connection(to: host).run(command))
        } catch {
            return .failure(Problem(reason: Words.cut(ForeignText.printable("\(error)"), 200)))
        }
    }

    private func slurm(
        _ words: [String], on host: Host, timeout: Int = 30
    ) async -> Result<CommandResult, Problem> {
        let conf = SlurmPaths.configuration(canary.configuration.wlmInstance)
        let command = Command(
            "env",
            [
                "SLURM_CONF=\(conf)", "PATH=\(SlurmPaths.search)", "PYTHONDONTWRITEBYTECODE=1", "timeout", "-k", "1",
                "\(timeout)",
            ] + words, timeout: .seconds(timeout + 5))
        return await run(command, on: host)
    }

    /// Takes the job back, also when the task itself was cancelled.
    /// Takes the job back, over a connection of its own: the one before may have been ended with the task.
    private func cancel() async {
        guard let job else { return }
        let journey = self
        await pool.drop([controller])
        _ = await Task { await journey.slurm(["scancel", job], on: journey.controller) }.value
    }

    /// Asks again and again until there is an answer, the time is over, or the task is cancelled.
    private mutating func poll<Answer: Sendable>(
        within limit: Duration, _ ask: (inout CanaryJourney) async -> Answer?
    ) async -> Answer? {
        let end = canary.pace.now() + limit / .seconds(1)
        repeat {
            if let answer = await ask(&self) { return answer }
            guard await wait() else { return nil }
        } while canary.pace.now() < end
        return nil
    }

    /// Whether there was a pause; not when the task was cancelled.
    private func wait() async -> Bool {
        do {
            try await canary.pace.pause(.seconds(2))
            return !Task.isCancelled
        } catch {
            return false
        }
    }

    // MARK: Telling

    private mutating func record(_ station: CanaryStation, _ verdict: ValidationVerdict) {
        let finding = ValidationReport.Finding(check: station.id, host: node.name, verdict: verdict)
        findings.append(finding)
        onStation(finding)
    }

    private mutating func skipRest(after last: CanaryStation, _ why: String) async {
        guard !Task.isCancelled else { return }
        let found = Set(findings.map(\.check))
        for station in CanaryStation.allCases where !found.contains(station.id) && station != last {
            record(station, .skipped(why))
        }
    }

    /// What was found before the node was known belongs to the node.
    private mutating func rename() {
        findings = findings.map { .init(check: $0.check, host: node.name, verdict: $0.verdict) }
    }

    private func since(_ began: Double) -> String { Words.time(.seconds(canary.pace.now() - began)) }

    private static func said(_ result: CommandResult) -> String {
        let text = (result.outputText + "\n" + result.errorText).trimmed
        let last = text.split(whereSeparator: \.isNewline).last.map(String.init) ?? "\(result.status)"
        return Words.cut(ForeignText.printable(last), 200)
    }
}
