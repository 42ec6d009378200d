import ArgumentParser
import CommandExecution
import ExampleSupport
import FleetTargets
import Glibc
import RoleMonitor
import ServiceManager

/// What goes into the units.
struct UnitOptions: ParsableArguments {
    @Option(help: "The program that the unit starts.")
    var program = Defaults.programFolder + "/prom-targets"
    @Option(help: "For the timer: when, as systemd.time(7) writes calendar events.")
    var onCalendar = "daily"
    @Option(help: "For the service: seconds between two passes.")
    var interval = 60
    @Option(help: "For the service: make files only for nodes of this category (may be repeated).")
    var category: [String] = []
    @Option(
        help:
            "node_exporter's textfile directory on this host, where the unit leaves metrics (default: it leaves none).")
    var metricsDir: String?
    @OptionGroup var removal: RemovalOptions
    @OptionGroup var fleet: FleetOptions

    func validate() throws {
        if let metricsDir, !metricsDir.hasPrefix("/") {
            throw ValidationError("--metrics-dir \(metricsDir): give an absolute path.")
        }
    }

    func units(_ kind: UnitKind) async throws -> [FleetUnits.Unit] {
        if kind == .prune { try await judgeCalendar() }
        return try fleet.explained {
            let configuration = try fleet.configuration(needsFile: false)
            let units = FleetUnits(
                program: program, configurationFile: fleet.config, targetsDirectory: configuration.targetsDirectory,
                metricsDirectory: metricsDir)
            do throws(ServiceError) {
                return switch kind {
                case .prune: try units.forPruning(calendar: onCalendar, maximumRemovals: removal.maxRemovals)
                case .sync:
                    [
                        try units.forSyncing(
                            interval: interval, categories: category, maximumRemovals: removal.maxRemovals)
                    ]
                }
            } catch {
                throw ValidationError("\(error)")
            }
        }
    }

    /// Has systemd judge the calendar event, where its program for that is there.
    private func judgeCalendar() async throws {
        let command = Command("systemd-analyze", ["calendar", "--", onCalendar], timeout: .seconds(10))
        guard let result = try? await LocalExecutor().run(command), case .exited(1) = result.status else { return }
        throw ValidationError(
            "--on-calendar \(onCalendar): systemd does not read it (systemd-analyze calendar): "
                + result.errorText.split(separator: "\n").joined(separator: "; "))
    }

    /// Writes the units, and enables and starts the last of them if that is wanted.
    func install(_ kind: UnitKind, in directory: String, enable: Bool) async throws {
        let units = try await units(kind)
        for unit in units {
            let isNew = try fleet.explained { try FleetUnits.install(unit, in: directory) }
            Program.write("\(isNew ? "wrote" : "unchanged:") \(directory)/\(unit.name)\n", to: STDOUT_FILENO)
        }
        guard let last = units.last else { return }
        guard enable else {
            let next = "systemctl daemon-reload && systemctl enable --now \(last.name)"
            return Program.write("next: \(next)\n", to: STDOUT_FILENO)
        }
        do throws(ServiceError) {
            let systemd = Systemd()
            let name = try UnitName(last.name)
            try await systemd.reloadManager()
            try await systemd.enable(name)
            try await systemd.restart(name)
        } catch {
            StandardErrorLog.fail("\(error)")
            throw ExitCode(1)
        }
        Program.write("enabled and started \(last.name)\n", to: STDOUT_FILENO)
    }
}

enum UnitKind: String, CaseIterable, ExpressibleByArgument { case prune, sync }

struct Unit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the systemd units.")
    @Argument(help: "prune for the timer and its service, sync for the service that writes all files.")
    var kind: UnitKind
    @OptionGroup var options: UnitOptions

    func run() async throws {
        let texts = try await options.units(kind).map { "# \($0.name)\n\($0.file.rendered)" }
        Program.write(texts.joined(separator: "\n"), to: STDOUT_FILENO)
    }
}

struct InstallTimer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Installs the timer that prunes.")
    @Option(help: "Where the units are written.")
    var unitDir = "/etc/systemd/system"
    @Flag(help: "Enable and start the timer, too.")
    var enable = false
    @OptionGroup var options: UnitOptions

    func run() async throws { try await options.install(.prune, in: unitDir, enable: enable) }
}

struct InstallService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Installs the service that writes all files.")
    @Option(help: "Where the unit is written.")
    var unitDir = "/etc/systemd/system"
    @Flag(help: "Enable and start the service, too.")
    var enable = false
    @OptionGroup var options: UnitOptions

    func run() async throws { try await options.install(.sync, in: unitDir, enable: enable) }
}
