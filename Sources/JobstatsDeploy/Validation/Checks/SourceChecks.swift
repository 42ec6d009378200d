import CommandExecution

extension JobstatsValidation {
    /// Group 3: what the exporters answer on the nodes themselves. The GPU exporter is judged through Prometheus, since
    /// versions with GPM before July 2026 could stop the kernel when scraped by two at once.
    func sourceChecks() -> [ValidationCheck] {
        let (probe, configuration) = (nodeProbe, configuration)
        func check(
            _ exporter: ExporterFacts, _ expected: String, _ families: [String],
            _ answer: @escaping @Sendable (NodeProbe.Answer) -> NodeProbe.Answer.Metrics,
            further: @escaping @Sendable (Host, NodeProbe.Answer) -> ValidationVerdict?
        ) -> ValidationCheck {
            ValidationCheck(
                "3.\(exporter.name)", "Metrics of \(exporter.name)", expected: expected,
                byHand: ["curl -s http://localhost:\(exporter.port)/metrics | head"], on: dgxNodes,
                asking: { _ in probe.queries + [.unit(exporter.unit), .content(MonitorReading.path)] }
            ) { host, facts, evidence in
                guard let seen = probe.answer(facts) else { return Self.cutOff(probe) }
                let look =
                    "on the node: curl -s http://localhost:\(exporter.port)/metrics | head; "
                    + "systemctl status \(exporter.unit)"
                switch answer(seen) {
                case .silent:
                    switch Self.wanted(host, facts, evidence, configuration) {
                    case .running:
                        return facts.unit(exporter.unit)?.active == "active"
                            ? .failed("it is active and does not answer", advice: look)
                            : .skipped("\(exporter.unit) does not run; see 1.\(exporter.name)")
                    case .stopped: return .skipped("not to run here now")
                    case .paused: return .skipped("the role monitor is paused")
                    case .unknown(let verdict): return verdict
                    }
                case .refused(let head):
                    return .failed("it answers \(head.isEmpty ? "something that is no HTTP" : head)", advice: look)
                case .answers(let found):
                    guard families.contains(where: { found.contains($0) }) else {
                        return .failed("what answers on port \(exporter.port) is not \(exporter.name)", advice: look)
                    }
                    return further(host, seen) ?? .passed("answers with its own metrics")
                }
            }
        }
        return [
            check(
                exporters[0], "node_uname_info, with the node's own name", ["node_uname_info"], { $0.node }
            ) { host, seen in
                if seen.hasTextfileError {
                    return .failed(
                        "it cannot read a file in \(Installed.textfileDirectory)",
                        advice: "on the node: promtool check metrics < FILE for each file there; remove what is broken")
                }
                let expected = JobstatsPlan.shortName(host)
                guard let name = seen.nodeName, name.split(separator: ".").first.map(String.init) != expected,
                    !ValueRules.isIPv4(host.name)
                else { return nil }
                return .warning(
                    "it calls the node \(Words.cut(name, 64))", advice: "is \(host) the machine that is meant? hostname"
                )
            },
            check(
                exporters[1], "metrics of jobs' cgroups, or without a job those of the program",
                ["cgroup_cpu", "cgroup_memory", "cgroup_uid", "cgroup_exporter_", "go_goroutines"], { $0.cgroup }
            ) { _, seen in
                if case .answers(let found) = seen.cgroup,
                    found.contains("node_uname_info") || found.contains("nvidia_gpu_")
                {
                    return .failed(
                        "another exporter answers on the port", advice: "look at the ports in the configuration")
                }
                return nil
            },
        ]
    }
}
