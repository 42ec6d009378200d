import CommandExecution
import PromTargets
import RoleMonitor
import ServiceManager

extension JobstatsPlan {
    /// Section 6: the Prometheus server, or what to add to one that exists.
    func prometheusSection() throws -> PlanSection {
        let scrape = try scrapeConfiguration()
        let targets = try targetSteps()
        let purpose =
            "Prometheus collects the metrics of all nodes and keeps them for \(configuration.prometheusRetentionDays) "
            + "days. It finds the nodes by the target files in \(configuration.targetsDirectory)."
        guard !configuration.usesExistingPrometheus else {
            return PlanSection(
                number: 6, title: "Prometheus",
                purpose: purpose
                    + " Prometheus exists already (`use_existing_prometheus`): it is not touched, and what "
                    + "to add is given below.",
                link: PrincetonPage.link("prometheus"), steps: targets + [existingPrometheusStep(scrape)],
                notes: existingPrometheusNotes(scrape))
        }
        guard !context.skips("prometheus") else {
            var section = leftOut(6, "Prometheus", "prometheus", purpose)
            section.steps = targets
            section.notes = existingPrometheusNotes(scrape)
            return section
        }
        return PlanSection(
            number: 6, title: "Prometheus", purpose: purpose, link: PrincetonPage.link("prometheus"),
            steps: targets + (try serverSteps(scrape)))
    }

    func scrapeConfiguration() throws -> ScrapeConfiguration {
        try ScrapeConfiguration(
            clusterName: configuration.clusterName, targetsDirectory: configuration.targetsDirectory,
            jobs: try standardJobs() + ruleJobs(), fixedJobs: try fixedJobs(), targetDomain: configuration.targetDomain,
            ruleFiles: [Installed.prometheusRules],
            addressCheck: context.prometheusComparesAddresses ? .equality : .derivation)
    }

    /// Prometheus itself, and node_exporter on servers.
    private func fixedJobs() throws -> [ScrapeConfiguration.FixedJob] {
        var jobs: [ScrapeConfiguration.FixedJob] = []
        let servers = prometheusHosts
        if !servers.isEmpty {
            // A server reaches itself for certain; several ones have the same file.
            jobs.append(
                try .init(
                    "prometheus",
                    try servers.map { server in
                        try .init(
                            host: servers.count == 1 ? "localhost" : server.name, port: configuration.prometheusPort,
                            hostName: Self.shortName(server))
                    }))
        }
        let watched = Self.unique(context.hosts(configuration.watchedServers))
        if !watched.isEmpty {
            jobs.append(
                try .init(
                    AlertRules.serverJob,
                    try watched.map { server in
                        try .init(
                            host: server.name, port: configuration.nodeExporterPort, hostName: Self.shortName(server))
                    }))
        }
        return jobs
    }

    /// A job for each exporter that the role monitors' rules add; without monitors nothing lists it.
    private func ruleJobs() throws -> [ScrapeConfiguration.Job] {
        guard configuration.deploysRoleMonitor else { return [] }
        return try configuration.monitorRules.flatMap(\.exporters).map { try .init($0.job, port: $0.port) }
    }

    // MARK: Target files

    /// Without role monitors the deployment writes the target files itself, each node its own.
    private func targetSteps() throws -> [Step] {
        guard !configuration.deploysRoleMonitor, !dgxNodes.isEmpty else { return [] }
        var files: [Host: any Resource] = [:]
        for host in dgxNodes {
            let groups = try targetGroups(of: host)
            files[host] = FileResource(
                "\(configuration.targetsDirectory)/\(Self.shortName(host)).json",
                .text(String(decoding: TargetGroup.encode(groups), as: UTF8.self)))
        }
        return [
            Step(
                "6.targets-directory", "Directory of target files on shared storage", on: [context.localHost],
                DirectoryResource(configuration.targetsDirectory)),
            Step("6.targets", "Target files of nodes without a role monitor", perHost: files),
        ]
    }

    /// The target file's content for one node.
    func targetGroups(of host: Host) throws -> [TargetGroup] {
        try standardJobs().map { job in
            try TargetGroup(
                targets: ["\(targetName(host)):\(job.port)"],
                labels: [
                    "job": job.label, "cluster": configuration.clusterName, "hostname": Self.shortName(host),
                ])
        }
    }

