import JobstatsDeploy

/// A configuration file as text: good in itself, with some members replaced or added.
func makeFile(_ members: [String: String] = [:], systems: [String: String] = [:]) -> [UInt8] {
    var lists = [
        "slurm_controller": #"["ctl-01"]"#, "login_nodes": #"["login-01"]"#, "dgx_nodes": #"["dgx-[01-02]"]"#,
        "prometheus_server": #"["mon-01"]"#, "grafana_server": #"["mon-01"]"#,
    ]
    lists.merge(systems) { $1 }
    var all = ["prometheus_server": #""mon-01""#, "grafana_server": #""mon-01""#]
    all["systems"] =
        "{" + lists.sorted { $0.key < $1.key }.map { #""\#($0.key)": \#($0.value)"# }.joined(separator: ", ") + "}"
    all.merge(members) { $1 }
    return Array(
        ("{" + all.sorted { $0.key < $1.key }.map { #""\#($0.key)": \#($0.value)"# }.joined(separator: ",\n") + "}")
            .utf8)
}

extension ConfigurationReading {
    /// The messages with their keys, without places in the file.
    var texts: [String] {
        issues.map { "\($0.severity): " + ($0.keyPath.isEmpty ? "" : "\($0.keyPath): ") + $0.message }
    }
}
