/// A resource that installs packages of the distribution and can take them from files.
protocol PackageInstaller: Resource {
    /// The same with its packages from there; itself where that has nothing for it.
    func installing(from source: PackageSource) -> any Resource
}

extension GrafanaPackage: PackageInstaller {
    /// Grafana itself with what it depends on, when the files hold it.
    func installing(from source: PackageSource) -> any Resource {
        guard case .files(let files) = source, files.closure(of: ["grafana"]) != nil else { return self }
        return PackageResource("grafana", from: source)
    }
}

extension PackageResource: PackageInstaller {
    func installing(from source: PackageSource) -> any Resource { PackageResource(names, from: source) }
}

extension Plan {
    /// The same plan with all packages of the distribution from there, so that no section needs to know.
    func installingPackages(from source: PackageSource) -> Plan {
        guard source != .repository else { return self }
        var plan = self
        for (number, section) in plan.sections.enumerated() {
            plan.sections[number].steps = section.steps.map { step in
                step.replacing { ($0 as? any PackageInstaller)?.installing(from: source) ?? $0 }
            }
        }
        return plan
    }
}