    // MARK: The server

    private func serverSteps(_ scrape: ScrapeConfiguration) throws -> [Step] {
        let hosts = prometheusHosts
        let (program, promtool) = (context.program(.prometheus), context.program(.promtool))
        let unit = OwnedUnitFile(
            Installed.prometheusUnit, try prometheusUnit(), isAdopted: context.adopts("prometheus"))
        let configurationFile = FileResource(
            Installed.prometheusConfiguration, .text("# \(Installed.mark)\n" + scrape.rendered), keepsBackup: true,
            validation: Command(promtool.path, ["check", "config", "{}"]))
        let rules = FileResource(
            Installed.prometheusRules, .text(AlertRules(configuration).text),
            validation: Command(promtool.path, ["check", "rules", "{}"]))
        return [
            Step("6.user", "System user \(Installed.user)", on: hosts, UserResource(Installed.user)),
            Step("6.program", "Program prometheus", on: hosts, program),
            Step("6.promtool", "Program promtool", on: hosts, promtool),
            Step("6.unit-file", "Unit file of \(Installed.prometheusUnit)", on: hosts, unit),
            Step("6.directory", "Configuration directory", on: hosts, DirectoryResource(Installed.prometheusDirectory)),
            Step(
                "6.data", "Data directory", on: hosts,
                DirectoryResource(Installed.prometheusData, mode: 0o750, owner: Installed.user, group: Installed.user)),
            Step("6.rules", "Alert rules", on: hosts, rules),
            Step(
                "6.configuration", "Scrape configuration", on: hosts,
                OwnedFile(configurationFile, isAdopted: context.adopts("prometheus"), name: "prometheus")),
            Step(
                "6.unit", "Prometheus enabled, running and ready", on: hosts,
                PrometheusService(
                    port: configuration.prometheusPort, restartedFor: [program.path, unit.path],
                    reloadedFor: [rules.path, configurationFile.path])),
        ]
    }

    func prometheusUnit() throws -> UnitFile {
        .marked([
            .init(
                "Unit",
                [
                    try .init("Description", "Prometheus for jobstats"),
                    try .init("Wants", "network-online.target"),
                    try .init("After", "network-online.target remote-fs.target"),
                ]),
            .init(
                "Service",
                [
                    try .init("User", Installed.user), try .init("Group", Installed.user),
                    try .init(
                        "ExecStart",
                        arguments: [
                            Installed.program(.prometheus), "--config.file=\(Installed.prometheusConfiguration)",
                            "--storage.tsdb.path=\(Installed.prometheusData)",
                            "--storage.tsdb.retention.time=\(configuration.prometheusRetentionDays)d",
                            "--web.listen-address=:\(configuration.prometheusPort)",
                        ],
                        comment: "No --web.enable-lifecycle: whoever reaches the port could stop Prometheus."),
                    try .init("ExecReload", "/bin/kill -HUP $MAINPID"), try .init("Restart", "on-failure"),
                    try .init("RestartSec", "5"),
                    try .init("TimeoutStopSec", "600", comment: "Writing out what is in memory takes its time."),
                    try .init("LimitNOFILE", "65536"), try .init("NoNewPrivileges", "yes"),
                    try .init("CapabilityBoundingSet", ""), try .init("LockPersonality", "yes"),
                    try .init("PrivateDevices", "yes"), try .init("PrivateTmp", "yes"),
                    try .init("ProtectControlGroups", "yes"), try .init("ProtectHome", "yes"),
                    try .init("ProtectKernelModules", "yes"), try .init("ProtectKernelTunables", "yes"),
                    try .init("ProtectSystem", "strict"),
                    try .init("ReadWritePaths", words: [Installed.prometheusData]),
                    try .init("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
                    try .init("RestrictNamespaces", "yes"), try .init("RestrictRealtime", "yes"),
                    try .init("RestrictSUIDSGID", "yes"), try .init("SystemCallArchitectures", "native"),
                    try .init("UMask", "0027"),
                ]),
            .init("Install", [try .init("WantedBy", "multi-user.target")]),
        ])
    }
}
