@testable import JobstatsDeploy

/// Reports as a cluster could give them.
enum SampleReports {
    /// A report of so many hosts: DGX nodes, and the last three a controller, a login node and the server.
    ///
    /// - Parameter checks: how many of the checks; 50 has them all.
    static func report(hosts count: Int, checks: Int = 45) -> ValidationReport {
        let nodes = (1...max(1, count - 3)).map { ValidationReport.Subject(name: name($0), kinds: ["DGX node"]) }
        let others: [ValidationReport.Subject] = [
            .init(name: "slurm-01", kinds: ["Slurm controller", "head node"]),
            .init(name: "login-01", kinds: ["login node"]), .init(name: "mon-01", kinds: ["Prometheus", "Grafana"]),
        ]
        let all = others.prefix(max(0, min(3, count - 1))) + nodes.prefix(max(1, count - 3))
        var report = ValidationReport(
            cluster: "superpod", version: "0.1.0", began: 1_764_000_000, duration: .milliseconds(3140),
            checks: Array(descriptions.prefix(checks)), hosts: all.sorted { $0.name < $1.name },
            notices: count > 60 ? ["dgx-900 was left out on demand (--limit)."] : [])
        for (place, check) in report.checks.enumerated() {
            for host in report.hosts where applies(check, host) {
                report.findings.append(
                    .init(check: check.id, host: host.name, verdict: verdict(check, place, host, number(host.name))))
            }
        }
        return report
    }

    static func name(_ number: Int) -> String { "dgx-\(number < 10 ? "00" : number < 100 ? "0" : "")\(number)" }

    private static func number(_ name: String) -> Int { Int(name.suffix(3)) ?? 0 }

    private static func applies(_ check: ValidationReport.Check, _ host: ValidationReport.Subject) -> Bool {
        if host.kinds.contains("DGX node") { return ![6, 7, 8].contains(check.group) }
        return [2, 4, 6, 7, 8].contains(check.group)
    }

    private static func verdict(
        _ check: ValidationReport.Check, _ place: Int, _ host: ValidationReport.Subject, _ number: Int
    ) -> ValidationVerdict {
        let isNode = host.kinds.contains("DGX node")
        if isNode, number == 7, check.group != 4 {
            return .unseen(
                "\(host.name) gave no answer: connect to host \(host.name) port 22: Connection refused",
                advice: "look whether it runs: ssh \(host.name) true")
        }
        switch check.id {
        case "1.node_exporter" where isNode && (12...19).contains(number):
            return .failed(
                "the unit node_exporter.service is inactive (dead)",
                advice: "systemctl enable --now node_exporter on \(host.name), or guided-setup --section 4")
        case "4.targets" where isNode && (number == 7 || (12...19).contains(number)):
            return .failed(
                "the target \(host.name):9100 is down: dial tcp: connection refused",
                advice: "see the checks of groups 1 and 2 for this host")
        case "10.certificate" where isNode && number % 16 == 3:
            return .warning(
                "the certificate is good for \(number % 7 + 4) days more", advice: "renew it: deploy-role-monitor")
        case "5.prolog" where isNode && number == 2:
            return .failed(
                "/cm/local/apps/slurm/var/prologs/60-prolog-jobstats.sh leads to a file that is not executable",
                advice: "chmod 755 /usr/local/libexec/jobstats/prolog-jobstats.sh")
        case "9.summary": return .skipped("no job of \(host.name) has finished within an hour")
        case "9.jobs" where isNode && number % 3 == 0:
            return .warning("no series with a jobid yet", advice: "validate-deployment --canary makes some")
        case "8.doubled" where host.name == "slurm-01":
            return .failed(
                "slurm.conf sets Prolog twice, in lines 41 and 96",
                advice: "keep the line outside BCM's own section: /cm/shared/apps/slurm/var/etc/slurm/slurm.conf")
        default: break
        }
        return place % 4 == 1
            ? .passed(
                "\(host.name):9100 answers with \(200 + (number * 7 + place) % 90) families within 0.\(number % 9) s")
            : .passed("as it must be")
    }

    private static let descriptions: [ValidationReport.Check] = titles.enumerated().flatMap { group, titles in
        titles.map { id, title in
            ValidationReport.Check(
                id: "\(group + 1).\(id)", group: group + 1, title: title, expected: "\(title), as config.json has it",
                byHand: ["systemctl status \(id)", "curl -s http://HOST:9100/metrics | grep -c '^\(id)'"])
        }
    }.interleaved()

    private static let titles: [[(String, String)]] = [
        [
            ("node_exporter", "node_exporter runs"), ("cgroup_exporter", "cgroup_exporter runs"),
            ("gpu_exporter", "nvidia_gpu_exporter runs"), ("prometheus", "prometheus runs"),
            ("grafana", "grafana-server runs"), ("enabled", "Units start at boot"),
        ],
        [
            ("node_exporter", "Port 9100 is open"), ("cgroup_exporter", "Port 9306 is open"),
            ("gpu_exporter", "Port 9445 is open"), ("prometheus", "Port 9090 is open"), ("names", "Host names resolve"),
        ],
        [
            ("node", "node_uname_info is served"), ("cgroup", "cgroup_* is served"), ("flags", "cgroup version fits"),
            ("textfile", "Text files are fresh"), ("version", "Versions are known good"),
        ],
        [
            ("targets", "Its targets are up"), ("labels", "Labels of its targets"), ("excess", "No foreign target"),
            ("flags", "Retention as configured"), ("config", "promtool accepts the configuration"),
        ],
        [
            ("prolog", "The prolog's link"), ("epilog", "The epilog's link"), ("generic", "BCM's generic prolog"),
            ("exit", "The prolog ends with 0"), ("time", "The prolog is quick"),
        ],
        [
            ("prolog", "Prolog in BCM"), ("epilog", "Epilog in BCM"), ("epilogslurmctld", "EpilogSlurmctld in BCM"),
            ("cgroup", "Constraints in BCM"), ("gres", "GRES types in BCM"),
        ],
        [
            ("found", "jobstats is found"), ("bare", "jobstats in a bare environment"),
            ("config", "config.py of the site"),
            ("revision", "Revision of jobstats"), ("sacct", "sacct answers"),
        ],
        [
            ("doubled", "No key twice in slurm.conf"), ("running", "slurmctld runs with the file"),
            ("plugins", "Slurm's plugins"), ("tres", "GPUs are accounted"), ("memory", "Memory is tracked"),
        ],
        [
            ("cluster", "The label cluster"), ("jobs", "Series carry job ids"),
            ("summary", "A finished job has a summary"),
            ("sampling", "SAMPLING_PERIOD fits"), ("mig", "MIG series carry job ids"),
        ],
        [
            ("active", "The role monitor runs"), ("certificate", "Days left of the certificate"),
            ("target", "Its target file is right"), ("role", "Role as BCM says"), ("recent", "Last check was recent"),
        ],
    ]
}

extension [ValidationReport.Check] {
    /// By turns one of each group, so that a part of them has all groups.
    fileprivate func interleaved() -> [ValidationReport.Check] {
        let groups = Dictionary(grouping: self, by: \.group)
        return (0..<6).flatMap { turn in
            groups.keys.sorted().compactMap { group in groups[group].flatMap { turn < $0.count ? $0[turn] : nil } }
        }
    }
}
