import CommandExecution
import PromTargets

extension JobstatsValidation {
    /// Group 4: Prometheus, asked over HTTP from the head node, so that one that is not ours is judged by the same.
    func prometheusChecks() throws -> [ValidationCheck] {
        let probe = try prometheusProbe()
        var checks = [readyCheck(probe), loadedCheck(probe), try directoryCheck(probe), try intervalCheck(probe)]
        checks += [retentionCheck(probe), rulesCheck(probe)]
        if !prometheusHosts.isEmpty { checks += [configurationFileCheck, spaceCheck] }
        checks += try targetChecks(probe)
        checks.append(gpuExporterCheck(probe))
        return checks
    }

    // MARK: - What the groups 4 and 9 share

    /// Whom findings about Prometheus itself are about.
    var prometheusSubject: Host { prometheusHosts.first ?? plan.context.host(configuration.prometheusServer) }

    func prometheusProbe() throws -> PrometheusProbe {
        let interval = Int(try plan.scrapeConfiguration().scrapeInterval.components.seconds)
        return PrometheusProbe(
            host: configuration.prometheusServer, port: configuration.prometheusPort, window: interval * 3)
    }

    /// What Prometheus answered the head node.
    func prometheus(_ probe: PrometheusProbe, _ evidence: ValidationEvidence) -> PrometheusState? {
        evidence.facts[localHost].flatMap { probe.state($0) }
    }

    /// The verdict where Prometheus did not tell something.
    static func untold(_ what: String, _ probe: PrometheusProbe, _ path: String) -> ValidationVerdict {
        .unseen(
            "Prometheus did not tell \(what)",
            advice: "see 4.ready; then look at: \(probe.byHand(path))")
    }

    /// A check of Prometheus alone.
    private func check(
        _ id: String, _ title: String, expected: String, byHand: String, _ probe: PrometheusProbe,
        judge: @escaping @Sendable (PrometheusState) -> ValidationVerdict
    ) -> ValidationCheck {
        let subject = prometheusSubject
        return ValidationCheck(
            id, title, expected: expected, byHand: [byHand], about: [subject], asking: localHost, probe.queries
        ) { facts, _ in
            guard let state = probe.state(facts) else { return [:] }
            return [subject: judge(state)]
        }
    }

    // MARK: - Prometheus itself

