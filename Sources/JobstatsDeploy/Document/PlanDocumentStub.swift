struct PlanDocument {
    let configuration: DeploymentConfiguration
    let plan: Plan
    let report: RunReport?
    var markdown: String { "" }
}
