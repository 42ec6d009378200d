import CommandExecution
import ServiceManager

extension JobstatsValidation {
    /// Group 1: what runs, as whom, from which unit file, on a host that is well.
    func serviceChecks() throws -> [ValidationCheck] {
        let hosts = JobstatsPlan.unique(
            dgxNodes + controllers + prometheusHosts + grafanaHosts
                + plan.context.hosts(configuration.systems.loginNodes) + [localHost])
        var checks = [
            ValidationCheck(
                "1.clock", "Clock", expected: "within 5 s of this machine's", on: hosts.filter { !$0.isLocal },
                HostChecks.clock, advice: "look at: timedatectl; chronyc tracking"),
            ValidationCheck(
                "1.disk", "Free space", expected: "300 MiB free where programs and state are", on: hosts,
                HostChecks.disk, advice: "make room"),
        ]
        let storageHosts = hosts.filter { host in
            (dgxNodes + controllers + [localHost]).contains(host)
                || plan.commandHosts.contains(host)
        }
        checks.append(storageCheck(on: storageHosts))
        checks += try exporterChecks()
        checks += try serverChecks()
        return checks
    }

    private func storageCheck(on hosts: [Host]) -> ValidationCheck {
        let resource = HostChecks.mounted("/cm/shared")
        return ValidationCheck(
            "1.shared-storage", "Shared storage", expected: "/cm/shared is mounted and answers",
            byHand: ["findmnt -T /cm/shared", "timeout 5 ls /cm/shared"], on: hosts,
            asking: { _ in resource.queries }
        ) { host, facts, _ in
            guard facts.result(resource.command)?.outputText.trimmed.isEmpty == false else {
                return .unseen("it cannot be told what is mounted", advice: "look at: findmnt -T /cm/shared")
            }
            let assessment = resource.assess(facts)
            // The head node may have it on a disk of its own, and serve it.
            if host.isLocal, assessment.isWarning { return .passed("a folder of this machine") }
            return assessment.isWarning
                ? .failed(assessment.detail, advice: "mount it; look at: findmnt -T /cm/shared; journalctl -b -t mount")
                : ValidationVerdict(assessment, advice: "")
        }
    }

    // MARK: Exporters

    /// An exporter, with what the checks must know of it.
    struct ExporterFacts: Sendable {
        let name: ArtifactSource.Name
        let section: Int
        let port: Int
        var unit: String { "\(name).service" }
    }

    var exporters: [ExporterFacts] {
        [
            ExporterFacts(name: .nodeExporter, section: 4, port: configuration.nodeExporterPort),
            ExporterFacts(name: .cgroupExporter, section: 2, port: configuration.cgroupExporterPort),
            ExporterFacts(name: .nvidiaGPUExporter, section: 3, port: configuration.nvidiaGPUExporterPort),
        ]
    }

    /// Whether exporters shall run on a node now, and why; the failure says why that is not known.
    static func wanted(
        _ host: Host, _ facts: Facts, _ evidence: ValidationEvidence, _ configuration: DeploymentConfiguration
    ) -> ExporterWish {
        guard configuration.deploysRoleMonitor else { return .running }
        if let metrics = MonitorReading(facts), metrics.isPaused(at: evidence.now) { return .paused }
        guard let hasRole = evidence.site.hasRole(host) else { return .unknown(evidence.site.roleProblem(host)) }
        return hasRole ? .running : .stopped
    }

    /// What is wanted of exporters on a node.
    enum ExporterWish: Sendable {
        case running
        case stopped
        /// The role monitor is paused there.
        case paused
        case unknown(ValidationVerdict)
    }