    private func readyCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        let isOurs = !prometheusHosts.isEmpty
        return check(
            "4.ready", "Prometheus is ready", expected: "HTTP 200 from \(probe.host):\(probe.port)/-/ready",
            byHand: probe.byHand("/-/ready"), probe
        ) { state in
            let look =
                isOurs
                ? "on the server: systemctl status \(Installed.prometheusUnit); journalctl -u \(Installed.prometheusUnit)"
                : "ask whoever runs it; from here: \(probe.byHand("/-/ready"))"
            switch state.readiness {
            case 200: return .passed("ready")
            case let status?: return .failed("it answers, and is not ready (HTTP \(status))", advice: look)
            case nil: return .failed("\(probe.host):\(probe.port) does not answer HTTP requests", advice: look)
            }
        }
    }

    /// promtool's judgement of the file on the server.
    private var configurationFileCheck: ValidationCheck {
        let path = Installed.prometheusConfiguration
        let command = Command(
            "timeout", ["-k", "1", "20", Installed.program(.promtool), "check", "config", path], timeout: .seconds(25))
        return ValidationCheck(
            "4.configuration", "Prometheus's configuration file", expected: "promtool check config accepts \(path)",
            byHand: ["promtool check config \(path)"], on: prometheusHosts,
            asking: { _ in [.file(path), .command(command)] },
            judge: { host, facts, _ in Self.judgeConfigurationFile(facts.file(path), facts.result(command), path, host)
            }
        )
    }

    static func judgeConfigurationFile(
        _ file: FileFact?, _ result: CommandResult?, _ path: String, _ host: Host
    ) -> ValidationVerdict {
        guard let file, let result else { return .unseen("it was not told", advice: "look there") }
        if file.kind == .missing { return .failed("\(path) is missing", advice: repair(6, host)) }
        switch result.status {
        case .exited(0): return .passed("accepted")
        case .exited(126), .exited(127):
            return .unseen("promtool cannot be run there", advice: "\(repair(6, host)), which installs it")
        default:
            let lines = result.outputText.split(whereSeparator: \.isNewline).map { String($0).trimmed }
            let reason = lines.first { $0.contains("FAILED") || $0.contains("error") } ?? lines.first ?? ""
            return .failed(
                "promtool refuses it: \(Words.cut(ForeignText.printable(reason), 240))",
                advice: "on the server: promtool check config \(path); correct it, or \(repair(6, host))")
        }
    }

    /// Whether what runs is what the file says.
    private func loadedCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        let subject = prometheusSubject, here = self
        let files = prometheusHosts.isEmpty ? [] : [Installed.prometheusConfiguration, Installed.prometheusRules]
        let reload =
            prometheusHosts.isEmpty
            ? "look into its log, then have it reload"
            : "on the server: journalctl -u \(Installed.prometheusUnit) -n 20; systemctl reload "
                + Installed.prometheusUnit
        let title = "Prometheus runs with its present configuration"
        let expected = "the last reload went well, after the last change of the file"
        let byHand = ["\(probe.byHand("/metrics")) | grep prometheus_config_last_reload"]
        @Sendable func judge(_ state: PrometheusState?, _ facts: Facts) -> ValidationVerdict {
            guard let state, let wentWell = state.lastReloadWentWell, let loaded = state.loaded else {
                return Self.untold("when it loaded its configuration", probe, "/metrics")
            }
            guard wentWell else { return .failed("it refused its configuration at the last reload", advice: reload) }
            if let newer = files.first(where: { (facts.file($0)?.changed ?? 0) > loaded }) {
                return .failed("\(newer) was changed since it was loaded", advice: reload)
            }
            return .passed("loaded")
        }
        guard !files.isEmpty else {
            return ValidationCheck(
                "4.loaded", title, expected: expected, byHand: byHand, about: [subject], asking: localHost,
                probe.queries
            ) { facts, _ in [subject: judge(probe.state(facts), Facts())] }
        }
        return ValidationCheck(
            "4.loaded", title, expected: expected, byHand: byHand, on: [subject],
            asking: { _ in files.map { .file($0) } },
            judge: { _, facts, evidence in judge(here.prometheus(probe, evidence), facts) })
    }

    private func directoryCheck(_ probe: PrometheusProbe) throws -> ValidationCheck {
        let subject = prometheusSubject, here = self, directory = configuration.targetsDirectory
        let names = try plan.standardJobs().map(\.name)
        let isOurs = !prometheusHosts.isEmpty
        let title = "Prometheus reads the target files"
        let expected = "each scrape job reads \(directory)/*.json, at least once a minute"
        let byHand = [probe.byHand("/api/v1/status/config")]
        let advice =
            isOurs ? Self.repair(6, subject) : "add what section 6 of the document says, and have Prometheus reload"
        @Sendable func judge(_ state: PrometheusState?, _ folder: FileFact?) -> ValidationVerdict {
            guard let settings = state?.settings else {
                return Self.untold("its configuration", probe, "/api/v1/status/config")
            }
            if isOurs, folder?.kind == .missing {
                return .failed(
                    "there is no \(directory) on the server",
                    advice: "is the shared storage mounted there? findmnt -T \(directory)")
            }
            return Self.judgeDirectory(settings, directory, names, advice: advice)
        }
        guard isOurs else {
            return ValidationCheck(
                "4.directory", title, expected: expected, byHand: byHand, about: [subject], asking: localHost,
                probe.queries
            ) { facts, _ in [subject: judge(probe.state(facts), nil)] }
        }
        return ValidationCheck(
            "4.directory", title, expected: expected, byHand: byHand, on: [subject],
            asking: { _ in [.file(directory)] },
            judge: { _, facts, evidence in judge(here.prometheus(probe, evidence), facts.file(directory)) })
    }

    static func judgeDirectory(
        _ settings: PrometheusSettings, _ directory: String, _ names: [String], advice: String
    ) -> ValidationVerdict {
        let missing = names.filter { settings.job($0) == nil }
        guard missing.isEmpty else {
            return .failed("it has no scrape job \(missing.joined(separator: ", "))", advice: advice)
        }
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        let elsewhere = names.filter { name in settings.job(name)?.files.contains { $0.hasPrefix(prefix) } != true }
        guard elsewhere.isEmpty else {
            return .failed("the job \(elsewhere.joined(separator: ", ")) does not read \(directory)", advice: advice)
        }
        let slow = names.filter { name in
            settings.job(name)?.refreshIntervals.contains { (ExistingPrometheus.days($0) ?? 1) * 86400 > 60.5 } == true
        }
        return slow.isEmpty
            ? .passed("\(names.count) jobs read it")
            : .warning(
                "the job \(slow.joined(separator: ", ")) looks into it less than once a minute (refresh_interval), and "
                    + "sees nothing else of what other hosts write there", advice: advice)
    }

    private func intervalCheck(_ probe: PrometheusProbe) throws -> ValidationCheck {
        let seconds = Int(try plan.scrapeConfiguration().scrapeInterval.components.seconds)
        let names = try plan.standardJobs().map(\.name)
        let advice =
            prometheusHosts.isEmpty
            ? "set scrape_interval of these jobs to \(seconds)s" : Self.repair(6, prometheusSubject)
        return check(
            "4.interval", "Scrape interval", expected: "\(seconds)s", byHand: probe.byHand("/api/v1/status/config"),
            probe
        ) { state in
            guard let settings = state.settings else {
                return Self.untold("its configuration", probe, "/api/v1/status/config")
            }
            let others = names.compactMap { name -> String? in
                guard let job = settings.job(name) else { return nil }
                let value = job.scrapeInterval ?? "not told"
                let found = ExistingPrometheus.days(value).map { Int(within: ($0 * 86400).rounded()) }
                return found == seconds ? nil : "\(name): \(value)"
            }
            if others.isEmpty, !names.contains(where: { settings.job($0) != nil }) {
                return .failed("it has none of the scrape jobs", advice: "see 4.directory")
            }
            return others.isEmpty
                ? .passed("\(seconds)s") : .failed("it is another: \(others.joined(separator: ", "))", advice: advice)
        }
    }

    private func retentionCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        let wanted = configuration.prometheusRetentionDays
        let advice =
            prometheusHosts.isEmpty
            ? "start it with --storage.tsdb.retention.time=\(wanted)d, or set prometheus_retention_days to what it keeps"
            : "on the server: systemctl cat \(Installed.prometheusUnit); then \(Self.repair(6, prometheusSubject))"
        let isOurs = !prometheusHosts.isEmpty
        return check(
            "4.retention", "How long samples are kept", expected: "\(wanted) days (prometheus_retention_days)",
            byHand: probe.byHand("/api/v1/status/flags"), probe
        ) { state in
            guard let flags = state.flags else { return Self.untold("its flags", probe, "/api/v1/status/flags") }
            return Self.judgeRetention(flags, wanted, isOurs: isOurs, advice: advice)
        }
    }

    static func judgeRetention(
        _ flags: [String: String], _ wanted: Int, isOurs: Bool, advice: String
    ) -> ValidationVerdict {
        guard let text = flags["storage.tsdb.retention.time"], let days = ExistingPrometheus.days(text) else {
            return .unseen("its flags tell no storage.tsdb.retention.time", advice: advice)
        }
        let size = flags["storage.tsdb.retention.size"] ?? "0B"
        if days == 0, size != "0B" {
            return isOurs
                ? .failed("it keeps \(size), whatever their age", advice: advice)
                : .passed("it keeps \(size), whatever their age")
        }
        // Without any limit Prometheus keeps 15 days.
        let kept = days == 0 ? 15 : days
        if kept < Double(wanted) {
            return .failed("it keeps \(Int(within: kept)) days, and jobstats is told \(wanted)", advice: advice)
        }
        if isOurs, kept > Double(wanted) {
            return .failed("it keeps \(Int(within: kept)) days, and \(wanted) are configured", advice: advice)
        }
        return .passed("\(Int(within: kept)) days")
    }

    private var spaceCheck: ValidationCheck {
        let estimate = StorageEstimate(nodes: dgxNodes.count, days: configuration.prometheusRetentionDays)
        return ValidationCheck(
            "4.space", "Room for the samples", expected: "room for \(configuration.prometheusRetentionDays) days",
            on: prometheusHosts, HostChecks.space(for: estimate, in: Installed.prometheusData),
            advice: "give it a larger disk")
    }

    private func rulesCheck(_ probe: PrometheusProbe) -> ValidationCheck {
        let isOurs = !prometheusHosts.isEmpty
        let subject = prometheusSubject
        let wanted = AlertRules(configuration).text.split(separator: "\n").compactMap { line -> String? in
            let text = String(line).trimmed
            return text.hasPrefix("- alert: ") ? String(text.dropFirst(9)) : nil
        }
        return check(
            "4.rules", "Alert rules", expected: "the deployment's alerts are loaded, and can be evaluated",
            byHand: probe.byHand("/api/v1/rules?type=alert"), probe
        ) { state in
            guard let groups = state.ruleGroups else {
                return Self.untold("its rules", probe, "/api/v1/rules?type=alert")
            }
            return Self.judgeRules(groups, wanted, isOurs: isOurs, advice: Self.repair(6, subject))
        }
    }

    static func judgeRules(
        _ groups: [PrometheusState.RuleGroup], _ wanted: [String], isOurs: Bool, advice: String
    ) -> ValidationVerdict {
        let ours = groups.flatMap(\.alerts).filter { wanted.contains($0.name) }
        if ours.isEmpty, !isOurs { return .skipped("an existing Prometheus without this deployment's rules") }
        let missing = wanted.filter { name in !ours.contains { $0.name == name } }
        guard missing.isEmpty else {
            return .failed(
                missing.count == wanted.count
                    ? "none of the deployment's alerts is loaded"
                    : "not loaded: \(missing.prefix(4).joined(separator: ", "))",
                advice: isOurs
                    ? "is \(Installed.prometheusRules) there, and named in rule_files? \(advice)"
                    : "compare its rule file with section 6 of the document")
        }
        if let broken = ours.first(where: { !$0.error.isEmpty }) {
            return .failed(
                "\(broken.name) cannot be evaluated: \(Words.cut(ForeignText.printable(broken.error), 160))",
                advice: advice)
        }
        return .passed("\(ours.count) alerts")
    }
}
