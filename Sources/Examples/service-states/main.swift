import CommandExecution
import Glibc
import ServiceManager

/// Shows how units are, and starts those that are down and not masked.
///
///     service-states node_exporter.service cgroup_exporter.service
///
/// Exit status: 0 all run, 1 one does not, or systemd gave no answer, 2 usage.
func showStates(of names: [String]) async throws(ServiceError) -> Bool {
    let systemd = Systemd(executor: LocalExecutor(), timeout: .seconds(30))
    var units: [UnitName] = []
    for name in names { units.append(try UnitName(name)) }

    var allRun = true
    let statuses = try await systemd.status(of: units)
    for unit in units {
        guard let status = statuses[unit] else { continue }
        if status.isActive {
            print("\(unit): \(status.active) (\(status.sub))")
        } else if status.isMissing || status.isMasked {
            print("\(unit): \(status.load)")
            allRun = false
        } else {
            do throws(ServiceError) {
                try await systemd.start(unit, stayingUp: .seconds(1))
                print("\(unit): started")
            } catch  where error.code == .startFailed {
                print(error)
                allRun = false
            }
        }
    }
    return allRun
}

guard CommandLine.arguments.count > 1 else {
    print("usage: service-states UNIT ...")
    exit(2)
}
do {
    exit(try await showStates(of: Array(CommandLine.arguments.dropFirst())) ? 0 : 1)
} catch {
    print(error)
    exit(1)
}
