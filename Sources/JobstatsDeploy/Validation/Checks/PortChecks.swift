import CommandExecution

extension JobstatsValidation {
    /// Group 2: who listens where, and who reaches whom.
    func portChecks() -> [ValidationCheck] {
        let (probe, configuration) = (nodeProbe, configuration)
        var checks = exporters.map { exporter in
            ValidationCheck(
                "2.\(exporter.name)", "Port \(exporter.port) of \(exporter.name)",
                expected: "open while the exporter shall run, and closed otherwise",
                byHand: ["ss -ltnp 'sport = :\(exporter.port)'"], on: dgxNodes,
                asking: { _ in probe.queries + [.unit(exporter.unit), .content(MonitorReading.path)] }
            ) { host, facts, evidence in
                guard let answer = probe.answer(facts) else { return Self.cutOff(probe) }
                let isOpen = answer.listening.contains(exporter.port)
                let isRunning = facts.unit(exporter.unit)?.active == "active"
                if isOpen, !isRunning {
                    return .failed(
                        "something else than \(exporter.unit) listens on it",
                        advice: "on the node: ss -ltnp 'sport = :\(exporter.port)'; stop that, or choose another port")
                }
                if isOpen { return .passed("open") }
                switch Self.wanted(host, facts, evidence, configuration) {
                case .running:
                    return .failed(
                        isRunning ? "closed, although \(exporter.unit) is active" : "closed",
                        advice: isRunning
                            ? "on the node: systemctl cat \(exporter.unit), look at its flags and drop-ins; then "
                                + Self.repair(exporter.section, host)
                            : "see 1.\(exporter.name)")
                case .stopped: return .passed("closed, as wanted")
                case .paused: return .skipped("the role monitor is paused")
                case .unknown(let verdict): return verdict
                }
            }
        }
        checks += serverPortChecks()
        return checks
    }

    static func cutOff(_ probe: NodeProbe) -> ValidationVerdict {
        .unseen("the node's answer was cut off", advice: "run validate-deployment again with --limit for this node")
    }

    private func serverPortChecks() -> [ValidationCheck] {
        func check(_ name: String, _ port: Int, _ unit: String, _ hosts: [Host], _ section: Int) -> ValidationCheck {
            let look = HostChecks.port(port, for: unit, of: name).command
            return ValidationCheck(
                "2.\(name)", "Port \(port) of \(name)", expected: "\(unit) listens",
                byHand: ["ss -ltnp 'sport = :\(port)'"], on: hosts, asking: { _ in [.command(look)] }
            ) { host, facts, _ in
                guard let result = facts.result(look), result.succeeded else {
                    return .unseen("who listens cannot be told", advice: "install iproute2 there, which has ss")
                }
                if result.outputText.trimmed.isEmpty {
                    return .failed("nobody listens", advice: "on the server: systemctl status \(unit)")
                }
                let assessment = HostChecks.judgePort(result, port, unit, name)
                return assessment.state == .inPlace
                    ? .passed("open")
                    : .failed(assessment.detail, advice: "stop that, then \(Self.repair(section, host))")
            }
        }
        let server = configuration.prometheusServer, port = configuration.prometheusPort
        let reach = HostChecks.reaches([server], port: port).command
        let names = dgxNodes.map { plan.targetName($0) }
        var checks = [
            check("prometheus", port, Installed.prometheusUnit, prometheusHosts, 6),
            check("grafana", configuration.grafanaPort, Installed.grafanaUnit, grafanaHosts, 7),
            ValidationCheck(
                "2.reach-prometheus", "Prometheus is reached", expected: "a connection to \(server):\(port)",
                byHand: ["curl -s http://\(server):\(port)/-/ready"], on: plan.commandHosts,
                asking: { _ in [.command(reach)] }
            ) { _, facts, _ in
                guard let result = facts.result(reach), result.succeeded else {
                    return .unseen("it could not be tried", advice: "bash and timeout are needed there")
                }
                return result.outputText.trimmed.isEmpty
                    ? .passed("reached")
                    : .failed(
                        "\(server):\(port) is not reached, so jobstats has no data here",
                        advice:
                            "look at the name, the route and firewalls: getent hosts \(server); nc -vz \(server) \(port)"
                    )
            },
        ]
        if !names.isEmpty {
            let resolves = HostChecks.resolves(names)
            checks.append(
                ValidationCheck(
                    "2.names", "The nodes' names", expected: "all resolve on the Prometheus server",
                    byHand: ["getent ahosts \(names[0])"], on: prometheusHosts, asking: { _ in resolves.queries }
                ) { _, facts, _ in
                    let assessment = resolves.assess(facts)
                    return assessment.state == .inPlace && !assessment.isWarning
                        ? .passed("all \(names.count) resolve")
                        : .failed(assessment.detail, advice: assessment.remedy ?? "")
                })
        }
        return checks
    }
}
