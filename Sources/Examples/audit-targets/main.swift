import FleetTargets
import Glibc
import Logging
import RoleMonitor

/// Compares the Prometheus target files of a cluster with what BCM says, and names those that a prune would take away.
/// Nothing is changed.
///
///     audit-targets /etc/bcm-role-monitor/config.json
///
/// Exit status: 0 all well, 1 something is wrong, 2 the configuration is, 3 BCM tells nothing, 4 it is not trusted.
func audit(_ configuration: MonitorConfiguration) async throws(FleetError) -> Int32 {
    let fleet = Fleet(
        configuration: configuration, logger: Logger(label: "audit-targets") { _ in SwiftLogNoOpLogHandler() })

    // What lies there; BCM is not asked.
    print(try await fleet.list().summary)

    let report = try await fleet.check()
    for problem in report.problems { print(problem) }
    for file in report.files where file.state != .current {
        print("\(file.fileName) is \(file.state): \(file.reason)")
    }

    // A dry run: with more to remove at once than this, nothing would be.
    let prune = try await fleet.prune(removing: .atMost(10))
    let orphans = prune.files.filter { $0.action == .wouldRemove }.map(\.fileName)
    print("a prune would remove:", orphans.isEmpty ? "nothing" : orphans.joined(separator: ", "))
    return report.outcome.exitStatus
}

guard CommandLine.arguments.count == 2 else {
    print("usage: audit-targets FILE")
    exit(2)
}
do {
    let (configuration, warnings) = try MonitorConfiguration.load(file: CommandLine.arguments[1])
    for warning in warnings { print("warning: \(warning)") }
    exit(try await audit(configuration))
} catch let error as FleetError where error.code != .invalidConfiguration {
    print(error)
    exit(1)
} catch {
    print(error)
    exit(2)
}
