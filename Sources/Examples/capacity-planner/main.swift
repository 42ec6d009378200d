import ArgumentParser
import CapacityPlanning
import CommandExecution
import ExampleSupport
import Glibc
import PrometheusAPI

/// Computes what Prometheus needs for a cluster.
struct CapacityPlanner: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity-planner",
        abstract: "Computes disk, memory and series of Prometheus for a cluster with jobstats.",
        discussion: """
            The cluster comes from Slurm, from a JSON file, or from options; options win over both. Sizes are in decimal \
            units with binary ones behind them, and the assumptions are said. With --prometheus the estimate is compared \
            with what a server measures of itself.

            Exit status: 0 done, 1 Slurm or Prometheus gave no answer to go by, 2 usage, 130 interrupted.
            """,
        version: ProjectVersion.current)

    @Flag(help: "Ask Slurm: scontrol for nodes and GPUs, squeue for running jobs, sacct for jobs of the last days.")
    var fromSlurm = false
    @Option(help: ArgumentHelp("For how many days sacct is asked.", valueName: "days"))
    var slurmDays = 7
    @Flag(help: "Count nodes without a GPU, too, where others have one.")
    var allNodes = false
    @Option(help: ArgumentHelp("A JSON file that describes the cluster.", valueName: "file"))
    var file: String?
    @Option(help: ArgumentHelp("Nodes with exporters.", valueName: "number"))
    var nodes: Int?
    @Option(help: ArgumentHelp("GPUs of a node, or its MIG instances where they are divided.", valueName: "number"))
    var gpusPerNode: Double?
    @Option(help: ArgumentHelp("Jobs that run on a node at one moment, on average.", valueName: "number"))
    var jobsPerNode: Double?
    @Option(help: ArgumentHelp("Jobs that begin on one day, in the whole cluster.", valueName: "number"))
    var jobsPerDay: Double?
    @Option(help: ArgumentHelp("Nodes of a job, on average (default: 1).", valueName: "number"))
    var nodesPerJob: Double?
    @Option(
        help: ArgumentHelp("Series of node_exporter for a node (default: 3000, or from the CPUs).", valueName: "number")
    )
    var seriesPerNode: Double?
    @Option(help: ArgumentHelp("Seconds between two scrapes (default: 30).", valueName: "seconds"))
    var interval: Double?
    @Option(help: ArgumentHelp("Days that samples are kept (default: 365).", valueName: "days"))
    var retention: Double?
    @Option(help: ArgumentHelp("Compare with this Prometheus, http://HOST:PORT.", valueName: "url"))
    var prometheus: String?
    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...366).contains(slurmDays) else { throw ValidationError("--slurm-days takes 1 to 366.") }
        if fromSlurm && file != nil { throw ValidationError("Give one of --from-slurm and --file.") }
        if !fromSlurm && file == nil && nodes == nil {
            throw ValidationError("Say what the cluster is: --from-slurm, --file FILE, or --nodes and others.")
        }
        for (name, number) in [("gpus-per-node", gpusPerNode), ("jobs-per-node", jobsPerNode)] {
            if let number, !(number.isFinite && (0...1e6).contains(number)) {
                throw ValidationError("--\(name) \(number): give 0 or more.")
            }
        }
    }

    func run() async throws {
        let planner = self
        let box = Unchanged(planner)
        let result = await Interrupts.cancelling { () -> Result<String, PlannerFailure> in
            do throws(PlannerFailure) { return .success(try await box.value.report()) } catch { return .failure(error) }
        }
        switch result {
        case .success(let text): Program.write(text, to: STDOUT_FILENO)
        case .failure(let failure):
            StandardErrorLog.fail("capacity-planner: \(failure.description)")
            throw ExitCode(failure.status)
        }
    }

    private func report() async throws(PlannerFailure) -> String {
        var shape = ClusterShape()
        var notes: [String] = []
        if fromSlurm {
            let cluster = try await SlurmQueries(days: slurmDays, all: allNodes).cluster()
            cluster.apply(to: &shape)
            notes = cluster.notes
        } else if let file {
            shape = try PlanFile.read(file)
        }
        if let nodes { shape.nodes = nodes }
        if let gpusPerNode { shape.devices = Int((gpusPerNode * Double(shape.nodes)).rounded()) }
        if let jobsPerNode { shape.runningJobNodes = jobsPerNode * Double(shape.nodes) }
        shape.jobsPerDay = jobsPerDay ?? shape.jobsPerDay
        shape.nodesPerJob = nodesPerJob ?? shape.nodesPerJob
        shape.seriesPerNode = seriesPerNode ?? shape.seriesPerNode
        shape.interval = interval ?? shape.interval
        shape.retention = retention ?? shape.retention
        guard shape.problems.isEmpty else {
            throw PlannerFailure(Program.usageStatus, shape.problems.joined(separator: "; "))
        }
        let estimate = CapacityEstimate(shape)
        var comparison: Comparison?
        if let prometheus { comparison = Comparison(estimate, try await ServerMeasurement.of(prometheus, shape)) }
        let plan = PlanReport(estimate: estimate, comparison: comparison, notes: notes)
        return json ? plan.json : plan.text
    }
}

/// A parsed command, which is not changed any more.
private struct Unchanged<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// Why there is no plan, and the exit status for it.
struct PlannerFailure: Error, CustomStringConvertible {
    let status: Int32
    let description: String

    init(_ status: Int32, _ description: String) { (self.status, self.description) = (status, description) }
}

await Program.main(CapacityPlanner.self)
