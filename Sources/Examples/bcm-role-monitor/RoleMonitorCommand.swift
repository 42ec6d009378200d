import ArgumentParser
import ExampleSupport
import Glibc
import Logging
import RoleMonitor
import ServiceManager

/// Runs the jobstats exporters of this node while BCM gives it the role, and keeps its Prometheus targets in step.
struct RoleMonitorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bcm-role-monitor",
        abstract: "Runs the jobstats exporters of this node while BCM gives it the Slurm role.",
        discussion: """
            Without a command it runs until SIGTERM; SIGHUP makes it read its configuration again.

            Exit status: 0 done, 1 an action failed, 2 command line or configuration wrong, 3 role unknown (nothing was \
            changed), 4 another monitor runs on this node, 75 a new start is needed (systemd does that).
            """,
        version: ProjectVersion.current)

    @Option(name: .customLong("config"), help: ArgumentHelp("The configuration file.", valueName: "file"))
    var configurationFile = MonitorPaths.configurationFile
    @Option(
        name: .customLong("prometheus-targets-dir"),
        help: ArgumentHelp("The directory of target files; wins over the file.", valueName: "dir"))
    var targetsDirectory: String?
    @Option(
        help: ArgumentHelp(
            "The lowest level that is logged: trace, debug, info, notice, warning, error or critical.",
            valueName: "level"))
    var logLevel = Logger.Level.info
    @Flag(help: "Make one check and end.")
    var once = false
    @Flag(help: "Say what a check would do, and change nothing.")
    var dryRun = false
    @Flag(help: "Show how far each head node can be used from here.")
    var checkConnectivity = false
    @Flag(
        help: "Forget failed starts, so that units that were given up are tried at once, and keys trusted on first use."
    )
    var reset = false
    @Option(
        help: ArgumentHelp(
            "Stop the exporters and remove the target file for this long, as in 90s, 30m, 2h or 1d.", valueName: "time")
    )
    var pause: PauseLength?
    @Flag(help: "End a pause.")
    var resume = false
    @Flag(help: "Disable the monitor, stop the exporters and remove the target file.")
    var decommission = false
    @Flag(help: "Print the systemd unit for this program where it lies, and change nothing.")
    var printUnit = false

    func validate() throws {
        let commands = [once, dryRun, checkConnectivity, reset, pause != nil, resume, decommission, printUnit]
        // A dry run is one check, so both together are no contradiction.
        guard commands.count(where: { $0 }) <= (once && dryRun ? 2 : 1) else {
            throw ValidationError(
                "Give one of --once, --dry-run, --check-connectivity, --reset, --pause, --resume, --decommission "
                    + "and --print-unit.")
        }
    }

    func run() async throws {
        if printUnit { return try showUnit() }
        let service = MonitorService(
            configurationFile: configurationFile, targetsDirectory: targetsDirectory, version: ProjectVersion.current,
            logger: StandardErrorLog.logger("bcm-role-monitor", level: logLevel))
        do {
            // Threads of a request that is under way must not delay the end.
            _exit(Program.status(try await status(of: service)))
        } catch let error as MonitorConfigurationError {
            StandardErrorLog.fail("\(error)")
            throw ExitCode(MonitorExit.badConfiguration.status)
        } catch let error as MonitorError {
            StandardErrorLog.fail("\(error)")
            throw ExitCode((error.code == .alreadyRunning ? MonitorExit.alreadyRunning : .actionFailed).status)
        }
    }

    private func status(of service: MonitorService) async throws -> Int32 {
        if dryRun { return show(try await service.dryRun(), verb: "would ") }
        if once { return show(try await service.runOnce(), verb: "") }
        if decommission { return show(try await service.decommission(), verb: "") }
        if checkConnectivity {
            let table = try await service.checkConnectivity()
            Program.write(table.text, to: STDOUT_FILENO)
            return (table.isComplete ? MonitorExit.done : .actionFailed).status
        }
        let request: ControlRequest? =
            if let pause { .pause(seconds: pause.seconds) } else if resume { .resume } else { reset ? .reset : nil }
        if let request {
            Program.write(try await service.send(request) + "\n", to: STDOUT_FILENO)
            return MonitorExit.done.status
        }
        return try await service.run().status
    }

    private func showUnit() throws {
        do throws(ServiceError) {
            let unit = try MonitorUnit.unitFile(
                program: Defaults.programFolder + "/bcm-role-monitor",
                targetsDirectory: targetsDirectory ?? MonitorPaths.targetsDirectory,
                metricsTextfile: MonitorPaths.metricsTextfile)
            Program.write(unit.rendered, to: STDOUT_FILENO)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    private func show(_ report: PassReport, verb: String) -> Int32 {
        let lines =
            [report.summary] + report.actions.map { "  \(verb)\($0)" }
            + report.failures.map { "  failed: \($0.message)" }
        Program.write(lines.map { "\($0)\n" }.joined(), to: STDOUT_FILENO)
        return report.exit.status
    }
}

/// A length of time as an operator types it.
struct PauseLength: ExpressibleByArgument {
    let seconds: Double

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let letter = argument.last else { return nil }
        let factor = letter.isNumber ? 1 : units[letter]
        guard let factor, let number = Double(letter.isNumber ? argument[...] : argument.dropLast()),
            number > 0, number * factor <= 30 * 86_400
        else { return nil }
        seconds = number * factor
    }
}
