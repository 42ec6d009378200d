public import BCMClient
import CommandExecution
import DurableFiles
import Glibc

/// A validation from its options to its exit status: reads the configuration, looks, and tells what was found.
public struct ValidationSession: Sendable {
    /// What the command line says.
    public struct Options: Sendable {
        /// The configuration file.
        public var configurationFile: String
        /// The hosts to look at, in range notation; all by default.
        public var limit: [String] = []
        /// How hosts are asked.
        public var run = ValidationRun.Options()
        /// How hosts are reached.
        public var ssh = SSHOptions()
        /// Whether every check is told.
        public var isVerbose = false
        /// Whether the report is printed as JSON.
        public var printsJSON = false
        /// Where the report goes as a page of HTML; nil for nowhere.
        public var htmlFile: String?
        /// Where metrics for node_exporter go; nil for nowhere.
        public var textfile: String?
        /// Whether a job is submitted and followed.
        public var submitsCanary = false
        /// Whether nobody is asked before that.
        public var assumesYes = false

        /// Creates the defaults.
        public init(configurationFile: String) { self.configurationFile = configurationFile }
    }

    let options: Options
    let console: any Console
    let connector: any HostConnector
    let cmsh: Cmsh

    /// Creates a session.
    ///
    /// - Parameters:
    ///   - options: what the command line says.
    ///   - console: where people read.
    ///   - connector: how hosts are reached; SSH with the options' settings by default.
    ///   - cmsh: BCM's shell on this machine; the installed one by default.
    public init(
        options: Options, console: any Console, connector: (any HostConnector)? = nil, cmsh: Cmsh? = nil
    ) {
        self.options = options
        self.console = console
        var ssh = options.ssh
        ssh.locksHosts = false
        self.connector = connector ?? SSHConnector(options: ssh)
        self.cmsh = cmsh ?? Cmsh(executor: LocalExecutor())
    }

    /// Runs to the end. Returns 0 when nothing failed, 1 when something failed or could not be looked at, 2 for a wrong
    /// command line or configuration, 130 when the task was cancelled.
    public func run() async -> Int32 {
        do {
            guard getuid() == 0 else {
                throw SetupRun.Stop(status: 2, message: "This must run as root on the active head node.")
            }
            let configuration = try readConfiguration()
            var runOptions = options.run
            runOptions.limit = try limit(configuration)
            let run = ValidationRun(
                configuration: configuration, options: runOptions, connector: connector, cmsh: cmsh)
            // First, so that what it leaves is seen by the others.
            let canary = options.submitsCanary ? try await sendCanary(configuration, runOptions.limit) : nil
            if Task.isCancelled { throw SetupRun.Stop(status: 130, message: "Interrupted.") }
            var report = try await run.report()
            if Task.isCancelled { throw SetupRun.Stop(status: 130, message: "Interrupted.") }
            if let canary { report = report.adding(canary) }
            try write(report)
            return report.exitStatus
        } catch let stop as SetupRun.Stop {
            console.writeError(stop.message + "\n")
            return stop.status
        } catch {
            console.writeError("\(error)\n")
            return 1
        }
    }

    /// Submits the job, once that was agreed to, and tells its stations as they are passed.
    private func sendCanary(
        _ configuration: DeploymentConfiguration, _ limit: Set<String>?
    ) async throws(SetupRun.Stop) -> ValidationReport {
        var canaryOptions = ValidationCanary.Options()
        canaryOptions.node = configuration.systems.dgxNodes.first { limit?.contains($0) == true }
        let canary = ValidationCanary(configuration: configuration, options: canaryOptions, connector: connector)
        if !options.assumesYes {
            let place = canaryOptions.node.map { " on \($0)" } ?? ""
            let answer = await console.ask(
                "Submit a job with one GPU\(place), which runs for \(Words.time(.seconds(canary.jobSeconds)))? [y/N] ")
            guard ["y", "yes"].contains(answer?.trimmed.lowercased()) else {
                throw SetupRun.Stop(status: 2, message: "No job was submitted; --yes submits it without a question.")
            }
        }
        let console = console
        return await canary.run { finding in
            let title = CanaryStation.allCases.first { $0.id == finding.check }?
                .check(jobSeconds: canary.jobSeconds).title
            console.writeError("\(title ?? finding.check): \(finding.verdict.state.words), \(finding.verdict.seen)\n")
        }
    }

    /// Tells the report on the console, and writes the files that were asked for.
    private func write(_ report: ValidationReport) throws(SetupRun.Stop) {
        if options.printsJSON {
            console.write(report.json.text(indent: 1) + "\n")
        } else {
            console.write(
                report.text(
                    columns: console.columns, style: Style(usesColour: console.usesColour),
                    isVerbose: options.isVerbose))
        }
        do throws(DurableFileError) {
            if let file = options.htmlFile {
                // It names hosts and paths, so it is for those who may read the folder that it is put into.
                try DurableFile.write(Array(report.html.utf8), to: file)
                if !options.printsJSON { console.write("Page: \(file)\n") }
            }
            if let file = options.textfile { try DurableFile.write(Array(report.metrics.utf8), to: file) }
        } catch {
            // Not 1, which a timer takes for a report that was made.
            throw SetupRun.Stop(status: 2, message: "the report could not be written: \(error)")
        }
    }

    private func readConfiguration() throws(SetupRun.Stop) -> DeploymentConfiguration {
        // Which sections a site has deployed is seen by which hosts it names.
        let reading = DeploymentConfiguration.load(path: options.configurationFile, sections: [])
        for warning in reading.warnings { console.writeError("\(warning)\n") }
        do {
            return try reading.get()
        } catch {
            throw SetupRun.Stop(status: 2, message: "\(error)")
        }
    }

    /// The hosts that `--limit` names; nil for all.
    private func limit(_ configuration: DeploymentConfiguration) throws(SetupRun.Stop) -> Set<String>? {
        guard !options.limit.isEmpty else { return nil }
        let names = Set(try SetupRun.expand(options.limit, "--limit"))
        let unknown = names.subtracting(configuration.hosts)
        guard unknown.isEmpty else {
            throw SetupRun.Stop(
                status: 2,
                message:
                    "--limit: not among the hosts of \(options.configurationFile): \(Words.hosts(unknown.sorted()))")
        }
        return names
    }
}
