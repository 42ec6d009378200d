import JobstatsDeploy
import Testing

@Suite struct DeploymentConfigurationTests {
    @Test func everyKeyHasTheContractsDefault() throws {
        let text = #"{"systems": {"dgx_nodes": ["dgx-01"]}}"#
        let configuration = try DeploymentConfiguration.parse(Array(text.utf8), sections: [4, 10]).get()
        #expect(configuration.clusterName == "slurm")
        #expect(configuration.wlmInstance == "slurm")
        #expect(configuration.prometheusServer == "prometheus-server")
        #expect(configuration.grafanaServer == "grafana-server")
        #expect(configuration.prometheusPort == 9090)
        #expect(configuration.grafanaPort == 3000)
        #expect(configuration.nodeExporterPort == 9100)
        #expect(configuration.cgroupExporterPort == 9306)
        #expect(configuration.nvidiaGPUExporterPort == 9445)
        #expect(configuration.prometheusRetentionDays == 365)
        #expect(!configuration.usesExistingPrometheus)
        #expect(!configuration.usesExistingGrafana)
        #expect(configuration.deploysRoleMonitor)
        #expect(!configuration.usesCustomTargetsDirectory)
        #expect(configuration.targetsDirectory == "/cm/shared/apps/jobstats/prometheus-targets")
        #expect(configuration.targetDomain == nil)
        #expect(configuration.systems.dgxNodes == ["dgx-01"])
        #expect(configuration.systems.loginNodes.isEmpty)
        #expect(configuration.artifacts.isEmpty)
    }

    @Test func everyKeyIsRead() throws {
        let reading = DeploymentConfiguration.parse(
            makeFile([
                "cluster_name": #""alpha""#, "wlm_instance": #""alpha-slurm""#, "prometheus_server": #""p""#,
                "grafana_server": #""10.1.2.3""#, "prometheus_port": "1909", "grafana_port": "1300",
                "node_exporter_port": "1910", "cgroup_exporter_port": "1930", "nvidia_gpu_exporter_port": "1944",
                "prometheus_retention_days": "30", "use_existing_prometheus": "false", "use_existing_grafana": "true",
                "deploy_bcm_role_monitor": "false", "use_custom_prometheus_targets_dir": "true",
                "prometheus_targets_dir": #""/shared//targets/""#, "target_domain": #""cluster.example""#,
                "watched_servers": #"["head-[01-02]", "mon-01"]"#,
                "artifacts": #"{"prometheus": {"package": "prometheus", "binary": "/usr/bin/prometheus"}}"#,
            ]))
        let configuration = try reading.get()
        #expect(
            reading.texts == [
                "warning: systems.grafana_server: is not used, since use_existing_grafana is true: nothing is done on these hosts"
            ])
        #expect(configuration.clusterName == "alpha")
        #expect(configuration.wlmInstance == "alpha-slurm")
        #expect(configuration.prometheusServer == "p")
        #expect(configuration.grafanaServer == "10.1.2.3")
        #expect(configuration.prometheusPort == 1909)
        #expect(configuration.grafanaPort == 1300)
        #expect(configuration.nodeExporterPort == 1910)
        #expect(configuration.cgroupExporterPort == 1930)
        #expect(configuration.nvidiaGPUExporterPort == 1944)
        #expect(configuration.prometheusRetentionDays == 30)
        #expect(configuration.usesExistingGrafana)
        #expect(!configuration.deploysRoleMonitor)
        #expect(configuration.targetsDirectory == "/shared/targets")
        #expect(configuration.targetDomain == "cluster.example")
        #expect(configuration.watchedServers == ["head-01", "head-02", "mon-01"])
        #expect(configuration.artifacts[.prometheus]?[.x86] == .package("prometheus", binary: "/usr/bin/prometheus"))
        #expect(configuration.hosts == ["ctl-01", "login-01", "dgx-01", "dgx-02", "mon-01"])
    }

    @Test func writingAndReadingGivesTheSameConfiguration() throws {
        let sum = String(repeating: "0a", count: 32)
        var configuration = DeploymentConfiguration()
        configuration.wlmInstance = "other"
        configuration.usesCustomTargetsDirectory = true
        configuration.customTargetsDirectory = "/shared/targets"
        configuration.targetDomain = "example.org"
        configuration.watchedServers = ["head-01"]
        configuration.prometheusServer = "mon-01"
        configuration.grafanaServer = "mon-01"
        configuration.systems.slurmController = ["ctl-01"]
        configuration.systems.dgxNodes = ["dgx-01", "dgx-02"]
        configuration.systems.prometheusServer = ["mon-01"]
        configuration.systems.grafanaServer = ["mon-01"]
        configuration.artifacts[.nodeExporter] = ArtifactSources(.file(path: "/root/node_exporter", sha256: sum))
        configuration.artifacts[.cgroupExporter] = ArtifactSources([
            .x86: .file(path: "/root/x", sha256: sum), .arm: .package("cgroup-exporter", binary: "/usr/bin/c"),
        ])
        let reading = DeploymentConfiguration.parse(configuration.encoded())
        #expect(reading.texts == [])
        #expect(try reading.get() == configuration)
    }

    @Test func aConfigurationMadeInCodeIsCheckedLikeAFile() {
        var configuration = DeploymentConfiguration()
        configuration.systems.dgxNodes = ["dgx-01;reboot"]
        configuration.prometheusPort = 70000
        let issues = configuration.issues(sections: [4]).filter { $0.severity == .error }
        #expect(issues.map(\.keyPath) == ["prometheus_port", "systems.dgx_nodes[0]"])
    }

    @Test func sourcesAreChosenByArchitecture() {
        let (one, other) = (
            ArtifactSource.package("one", binary: "/one"), ArtifactSource.package("other", binary: "/other")
        )
        #expect(ArtifactSources(one)[.arm] == one)
        #expect(ArtifactSources([.x86: one, .arm: other])[.arm] == other)
        #expect(ArtifactSources([.x86: one])[.arm] == nil)
    }
}