    private func exporterChecks() throws -> [ValidationCheck] {
        let plan = plan, configuration = configuration
        var checks: [ValidationCheck] = []
        for exporter in exporters {
            let (unit, section) = (exporter.unit, exporter.section)
            checks.append(
                ValidationCheck(
                    "1.\(exporter.name)", "\(exporter.name) runs as the node's role wants",
                    expected: configuration.deploysRoleMonitor
                        ? "active while BCM gives the node the role slurmclient, inactive otherwise"
                        : "active and enabled",
                    byHand: ["systemctl status \(unit)", "journalctl -u \(unit) -n 20"], on: dgxNodes,
                    asking: { _ in [.unit(unit), .content(MonitorReading.path)] }
                ) { host, facts, evidence in
                    Self.judgeExporter(
                        facts.unit(unit), unit, section, host,
                        Self.wanted(host, facts, evidence, configuration), followsRole: configuration.deploysRoleMonitor
                    )
                })
            let forms = try unitForms(exporter)
            let path = Installed.unitFile(unit)
            checks.append(
                ValidationCheck(
                    "1.\(exporter.name).unit-file", "Unit file of \(exporter.name)",
                    expected: "as the deployment writes it",
                    byHand: ["systemctl cat \(unit)"], on: dgxNodes,
                    asking: { _ in [.file(path), .content(path), .unit(unit)] }
                ) { host, facts, _ in
                    Self.judgeUnitFile(facts, path, unit, forms, section: section, host)
                })
        }
        checks.append(
            ValidationCheck(
                "1.user", "User \(Installed.user)", expected: "a system user, with an id below 1000",
                byHand: ["id \(Installed.user)"], on: JobstatsPlan.unique(dgxNodes + prometheusHosts),
                asking: { _ in [.user(Installed.user)] }
            ) { host, facts, _ in
                guard case .some(.some(let user)) = facts.user(Installed.user) else {
                    return .failed(
                        "there is no user \(Installed.user)",
                        advice: Self.repair(plan.dgxNodes.contains(host) ? 4 : 6, host))
                }
                return user.id < 1000
                    ? .passed("id \(user.id)")
                    : .failed(
                        "its id is \(user.id)",
                        advice: "BCM takes processes of ids from 1000 on for a user's and may end them: give it an id "
                            + "below 1000 with usermod -u, also in the image")
            })
        return checks
    }

    /// The texts that the unit file may have: some flags depend on the exporter's version.
    private func unitForms(_ exporter: ExporterFacts) throws -> Set<String> {
        var forms = Set<String>()
        for known in [false, true] {
            var context = plan.context
            context.exporterAbilities.cgroupPathsAreGiven = known
            context.exporterAbilities.gpmCanBeDisabled = known
            let plan = JobstatsPlan(configuration: configuration, context: context)
            switch exporter.section {
            case 2: forms.insert(try plan.cgroupExporterUnit().rendered)
            case 3: forms.insert(try plan.nvidiaGPUExporterUnit().rendered)
            default: forms.insert(try plan.nodeExporterUnit().rendered)
            }
        }
        return forms
    }

    static func judgeExporter(
        _ known: UnitFact?, _ unit: String, _ section: Int, _ host: Host, _ wish: ExporterWish, followsRole: Bool
    ) -> ValidationVerdict {
        guard let known else { return .unseen("the host did not tell the state of \(unit)", advice: "look there") }
        if known.isMissing { return .failed("there is no \(unit)", advice: repair(section, host)) }
        if known.isMasked {
            return .failed(
                "\(unit) is masked", advice: "on the node: systemctl unmask \(unit); then \(repair(section, host))")
        }
        let look = "on the node: systemctl status \(unit); journalctl -u \(unit)"
        switch wish {
        case .unknown(let verdict): return verdict
        case .paused:
            return .warning(
                "\(known.active); the role monitor is paused", advice: "on the node: bcm-role-monitor --resume")
        case .running:
            guard known.active == "active" else {
                return .failed(
                    known.active == "activating" ? "it starts again and again" : "it is \(known.active)",
                    advice: followsRole
                        ? "\(look); then bcm-role-monitor --reset, or wait for the monitor's next attempt"
                        : "\(look); then systemctl start \(unit)")
            }
        case .stopped:
            guard !known.isRunning else {
                return .failed(
                    "it runs, and BCM gives the node no role slurmclient",
                    advice:
                        "does the monitor work? on the node: systemctl status bcm-role-monitor; or the role has just "
                        + "gone: look again in a minute")
            }
        }
        if followsRole, known.enablement == "enabled" {
            return .warning(
                "\(known.active), and enabled at boot, which the role monitor decides",
                advice: "on the node: systemctl disable \(unit)")
        }
        if !followsRole, known.enablement != "enabled" {
            return .failed("it is active, and not enabled at boot", advice: repair(section, host))
        }
        if known.needsReload {
            return .warning(
                "\(known.active), and systemd has an older unit file", advice: "on the node: systemctl daemon-reload")
        }
        return .passed(known.active)
    }

