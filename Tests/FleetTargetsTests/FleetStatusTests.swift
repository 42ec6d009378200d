import BCMClient
import CommandExecution
import FoundationEssentials
import Logging
import PromTargets
import PrometheusAPI
import RoleMonitor
import Testing

@testable import FleetTargets

struct FleetStatusTests {
    private let setting = configuration("/t") { $0.clusterName = "slurm" }
    private let jobs = ["node_exporter", "cgroup_exporter", "gpu_exporter"]

    private func bcm(
        _ devices: [Device], states: [String: String] = ["dgx-01": "UP", "dgx-02": "UP"]
    ) -> FleetStatus.Seen<FleetStatus.Directory> {
        .seen(
            .init(
                headNode: "head-a", answer: FleetAnswer(devices, from: headA, rules: setting.rules), states: states))
    }

    private func files(_ names: String...) throws -> FleetStatus.Seen<[TargetDirectory.Entry]> {
        .seen(
            try names.map {
                TargetDirectory.Entry(fileName: "\($0).json", hostName: $0, groups: try setting.targetGroups(of: $0))
            })
    }

    private func scrapes(
        _ hosts: String..., change: (inout FleetStatus.Scrapes) -> Void = { _ in }
    ) -> FleetStatus.Seen<FleetStatus.Scrapes> {
        var seen = FleetStatus.Scrapes(
            targets: hosts.flatMap { host in jobs.map { .init(job: $0, host: host, isUp: true) } })
        for host in hosts { seen.checkAges[host] = 20 }
        change(&seen)
        return .seen(seen)
    }

    private func status(
        _ directory: FleetStatus.Seen<FleetStatus.Directory>? = nil,
        _ files: FleetStatus.Seen<[TargetDirectory.Entry]>? = nil,
        _ scrapes: FleetStatus.Seen<FleetStatus.Scrapes>? = nil, hasMonitors: Bool = true
    ) throws -> FleetStatus {
        FleetStatus(
            directory: directory ?? bcm([.node("dgx-01"), .node("dgx-02"), .head()]), path: "/t",
            files: try files ?? self.files("dgx-01", "dgx-02"), prometheus: "http://mon-01:9090",
            scrapes: scrapes ?? self.scrapes("dgx-01", "dgx-02"), expected: ["dgx-01", "dgx-02"],
            configuration: setting, hasMonitors: hasMonitors)
    }

    /// `dgx-01 FAIL: no target file (paused?)`, the worst first.
    private func short(_ status: FleetStatus) -> [String] {
        status.nodes.map {
            "\($0.name) \($0.level.word)" + ($0.remarks.isEmpty ? "" : ": " + $0.remarks.joined(separator: "; "))
        }
    }

    @Test func nodesThatAreWellAreGood() throws {
        let status = try status()
        #expect(short(status) == ["dgx-01 ok", "dgx-02 ok"] && status.exitStatus == 0)
    }

    @Test func nodeWithoutTheRoleIsOff() throws {
        let status = try status(
            bcm([.node("dgx-01", []), .node("dgx-02"), .head()]), files("dgx-02"), scrapes("dgx-02"))
        #expect(short(status) == ["dgx-02 ok", "dgx-01 off"] && status.exitStatus == 0)
    }

