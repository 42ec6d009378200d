internal import BCMClient
package import PromTargets
package import RoleMonitor

/// How a fleet stands at one moment, as BCM, the target files and Prometheus show it, each of which may be out of reach.
/// What cannot be seen is unknown, and unknown is never good.
package struct FleetStatus: Sendable {
    /// What a source said, or why it said nothing.
    package enum Seen<Value: Sendable>: Sendable {
        case seen(Value)
        case unseen(String)

        package var value: Value? { if case .seen(let value) = self { value } else { nil } }
        package var reason: String? { if case .unseen(let reason) = self { reason } else { nil } }
    }

    /// What BCM says.
    package struct Directory: Sendable {
        /// The head node that answered.
        package var headNode: String
        /// The list of devices, judged.
        package var answer: FleetAnswer
        /// The state of each node by its name (`UP`); empty when that was not told.
        package var states: [String: String]

        package init(headNode: String, answer: FleetAnswer, states: [String: String]) {
            self.headNode = headNode
            self.answer = answer
            self.states = states
        }
    }

    /// What Prometheus says.
    package struct Scrapes: Sendable {
        package struct Target: Sendable, Hashable {
            package var job: String
            package var host: String
            package var isUp: Bool?
            package var error: String

            package init(job: String, host: String, isUp: Bool?, error: String = "") {
                self.job = job
                self.host = host
                self.isUp = isUp
                self.error = error
            }
        }
        /// The exporters' targets of this cluster.
        package var targets: [Target]
        /// Seconds since each monitor's last check, by host.
        package var checkAges: [String: Double]
        /// Units that monitors gave up, by host.
        package var givenUp: [String: [String]]
        /// Alerts that fire; nil when that was not told.
        package var firingAlerts: Int?
        /// Series in memory; nil when Prometheus does not say.
        package var series: Double?

        package init(
            targets: [Target], checkAges: [String: Double] = [:], givenUp: [String: [String]] = [:],
            firingAlerts: Int? = nil, series: Double? = nil
        ) {
            self.targets = targets
            self.checkAges = checkAges
            self.givenUp = givenUp
            self.firingAlerts = firingAlerts
            self.series = series
        }
    }

    /// How a node stands, worst first.
    package enum Level: Int, Sendable, Comparable, CaseIterable {
        case failing, unknown, warning, good, off

        /// The word in tables and JSON.
        package var word: String {
            switch self {
            case .failing: "FAIL"
            case .unknown: "?"
            case .warning: "warn"
            case .good: "ok"
            case .off: "off"
            }
        }

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// One node.
    package struct Node: Sendable, Hashable {
        package var name: String
        package var level = Level.good
        /// BCM's state of the node; nil when unknown.
        package var state: String?
        /// Whether it has the role; nil when unknown.
        package var hasRole: Bool?
        /// The state of its target file (`current`, `none`); nil when unknown.
        package var file: String?
        /// The exporters in the configuration's order: whether Prometheus gets answers; nil where it has no target.
        package var exporters: [Exporter] = []
        /// Seconds since the monitor's last check; nil when unknown.
        package var checkAge: Double?
        /// What is wrong or unknown, the worst first.
        package var remarks: [String] = []

        /// One exporter of a node as Prometheus sees it.
        package struct Exporter: Sendable, Hashable {
            package enum State: String, Sendable { case up, down, absent = "no target", unknown }
            package var job: String
            package var state: State
        }
    }

    package var directory: Seen<Directory>
    /// The target files' directory, and what lies there.
    package var path: String
    package var files: Seen<[TargetDirectory.Entry]>
    /// Prometheus's address, and what it says.
    package var prometheus: String
    package var scrapes: Seen<Scrapes>
    /// Every node that one of them or the configuration knows, the worst first.
    package var nodes: [Node] = []

    /// Judges what was seen.
    ///
    /// - Parameters:
    ///   - expected: the nodes that the deployment's configuration names.
    ///   - configuration: the monitors' configuration.
    ///   - hasMonitors: whether role monitors run at all; otherwise every expected node has exporters, role or not.
    package init(
        directory: Seen<Directory>, path: String, files: Seen<[TargetDirectory.Entry]>, prometheus: String,
        scrapes: Seen<Scrapes>, expected: [String], configuration: MonitorConfiguration, hasMonitors: Bool = true
    ) {
        (self.directory, self.path, self.files) = (directory, path, files)
        (self.prometheus, self.scrapes) = (prometheus, scrapes)
        var answer: FleetAnswer?
        if let seen = directory.value { answer = seen.answer }
        let judgement = FleetJudgement(files.value ?? [], answer, configuration)
        let judged = Dictionary(judgement.files.map { ($0.fileName, $0) }) { first, _ in first }
        var index: DeviceIndex?
        if case .listed(let list)? = answer { index = list }

        var names = Set(expected)
        for device in index?.devices ?? [] {
            if case .has(let node, _, _)? = index?.finding(of: device.hostname, rules: configuration.rules) {
                names.insert(node)
            }
        }
        names.formUnion((files.value ?? []).compactMap(\.hostName))
        names.formUnion((scrapes.value?.targets ?? []).map(\.host))
        nodes = names.map { name in
            NodeJudge(
                name: name, isExpected: expected.contains(name), index: index, status: self,
                file: judged["\(name).json"], configuration: configuration, hasMonitors: hasMonitors
            ).node
        }
        nodes.sort { ($0.level, $0.name) < ($1.level, $1.name) }
    }

    /// How many nodes stand at a level.
    package func count(_ level: Level) -> Int { nodes.count { $0.level == level } }

    /// 0 all well, 1 something fails, 3 something cannot be seen.
    package var exitStatus: Int32 {
        if nodes.contains(where: { $0.level == .failing }) { return 1 }
        let isBlind = directory.value == nil || files.value == nil || scrapes.value == nil
        return isBlind || nodes.isEmpty || nodes.contains { $0.level == .unknown } ? 3 : 0
    }
}

/// Judges one node.
private struct NodeJudge {
    let name: String
    let isExpected: Bool
    let index: DeviceIndex?
    let status: FleetStatus
    let file: FleetFile?
    let configuration: MonitorConfiguration
    let hasMonitors: Bool

    /// After how many seconds a monitor is silent.
    private var patience: Double {
        max(300, 5 * Double(configuration.checkInterval.components.seconds))
    }

    var node: FleetStatus.Node {
        var node = FleetStatus.Node(name: name)
        var level = FleetStatus.Level.good
        var found: [(FleetStatus.Level, String)] = []
        func note(_ worse: FleetStatus.Level, _ remark: String) {
            level = min(level, worse)
            found.append((worse, remark))
        }

        role(&node, note)
        let wantsExporters = hasMonitors ? node.hasRole : true
        target(&node, note, wanted: wantsExporters)
        exporters(&node, note, wanted: wantsExporters)
        if hasMonitors { monitor(&node, note, wanted: wantsExporters) }
        if level == .good, wantsExporters == false { level = .off }
        node.level = level
        node.remarks = found.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            .map(\.element.1)
        return node
    }

    private typealias Note = (FleetStatus.Level, String) -> Void

    private func role(_ node: inout FleetStatus.Node, _ note: Note) {
        guard let directory = status.directory.value else { return note(.unknown, "BCM was not seen") }
        let state = directory.states[name] ?? directory.states[String(name.prefix { $0 != "." })]
        node.state = state
        guard let index else {
            if case .unknown(let why) = directory.answer { note(.unknown, why.message) }
            return
        }
        switch index.finding(of: name, rules: configuration.rules) {
        case .has(_, _, let undecided):
            node.hasRole = true
            if !undecided.isEmpty { note(.unknown, "BCM does not tell of every role") }
            if let state, state.uppercased() != "UP" { note(.failing, "BCM shows it as \(state)") }
            if state == nil { note(.unknown, "BCM does not tell whether it is up") }
        case .lost: node.hasRole = false
        case .gone:
            node.hasRole = false
            note(isExpected ? .failing : .warning, "BCM does not list it")
        case .unknown(let reason): note(.unknown, reason)
        }
    }

    private func target(_ node: inout FleetStatus.Node, _ note: Note, wanted: Bool?) {
        guard status.files.value != nil else { return note(.unknown, "the target files were not seen") }
        guard let file else {
            node.file = "none"
            // A node with the role and no file is in the judgement as missing.
            if wanted == true { note(.failing, "no target file") }
            return
        }
        node.file = file.state == .missing ? "none" : file.state.description
        switch file.state {
        case .missing: note(.failing, "no target file (paused?)")
        case .different: note(.failing, "its target file is another than it should be: \(file.reason)")
        case .orphaned, .gone: note(.warning, "its target file is left over")
        case .foreign: note(.warning, "a foreign file stands for it: \(file.reason)")
        case .undecided where node.hasRole != nil: note(.unknown, file.reason)
        default: break
        }
    }

    private func exporters(_ node: inout FleetStatus.Node, _ note: Note, wanted: Bool?) {
        guard let scrapes = status.scrapes.value else {
            node.exporters = configuration.exporters.map { .init(job: $0.job, state: .unknown) }
            return note(.unknown, "Prometheus was not seen")
        }
        for exporter in configuration.exporters {
            let target = scrapes.targets.first { $0.host == name && $0.job == exporter.job }
            switch target?.isUp {
            case true?:
                node.exporters.append(.init(job: exporter.job, state: .up))
                if wanted == false { note(.warning, "\(exporter.job) runs without the role") }
            case false?:
                node.exporters.append(.init(job: exporter.job, state: .down))
                let reason = (target?.error).map { $0.isEmpty ? "" : ": \($0)" } ?? ""
                if wanted != false { note(.failing, "\(exporter.job) is down\(reason)") }
            case nil where target != nil:
                node.exporters.append(.init(job: exporter.job, state: .unknown))
                note(.unknown, "\(exporter.job) was not scraped yet")
            default:
                node.exporters.append(.init(job: exporter.job, state: .absent))
                if wanted == true { note(.failing, "Prometheus has no target for \(exporter.job)") }
            }
        }
    }

    private func monitor(_ node: inout FleetStatus.Node, _ note: Note, wanted: Bool?) {
        guard let scrapes = status.scrapes.value else { return }
        for unit in scrapes.givenUp[name] ?? [] { note(.failing, "\(unit) was given up") }
        node.checkAge = scrapes.checkAges[name]
        guard wanted == true else { return }
        if let age = node.checkAge {
            if age > patience { note(.warning, "its monitor is silent") }
        } else if node.exporters.contains(where: { $0.state == .up }) {
            note(.warning, "no metrics of its monitor")
        }
    }
}
