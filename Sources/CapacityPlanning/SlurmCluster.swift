/// A cluster's shape from what Slurm's commands print.
package struct SlurmCluster: Sendable, Hashable {
    /// One node of `scontrol --oneliner show nodes`.
    package struct Node: Sendable, Hashable {
        package var name: String
        package var cpus: Int
        /// GPUs or MIG instances, as its generic resources count them.
        package var devices: Int
    }

    /// Why an answer of Slurm tells nothing.
    package struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// The nodes that count.
    package var nodes: [Node]
    /// Nodes without a GPU, left out because others have some.
    package var leftOut = 0
    /// Running jobs, each counted for each of its nodes.
    package var runningJobNodes = 0
    /// Jobs that began within the time that was looked at, and their nodes.
    package var startedJobs = 0
    /// Nodes of all these jobs together.
    package var startedJobNodes = 0
    /// Days that were looked at.
    package var days = 7.0

    /// Reads `scontrol --oneliner show nodes`.
    ///
    /// - Parameter all: whether nodes without a GPU count, too, where others have one.
    package init(nodes text: String, all: Bool = false) throws(Problem) {
        var nodes: [Node] = []
        for line in text.split(separator: "\n") {
            let fields = Self.fields(line)
            guard let name = fields["NodeName"] else { continue }
            guard let cpus = fields["CPUTot"].flatMap({ Int($0) }) else {
                throw Problem("scontrol says nothing about the CPUs of node \(name) (CPUTot)")
            }
            nodes.append(Node(name: name, cpus: cpus, devices: try Self.devices(fields["Gres"] ?? "", of: name)))
        }
        guard !nodes.isEmpty else { throw Problem("scontrol names no node; is this a host of the cluster?") }
        let withDevices = nodes.filter { $0.devices > 0 }
        self.nodes = all || withDevices.isEmpty ? nodes : withDevices
        leftOut = nodes.count - self.nodes.count
    }

    private static func fields(_ line: Substring) -> [String: String] {
        var fields: [String: String] = [:]
        for word in line.split(separator: " ") {
            guard let equals = word.firstIndex(of: "="), fields[String(word[..<equals])] == nil else { continue }
            fields[String(word[..<equals])] = String(word[word.index(after: equals)...])
        }
        return fields
    }

    /// The GPUs in generic resources such as `gpu:h100:8(S:0-1),gpu:1g.10gb:7,nic:2`.
    private static func devices(_ text: String, of node: String) throws(Problem) -> Int {
        var depth = 0
        var bare = ""
        for character in text {
            if character == "(" { depth += 1 }
            if depth == 0 { bare.append(character) }
            if character == ")" { depth -= 1 }
        }
        var count = 0
        for entry in bare.split(separator: ",") {
            let parts = entry.split(separator: ":")
            guard parts.first == "gpu" else { continue }
            if parts.count == 1 { count += 1; continue }
            guard let number = parts.last.flatMap({ Int($0) }), number >= 0 else {
                throw Problem("the generic resource \"\(entry)\" of node \(node) has no number of GPUs")
            }
            count += number
        }
        return count
    }

    /// Reads `squeue --noheader --states=RUNNING --format=%D`: the nodes of each running job.
    package mutating func readRunning(_ text: String) throws(Problem) {
        var total = 0
        for line in text.split(separator: "\n") {
            guard let nodes = Int(line.filter { $0 != " " }), nodes >= 0 else {
                throw Problem("squeue prints \"\(line.prefix(60))\" where a number of nodes should be")
            }
            total += nodes
        }
        runningJobNodes = total
    }

    /// Reads `sacct --parsable2 --noheader --allocations --format=Start,NNodes`.
    ///
    /// - Parameters:
    ///   - text: what it printed.
    ///   - start: the first moment that counts, as Slurm writes it (`2026-01-31T12:00:00`): jobs that began earlier are
    ///     printed, too.
    ///   - days: how many days have passed since then.
    package mutating func readStarted(_ text: String, since start: String, days: Double) throws(Problem) {
        (startedJobs, startedJobNodes, self.days) = (0, 0, days)
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false)
            guard fields.count == 2 else {
                throw Problem("sacct prints \"\(line.prefix(60))\" where a start and a number of nodes should be")
            }
            // Jobs that never ran have no start.
            guard fields[0].first?.isNumber == true, fields[0] >= start else { continue }
            guard let nodes = Int(fields[1]), nodes >= 0 else {
                throw Problem("sacct prints \"\(fields[1].prefix(60))\" where a number of nodes should be")
            }
            startedJobs += 1
            startedJobNodes += nodes
        }
    }

    /// Puts what Slurm said into a shape.
    package func apply(to shape: inout ClusterShape) {
        shape.nodes = nodes.count
        shape.devices = nodes.reduce(0) { $0 + $1.devices }
        shape.runningJobNodes = Double(runningJobNodes)
        shape.jobsPerDay = Double(startedJobs) / days
        shape.nodesPerJob = startedJobs > 0 ? max(1, Double(startedJobNodes) / Double(startedJobs)) : 1
        // Twelve series for a CPU (its modes, frequency, softirqs), and some 350 for the rest.
        let cpus = nodes.reduce(0) { $0 + $1.cpus }
        shape.seriesPerNode = 350 + 12 * Double(cpus) / Double(max(1, nodes.count))
    }

    /// What was taken from Slurm, in words.
    package var notes: [String] {
        var notes = [
            "from Slurm: \(nodes.count) nodes, \(nodes.reduce(0) { $0 + $1.devices }) GPUs or MIG instances, "
                + "\(runningJobNodes) jobs on nodes now, \(startedJobs) jobs begun in \(Quantity.decimal(days)) days"
        ]
        if leftOut > 0 { notes.append("\(leftOut) nodes without a GPU are left out; --all-nodes counts them") }
        if startedJobs == 0 {
            notes.append("no job began in that time, so new series of jobs are not counted; give --jobs-per-day")
        }
        if runningJobNodes == 0 { notes.append("no job runs now; give --jobs-per-node") }
        return notes
    }
}