    static func judgeUnitFile(
        _ facts: Facts, _ path: String, _ unit: String, _ forms: Set<String>, section: Int, _ host: Host
    ) -> ValidationVerdict {
        guard let file = facts.file(path) else { return .unseen("what \(path) is was not told", advice: "look there") }
        guard file.kind == .plain, let content = facts.content(path) else {
            return .failed(
                "\(path) is \(file.kind == .missing ? "missing" : "not a plain file")", advice: repair(section, host))
        }
        let text = String(decoding: content, as: UTF8.self)
        guard !forms.contains(text) else { return .passed(path) }
        guard text.contains(Installed.mark) else {
            return .warning(
                "\(path) was not written by this deployment",
                advice: "compare it with section \(section) of the document; to replace it: "
                    + "\(repair(section, host)) --allow adopt-\(unit.split(separator: ".")[0])")
        }
        let wanted = forms.flatMap { $0.split(separator: "\n") }.map(String.init)
        let odd = text.split(separator: "\n").map(String.init).filter { !wanted.contains($0) }
        let first = odd.first.map { ": \(Words.cut($0, 120))" } ?? ", lines are missing"
        return .failed("it is not as deployed\(first)", advice: repair(section, host))
    }

    // MARK: Servers

    private func serverChecks() throws -> [ValidationCheck] {
        var checks: [ValidationCheck] = []
        if !prometheusHosts.isEmpty {
            let unit = Installed.prometheusUnit, path = Installed.unitFile(unit)
            let form = try plan.prometheusUnit().rendered
            checks += [
                ValidationCheck(
                    "1.prometheus", "Prometheus runs with its present files", on: prometheusHosts,
                    PrometheusService(
                        port: configuration.prometheusPort, restartedFor: [path],
                        reloadedFor: [Installed.prometheusConfiguration, Installed.prometheusRules]),
                    advice: "guided-setup --section 6; on the server: journalctl -u \(unit)"),
                ValidationCheck(
                    "1.prometheus.unit-file", "Unit file of Prometheus", expected: "as the deployment writes it",
                    byHand: ["systemctl cat \(unit)"], on: prometheusHosts,
                    asking: { _ in [.file(path), .content(path), .unit(unit)] }
                ) { host, facts, _ in
                    Self.judgeUnitFile(facts, path, unit, [form], section: 6, host)
                },
            ]
        }
        if configuration.usesExistingGrafana {
            checks.append(
                ValidationCheck(
                    "1.grafana-server", "Grafana", on: [localHost],
                    ExistingGrafana(host: configuration.grafanaServer, port: configuration.grafanaPort),
                    advice: "look there"))
        }
        let unit = Installed.grafanaUnit
        let health = HTTPProbe.answer(
            port: configuration.grafanaPort, path: "/api/health", matching: "\"database\": *\"ok\"")
        checks.append(
            ValidationCheck(
                "1.grafana-server", "Grafana", expected: "enabled, active, its database well",
                byHand: [
                    "systemctl status \(unit)", "curl -s http://localhost:\(configuration.grafanaPort)/api/health",
                ],
                on: grafanaHosts, asking: { _ in [.unit(unit), .command(health)] }
            ) { host, facts, _ in
                let known = facts.unit(unit)
                let look = "on the server: systemctl status \(unit); then \(Self.repair(7, host))"
                if known?.isMissing != false { return .failed("there is no \(unit)", advice: Self.repair(7, host)) }
                if known?.active != "active" { return .failed("it is \(known?.active ?? "")", advice: look) }
                if facts.result(health)?.succeeded != true {
                    return .failed("/api/health does not say that its database is ok", advice: "journalctl -u \(unit)")
                }
                return known?.enablement == "enabled"
                    ? .passed("active") : .failed("it is not enabled at boot", advice: Self.repair(7, host))
            })
        return checks
    }
}
