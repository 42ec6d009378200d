import ArgumentParser
import BCMClient
import CommandExecution
import ExampleSupport
import FleetTargets
import Glibc
import JobstatsDeploy
import PrometheusAPI
import RoleMonitor
import SetupSupport

/// Shows how the fleet stands.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows how the nodes stand, as BCM, the target files and Prometheus see them.",
        discussion: """
            Reaches no host by SSH and changes nothing. What cannot be seen is unknown, never good; the rest is shown. BCM \
            is asked as the role monitors' configuration says, and without one as "master" with the administrator's \
            certificate; cmsh is asked whether BCM shows the role of every node that has it.

            Exit status: 0 all well, 1 something fails, 2 usage or configuration, 3 something cannot be seen, \
            130 interrupted.
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config = Defaults.configurationFile
    @Option(help: ArgumentHelp("A role monitors' configuration, for how BCM is asked.", valueName: "file"))
    var monitorConfig: String?
    @Option(help: ArgumentHelp("Prometheus's address (default: from the configuration).", valueName: "url"))
    var prometheus: String?
    @Flag(help: "Look again and again: redraws on a terminal, prints one status after the other elsewhere.")
    var watch = false
    @Option(help: ArgumentHelp("Seconds between two looks with --watch.", valueName: "seconds"))
    var interval = 10
    @Flag(help: "Print one JSON object for each look in place of the table.")
    var json = false
    @OptionGroup(title: OptionTitle.how) var log: LogOptions

    func validate() throws {
        guard (1...86_400).contains(interval) else { throw ValidationError("--interval takes 1 to 86400 seconds.") }
    }

    func run() async throws {
        let source = try makeSource()
        let (watch, json, interval) = (watch, json, interval)
        let screen = StatusScreen()
        let status = await Interrupts.cancelling { () -> Int32 in
            var status: Int32 = 0
            repeat {
                let seen = await source.look()
                if Task.isCancelled { return 130 }
                status = seen.exitStatus
                screen.show(seen, asJSON: json, redraws: watch)
                if watch, (try? await Task.sleep(for: .seconds(interval))) == nil { return 130 }
            } while watch
            return status
        }
        // A thread that shared storage holds must not delay the end.
        _exit(status)
    }

    private func makeSource() throws -> FleetStatusSource {
        let reading = DeploymentConfiguration.load(path: config, sections: [])
        let deployment: DeploymentConfiguration
        do {
            deployment = try reading.get()
        } catch {
            StandardErrorLog.fail("\(error)")
            throw ExitCode(Program.usageStatus)
        }
        do {
            var server = PrometheusServer(
                host: deployment.prometheusServer, port: UInt16(clamping: deployment.prometheusPort))
            let cmsh = Cmsh(executor: LocalExecutor(), timeout: .seconds(15))
            if let prometheus { server = try PrometheusServer(url: prometheus) }
            return FleetStatusSource(
                configuration: try monitors(deployment), expected: deployment.systems.dgxNodes,
                hasMonitors: deployment.deploysRoleMonitor, prometheus: server,
                logger: log.logger("guided-setup"),
                roleHolders: { try await cmsh.devices(.role($0)).map(\.hostname) })
        } catch let error as PrometheusError {
            throw ValidationError("--prometheus: \(error)")
        } catch let error as MonitorConfigurationError {
            StandardErrorLog.fail("\(error)")
            throw ExitCode(Program.usageStatus)
        }
    }

    /// How BCM is asked; what both configurations say comes from the deployment's.
    private func monitors(_ deployment: DeploymentConfiguration) throws -> MonitorConfiguration {
        var monitors = MonitorConfiguration(headNodes: ["master"])
        let file = monitorConfig ?? MonitorPaths.configurationFile
        if monitorConfig != nil || access(file, F_OK) == 0 {
            monitors = try MonitorConfiguration.load(file: file).configuration
        } else {
            monitors.certificateFile = "/root/.cm/admin.pem"
            monitors.keyFile = "/root/.cm/admin.key"
            monitors.authorityFile = "/cm/local/apps/cmd/etc/cacert.pem"
            monitors.port = deployment.monitorTimes.port
        }
        monitors.targetsDirectory = deployment.targetsDirectory
        monitors.clusterName = deployment.clusterName
        monitors.targetDomain = deployment.targetDomain
        monitors.nodeExporterPort = deployment.nodeExporterPort
        monitors.cgroupExporterPort = deployment.cgroupExporterPort
        monitors.gpuExporterPort = deployment.nvidiaGPUExporterPort
        monitors.checkInterval = .seconds(deployment.monitorTimes.checkInterval)
        return monitors
    }
}

/// Where the status is printed.
private struct StatusScreen: Sendable {
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    func show(_ status: FleetStatus, asJSON: Bool, redraws: Bool) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        if asJSON { return Program.write(status.json(at: Double(now.tv_sec)), to: STDOUT_FILENO) }
        var size = winsize()
        let isKnown = isTerminal && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
        let width = isKnown && size.ws_col >= 20 ? Int(size.ws_col) : 80
        let height = isKnown && redraws && size.ws_row >= 10 ? Int(size.ws_row) - 1 : nil
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        let isPlain = !isTerminal || ["", "dumb"].contains(variable("TERM"))
        let text = status.text(
            width: width, height: isPlain ? nil : height, hasColour: !isPlain && variable("NO_COLOR").isEmpty)
        guard redraws else { return Program.write(text, to: STDOUT_FILENO) }
        var parts = tm()
        localtime_r(&now.tv_sec, &parts)
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }
            .joined(separator: ":")
        Program.write(
            (isPlain ? "" : "\u{1b}[H\u{1b}[2J") + "\(clock)\n" + text + (isPlain ? "\n" : ""), to: STDOUT_FILENO)
    }
}