    @Test func whatIsWrongIsNamedAndComesFirst() throws {
        func second(_ status: FleetStatus) throws -> String { try #require(short(status).first) }
        #expect(try second(status(nil, files("dgx-01"))) == "dgx-02 FAIL: no target file (paused?)")
        #expect(
            try second(
                status(bcm([.node("dgx-01"), .node("dgx-02"), .head()], states: ["dgx-01": "UP", "dgx-02": "DOWN"])))
                == "dgx-02 FAIL: BCM shows it as DOWN")
        let down = scrapes("dgx-01", "dgx-02") {
            $0.targets[4].isUp = false
            $0.targets[4].error = "connection refused"
        }
        #expect(try second(status(nil, nil, down)) == "dgx-02 FAIL: cgroup_exporter is down: connection refused")
        #expect(
            try second(status(nil, nil, scrapes("dgx-01", "dgx-02") { $0.targets.removeLast() }))
                == "dgx-02 FAIL: Prometheus has no target for gpu_exporter")
        #expect(
            try second(status(nil, nil, scrapes("dgx-01", "dgx-02") { $0.givenUp["dgx-02"] = ["x.service"] }))
                == "dgx-02 FAIL: x.service was given up")
        #expect(
            try second(status(nil, nil, scrapes("dgx-01", "dgx-02") { $0.checkAges["dgx-02"] = 3600 }))
                == "dgx-02 warn: its monitor is silent")
        #expect(
            try second(status(nil, nil, scrapes("dgx-01", "dgx-02") { $0.checkAges["dgx-02"] = nil }))
                == "dgx-02 warn: no metrics of its monitor")
        let lost = bcm([.node("dgx-01"), .node("dgx-02", []), .head()])
        #expect(try second(status(lost, nil, scrapes("dgx-01"))) == "dgx-02 warn: its target file is left over")
        #expect(
            try second(status(lost, files("dgx-01")))
                == "dgx-02 warn: node_exporter runs without the role; cgroup_exporter runs without the role; "
                + "gpu_exporter runs without the role")
        #expect(
            try second(status(bcm([.node("dgx-01"), .head()]), files("dgx-01"), scrapes("dgx-01")))
                == "dgx-02 FAIL: BCM does not list it")
        #expect(try status(nil, files("dgx-01")).exitStatus == 1)
    }

    /// Whatever cannot be seen, no node is called good, and the rest is shown.
    @Test func whatCannotBeSeenIsNeverGood() throws {
        let blind = [
            try status(.unseen("head-a does not answer")), try status(nil, .unseen("the file system hangs")),
            try status(nil, nil, .unseen("not reachable")), try status(bcm([])),
            try status(bcm([.node("dgx-01", nil)])),
            try status(bcm([.node("dgx-01"), .node("dgx-02"), .head()], states: [:])),
            try status(
                nil, nil,
                scrapes("dgx-01", "dgx-02") { seen in
                    for index in seen.targets.indices { seen.targets[index].isUp = nil }
                }),
        ]
        for status in blind {
            #expect(status.nodes.count == 2 && status.exitStatus == 3)
            #expect(status.nodes.allSatisfy { $0.level == .unknown && !$0.remarks.isEmpty }, "\(short(status))")
        }
        let nothing = try status(.unseen("a"), .unseen("b"), .unseen("c"))
        #expect(nothing.nodes.allSatisfy { $0.level == .unknown } && nothing.exitStatus == 3)
        #expect(nothing.text().contains("not seen: a") && nothing.text().contains("not seen: c"))
        #expect(
            try status(.unseen("a"), nil, scrapes("dgx-01", "dgx-02") { $0.targets[0].isUp = false }).nodes.first?.level
                == .failing, "what is certainly wrong is not hidden by what is unknown")
        let gone = FleetStatus(
            directory: .unseen("x"), path: "/t", files: .seen([]), prometheus: "p", scrapes: scrapes(), expected: [],
            configuration: setting)
        #expect(gone.nodes.isEmpty && gone.exitStatus == 3)
    }

    @Test func withoutMonitorsExportersRunOnEveryNode() throws {
        let lost = bcm([.node("dgx-01"), .node("dgx-02", []), .head()])
        let without = try status(
            lost, nil, scrapes("dgx-01", "dgx-02") { $0.checkAges = [:] }, hasMonitors: false)
        #expect(!short(without).contains { $0.contains("without the role") || $0.contains("monitor") })
    }

    @Test func tableFitsEightyColumnsAndTheWindow() throws {
        let long = scrapes("dgx-01", "dgx-02") {
            $0.targets[4].isUp = false
            $0.targets[4].error = String(repeating: "very long \u{1b}[31m ", count: 30)
        }
        let status = try status(nil, nil, long)
        for width in [40, 80, 200] {
            let lines = status.text(width: width).split(separator: "\n")
            #expect(lines.allSatisfy { $0.count <= width })
        }
        let text = status.text()
        #expect(!text.contains("\u{1b}"))
        #expect(text.contains("FAIL  dgx-02  UP   yes   current  up/down/up"), "\(text)")
        #expect(text.contains("ok    dgx-01  UP   yes   current  up/up/up         20s"), "\(text)")
        #expect(text.contains("2 nodes: 1 FAIL, 1 ok\n"))
        #expect(status.text(height: 8).hasSuffix("... and 1 more\n"), "\(status.text(height: 8))")
        #expect(status.text(height: 8).split(separator: "\n", omittingEmptySubsequences: false).count <= 9)
        #expect(status.text(hasColour: true).contains("\u{1b}[31mFAIL"))
    }

    @Test func jsonSaysTheSame() throws {
        struct Document: Decodable {
            struct Node: Decodable { let name, level: String, exporters: [String: String], remarks: [String] }
            struct Source: Decodable { let seen: Bool, reason: String? }
            let version, status, time: Int
            let nodes: [Node]
            let counts: [String: Int]
            let bcm, prometheus, targets: Source
        }
        let text = try status(nil, nil, .unseen("not reachable")).json(at: 1_800_000_000)
        let document = try JSONDecoder().decode(Document.self, from: Data(text.utf8))
        #expect(document.version == 1 && document.status == 3 && document.time == 1_800_000_000)
        #expect(document.counts == ["failing": 0, "unknown": 2, "warning": 0, "good": 0, "off": 0])
        #expect(document.nodes[0].level == "unknown" && document.nodes[0].exporters["gpu_exporter"] == "unknown")
        #expect(document.bcm.seen && !document.prometheus.seen && document.prometheus.reason == "not reachable")
    }

    // MARK: Looking

    @Test func whatIsOutOfReachIsSaidAndTheRestShown() async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01"), .head()]))
        try site.monitorsWrite("dgx-01")
        let headNodes = site.headNodes
        func look(_ directory: String, _ makeSource: @escaping DeviceSourceMaker) async -> FleetStatus {
            var setting = site.configuration
            setting.targetsDirectory = directory
            return await FleetStatusSource(
                configuration: setting, expected: ["dgx-01"], hasMonitors: true,
                prometheus: PrometheusServer(host: "127.0.0.1", port: 1),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), makeSource: makeSource
            ).look()
        }
        let seen = await look(site.path) { () throws(BCMError) in headNodes }
        #expect(seen.directory.value?.headNode == "head-a:8081" && seen.files.value?.count == 1)
        #expect(seen.scrapes.reason?.contains("127.0.0.1:1 is not reachable") == true)
        #expect(seen.nodes.map(\.hasRole) == [true] && seen.exitStatus == 3)
        let blind = await look("\(site.path)/nowhere") { () throws(BCMError) in
            throw BCMError(.invalidConfiguration, reason: "no certificate", remedy: "make one")
        }
        #expect(blind.directory.reason?.contains("no certificate") == true && blind.files.value == nil)
        #expect(blind.nodes.map(\.level) == [.unknown])
    }

    @Test(
        arguments: [
            (["dgx-01"], false), (["dgx-01", "dgx-02"], nil), (["head-a"], nil), ([], nil), (nil, nil),
        ] as [([String]?, Bool?)])
    func aNodeWithoutTheRoleIsToldFromOneWhoseRoleIsHidden(
        _ holders: [String]?, _ hasRole: Bool?
    ) async throws {
        let site = try Site(FakeHeadNodes([.node("dgx-01"), .node("dgx-02", nil), .head()]))
        let headNodes = site.headNodes
        var setting = site.configuration
        setting.areRolesVisible = false
        let seen = await FleetStatusSource(
            configuration: setting, expected: ["dgx-01", "dgx-02"], hasMonitors: true,
            prometheus: PrometheusServer(host: "127.0.0.1", port: 1),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            makeSource: { () throws(BCMError) in headNodes },
            roleHolders: { role in
                guard role == "slurmclient", let holders else { throw BCMError(.timedOut, reason: "cmsh", remedy: "") }
                return holders
            }
        ).look()
        let node = try #require(seen.nodes.first { $0.name == "dgx-02" })
        #expect(node.hasRole == hasRole)
    }
}
