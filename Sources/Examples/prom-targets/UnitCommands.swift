import ArgumentParser
import CommandExecution
import ExampleSupport
import FleetTargets
import Glibc
import RoleMonitor
import ServiceManager

/// When the timer prunes.
struct TimerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("When the timer prunes, as systemd.time(7) writes calendar events.", valueName: "event"))
    var onCalendar = "daily"

    /// Has systemd judge the calendar event, where its program for that is there.
    func judge() async throws {
        let command = Command("systemd-analyze", ["calendar", "--", onCalendar], timeout: .seconds(10))
        guard let result = try? await LocalExecutor().run(command), case .exited(1) = result.status else { return }
        throw ValidationError(
            "--on-calendar \(onCalendar): systemd does not read it (systemd-analyze calendar): "
                + result.errorText.split(separator: "\n").joined(separator: "; "))
    }
}

/// What the service does.
struct ServiceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Seconds between two passes of the service.", valueName: "seconds"))
    var interval = 60
    @Option(
        help: ArgumentHelp(
            "The service makes files only for nodes of this category; can be given again.", valueName: "name"))
    var category: [String] = []
}

/// What goes into every unit.
struct UnitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The program that the unit starts.", valueName: "file"))
    var program = Defaults.programFolder + "/prom-targets"
    @Option(
        help: ArgumentHelp(
            "node_exporter's textfile directory on this host, where the unit leaves metrics (default: it leaves none).",
            valueName: "dir"))
    var metricsDir: String?
    @OptionGroup var removal: RemovalOptions
    @OptionGroup var fleet: FleetOptions

    func validate() throws {
        if let metricsDir, !metricsDir.hasPrefix("/") {
            throw ValidationError("--metrics-dir \(metricsDir): give an absolute path.")
        }
    }

    func units(_ timer: TimerOptions) async throws -> [FleetUnits.Unit] {
        try await timer.judge()
        return try units { units throws(ServiceError) in
            try units.forPruning(calendar: timer.onCalendar, maximumRemovals: removal.maxRemovals)
        }
    }

    func units(_ service: ServiceOptions) throws -> [FleetUnits.Unit] {
        try units { units throws(ServiceError) in
            [
                try units.forSyncing(
                    interval: service.interval, categories: service.category, maximumRemovals: removal.maxRemovals)
            ]
        }
    }

    private func units(
        _ make: (FleetUnits) throws(ServiceError) -> [FleetUnits.Unit]
    ) throws -> [FleetUnits.Unit] {
        try fleet.explained {
            let configuration = try fleet.configuration(needsFile: false)
            let units = FleetUnits(
                program: program, configurationFile: fleet.config, targetsDirectory: configuration.targetsDirectory,
                metricsDirectory: metricsDir)
            do throws(ServiceError) { return try make(units) } catch { throw ValidationError("\(error)") }
        }
    }

    /// Writes the units, and enables and starts the last of them if that is wanted.
    func install(_ units: [FleetUnits.Unit], _ installation: InstallationOptions) async throws {
        let directory = installation.unitDir
        for unit in units {
            let isNew = try fleet.explained { try FleetUnits.install(unit, in: directory) }
            Program.write("\(isNew ? "wrote" : "unchanged:") \(directory)/\(unit.name)\n", to: STDOUT_FILENO)
        }
        guard let last = units.last else { return }
        guard installation.enable else {
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

/// Where units are installed, and what becomes of them.
struct InstallationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where units are written.", valueName: "dir"))
    var unitDir = "/etc/systemd/system"
    @Flag(help: "Enable and start it, too.")
    var enable = false
}

enum UnitKind: String, CaseIterable, ExpressibleByArgument { case prune, sync }

struct Unit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the systemd units.")
    @Argument(
        help: ArgumentHelp(
            "prune for the timer and its service, sync for the service that writes all files.", valueName: "kind"))
    var kind: UnitKind
    @OptionGroup var timer: TimerOptions
    @OptionGroup var service: ServiceOptions
    @OptionGroup var options: UnitOptions

    func run() async throws {
        let units = kind == .prune ? try await options.units(timer) : try options.units(service)
        let texts = units.map { "# \($0.name)\n\($0.file.rendered)" }
        Program.write(texts.joined(separator: "\n"), to: STDOUT_FILENO)
    }
}

struct InstallTimer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Installs the timer that prunes.")
    @OptionGroup var timer: TimerOptions
    @OptionGroup var installation: InstallationOptions
    @OptionGroup var options: UnitOptions

    func run() async throws { try await options.install(try await options.units(timer), installation) }
}

struct InstallService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Installs the service that writes all files.")
    @OptionGroup var service: ServiceOptions
    @OptionGroup var installation: InstallationOptions
    @OptionGroup var options: UnitOptions

    func run() async throws { try await options.install(try options.units(service), installation) }
}
