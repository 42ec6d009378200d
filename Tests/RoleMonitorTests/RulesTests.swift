import BCMClient
import FoundationEssentials
import PromTargets
import ServiceManager
import Testing

@testable import RoleMonitor

/// Several rules on one node: each is decided on its own.
struct RulesTests {
    static let now = DecideTests.now
    static let host = DecideTests.host
    static let dcgm = Exporter(unit: "dcgm-exporter.service", job: "dcgm_exporter", port: 9400)
    static let present = RoleFinding.present(node: "dgx-01")
    static let absent = RoleFinding.absent(node: "dgx-01")
    static let unknown = RoleFinding.unknown(UnknownRole("role never shown", "never"))

    static var configuration: MonitorConfiguration {
        var configuration = MonitorConfiguration(headNodes: ["head-a"])
        configuration.targetsDirectory = "/t"
        configuration.additionalRules = [RoleRule(role: "gpu-metrics", exporters: [dcgm])]
        return configuration
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var first: RoleFinding
        var second: RoleFinding?
        var isPaused = false
        /// What becomes of node_exporter, which runs, and of dcgm-exporter, which does not.
        var actions: [String] = []
        /// The jobs that the file gets; with a question mark those that it only keeps. Nil for a removal, none for nothing.
        var jobs: [String]? = []
    }

    static let all = ["node_exporter", "cgroup_exporter", "gpu_exporter"]
    static let rows: [Row] = [
        Row(
            testDescription: "both present", first: present, second: present, actions: ["start"],
            jobs: all + ["dcgm_exporter"]),
        Row(testDescription: "first alone", first: present, second: absent, jobs: all),
        Row(
            testDescription: "second alone", first: absent, second: present, actions: ["stop", "start"],
            jobs: ["dcgm_exporter"]),
        Row(testDescription: "both absent", first: absent, second: absent, actions: ["stop"], jobs: nil),
        Row(testDescription: "both unknown", first: unknown, second: unknown),
        Row(
            testDescription: "first present, second unknown", first: present, second: unknown,
            jobs: all + ["dcgm_exporter?"]),
        Row(
            testDescription: "first present, second not asked", first: present, second: nil,
            jobs: all + ["dcgm_exporter?"]),
        Row(
            testDescription: "first unknown, second present", first: unknown, second: present, actions: ["start"],
            jobs: all.map { $0 + "?" } + ["dcgm_exporter"]),
        Row(
            testDescription: "first absent, second unknown", first: absent, second: unknown, actions: ["stop"],
            jobs: ["dcgm_exporter?"]),
        Row(
            testDescription: "first unknown, second absent", first: unknown, second: absent, jobs: all.map { $0 + "?" }),
        Row(testDescription: "paused", first: present, second: present, isPaused: true, actions: ["stop"], jobs: nil),
    ]

    @Test(arguments: rows) func eachRuleIsDecidedOnItsOwn(row: Row) throws {
        let configuration = Self.configuration
        let node = try UnitName("node_exporter.service")
        let dcgm = try UnitName(Self.dcgm.unit)
        var observation = Observation(
            host: Self.host, role: row.first, listed: [:],
            units: .known([
                node: UnitStatus(id: node.description, active: .active),
                dcgm: UnitStatus(id: dcgm.description, active: .inactive),
            ]))
        observation.otherRoles["gpu-metrics"] = row.second
        var state = MonitorState(host: Self.host)
        state.settled = .init(role: "slurmclient", isPresent: true, node: "dgx-01")
        state.pauseEnd = row.isPaused ? Self.now.wall + 60 : nil
        let decision = decide(observation, state, configuration, now: Self.now)
        var actions: [String] = []
        var jobs: [String]? = []
        for action in decision.actions {
            switch action {
            case .start(let unit, _, _): actions.append(unit == dcgm ? "start" : "start \(unit)")
            case .stop(let unit): actions.append(unit == node ? "stop" : "stop \(unit)")
            case .writeTarget(_, let groups, let keptOnly):
                jobs = groups.map { ($0.labels["job"] ?? "") + (keptOnly.contains($0) ? "?" : "") }
            case .removeTarget: jobs = nil
            }
        }
        #expect(actions == row.actions)
        #expect(jobs == row.jobs)
    }

