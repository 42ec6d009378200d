/// Section 10: the BCM role monitor on each DGX node.
public enum RoleMonitorSection {
    /// The section.
    ///
    /// - Parameters:
    ///   - site: what BCM says of the site; nil in a dry run, which contacts nothing.
    ///   - program: the monitor's program on this machine.
    public static func section(
        _ configuration: DeploymentConfiguration, site: SiteFacts?, program: FileContent
    ) -> PlanSection {
        PlanSection(number: 10, title: "BCM role monitor", purpose: "", steps: [])
    }
}
