/// Grafana's provisioning files (its manual, "Provision Grafana").
enum GrafanaProvisioning {
    /// The data source's name and identifier.
    static let sourceID = "jobstats"

    /// A data source for Prometheus. It is not the default one: a second default would keep Grafana from starting.
    static func dataSource(_ url: String) -> String {
        """
        # \(Installed.mark)
        apiVersion: 1
        datasources:
          - name: \(sourceID)
            uid: \(sourceID)
            type: prometheus
            access: proxy
            url: \(quoted(url))
            editable: false
            jsonData:
              httpMethod: POST
              timeInterval: 30s

        """
    }

    /// Dashboards out of a directory.
    static func dashboards(in directory: String) -> String {
        """
        # \(Installed.mark)
        apiVersion: 1
        providers:
          - name: jobstats
            folder: Jobstats
            type: file
            allowUiUpdates: false
            updateIntervalSeconds: 60
            options:
              path: \(quoted(directory))

        """
    }

    /// A double-quoted scalar; JSON's strings are such in YAML 1.2, too.
    private static func quoted(_ text: String) -> String {
        String(decoding: JSONNode(.string(text)).encoded(), as: UTF8.self).trimmed
    }
}
