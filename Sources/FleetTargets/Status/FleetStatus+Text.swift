internal import CommandExecution
internal import FoundationEssentials
internal import RoleMonitor

extension FleetStatus {
    /// The status for people: three lines about the sources, then a table of nodes, the worst first.
    ///
    /// - Parameters:
    ///   - width: no line is wider; remarks are cut.
    ///   - height: how many lines there are at most; what does not fit is counted. No limit by default.
    ///   - hasColour: whether lines of failing nodes are red and others yellow. The words say the same.
    package func text(width: Int = 80, height: Int? = nil, hasColour: Bool = false) -> String {
        var lines = sourceLines.flatMap { Self.wrapped($0, width) }
        lines.append(Self.fitting(summary, width))
        guard !nodes.isEmpty else { return lines.map { "\($0)\n" }.joined() }
        let room = height.map { max(1, $0 - lines.count - 3) } ?? nodes.count
        let shown = nodes.prefix(room)
        let table = TextTable.aligned([Self.headings] + shown.map(row)).split(separator: "\n")
        lines.append("")
        for (index, line) in table.enumerated() {
            let text = Self.fitting(String(line), width)
            let colour = index == 0 ? nil : Self.colour(shown[shown.startIndex + index - 1].level)
            lines.append(hasColour ? colour.map { "\u{1b}[\($0)m\(text)\u{1b}[0m" } ?? text : text)
        }
        if shown.count < nodes.count { lines.append("... and \(nodes.count - shown.count) more") }
        return lines.map { "\($0)\n" }.joined()
    }

    /// `64 nodes: 1 FAIL, 63 ok`.
    package var summary: String {
        let counts = Level.allCases.compactMap { level in
            count(level) == 0 ? nil : "\(count(level)) \(level == .unknown ? "unknown" : level.word)"
        }
        return "\(nodes.count) \(nodes.count == 1 ? "node" : "nodes")"
            + (counts.isEmpty ? "" : ": " + counts.joined(separator: ", "))
    }

    private var sourceLines: [String] {
        let bcm: String =
            switch directory {
            case .seen(let seen):
                switch seen.answer {
                case .listed(let index): "\(seen.headNode), \(index.devices.count) devices"
                case .unknown(let why): "tells nothing: \(why.message)"
                }
            case .unseen(let reason): "not seen: \(reason)"
            }
        let targets =
            files.value.map { "\(path), \($0.count) \($0.count == 1 ? "file" : "files")" }
            ?? "not seen: \(files.reason ?? "")"
        let server: String =
            switch scrapes {
            case .seen(let seen):
                "\(prometheus), \(seen.targets.count { $0.isUp == true }) of \(seen.targets.count) targets up"
                    + (seen.firingAlerts.map { ", \($0) alerts" } ?? "")
                    + (seen.series.map { ", \(Int(exactly: $0.rounded()) ?? 0) series" } ?? "")
            case .unseen(let reason): "not seen: \(reason)"
            }
        return ["BCM         \(bcm)", "Targets     \(targets)", "Prometheus  \(server)"]
    }

    private static let headings = ["", "NODE", "BCM", "ROLE", "FILE", "NODE/CGROUP/GPU", "CHECK", "REMARK"]

    private func row(_ node: Node) -> [String] {
        let states = node.exporters.map { exporter in
            switch exporter.state {
            case .up: "up"
            case .down: "down"
            case .absent: "-"
            case .unknown: "?"
            }
        }
        return [
            node.level.word, Self.cell(node.name), node.state.map(Self.cell) ?? "?",
            node.hasRole.map { $0 ? "yes" : "no" } ?? "?", node.file ?? "?", states.joined(separator: "/"),
            node.checkAge.map(Self.age) ?? (node.hasRole == false ? "-" : "?"),
            node.remarks.isEmpty ? "" : Self.cell(node.remarks.joined(separator: "; ")),
        ]
    }

    /// `35s`, `12m`, `3h`, `9d`.
    private static func age(_ seconds: Double) -> String {
        let seconds = Int(max(0, min(seconds, 1e9)))
        return switch seconds {
        case ..<120: "\(seconds)s"
        case ..<7200: "\(seconds / 60)m"
        case ..<172_800: "\(seconds / 3600)h"
        default: "\(seconds / 86_400)d"
        }
    }

