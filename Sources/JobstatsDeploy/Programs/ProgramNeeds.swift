/// Which programs a deployment copies, and where to.
enum ProgramNeeds {
    /// The programs that these sections need.
    static func names(_ configuration: DeploymentConfiguration, _ sections: Set<Int>) -> [ArtifactSource.Name] {
        var names: [ArtifactSource.Name] = []
        if sections.contains(2) { names.append(.cgroupExporter) }
        if sections.contains(3) { names.append(.nvidiaGPUExporter) }
        if sections.contains(4) { names.append(.nodeExporter) }
        if sections.contains(6), !configuration.usesExistingPrometheus { names += [.prometheus, .promtool] }
        if sections.contains(7), !configuration.usesExistingGrafana, configuration.artifacts[.grafana] != nil {
            names.append(.grafana)
        }
        if !sections.isDisjoint(with: [5, 7, 9]) { names.append(.jobstats) }
        if sections.contains(10), configuration.deploysRoleMonitor { names.append(.roleMonitor) }
        return names
    }

    /// The hosts that a program is copied to, in the version for their architecture; none for jobstats, which has none.
    static func hosts(_ name: ArtifactSource.Name, _ configuration: DeploymentConfiguration) -> [String] {
        switch name {
        case .prometheus, .promtool: configuration.systems.prometheusServer
        case .grafana: configuration.systems.grafanaServer
        case .jobstats: []
        default: configuration.systems.dgxNodes
        }
    }

    /// For each program that is missing for some host's architecture, what is missing, naming the hosts.
    static func missing(
        _ programs: [ArtifactSource.Name: [ArtifactSource.Architecture: DeploymentContext.LocalProgram]],
        for architectures: [String: ArtifactSource.Architecture], _ configuration: DeploymentConfiguration,
        _ sections: Set<Int>, except leftOut: Set<String> = []
    ) -> [ConfigurationIssue] {
        names(configuration, sections).filter { !leftOut.contains($0.description) }.flatMap { name in
            ArtifactSource.Architecture.all.compactMap { architecture -> ConfigurationIssue? in
                guard programs[name]?[architecture] == nil else { return nil }
                let hosts = hosts(name, configuration).filter { architectures[$0] == architecture }
                guard !hosts.isEmpty else { return nil }
                return ConfigurationIssue(
                    .error, "artifacts.\(name)",
                    "there is no \(name) for \(architecture), the architecture of \(Words.hosts(hosts)): give one in "
                        + "the configuration as artifacts.\(name).\(architecture)")
            }
        }
    }
}
