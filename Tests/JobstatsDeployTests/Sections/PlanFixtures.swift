import CommandExecution

@testable import JobstatsDeploy

/// A configuration of two nodes and a monitoring server.
func makeConfiguration(
    nodes: [String] = ["dgx-01", "dgx-02"], _ change: (inout DeploymentConfiguration) -> Void = { _ in }
) -> DeploymentConfiguration {
    var configuration = DeploymentConfiguration()
    configuration.prometheusServer = "mon-01"
    configuration.grafanaServer = "mon-01"
    configuration.systems.dgxNodes = nodes
    configuration.systems.slurmController = ["ctl-01"]
    configuration.systems.loginNodes = ["login-01"]
    configuration.systems.prometheusServer = ["mon-01"]
    configuration.systems.grafanaServer = ["mon-01"]
    change(&configuration)
    return configuration
}

/// A context in which every program is there.
func makeContext(_ change: (inout DeploymentContext) -> Void = { _ in }) -> DeploymentContext {
    var context = DeploymentContext(localHost: Host("head-a", isLocal: true))
    for name in ArtifactSource.Name.all {
        context.programs[name] = [
            .x86: .init(path: "/opt/\(name)", sha256: String(repeating: "ab", count: 32), size: 1000)
        ]
    }
    change(&context)
    return context
}

func makePlan(
    _ configuration: DeploymentConfiguration = makeConfiguration(), _ context: DeploymentContext = makeContext(),
    sections: Set<Int> = JobstatsPlan.availableSections
) throws -> Plan {
    try JobstatsPlan(configuration: configuration, context: context).plan(sections: sections)
}

extension Plan {
    /// The step of an id.
    func step(_ id: String) -> Step? { sections.flatMap(\.steps).first { $0.id == id } }
}

func makeResult(_ output: String, _ status: Int32 = 0) -> CommandResult {
    CommandResult(status: .exited(status), standardOutput: Array(output.utf8))
}
