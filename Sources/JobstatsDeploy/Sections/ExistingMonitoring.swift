import PromTargets

/// What is asked of and said about a Prometheus and a Grafana that exist already. Nothing of theirs is touched: they are
/// asked over HTTP, from this machine, and what is missing is a warning.
extension JobstatsPlan {
    // MARK: Prometheus

    func existingPrometheusStep(_ scrape: ScrapeConfiguration) -> Step {
        Step(
            "6.existing", "The existing Prometheus", on: [context.localHost],
            ExistingPrometheus(
                host: configuration.prometheusServer, port: configuration.prometheusPort,
                targetsDirectory: configuration.targetsDirectory, jobs: scrape.jobs.map(\.name),
                cluster: configuration.clusterName, retentionDays: configuration.prometheusRetentionDays))
    }

    func existingPrometheusNotes(_ scrape: ScrapeConfiguration) -> String {
        let server = Markdown.code("\(configuration.prometheusServer):\(configuration.prometheusPort)")
        return """
            ### What to add to the existing Prometheus (\(server))

            The server must see \(Markdown.code(configuration.targetsDirectory)) under this path. Under \
            `scrape_configs:` of its `prometheus.yml`:

            \(Markdown.block(scrape.renderedJobs, language: "yaml"))
            Optional alert rules, as a file that `rule_files:` names:

            \(Markdown.block(AlertRules(configuration).text, language: "yaml"))
            Its flag `--storage.tsdb.retention.time` should be \
            \(Markdown.code("\(configuration.prometheusRetentionDays)d")) or more, since jobstats is told so. Then:

            \(Markdown.block(
                """
                promtool check config /etc/prometheus/prometheus.yml
                systemctl reload prometheus
                """, language: "sh"))
            A later `--check` asks the server itself whether this is so.

            """
    }

    // MARK: Grafana

    var existingGrafanaStep: Step {
        Step(
            "7.existing", "The existing Grafana", on: [context.localHost],
            ExistingGrafana(host: configuration.grafanaServer, port: configuration.grafanaPort))
    }

    var existingGrafanaNotes: String {
        let server = Markdown.code("\(configuration.grafanaServer):\(configuration.grafanaPort)")
        return """
            ### What to add to the existing Grafana (\(server))

            A data source, as the file `/etc/grafana/provisioning/datasources/jobstats.yaml` or by hand with the same \
            values (type Prometheus, identifier `\(GrafanaProvisioning.sourceID)`):

            \(Markdown.block(GrafanaProvisioning.dataSource(prometheusURL), language: "yaml"))
            A dashboard of one job, to be imported (Dashboards, New, Import):

            \(Markdown.block(dashboards[0].text, language: "json"))
            A dashboard of the platform itself, to be imported in the same way:

            \(Markdown.block(dashboards[1].text, language: "json"))
            Princeton's dashboard lies in \
            \(Markdown.code("\(Installed.jobstatsDirectory)/\(JobstatsTree.dashboardPath)")) after section 9. It asks for \
            the data source when it is imported. It was made with Grafana 8 and its graph panels, which Grafana 12 no \
            longer has.

            """
    }
}
