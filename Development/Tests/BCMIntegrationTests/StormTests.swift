import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import FoundationEssentials
import Testing

/// Many requests, cancellations and dying head nodes at once.
@Suite(.serialized) struct StormTests {
    /// How many file descriptors this process has open.
    private static func descriptors() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }

    /// How many threads of clients there are.
    private static func threads() -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return names.count { name in
            (try? String(contentsOfFile: "/proc/self/task/\(name)/comm", encoding: .utf8))?.hasPrefix("bcm-") == true
        }
    }

    @Test func twoHundredDifferentRequestsAtOnceAllGetTheirOwnAnswer() async throws {
        try await TestCluster.served { cluster, server in
            // The first request of a process opens what stays open for all of them.
            let threads = Self.threads()
            do {
                let first = try cluster.client(server)
                _ = try await first.license()
                first.shutDown()
            }
            try #require(await eventually { Self.threads() <= threads })
            let (before, earlier) = (Self.descriptors(), server.counters.requests)
            do {
                let client = try cluster.client(server, requestTimeout: .seconds(120))
                let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for index in 0..<200 {
                        group.addTask {
                            switch index % 5 {
                            case 0:
                                try await client.lookUp(["dgx-0\(index % 3 + 1)"]).matches.first?.hostname
                                    == "dgx-0\(index % 3 + 1)"
                            case 1: try await client.license().nodeCount == 5
                            case 2: try await client.status(of: NodeRange("dgx-02")).map(\.hostname) == ["dgx-02"]
                            case 3: try await client.call("cmdevice", "getDevice", ["dgx-03"])["hostname"] == "dgx-03"
                            default: try await client.latestValues(entity: "dgx-01", measurable: "LoadOne").count == 1
                            }
                        }
                    }
                    return try await group.reduce(0) { $1 ? $0 : $0 + 1 }
                }
                #expect(wrong == 0)
                #expect(server.counters.requests == earlier + 200 && client.connectionsOpened <= 8)
                client.shutDown()
            }
            #expect(await eventually { Self.descriptors() <= before }, "\(Self.descriptors()) and \(before) before")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func aThousandCancellationsWhileHeadNodesDieAndReturnLeaveNothingBehind() async throws {
        try await TestCluster.with { cluster in
            try await cluster.serving("head-a") { first in
                try await cluster.serving("head-b") { second in
                    try cluster.set("latency", "2")
                    let (descriptors, threads) = (Self.descriptors(), Self.threads())
                    var outcomes: [String: Int] = [:]
                    do {
                        let client = try cluster.client(
                            first, second, connectTimeout: .seconds(2), requestTimeout: .seconds(5))
                        let faults = Task {
                            var round = 0
                            while !Task.isCancelled {
                                let heads = round % 2 == 0 ? ("head-a", "head-b") : ("head-b", "head-a")
                                let kinds = ["refuse", "reset", "hang-header", "status-503", "truncate", "hang-tls"]
                                try cluster.set("fault", "none", on: heads.1)
                                try cluster.set("fault", kinds[round % kinds.count], on: heads.0)
                                round += 1
                                try? await Task.sleep(for: .milliseconds(150))
                            }
                        }
                        outcomes = await Self.cancelAThousand(client)
                        faults.cancel()
                        _ = try? await faults.value
                        try cluster.set("fault", "none")
                        #expect(
                            await eventually {
                                (try? await client.lookUp(["dgx-01"]))?.matches.first?.hostname == "dgx-01"
                            },
                            "the client still works")
                        client.shutDown()
                    }
                    #expect(outcomes.values.reduce(0, +) == 1000, "\(outcomes)")
                    #expect(outcomes["wrong"] == nil, "\(outcomes)")
                    // Both come about often; how often depends on how busy the machine is.
                    #expect((outcomes["cancelled"] ?? 0) > 20 && (outcomes["right"] ?? 0) > 20, "\(outcomes)")
                    let known: Set = [
                        "right", "cancelled", "not reachable", "connection lost", "timed out", "unavailable",
                    ]
                    #expect(Set(outcomes.keys).isSubset(of: known), "\(outcomes)")
                    #expect(
                        await eventually { Self.descriptors() <= descriptors && Self.threads() <= threads },
                        "\(Self.descriptors()) descriptors, \(descriptors) before; \(Self.threads()) threads, \(threads) before"
                    )
                }
            }
        }
    }

    /// Makes a thousand requests, 20 at a time, each cancelled at a random moment; what came of them.
    private static func cancelAThousand(_ client: RESTClient) async -> [String: Int] {
        await withTaskGroup(of: String.self) { group in
            var outcomes: [String: Int] = [:]
            for index in 0..<1000 {
                if index >= 20, let outcome = await group.next() { outcomes[outcome, default: 0] += 1 }
                group.addTask {
                    let name = "dgx-0\(index % 3 + 1)"
                    let request = Task { () -> String in
                        do throws(BCMError) {
                            let names = try await client.lookUp([name]).matches.map(\.hostname)
                            return names == [name] ? "right" : "wrong"
                        } catch {
                            return "\(error.code)"
                        }
                    }
                    try? await Task.sleep(for: .microseconds(Int.random(in: 0...400_000)))
                    request.cancel()
                    return await request.value
                }
            }
            for await outcome in group { outcomes[outcome, default: 0] += 1 }
            return outcomes
        }
    }
}
