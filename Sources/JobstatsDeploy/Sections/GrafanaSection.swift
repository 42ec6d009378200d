import CommandExecution
import FoundationEssentials
import ServiceManager

extension JobstatsPlan {
    /// Section 7: Grafana with data source and dashboards, or what to add to one that exists.
    func grafanaSection() throws -> PlanSection {
        let title = "Grafana"
        let purpose =
            "Grafana draws what Prometheus keeps: a page for each job, with its CPUs, GPUs and memory over time. "
        let link = PrincetonPage.link("grafana")
        guard !configuration.usesExistingGrafana else {
            return PlanSection(
                number: 7, title: title,
                purpose: purpose
                    + "Grafana exists already (`use_existing_grafana`): it is not touched, and what to add "
                    + "is given below.",
                link: link, steps: [existingGrafanaStep], notes: existingGrafanaNotes)
        }
        guard !context.skips("grafana") else { return leftOut(7, title, "grafana", purpose) }
        guard !grafanaHosts.isEmpty else {
            return PlanSection(
                number: 7, title: title,
                purpose: purpose + "No Grafana server is configured (`systems.grafana_server` is empty), so none is "
                    + "installed.",
                link: link, steps: [])
        }
        return PlanSection(
            number: 7, title: title,
            purpose: purpose
                + "It gets its data source and dashboards by provisioning files, so that nothing has to be "
                + "clicked, and an administrator's password of its own.",
            link: link, steps: try grafanaSteps(), notes: grafanaNotes)
    }

    /// The servers that Grafana is installed on; none where one exists already or is not wanted.
    var grafanaHosts: [Host] {
        configuration.usesExistingGrafana || context.skips("grafana")
            ? [] : Self.unique(context.hosts(configuration.systems.grafanaServer))
    }

    private func grafanaSteps() throws -> [Step] {
        let hosts = grafanaHosts
        let dropIn = OwnedDropIn(
            Installed.grafanaDropIn, of: Installed.grafanaUnit, try grafanaDropIn(),
            isAdopted: context.adopts("grafana"), name: "grafana")
        let source = FileResource(
            "\(Installed.grafanaProvisioning)/datasources/jobstats.yaml",
            .text(GrafanaProvisioning.dataSource(prometheusURL)))
        let provider = FileResource(
            "\(Installed.grafanaProvisioning)/dashboards/jobstats.yaml",
            .text(GrafanaProvisioning.dashboards(in: Installed.grafanaDashboards)))
        var steps = [
            Step("7.drop-in", "What the deployment adds to Grafana's unit", on: hosts, dropIn),
            Step(
                "7.password", "Administrator's password", on: hosts,
                GeneratedSecret(Installed.grafanaSecret, variable: "GF_SECURITY_ADMIN_PASSWORD")),
            Step("7.package", "Package grafana", on: hosts, GrafanaPackage(context.programs[.grafana] ?? [:])),
            Step(
                "7.source-directory", "Directory of data sources", on: hosts,
                PresentDirectory("\(Installed.grafanaProvisioning)/datasources")),
            Step(
                "7.provider-directory", "Directory of dashboard providers", on: hosts,
                PresentDirectory("\(Installed.grafanaProvisioning)/dashboards")),
            Step(
                "7.dashboard-directory", "Directory of dashboards", on: hosts,
                DirectoryResource(Installed.grafanaDashboards)),
            Step("7.source", "Data source", on: hosts, source),
        ]
        for (name, title, text) in dashboards {
            steps.append(
                Step(
                    "7.dashboard.\(name)", title, on: hosts,
                    FileResource("\(Installed.grafanaDashboards)/\(name).json", .text(text))))
        }
        return steps + [
            Step("7.provider", "Dashboards by provisioning", on: hosts, provider),
            Step(
                "7.unit", "Grafana enabled and running", on: hosts,
                UnitResource(
                    Installed.grafanaUnit, enabled: true, .running,
                    restartedFor: [dropIn.path, Installed.grafanaSecret, source.path, provider.path])),
            Step(
                "7.answers", "Grafana answers", on: hosts,
                WaitResource(
                    "port \(configuration.grafanaPort) answers and its database is well", patience: 120,
                    remedy: "look at: journalctl -u \(Installed.grafanaUnit)",
                    HTTPProbe.answer(
                        port: configuration.grafanaPort, path: "/api/health", matching: "\"database\": *\"ok\""))),
            Step(
                "7.source-well", "The data source reaches Prometheus", on: hosts,
                GrafanaSourceCheck.resource(
                    port: configuration.grafanaPort, secret: Installed.grafanaSecret,
                    source: GrafanaProvisioning.sourceID)),
        ]
    }

    /// The dashboards: this project's own, and Princeton's where its tree is there.
    var dashboards: [(name: String, title: String, text: String)] {
        let settings = DashboardSettings(
            sourceID: GrafanaProvisioning.sourceID, cluster: configuration.clusterName,
            nodeExporterPort: configuration.nodeExporterPort)
        var all = [
            ("job", "Dashboard of one job", JobDashboard(settings).text),
            ("platform", "Dashboard of the platform itself", PlatformDashboard(settings).text),
        ]
        if let text = princetonDashboard(settings) {
            all.append((Self.princetonDashboardName, "Princeton's dashboard of one job", text))
        }
        return all
    }

    private static let princetonDashboardName = "princeton-single-job"

    private func princetonDashboard(_ settings: DashboardSettings) -> String? {
        guard let archive = jobstatsArchive, let tree = try? JobstatsTree(archive),
            let bytes = tree.file(JobstatsTree.dashboardPath)
        else { return nil }
        return ImportedDashboard(settings).text(of: bytes)
    }

    var prometheusURL: String { "http://\(configuration.prometheusServer):\(configuration.prometheusPort)" }

    private func grafanaDropIn() throws -> UnitFile {
        .marked([
            .init(
                "Service",
                [
                    try .init(
                        "EnvironmentFile", Installed.grafanaSecret,
                        comment: "The administrator's password of a new database; read by systemd as root."),
                    try .init("Environment", "GF_SERVER_HTTP_PORT=\(configuration.grafanaPort)"),
                ])
        ])
    }

    private var grafanaNotes: String {
        let names = dashboards.map(\.title)
        var notes = """
            Sign in as `admin`; root reads the password on the server in `\(Installed.grafanaSecret)`. It counts when \
            Grafana makes its database; later it is changed with \
            `grafana cli admin reset-admin-password --password-from-stdin`.

            Dashboards, in the folder Jobstats: \(names.joined(separator: "; ")). The job's number is the variable \
            `JobID`.

            """
        if !dashboards.contains(where: { $0.name == Self.princetonDashboardName }) {
            notes += """

                Princeton's dashboard is installed when the tree of the jobstats command is at hand \
                (`artifacts.\(ArtifactSource.Name.jobstats)`).

                """
        } else {
            notes += """

                Princeton's dashboard was made with Grafana 8 and its graph panels, which Grafana 12 no longer has: here \
                they are time series, and the data source and port of node_exporter are this site's.

                """
        }
        return notes
    }
}
