import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import Testing

@Suite struct ConnectionTests {
    @Test func manyChecksTakeOneConnectionAndOneRequestEach() async throws {
        try await TestCluster.served { cluster, server in
            let client = try cluster.client(server)
            for _ in 0..<20 { _ = try await client.lookUp(["dgx-02"]) }
            #expect(server.counters == .init(accepted: 1, connections: 1, requests: 20))
            #expect(client.connectionsOpened == 1)
            #expect(client.requestsSent == 20)
        }
    }

    @Test func oneDeviceIsFoundAmongTenThousand() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("generate-devices", "10000")
            let client = try cluster.client(server, requestTimeout: .seconds(60))
            let answer = try await client.lookUp(["DGX-03.cluster.example"])
            #expect(answer.deviceCount == 10005)
            #expect(answer.devicesShowingRoles == 10002)
            #expect(answer.matches.map(\.hostname) == ["dgx-03"])
        }
    }

    @Test func requestsAtTheSameTimeAllGetTheirAnswer() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("latency", "50")
            let client = try cluster.client(server)
            let names = try await withThrowingTaskGroup(of: String?.self) { group in
                for index in 0..<30 {
                    group.addTask { try await client.lookUp(["dgx-0\(index % 3 + 1)"]).matches.first?.hostname }
                }
                return try await group.reduce(into: [String?: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(names == ["dgx-01": 10, "dgx-02": 10, "dgx-03": 10])
            #expect(server.counters.requests == 30)
        }
    }

    @Test func aCancelledRequestEndsAtOnce() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("fault", "hang-header")
            let client = try cluster.client(server, requestTimeout: .seconds(60))
            let task = Task { await code { () async throws(BCMError) in try await client.devices() } }
            #expect(await eventually { server.counters.requests == 1 })
            let clock = ContinuousClock()
            let start = clock.now
            task.cancel()
            #expect(await task.value == .cancelled)
            #expect(start.duration(to: clock.now) < .seconds(20))
        }
    }
}
