import ArgumentParser
import ExampleSupport
import FleetTargets
import Glibc
import Logging
import RoleMonitor

/// What every command takes.
struct FleetOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The role monitors' configuration file.", valueName: "file"))
    var config = MonitorPaths.configurationFile
    @Option(help: ArgumentHelp("The directory of target files; wins over the file.", valueName: "dir"))
    var prometheusTargetsDir: String?
    @Flag(help: "Print one JSON object in place of a table.")
    var json = false
    @OptionGroup var log: LogOptions

    func validate() throws {
        if let directory = prometheusTargetsDir, !directory.hasPrefix("/") {
            throw ValidationError("--prometheus-targets-dir \(directory): give an absolute path.")
        }
    }

    /// The configuration of the monitors.
    ///
    /// - Parameter needsFile: false takes defaults where there is no file, and a directory is given.
    func configuration(needsFile: Bool = true) throws -> MonitorConfiguration {
        let logger = log.logger("prom-targets")
        var configuration: MonitorConfiguration
        do throws(MonitorConfigurationError) {
            let loaded = try MonitorConfiguration.load(file: config)
            for warning in loaded.warnings { logger.warning("\(config): \(warning)") }
            configuration = loaded.configuration
        } catch {
            guard error.code == .missing, !needsFile, prometheusTargetsDir != nil,
                config == MonitorPaths.configurationFile
            else { throw error }
            configuration = MonitorConfiguration()
        }
        if let prometheusTargetsDir { configuration.targetsDirectory = prometheusTargetsDir }
        return configuration
    }

    /// Does something with the fleet, prints the report and ends the process with its status.
    func run(
        needsFile: Bool = true, showsCurrent: Bool = false, metrics: MetricsOptions? = nil,
        _ body: @escaping @Sendable (Fleet) async throws(FleetError) -> FleetReport
    ) async throws -> Never {
        let report = try await result(needsFile: needsFile, metrics: metrics, body)
        metrics?.write { FleetMetrics.text(report, at: $0) }
        Program.write(json ? report.json : report.table(showsCurrent: showsCurrent), to: STDOUT_FILENO)
        // A thread that shared storage holds must not delay the end.
        _exit(Program.status(report.outcome.exitStatus))
    }

    /// Does something with the fleet until SIGTERM, and ends the process.
    func runUntilTerminated(
        _ body: @escaping @Sendable (Fleet) async throws(FleetError) -> Void
    ) async throws -> Never {
        try await result(metrics: nil, body)
        _exit(0)
    }

    private func result<Value: Sendable>(
        needsFile: Bool = true, metrics: MetricsOptions?,
        _ body: @escaping @Sendable (Fleet) async throws(FleetError) -> Value
    ) async throws -> Value {
        let configuration: MonitorConfiguration = try explained { try self.configuration(needsFile: needsFile) }
        let fleet = Fleet(configuration: configuration, logger: log.logger("prom-targets"))
        let result = await Interrupts.cancelling { () -> Result<Value, FleetError> in
            do throws(FleetError) { return .success(try await body(fleet)) } catch { return .failure(error) }
        }
        if case .failure(let error) = result {
            metrics?.write { FleetMetrics.text(failed: metrics?.command ?? "", status: Self.status(of: error), at: $0) }
        }
        return try explained { try result.get() }
    }

    /// Says why something failed and ends with the status for it.
    func explained<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as MonitorConfigurationError {
            StandardErrorLog.fail("\(error)")
            _exit(Program.usageStatus)
        } catch let error as FleetError {
            StandardErrorLog.fail("\(error)")
            _exit(Self.status(of: error))
        }
    }

    private static func status(of error: FleetError) -> Int32 {
        error.code == .cancelled ? 130 : error.code == .invalidConfiguration ? Program.usageStatus : 1
    }
}

/// Where metrics go.
struct MetricsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Leave metrics of the run in this file, for node_exporter's textfile collector.", valueName: "file"))
    var textfile: String?

    /// The command in the metrics.
    var command = ""

    private enum CodingKeys: CodingKey { case textfile }

    func validate() throws {
        guard let textfile else { return }
        guard textfile.hasPrefix("/"), textfile.hasSuffix(".prom") else {
            throw ValidationError("--textfile \(textfile): give an absolute path that ends in .prom.")
        }
    }

    /// Of this command.
    func of(_ command: String) -> MetricsOptions {
        var options = self
        options.command = command
        return options
    }

    func write(_ text: (Double) -> String) {
        guard let textfile else { return }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        do throws(FleetError) {
            try FleetMetrics.write(text(Double(now.tv_sec)), to: textfile)
        } catch {
            // The run itself is done: what it says stands.
            StandardErrorLog.fail("\(error)")
        }
    }
}

/// How much may go at once.
struct RemovalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How many files may be removed at once (default: a tenth of them, and three in any case).",
            valueName: "number"))
    var maxRemovals: Int?

    func validate() throws {
        if let maxRemovals, maxRemovals < 0 { throw ValidationError("--max-removals \(maxRemovals): not below zero.") }
    }

    var limit: RemovalLimit { maxRemovals.map { .atMost($0) } ?? .tenth }
}