@Suite struct TargetsDirectoryTests {
    struct Case: CustomTestStringConvertible {
        let members: [String: String]
        let directory: String
        let warning: String?
        var testDescription: String { "\(members.sorted { $0.key < $1.key })" }
    }

    static let standard = "/cm/shared/apps/jobstats/prometheus-targets"

    @Test(arguments: [
        Case(members: [:], directory: standard, warning: nil),
        Case(
            members: ["prometheus_targets_dir": #""/cm/shared/apps/jobstats/targets/""#], directory: standard,
            warning: "warning: prometheus_targets_dir: \"/cm/shared/apps/jobstats/targets\" is not used, since "
                + "use_custom_prometheus_targets_dir is not set: targets go to \(standard); "
                + "set use_custom_prometheus_targets_dir to true to use prometheus_targets_dir"),
        Case(
            members: [
                "prometheus_targets_dir": #""/elsewhere""#, "use_custom_prometheus_targets_dir": "false",
                "use_existing_prometheus": "true",
            ], directory: standard,
            warning: "warning: prometheus_targets_dir: \"/elsewhere\" is not used, since "
                + "use_custom_prometheus_targets_dir is false: targets go to \(standard); "
                + "set use_custom_prometheus_targets_dir to true to use prometheus_targets_dir"),
        Case(members: ["prometheus_targets_dir": "\"\(standard)/\""], directory: standard, warning: nil),
        Case(
            members: ["prometheus_targets_dir": #""/shared/t""#, "use_custom_prometheus_targets_dir": "true"],
            directory: "/shared/t", warning: nil),
        Case(
            members: ["prometheus_targets_dir": #""/shared/t""#, "use_existing_prometheus": "true"],
            directory: "/shared/t", warning: nil),
        Case(
            members: ["use_custom_prometheus_targets_dir": "true"], directory: standard,
            warning: "warning: use_custom_prometheus_targets_dir: is true, but prometheus_targets_dir is not set: "
                + "\(standard) is used"),
    ])
    func countsOnlyWhenItIsSwitchedOn(_ row: Case) throws {
        let reading = DeploymentConfiguration.parse(
            makeFile(
                row.members, systems: row.members["use_existing_prometheus"] == nil ? [:] : ["prometheus_server": "[]"])
        )
        #expect(try reading.get().targetsDirectory == row.directory)
        #expect(reading.texts == (row.warning.map { [$0] } ?? []))
    }
}
