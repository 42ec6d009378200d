import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import Testing

@Suite struct ClientFaultTests {
    @Test(arguments: [
        (Fault.refuse, BCMError.Code.notReachable), (.hangConnect, .notReachable), (.hangTLS, .notReachable),
        (.oldTLS, .connectionLost), (.expiredCertificate, .notTrusted), (.wrongCA, .notTrusted),
        (.wrongName, .notTrusted), (.hangHeader, .timedOut), (.hangBody, .timedOut), (.slow, .timedOut),
        (.reset, .connectionLost), (.truncate, .connectionLost), (.garbage, .notUnderstood),
        (.wrongType, .notUnderstood), (.gzipBomb, .tooLarge), (.redirect, .notUnderstood),
        (.status401, .notAuthorised), (.status403, .notAuthorised), (.status404, .notFound),
        (.status429, .unavailable), (.status500, .unavailable), (.status503, .unavailable),
    ])
    func faultsBecomeErrorsThatTellThemApart(fault: Fault, expected: BCMError.Code) async throws {
        try await TestCluster.with { cluster in
            try cluster.set("fault", fault.rawValue)
            try await cluster.serving("head-a") { server in
                // A small bound: a debug build takes seconds to look at the usual 64 MiB.
                let client = try cluster.client(
                    server, connectTimeout: .seconds(2), requestTimeout: .seconds(4), answerLimit: 4 << 20)
                let clock = ContinuousClock()
                let start = clock.now
                let error = await failure { () async throws(BCMError) in try await client.lookUp(["dgx-01"]) }
                #expect(error?.code == expected, "\(error.map { "\($0)" } ?? "an answer in spite of the fault")")
                #expect(error?.headNode == server.headNode)
                #expect(start.duration(to: clock.now) < .seconds(20))
                // With the fault gone the same client works again.
                try cluster.set("fault", "none")
                #expect(
                    await eventually {
                        await code { () async throws(BCMError) in try await client.lookUp(["dgx-01"]) } == nil
                    })
            }
        }
    }

    @Test func aFloodIsTooLarge() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("fault", "huge")
            let client = try cluster.client(server, requestTimeout: .seconds(60))
            #expect(await code { () async throws(BCMError) in try await client.lookUp(["dgx-01"]) } == .tooLarge)
        }
    }

    @Test func rolesThatAreNotShownAreUnknownAndNotAbsent() async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; commit")
            let client = try cluster.client(server)
            #expect(try await client.lookUp(["dgx-01"]).matches.first?.roles == ["slurmclient"])
            try cluster.set("fault", "roles-invisible")
            let hidden = try await client.lookUp(["dgx-01"])
            #expect(hidden.matches.count == 1 && hidden.matches.first?.roles == nil)
            #expect(hidden.devicesShowingRoles == 2)
            try cluster.set("fault", "host-missing")
            #expect(try await client.lookUp(["dgx-01"]).matches.isEmpty)
            try cluster.set("fault", "host-twice")
            let twice = try await client.lookUp(["dgx-01"]).matches
            #expect(twice.map(\.roles) == [["slurmclient"], nil])
            #expect(twice.map(\.mac) == ["FA:16:0A:8D:00:01", "02:00:00:00:00:01"])
        }
    }

    @Test func theOtherHeadNodeAnswersAndKeepsAnswering() async throws {
        try await TestCluster.with { cluster in
            try await cluster.serving("head-a") { first in
                try await cluster.serving("head-b") { second in
                    let client = try cluster.client(first, second)
                    #expect(try await client.lookUp(["dgx-01"]).headNode == first.headNode)
                    try cluster.set("fault", "refuse", on: "head-a")
                    #expect(await eventually { (try? await client.lookUp(["dgx-01"]))?.headNode == second.headNode })
                    // The last good one is asked first, also when the other is back.
                    try cluster.set("fault", "none", on: "head-a")
                    let before = first.counters.requests
                    #expect(try await client.lookUp(["dgx-01"]).headNode == second.headNode)
                    #expect(first.counters.requests == before)
                }
            }
        }
    }

    @Test func errorsOfAllHeadNodesAreTold() async throws {
        try await TestCluster.with { cluster in
            try cluster.set("fault", "status-403", on: "head-a")
            try cluster.set("fault", "refuse", on: "head-b")
            try await cluster.serving("head-a") { first in
                try await cluster.serving("head-b") { second in
                    let client = try cluster.client(first, second)
                    let error = await failure { () async throws(BCMError) in try await client.devices() }
                    #expect(error?.code == .notAuthorised)
                    #expect(error?.underlying.map(\.code) == [.notAuthorised, .notReachable])
                    #expect(error?.underlying.map(\.headNode) == [first.headNode, second.headNode])
                }
            }
        }
    }

    @Test func headNodesThatDisagreeAreAskedOneByOne() async throws {
        try await TestCluster.with { cluster in
            _ = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; assign docker; commit")
            try cluster.set("fault", "role-missing", on: "head-b")
            try await cluster.serving("head-a") { first in
                try await cluster.serving("head-b") { second in
                    let client = try cluster.client(first, second)
                    let one = try await client.lookUp(["dgx-01"], at: first.headNode)
                    let other = try await client.lookUp(["dgx-01"], at: second.headNode)
                    #expect(one.matches.first?.roles == ["docker", "slurmclient"])
                    #expect(other.matches.first?.roles == ["docker"])
                }
            }
        }
    }
}