    @Test func oneRuleForgetsFailedStartsOfItsOwnUnitsAlone() throws {
        var state = MonitorState(host: Self.host)
        state.settled = .init(role: "slurmclient", isPresent: true, node: "dgx-01")
        let given = MonitorState.UnitRetry(attempts: 3, lastAttempt: 1, isGivenUp: true)
        state.retries = ["node_exporter.service": given, Self.dcgm.unit: given]
        var observation = Observation(host: Self.host, role: Self.present, units: .known([:]))
        observation.otherRoles["gpu-metrics"] = Self.absent
        #expect(
            decide(observation, state, Self.configuration, now: Self.now).state.retries.keys.sorted()
                == ["node_exporter.service"])
    }

    @Test func rulesOfOneRoleAreOne() {
        var configuration = Self.configuration
        configuration.additionalRules[0].role = "slurmclient"
        #expect(configuration.rules.count == 1)
        #expect(configuration.rules[0].exporters.map(\.job) == Self.all + ["dcgm_exporter"])
    }

    // MARK: Whole checks

    private func node(_ roles: [String]?) throws -> Node {
        let units = FakeUnits()
        units.set(Self.dcgm.unit, .inactive)
        var node = try Node([.dgx("dgx-01", roles: roles)], units: units)
        node.configuration.additionalRules = [
            RoleRule(role: "gpu-metrics", exporters: [Self.dcgm], isRoleVisible: true)
        ]
        return node
    }

    @Test func rolesComeAndGoIndependently() async throws {
        let node = try node(["slurmclient"])
        let monitor = try node.monitor()
        var report = await monitor.pass()
        #expect(report.summary == "role slurmclient present (dgx-01); role gpu-metrics absent; all in order")
        #expect(node.units.active(Self.dcgm.unit) == .inactive)
        node.bcm.list([.dgx("dgx-01", roles: ["slurmclient", "gpu-metrics"]), .head])
        report = await monitor.pass()
        #expect(report.actions == ["started \(Self.dcgm.unit)", "wrote /t/dgx-01.json"])
        node.bcm.list([.dgx("dgx-01", roles: ["gpu-metrics"]), .head])
        node.bcm.forgetAsked()
        report = await monitor.pass()
        #expect(node.bcm.asked == ["*: dgx-01", "head-a: dgx-01", "head-b: dgx-01"])
        #expect(node.units.active("node_exporter.service") == .inactive)
        #expect(node.units.active(Self.dcgm.unit) == .active)
        #expect(node.store.files.keys.sorted() == ["/t/dgx-01.json"])
        node.bcm.list([.dgx("dgx-01", roles: nil), .head])
        report = await monitor.pass()
        #expect(node.units.active(Self.dcgm.unit) == .inactive)
        #expect(node.store.files.isEmpty)
        let metrics = try #require(node.folder.read("metrics.prom"))
        #expect(metrics.contains("role_state{role=\"gpu-metrics\",state=\"absent\"} 1\n"))
        #expect(metrics.contains("role_state{role=\"slurmclient\",state=\"absent\"} 1\n"))
    }

    @Test func roleThatWasNeverShownIsUnknownAndDoesNotDisturbTheOther() async throws {
        var node = try node(["slurmclient"])
        node.configuration.additionalRules[0].isRoleVisible = false
        node.units.set(Self.dcgm.unit, .active)
        let monitor = try node.monitor()
        for _ in 1...3 { _ = await monitor.pass() }
        #expect(node.units.active(Self.dcgm.unit) == .active)
        #expect(node.log.count("role gpu-metrics unknown, nothing of it is changed") == 1)
        let report = await monitor.pass()
        #expect(report.exit == .done)
        #expect(report.otherRoles == ["gpu-metrics": .unknown])
    }

    @Test func roleOnceShownIsRememberedOverARestart() async throws {
        var node = try node(["slurmclient", "gpu-metrics"])
        node.configuration.additionalRules[0].isRoleVisible = false
        _ = await (try node.monitor()).pass()
        node.bcm.list([.dgx("dgx-01", roles: ["slurmclient"]), .head])
        let report = await (try node.monitor()).pass()
        #expect(report.otherRoles == ["gpu-metrics": .absent])
        #expect(node.units.active(Self.dcgm.unit) == .inactive)
    }

    @Test func secondLookCountsForEachRole() async throws {
        let node = try node(["slurmclient", "gpu-metrics"])
        let monitor = try node.monitor()
        _ = await monitor.pass()
        let first = [Device.dgx("dgx-01", roles: []), .head]
        let second = [Device.dgx("dgx-01", roles: ["gpu-metrics"]), .head]
        for (devices, head) in [(first, 0), (second, 0), (second, 1)] {
            node.bcm.answer(.success(FakeBCM.lookUp(["dgx-01"], in: devices, at: node.bcm.headNodes[head])))
        }
        let report = await monitor.pass()
        #expect(report.role == .absent)
        #expect(report.otherRoles == ["gpu-metrics": .unknown])
        #expect(node.units.active(Self.dcgm.unit) == .active)
        #expect(node.units.active("node_exporter.service") == .inactive)
    }

    @Test func stateOfAnEarlierVersionIsTakenOver() throws {
        let text = """
            {"bootID": "boot-1", "crashes": {}, "hostName": "dgx-01", "keys": {}, "machineAddresses": ["0a:00:00:00:00:01"],
             "retries": {}, "settled": {"isPresent": true, "node": "dgx-01", "role": "slurmclient"},
             "shownRole": "slurmclient", "targets": [], "version": 1}
            """
        let state = try JSONDecoder().decode(MonitorState.self, from: Data(text.utf8))
        #expect(state.settled("slurmclient")?.isPresent == true)
        #expect(state.isShown("slurmclient") && !state.isShown("gpu-metrics"))
        #expect(state.settled("gpu-metrics") == nil)
        // An earlier version reads what this one writes: it knows the form, and passes over members that it does not know.
        let written = String(decoding: try JSONEncoder().encode(state), as: UTF8.self)
        #expect(written.contains("\"version\":1") && written.contains("\"settled\":{"))
    }
}

