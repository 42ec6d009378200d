import BCMClient
import PromTargets
import RoleMonitor
import Testing

@testable import FleetTargets

/// The judgement as a table: one file, what BCM says, and what follows.
struct FleetJudgementTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var file = "dgx-01"
        /// The devices beside a node `other`, which has the role; nil for no answer.
        var devices: [Device]? = []
        var rolesVisible = true
        var state: FleetFile.State
        /// Whether it is one that could be removed.
        var isOrphan: Bool { state == .orphaned || state == .gone }
    }

    static let rows: [Row] = [
        Row(testDescription: "the node has the role", devices: [.node("dgx-01")], state: .current),
        Row(
            testDescription: "BCM spells the node in capitals", devices: [.node("DGX-01")], state: .foreign),
        Row(testDescription: "the node lost the role", devices: [.node("dgx-01", ["other"])], state: .orphaned),
        Row(testDescription: "the node has no role at all", devices: [.node("dgx-01", nil)], state: .orphaned),
        Row(
            testDescription: "the role may be hidden on the node", devices: [.node("dgx-01", ["other"])],
            rolesVisible: false, state: .undecided),
        Row(testDescription: "BCM lists the node no more", state: .gone),
        Row(testDescription: "BCM lists the node no more, roles may be hidden", rolesVisible: false, state: .gone),
        Row(testDescription: "no answer", devices: nil, state: .undecided),
        Row(
            testDescription: "two devices have the name", devices: [.node("dgx-01", nil), .node("dgx-01", nil)],
            state: .undecided),
        Row(
            testDescription: "only one of two devices of the name has the role",
            devices: [.node("dgx-01"), .node("dgx-01", nil)], state: .undecided),
        Row(
            testDescription: "a qualified file of a node with the role", file: "dgx-01.example",
            devices: [.node("dgx-01")], state: .foreign),
        Row(
            testDescription: "a qualified file of a node without the role", file: "dgx-01.example",
            devices: [.node("dgx-01", nil)], state: .orphaned),
        Row(
            testDescription: "another domain's node has the label", file: "dgx-01.example",
            devices: [.node("dgx-01.elsewhere")], state: .gone),
    ]

    private func entry(_ name: String, _ configuration: MonitorConfiguration) throws -> TargetDirectory.Entry {
        .init(fileName: name + ".json", hostName: name, groups: try configuration.targetGroups(of: name))
    }

    @Test(arguments: rows) func fileFollowsTheRole(row: Row) throws {
        let configuration = configuration(rolesVisible: row.rolesVisible)
        let answer =
            row.devices.map {
                FleetAnswer([.head(), .node("other")] + $0, from: headA, rules: configuration.rules)
            } ?? .unknown(UnknownFleet("down"))
        let judgement = FleetJudgement([try entry(row.file, configuration)], answer, configuration)
        let file = try #require(judgement.files.first { $0.fileName == row.file + ".json" })
        #expect(file.state == row.state, "\(file.reason)")
        #expect(file.isOrphan == row.isOrphan)
        #expect(file.state == .current || !file.reason.isEmpty)
    }

    /// Answers by which nothing can be told, whatever lies in the directory.
    static let useless: [(String, [Device])] = [
        ("an empty list", []),
        ("no role of any device", [.head(roles: nil), .node("other", nil)]),
        ("empty roles", [.head(roles: []), .node("other", [])]),
        ("roles of head nodes alone", [.head(), .node("dgx-01", nil), .node("other", nil)]),
        ("head nodes alone", [.head()]),
        ("the role of no device", [.head(), .node("dgx-01", ["docker"]), .node("other", ["docker"])]),
    ]

    @Test(arguments: useless) func uselessAnswerRemovesNothing(name: String, devices: [Device]) throws {
        let configuration = configuration()
        let answer = FleetAnswer(devices, from: headA, rules: configuration.rules)
        let judgement = FleetJudgement(
            [try entry("dgx-01", configuration), try entry("old", configuration)], answer, configuration)
        #expect(judgement.unknown != nil)
        #expect(judgement.files.map(\.state) == [.undecided, .undecided])
    }

    /// Files that no monitor of this cluster wrote, and are left whatever BCM says.
    static let foreign: [(String, TargetDirectory.Entry)] = {
        func groups(
            _ target: String = "old:9100", job: String = "node_exporter", cluster: String = "slurm",
            host: String = "old", more: [String: String] = [:]
        ) -> [TargetGroup] {
            let labels = ["job": job, "cluster": cluster, "hostname": host].merging(more) { $1 }
            return (try? TargetGroup(targets: target.split(separator: ",").map(String.init), labels: labels))
                .map { [$0] } ?? []
        }
        func entry(
            _ groups: [TargetGroup]?, fileName: String = "old.json", hostName: String? = "old",
            isAsWritten: Bool = true,
            fault: String? = nil, owner: UInt32 = 0
        ) -> TargetDirectory.Entry {
            .init(
                fileName: fileName, hostName: hostName, groups: groups, isAsWritten: isAsWritten, fault: fault,
                owner: owner)
        }
        return [
            ("a name that is no host", entry(groups(), fileName: "notes.txt", hostName: nil)),
            ("damaged", entry(nil, fault: "it is not a JSON array")),
            ("no entry", entry([])),
            ("other spacing", entry(groups(), isAsWritten: false)),
            ("another owner", entry(groups(), owner: 1000)),
            ("another label", entry(groups(more: ["rack": "a1"]))),
            ("two targets", entry(groups("old:9100,old:9101"))),
            ("another host's address", entry(groups("new:9100"))),
            ("a host whose name begins alike", entry(groups("older:9100"))),
            ("another host's label", entry(groups(host: "new"))),
            ("another cluster", entry(groups(cluster: "other"))),
            ("another job", entry(groups(job: "snmp"))),
            ("a job twice", entry(groups() + groups("old:9101"))),
        ]
    }()

    @Test(arguments: foreign) func foreignFileIsLeft(name: String, entry: TargetDirectory.Entry) {
        let configuration = configuration()
        for devices in [[Device.node("other")], [.node("other"), .node("old", nil)]] {
            let judgement = FleetJudgement(
                [entry], FleetAnswer(devices, from: headA, rules: configuration.rules), configuration)
            let file = judgement.files.first { $0.fileName == entry.fileName }
            #expect(file?.state == .foreign, "\(name)")
        }
    }

    @Test func filesWithAnEarlierDomainAndOtherPortsAreTheMonitors() throws {
        let configuration = configuration()
        let earlier = FleetTargetsTests.configuration {
            $0.targetDomain = "example.org"
            $0.nodeExporterPort = 19100
        }
        let answer = FleetAnswer([.node("other")], from: headA, rules: configuration.rules)
        let judgement = FleetJudgement([try entry("old", earlier)], answer, configuration)
        #expect(judgement.files.first { $0.fileName == "old.json" }?.state == .gone)
    }

    @Test func nodesWithTheRoleAndNoFileAreMissedInTheirCategories() {
        let configuration = configuration()
        let devices: [Device] = [
            .head(), .node("dgx-01"), .node("cpu-01", category: "cpu"), .node("dgx-02", ["docker"]), .node("../x"),
        ]
        let answer = FleetAnswer(devices, from: headA, rules: configuration.rules)
        #expect(
            FleetJudgement([], answer, configuration).files.map(\.fileName) == [
                "../x.json", "cpu-01.json", "dgx-01.json",
            ])
        let narrow = FleetJudgement([], answer, configuration, categories: ["dgx"])
        #expect(narrow.files.map(\.state) == [.undecided, .missing], "a name that cannot be a target is not written")
        #expect(narrow.files[1].wanted == (try? configuration.targetGroups(of: "dgx-01")))
    }

    @Test func fileOfANodeWithTheRoleDiffersByContentFormModeAndKind() throws {
        let configuration = configuration()
        let answer = FleetAnswer([.node("dgx-01")], from: headA, rules: configuration.rules)
        let right = try configuration.targetGroups(of: "dgx-01")
        func state(_ groups: [TargetGroup]?, isAsWritten: Bool = true, fault: String? = nil, mode: UInt16 = 0o644)
            -> FleetFile.State?
        {
            let entry = TargetDirectory.Entry(
                fileName: "dgx-01.json", hostName: "dgx-01", groups: groups, isAsWritten: isAsWritten, fault: fault,
                mode: mode)
            return FleetJudgement([entry], answer, configuration).files.first?.state
        }
        #expect(state(right) == .current)
        #expect(state(Array(right.dropLast())) == .different)
        #expect(state(right, isAsWritten: false) == .different)
        #expect(state(right, mode: 0o600) == .different)
        #expect(state(right, mode: 0o666) == .different)
        #expect(state(nil, fault: "it is not a regular file") == .different)
    }

    /// What the head nodes say at the second look, and whether the file stays an orphan.
    static let secondLooks: [(String, [(HeadNode, Result<[Device], BCMError>)], Bool)] = {
        let lost = [Device.node("other"), .node("dgx-01", nil)]
        let has = [Device.node("other"), .node("dgx-01")]
        let down = BCMError(.notReachable, at: headB, reason: "down")
        return [
            ("both agree", [(headA, .success(lost)), (headB, .success(lost))], true),
            ("one is down", [(headA, .success(lost)), (headB, .failure(down))], true),
            ("gone and lost", [(headA, .success(lost)), (headB, .success([.node("other")]))], true),
            ("one disagrees", [(headA, .success(lost)), (headB, .success(has))], false),
            ("one is empty", [(headA, .success(lost)), (headB, .success([]))], false),
            ("one hides roles", [(headA, .success(lost)), (headB, .success([.head(), .node("dgx-01", nil)]))], false),
            ("none answers", [(headA, .failure(down)), (headB, .failure(down))], false),
            ("nobody is asked", [], false),
        ]
    }()

    @Test(arguments: secondLooks)
    func secondLookMustConfirm(
        name: String, answers: [(HeadNode, Result<[Device], BCMError>)], stays: Bool
    ) throws {
        let configuration = configuration()
        let first = FleetAnswer([.node("other"), .node("dgx-01", nil)], from: headA, rules: configuration.rules)
        var judgement = FleetJudgement([try entry("dgx-01", configuration)], first, configuration)
        #expect(judgement.needsConfirmation)
        judgement.confirm(
            with: answers.map { node, answer in
                (node, answer.map { FleetAnswer($0, from: node, rules: configuration.rules) })
            })
        let file = judgement.files.first { $0.fileName == "dgx-01.json" }
        #expect(file?.state == (stays ? .orphaned : .undecided), "\(name): \(file?.reason ?? "")")
    }

    @Test(arguments: [(0, 3), (3, 3), (39, 3), (40, 4), (2000, 200)])
    func atMostATenthAndThreeInAnyCaseGo(count: Int, allowed: Int) {
        #expect(RemovalLimit.tenth.removals(among: count) == allowed)
        #expect(RemovalLimit.atMost(7).removals(among: count) == 7)
    }

    @Test func eachRuleIsDecidedOnItsOwn() throws {
        let configuration = configuration {
            $0.additionalRules = [
                RoleRule(
                    role: "dcgm", exporters: [Exporter(unit: "dcgm-exporter.service", job: "dcgm_exporter", port: 9400)]
                )
            ]
        }
        func file(_ roles: [String], holding exporters: [Exporter]) throws -> FleetFile {
            let entry = TargetDirectory.Entry(
                fileName: "dgx-01.json", hostName: "dgx-01",
                groups: try configuration.targetGroups(of: "dgx-01", exporters: exporters))
            let answer = FleetAnswer(
                [.node("other", ["slurmclient", "dcgm"]), .node("dgx-01", roles)], from: headA,
                rules: configuration.rules)
            return try #require(
                FleetJudgement([entry], answer, configuration).files.first { $0.fileName == "dgx-01.json" })
        }
        let all = configuration.allExporters
        #expect(try file(["slurmclient", "dcgm"], holding: all).state == .current)
        #expect(try file(["slurmclient", "dcgm"], holding: configuration.exporters).state == .different)
        // Of the other role it cannot be told that it is gone: what the file holds of it stays.
        #expect(try file(["slurmclient"], holding: all).state == .current)
        #expect(try file(["slurmclient"], holding: configuration.exporters).state == .current)
        #expect(try file(["dcgm"], holding: all).wanted?.map { $0.labels["job"] } == ["dcgm_exporter"])
        #expect(try file([], holding: all).state == .undecided)
    }
}