    private static func cell(_ text: String) -> String {
        ForeignText.printable(text).replacing("\n", with: " ").replacing("\t", with: " ")
    }

    private static func fitting(_ text: String, _ width: Int) -> String {
        let text = cell(text)
        return text.count > width ? text.prefix(max(0, width - 1)) + "…" : text
    }

    /// The text in lines, since a reason says at its end what to do; those but the first are indented.
    private static func wrapped(_ text: String, _ width: Int) -> [String] {
        var lines = [""]
        for word in cell(text).split(separator: " ", omittingEmptySubsequences: false) {
            let last = lines[lines.count - 1]
            if !last.isEmpty, last.count + 1 + word.count > width {
                lines.append(String(repeating: " ", count: 12) + word)
            } else {
                lines[lines.count - 1] = last.isEmpty ? String(word) : "\(last) \(word)"
            }
        }
        return lines.map { fitting($0, width) }
    }

    private static func colour(_ level: Level) -> Int? {
        switch level {
        case .failing: 31
        case .unknown, .warning: 33
        case .good, .off: nil
        }
    }

    // MARK: JSON

    /// The status as one JSON object, ended by a newline; its schema stands in `docs/guided-setup.md`.
    ///
    /// - Parameter time: when it was looked, in seconds since 1970.
    package func json(at time: Double) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var bcm = Document.BCM(isSeen: false, reason: directory.reason)
        if let seen = directory.value {
            bcm.headNode = seen.headNode
            switch seen.answer {
            case .listed(let index): (bcm.isSeen, bcm.devices) = (true, index.devices.count)
            case .unknown(let why): bcm.reason = why.message
            }
        }
        let seen = scrapes.value
        let document = Document(
            bcm: bcm,
            counts: Dictionary(uniqueKeysWithValues: Level.allCases.map { (Self.name($0), count($0)) }),
            nodes: nodes.map { node in
                .init(
                    check_age_seconds: node.checkAge,
                    exporters: Dictionary(node.exporters.map { ($0.job, $0.state.rawValue) }) { first, _ in first },
                    has_role: node.hasRole, level: Self.name(node.level), name: node.name, remarks: node.remarks,
                    state: node.state, target_file: node.file)
            },
            prometheus: .init(
                alerts: seen?.firingAlerts, isSeen: seen != nil, reason: scrapes.reason, series: seen?.series,
                targets: seen?.targets.count, targets_up: seen?.targets.count { $0.isUp == true }, url: prometheus),
            status: exitStatus,
            targets: .init(
                directory: path, files: files.value?.count, isSeen: files.value != nil, reason: files.reason),
            time: Int(time))
        guard let data = try? encoder.encode(document) else { return "{}\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private static func name(_ level: Level) -> String {
        switch level {
        case .failing: "failing"
        case .unknown: "unknown"
        case .warning: "warning"
        case .good: "good"
        case .off: "off"
        }
    }

    private struct Document: Encodable {
        struct BCM: Encodable {
            var devices: Int?
            var headNode: String?
            var isSeen: Bool
            var reason: String?
            enum CodingKeys: String, CodingKey {
                case devices, reason
                case headNode = "head_node"
                case isSeen = "seen"
            }
            init(isSeen: Bool, reason: String?) { (self.isSeen, self.reason) = (isSeen, reason) }
        }
        struct Node: Encodable {
            var check_age_seconds: Double?
            var exporters: [String: String]
            var has_role: Bool?
            var level: String
            var name: String
            var remarks: [String]
            var state: String?
            var target_file: String?
        }
        struct Prometheus: Encodable {
            var alerts: Int?
            var isSeen: Bool
            var reason: String?
            var series: Double?
            var targets: Int?
            var targets_up: Int?
            var url: String
            enum CodingKeys: String, CodingKey {
                case alerts, reason, series, targets, targets_up, url
                case isSeen = "seen"
            }
        }
        struct Targets: Encodable {
            var directory: String
            var files: Int?
            var isSeen: Bool
            var reason: String?
            enum CodingKeys: String, CodingKey {
                case directory, files, reason
                case isSeen = "seen"
            }
        }
        var version = 1
        var bcm: BCM
        var counts: [String: Int]
        var nodes: [Node]
        var prometheus: Prometheus
        var status: Int32
        var targets: Targets
        var time: Int
    }
}