/// The key `rules` of the configuration.
struct RuleSyntaxTests {
    private func parse(_ rules: String) throws -> (configuration: MonitorConfiguration, warnings: [String]) {
        try MonitorConfiguration.parse(Array(#"{"bcm_headnodes": ["a"], "rules": \#(rules)}"#.utf8))
    }

    @Test func rulesAreReadAndWritten() throws {
        let (configuration, warnings) = try parse(
            #"[{"role": "gpu-metrics", "units": [{"unit": "dcgm-exporter", "port": 9400, "job": "dcgm_exporter"}]},"#
                + #" {"role": "other", "roles_visible": true, "units": [{"unit": "x.service", "port": 1, "job": "x"}]}]"#
        )
        #expect(warnings.isEmpty)
        #expect(
            configuration.additionalRules == [
                RoleRule(role: "gpu-metrics", exporters: [RulesTests.dcgm]),
                RoleRule(
                    role: "other", exporters: [Exporter(unit: "x.service", job: "x", port: 1)], isRoleVisible: true),
            ])
        #expect(try MonitorConfiguration.parse(configuration.encoded()).configuration == configuration)
    }

    @Test func fileWithoutRulesStaysAsItWas() {
        #expect(!String(decoding: MonitorConfiguration(headNodes: ["a"]).encoded(), as: UTF8.self).contains("rules"))
    }

    static let unit = #"{"unit": "u", "port": 1, "job": "j"}"#
    @Test(arguments: [
        (#"{}"#, "rules: found {}, expected a list of rules"),
        (#"[1]"#, "rules[0]: found 1, expected an object with \"role\" and \"units\""),
        (#"[{"units": [\#(unit)]}]"#, "rules[0].role: missing, expected one word"),
        (#"[{"role": "a b", "units": [\#(unit)]}]"#, "rules[0].role: found \"a b\", expected one word"),
        (#"[{"role": "r"}]"#, "rules[0].units: missing, expected a list of at least one unit"),
        (#"[{"role": "r", "units": []}]"#, "rules[0].units: found [], expected a list of at least one unit"),
        (
            #"[{"role": "r", "roles_visible": 1, "units": [\#(unit)]}]"#,
            "rules[0].roles_visible: found 1, expected true or false"
        ),
        (#"[{"role": "r", "units": [\#(unit), 2]}]"#, "rules[0].units[1]: found 2, expected an object"),
        (
            #"[{"role": "r", "units": [{"unit": "u", "port": 0, "job": "j"}]}]"#,
            "rules[0].units[0].port: found 0, expected a whole number from 1 to 65535"
        ),
        (
            #"[{"role": "r", "units": [{"unit": "u;v", "port": 1, "job": "j"}]}]"#,
            "rules[0].units[0].unit: found \"u;v\", expected the name of a service"
        ),
        (
            #"[{"role": "r", "units": [{"unit": "u@", "port": 1, "job": "j"}]}]"#,
            "rules[0].units[0].unit: found \"u@\", expected the name of a service"
        ),
        (
            #"[{"role": "r", "units": [{"unit": "u", "port": 1, "job": "a.b"}]}]"#,
            "rules[0].units[0].job: found \"a.b\", expected one word"
        ),
        (
            #"[{"role": "r", "units": [{"unit": "node_exporter", "port": 1, "job": "j"}]}]"#,
            "rules[0].units[0].unit: node_exporter.service stands in another place, too"
        ),
        (
            #"[{"role": "r", "units": [{"unit": "u", "port": 9100, "job": "j"}]}]"#,
            "rules[0].units[0].port: the port 9100 is another exporter's, too"
        ),
        (
            #"[{"role": "r", "units": [\#(unit), {"unit": "v", "port": 2, "job": "j"}]}]"#,
            "rules[0].units[1].job: the job j stands in another place, too"
        ),
    ])
    func mistakeIsNamedWithItsPlace(rules: String, message: String) {
        let error = #expect(throws: MonitorConfigurationError.self) { try parse(rules) }
        #expect(error?.description.hasPrefix("configuration: \(message)") == true, "\(error?.description ?? "")")
    }

    @Test func unknownKeysInRulesAreWarnings() throws {
        let warnings = try parse(
            #"[{"rolle": 1, "role": "r", "units": [{"unit": "u", "port": 1, "job": "j", "ports": 2}]}]"#
        ).warnings
        #expect(
            warnings == [
                "rules[0].rolle is not a known key and has no effect",
                "rules[0].units[0].ports is not a known key and has no effect",
            ])
    }
}
