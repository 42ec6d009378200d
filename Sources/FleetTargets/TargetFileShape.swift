internal import PromTargets
internal import RoleMonitor

/// What target files of this cluster's monitors look like.
struct TargetFileShape {
    private let clusterName: String
    private let jobs: Set<String>

    init(_ configuration: MonitorConfiguration) {
        clusterName = configuration.clusterName
        jobs = Set(configuration.allExporters.map(\.job))
    }

    /// Why neither a monitor nor a sync of this cluster wrote a file; nil when one may have.
    func foreignness(of entry: TargetDirectory.Entry) -> String? {
        guard let name = entry.hostName else { return "it is not called HOST.json" }
        if let fault = entry.fault { return fault }
        guard let groups = entry.groups, !groups.isEmpty else { return "it holds no target" }
        guard entry.isAsWritten else { return "it is written in another form" }
        guard entry.owner == 0 else { return "it belongs to user \(entry.owner), not to root" }
        for group in groups {
            guard Set(group.labels.keys) == ["job", "cluster", "hostname"], group.targets.count == 1 else {
                return "its entries have other labels or several targets"
            }
            guard group.labels["hostname"] == name, let address = try? TargetAddress(parsing: group.targets[0]),
                address.host == name || address.host.hasPrefix(name + ".")
            else { return "it names another host" }
            guard group.labels["cluster"] == clusterName else {
                return "it is of the cluster \(Self.cut(group.labels["cluster"] ?? "")), not of \(clusterName)"
            }
            guard let job = group.labels["job"], jobs.contains(job) else {
                return "its job \(Self.cut(group.labels["job"] ?? "")) is not in the configuration"
            }
        }
        guard Set(groups.map { $0.labels["job"] }).count == groups.count else { return "a job stands in it twice" }
        return nil
    }

    /// A label of a file that anybody may have written.
    private static func cut(_ label: String) -> String { label.count > 64 ? label.prefix(63) + "…" : label }
}
