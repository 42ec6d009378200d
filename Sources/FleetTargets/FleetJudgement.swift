package import BCMClient
package import PromTargets
package import RoleMonitor

/// What follows for every target file from what lies there and what BCM says. It changes nothing.
///
/// The rules are those of the role monitor: what cannot be told removes nothing, and a role is gone only when the list
/// shows roles, this one is known to be shown, and a second look at every head node that answers says the same.
package struct FleetJudgement: Sendable {
    /// Each file, and each that is missing, sorted by name.
    package private(set) var files: [FleetFile]
    /// Why nothing can be told; nil when BCM's answer can be judged by.
    package private(set) var unknown: UnknownFleet?
    private let rules: [RoleRule]

    /// Judges.
    ///
    /// - Parameters:
    ///   - entries: what lies in the directory.
    ///   - answer: what BCM says; nil judges by the files alone.
    ///   - configuration: the monitors' configuration.
    ///   - categories: where not empty, files are missed only for nodes of these categories.
    package init(
        _ entries: [TargetDirectory.Entry], _ answer: FleetAnswer?, _ configuration: MonitorConfiguration,
        categories: Set<String> = []
    ) {
        rules = configuration.rules
        let shape = TargetFileShape(configuration)
        files = []
        for entry in entries { files.append(Self.judge(entry, answer, configuration, shape)) }
        switch answer {
        case .unknown(let why): unknown = why
        case .listed(let index):
            files += Self.missing(beside: Set(entries.map(\.fileName)), index, configuration, categories)
        case nil: break
        }
        files.sort { $0.fileName < $1.fileName }
    }

    private static func judge(
        _ entry: TargetDirectory.Entry, _ answer: FleetAnswer?, _ configuration: MonitorConfiguration,
        _ shape: TargetFileShape
    ) -> FleetFile {
        let foreignness = shape.foreignness(of: entry)
        func file(_ state: FleetFile.State, _ reason: String = "", wanted: [TargetGroup]? = nil) -> FleetFile {
            FleetFile(entry.fileName, state, reason, entry: entry, wanted: wanted)
        }
        var finding: NodeFinding?
        if case .listed(let index) = answer, let name = entry.hostName {
            finding = index.finding(of: name, rules: configuration.rules)
        }
        if case .has(let node, let present, let undecided) = finding, node == entry.hostName {
            return judge(entry, of: node, present, undecided, configuration)
        }
        if let foreignness { return file(.foreign, foreignness) }
        switch finding {
        case .has(let node, _, _): return file(.foreign, "BCM calls this node \(node), whose file is \(node).json")
        case .lost(let node, let roles, let headNode):
            let named = roles.count == 1 ? "the role \(roles[0])" : "any of the roles \(roles.joined(separator: ", "))"
            return file(.orphaned, "\(headNode) lists \(node) without \(named)")
        case .gone(let count, let headNode):
            return file(.gone, "\(headNode) does not list it among \(count) devices")
        case .unknown(let reason): return file(.undecided, reason)
        case nil:
            if case .unknown = answer { return file(.undecided, "BCM gave no answer to go by") }
            return file(.current)
        }
    }

    /// The file of a node that has the role. Of what cannot be told, the file keeps what it holds.
    private static func judge(
        _ entry: TargetDirectory.Entry, of node: String, _ present: [RoleRule], _ undecided: [RoleRule],
        _ configuration: MonitorConfiguration
    ) -> FleetFile {
        let jobs = Set((entry.groups ?? []).compactMap { $0.labels["job"] })
        let presentJobs = Set(present.flatMap(\.exporters).map(\.job))
        let undecidedJobs = Set(undecided.flatMap(\.exporters).map(\.job)).intersection(jobs)
        let exporters = configuration.allExporters.filter {
            presentJobs.contains($0.job) || undecidedJobs.contains($0.job)
        }
        do throws(PromTargetsError) {
            let wanted = try configuration.targetGroups(of: node, exporters: exporters)
            guard entry.isAsWritten, entry.groups == wanted else {
                return FleetFile(
                    entry.fileName, .different, entry.fault ?? "it holds something else", entry: entry, wanted: wanted)
            }
            guard entry.isReadableByAll else {
                return FleetFile(
                    entry.fileName, .different, "its mode is \(String(entry.mode, radix: 8)), not 644", entry: entry,
                    wanted: wanted)
            }
            return FleetFile(entry.fileName, .current, entry: entry)
        } catch {
            return FleetFile(entry.fileName, .undecided, error.description, entry: entry)
        }
    }

    /// Files that nodes with the role should have and do not.
    private static func missing(
        beside present: Set<String>, _ index: DeviceIndex, _ configuration: MonitorConfiguration,
        _ categories: Set<String>
    ) -> [FleetFile] {
        var names = present
        var missing: [FleetFile] = []
        for device in index.devices {
            let fileName = device.hostname + ".json"
            if !categories.isEmpty, !categories.contains(device.category ?? "") { continue }
            guard names.insert(fileName).inserted,
                case .has(let node, let rules, _) = index.finding(of: device.hostname, rules: configuration.rules),
                node == device.hostname
            else { continue }
            do throws(PromTargetsError) {
                let wanted = try configuration.targetGroups(of: node, exporters: rules.flatMap(\.exporters))
                missing.append(
                    FleetFile(
                        fileName, .missing, "\(node) has the role \(rules.map(\.role).joined(separator: ", "))",
                        wanted: wanted))
            } catch {
                missing.append(FleetFile(fileName, .undecided, error.description))
            }
        }
        return missing
    }

    /// Whether a second look is needed before anything is removed.
    package var needsConfirmation: Bool { files.contains(where: \.isOrphan) }

    /// Takes the second look at each head node: what not all that answered agree about is undecided.
    package mutating func confirm(with answers: [(headNode: HeadNode, answer: Result<FleetAnswer, BCMError>)]) {
        var failures: [String] = []
        var lists: [(HeadNode, FleetAnswer)] = []
        for (headNode, answer) in answers {
            switch answer {
            case .success(let list): lists.append((headNode, list))
            case .failure(let error): failures.append(error.description)
            }
        }
        for index in files.indices where files[index].isOrphan {
            if lists.isEmpty {
                files[index].state = .undecided
                files[index].reason =
                    "no head node answered the second look: " + failures.joined(separator: "; ")
            }
            for (headNode, list) in lists {
                guard let doubt = doubt(about: files[index], headNode, list) else { continue }
                files[index].state = .undecided
                files[index].reason = "not confirmed at the second look: \(doubt)"
                break
            }
        }
    }

    private func doubt(about file: FleetFile, _ headNode: HeadNode, _ list: FleetAnswer) -> String? {
        switch list {
        case .unknown(let why): return why.message
        case .listed(let index):
            guard let name = file.entry?.hostName else { return "it has no name" }
            switch index.finding(of: name, rules: rules) {
            case .lost, .gone: return nil
            case .has(_, let present, _):
                return "\(headNode) shows the role \(present.map(\.role).joined(separator: ", "))"
            case .unknown(let reason): return reason
            }
        }
    }

    /// How many files monitors or a sync of this cluster may have written.
    package var ownCount: Int { files.count { $0.entry != nil && $0.state != .foreign } }

    /// Notes what became of files.
    package mutating func note(_ outcomes: [String: (action: FleetFile.Action, reason: String?)]) {
        for index in files.indices {
            guard let outcome = outcomes[files[index].fileName] else { continue }
            files[index].note(outcome.action, outcome.reason)
        }
    }
}

/// How many files may go at once.
public struct RemovalLimit: Sendable, Hashable {
    private let number: Int?

    /// A tenth of the files, and three in any case.
    public static let tenth = RemovalLimit(number: nil)
    /// This many.
    public static func atMost(_ number: Int) -> RemovalLimit { RemovalLimit(number: number) }

    /// The number of removals allowed among so many files.
    public func removals(among count: Int) -> Int { number ?? max(3, count / 10) }
}
