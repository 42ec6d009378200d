import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import CommandExecution
import FoundationEssentials
import Testing

/// Every path of the REST interface, over real TLS.
@Suite struct AnswerTests {
    @Test func everyPathIsRead() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.store.update { state in
                state.jobs.append(Job(id: 42, user: "alice", nodes: ["dgx-01", "dgx-02"]))
            }
            try cluster.set("node-status", "dgx-02=DOWN")
            let client = try cluster.client(server)
            #expect(try await client.interfaceVersions() == ["v1"])
            #expect(try await client.resources().contains("sysinfo"))
            #expect(try await client.version().cmdaemon == ClusterState.daemonVersion)
            let license = try await client.license()
            #expect(license.nodeCount == 5 && license.edition == "Simulator")
            #expect(license.end.map { $0 > Date() } == true)
            #expect(try await client.sessions().map(\.node) == ["head-a", "head-b"])
            let hosts = try await client.systemInformation()
            #expect(hosts.map(\.hostname) == ["head-a", "head-b", "dgx-01", "dgx-02", "dgx-03"])
            #expect(hosts.first?.memory == ByteCount(bytes: 2_151_677_952) && hosts.first?.processors.count == 1)
            let jobs = try await client.jobs()
            #expect(jobs.map(\.id) == ["42"] && jobs.first?.nodes == ["dgx-01", "dgx-02"])
            #expect(jobs.first?.submitted?.zoneless != nil && jobs.first?.runTime == .seconds(60))
            #expect(try await client.check()["check"] == "ok")
            #expect(try await client.chargeback() == [])
            #expect(try await client.value("/rest/v1/monitoring")[0] == "entity")
            #expect(try await client.deviceRecords().map(\.device) == (try await client.devices()))
            #expect(client.connectionsOpened == 1)
        }
    }

    @Test func statusesAreReadByRangeAndSet() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("node-status", "dgx-02=DOWN")
            let client = try cluster.client(server)
            #expect(try await client.status().count == 5)
            let some = try await client.status(of: NodeRange("dgx-01..dgx-02"))
            #expect(some.map(\.state) == [.up, .down] && some.first?.needsRestart == nil)
            let listed = try await client.status(of: NodeRange("dgx-03,head-b,dgx-09"), verbose: true)
            #expect(listed.map(\.hostname) == ["head-b", "dgx-03"] && listed.first?.needsRestart == false)
            let counts = try await client.post([
                StatusUpdate(hostname: "dgx-01", user: "a \"b\"", info: "i", tool: "t"),
                StatusUpdate(hostname: "dgx-09"),
            ])
            #expect(counts == [3, 0])
            #expect(try cluster.store.read().node("dgx-01")?.userMessage == "a \"b\"")
        }
    }

    @Test func eventsAreWritten() async throws {
        try await TestCluster.served { cluster, server in
            let client = try cluster.client(server)
            try await client.post(ClusterEvent("é\n\"", details: "d", severity: "warning"))
            #expect(try cluster.store.read().events == [Event(message: "é\n\"", details: "d", severity: "warning")])
        }
    }

    @Test func monitoringValuesAreReadAndPushed() async throws {
        try await TestCluster.served { cluster, server in
            let client = try cluster.client(server)
            let entities = try await client.monitoringEntities(named: NodeRange("dgx-01..dgx-03"), like: "0[13]$")
            #expect(entities.map(\.name) == ["dgx-01", "dgx-03"] && entities.first?.type == "PhysicalNode")
            #expect(try await client.monitoringEntities(type: "HeadNode").map(\.name) == ["head-a", "head-b"])
            #expect(try await client.measurables().map(\.name) == ["LoadOne", "MemoryFree", "ssh2node"])
            #expect(try await client.measurables(like: "^ssh").map(\.type) == ["HealthCheck"])
            #expect(try await client.monitoringUse(entity: "dgx-01").map(\.measurable).count == 3)
            let check = try #require(try await client.latestValues(entity: "dgx-01", measurable: "ssh2node").first)
            #expect(check.value == "PASS" && check.number == 0)
            #expect(check.age.map { $0 >= .zero && $0 <= .seconds(120) } == true)
            let moment = try #require(check.time.date)
            #expect(abs(moment.timeIntervalSinceNow) < 180)

            let series = try await client.series(entity: "dgx-01", measurable: "LoadOne")
            #expect((29...31).contains(series.count) && series.allSatisfy { $0.time.date != nil })
            let few = try await client.series(
                entity: "dgx-01", measurable: "LoadOne", from: .ago(.seconds(7200)), intervals: 4)
            #expect((4...5).contains(few.count))

            let pushed = try await client.push(
                PushedValue("scratch check", "FAIL", info: "it is / full & slow"), class: "Push/Single",
                isHealthCheck: true)
            #expect(pushed.added == 1 && pushed.provided == 1)
            let shown = try await client.latestValues(entity: "head-a", measurable: "scratch check")
            #expect(shown.map(\.value) == ["FAIL"] && shown.first?.info == "it is / full & slow")
            try await client.declare([PushedMetric("speed"), PushedMetric("size", class: "Push/Other")])
            let result = try await client.push([
                PushedValue("speed", 1.5.json), PushedValue("size", 7), PushedValue("unknown", 1),
            ])
            #expect(result.added == 2 && result.provided == 3)
            #expect(try await client.latestValues(entity: "head-a", measurable: "speed").first?.number == 1.5)
        }
    }

    @Test func whatBCMRefusesIsToldInItsWords() async throws {
        try await TestCluster.served { cluster, server in
            let client = try cluster.client(server)
            let error = await failure { () async throws(BCMError) in
                try await client.series(
                    entity: "dgx-01", measurable: "LoadOne", from: MonitoringMoment(notation: "soon"))
            }
            #expect(error?.code == .refused)
            #expect(error?.reason.contains("start and end are no period") == true)
            let missing = await code { () async throws(BCMError) in try await client.value("/rest/v1/nothing") }
            #expect(missing == .notFound)
            let noPath = await code { () async throws(BCMError) in try await client.value("/a b") }
            #expect(noPath == .invalidConfiguration)
        }
    }

    @Test func aProfileLimitsWhatIsRead() async throws {
        try await TestCluster.served { cluster, server in
            let node = try cluster.client(
                server, certificate: cluster.authority.certificate(ofNode: "dgx-01"),
                key: cluster.authority.key(ofNode: "dgx-01"))
            #expect(try await node.devices().count == 5)
            #expect(try await node.status().count == 5)
            #expect(await code { () async throws(BCMError) in try await node.license() } == .notAuthorised)
            #expect(await code { () async throws(BCMError) in try await node.jobs() } == .notAuthorised)
            #expect(await code { () async throws(BCMError) in try await node.latestValues() } == .notAuthorised)
            #expect(
                await code { () async throws(BCMError) in try await node.post(ClusterEvent("x")) } == .notAuthorised)
            #expect(try cluster.store.read().events.isEmpty)
        }
    }

    // MARK: Users with passwords

    @Test func usersReadOverBasicAuthentication() async throws {
        try await TestCluster.served { cluster, server in
            let reader = try cluster.user("reader", "simulated-reader", server)
            #expect(try await reader.devices().count == 5)
            #expect(try await reader.license().edition == "Simulator")
            #expect(
                await code { () async throws(BCMError) in try await reader.post(ClusterEvent("x")) } == .notAuthorised)
            let wrong = try cluster.user("reader", "s3cret-but-wrong", server)
            let error = await failure { () async throws(BCMError) in try await wrong.devices() }
            #expect(error?.code == .notAuthorised)
            #expect(error?.remedy?.contains("\"reader\"") == true)
            #expect(error.map { "\($0)" }?.contains("s3cret") == false)
        }
    }

    @Test func passwordsAreNotSentToStrangers() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("fault", "wrong-ca")
            let reader = try cluster.user("reader", "simulated-reader", server)
            #expect(
                await eventually {
                    await code { () async throws(BCMError) in try await reader.devices() } == .notTrusted
                })
            #expect(await code { () async throws(BCMError) in try await reader.login() } == .notTrusted)
        }
    }

    @Test func callsAreMadeWithACertificateAlone() async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; commit")
            let client = try cluster.client(server)
            let device = try await client.call("cmdevice", "getDevice", ["dgx-01"])
            #expect(device["hostname"] == "dgx-01" && device["roles"]?[0] == "slurmclient")
            #expect(try await client.call("cmdevice", "getDevices").elements?.count == 5)
            #expect(try await client.call("cmmain", "getProfile")["name"] == "admin")
            #expect(try await client.call("cmpart", "getBasicEntityInformation")[0]?["resolve_name"] == "head-a")
            let unknown = await failure { () async throws(BCMError) in
                try await client.call("cmdevice", "getDevice", ["dgx-09"])
            }
            #expect(unknown?.code == .refused && unknown?.reason.contains("no such device: dgx-09") == true)
            let none = await failure { () async throws(BCMError) in try await client.call("cmdevice", "frobnicate") }
            #expect(none?.code == .refused && none?.reason.contains("no such call") == true)
        }
    }

    @Test func sessionsOpenByThemselvesAndAgainWhenTheyEnd() async throws {
        try await TestCluster.with { cluster in
            let lines = LogLines()
            try await cluster.serving("head-a", accessLog: { lines.append($0) }) { server in
                let reader = try cluster.user("reader", "simulated-reader", server)
                #expect(try await reader.call("cmmain", "getProfile")["name"] == "readonly")
                #expect(try await reader.call("cmmain", "getProfile")["name"] == "readonly")
                #expect(lines.count { $0.contains("POST /json ") } == 3, "a login and two calls")
                try cluster.set("sessions", "end")
                #expect(try await reader.call("cmmain", "getProfile")["name"] == "readonly")
                #expect(lines.count { $0.contains("POST /json ") } == 6, "a refused call, a login and a call")
                try await reader.logout()
                #expect(lines.count { $0.contains("POST /json ") } == 7)
                try await reader.logout()
                #expect(lines.count { $0.contains("POST /json ") } == 7, "there is no session any more")
                try await reader.login()
                let wrong = try cluster.user("reader", "wrong", server)
                #expect(await code { () async throws(BCMError) in try await wrong.login() } == .notAuthorised)
                #expect(
                    await code { () async throws(BCMError) in try await wrong.call("cmmain", "getProfile") }
                        == .notAuthorised)
            }
        }
    }

    @Test func callsAtTheSameTimeShareASession() async throws {
        try await TestCluster.served { cluster, server in
            let reader = try cluster.user("reader", "simulated-reader", server)
            let names = try await withThrowingTaskGroup(of: JSONValue?.self) { group in
                for _ in 0..<20 { group.addTask { try await reader.call("cmmain", "getProfile")["name"] } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(names == Array(repeating: "readonly", count: 20))
            #expect(server.counters.requests == 21)
        }
    }

    // MARK: Writing and failing over

    @Test(arguments: [
        (Fault.refuse, true), (.status503, true), (.hangHeader, false), (.reset, false), (.status500, false),
    ])
    func anEventIsRepeatedOnlyWhereNothingCanHaveBeenDone(fault: Fault, goesOn: Bool) async throws {
        try await TestCluster.with { cluster in
            try cluster.set("fault", fault.rawValue, on: "head-a")
            try await cluster.serving("head-a") { first in
                try await cluster.serving("head-b") { second in
                    let client = try cluster.client(first, second, requestTimeout: .seconds(2))
                    let error = await failure { () async throws(BCMError) in try await client.post(ClusterEvent("x")) }
                    #expect((error == nil) == goesOn, "\(error.map { "\($0)" } ?? "")")
                    #expect(second.counters.requests == (goesOn ? 1 : 0))
                    if !goesOn {
                        #expect(error?.mayHaveBeenDone == true)
                        #expect(error?.remedy?.contains("look before you repeat it") == true)
                    }
                }
            }
        }
    }

    @Test func compressedAnswersAreHeldToTheLimit() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("generate-devices", "2000")
            let client = try cluster.client(server, answerLimit: 300_000)
            #expect(await code { () async throws(BCMError) in try await client.deviceRecords() } == .tooLarge)
            let larger = try cluster.client(server, answerLimit: 2 << 20)
            #expect(try await larger.deviceRecords().count == 2005)
            try cluster.set("fault", "gzip-bomb")
            #expect(await code { () async throws(BCMError) in try await larger.license() } == .tooLarge)
        }
    }
}

extension Double {
    fileprivate var json: JSONValue { JSONNumber(self).map { .number($0) } ?? .null }
}
