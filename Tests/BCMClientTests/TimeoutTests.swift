import FoundationEssentials
import Logging
import Testing

@testable import BCMClient

@Suite(.serialized, .enabled(if: Peer.isPossible, "needs python3 and openssl"))
struct TimeoutTests {
    private func elapsed(_ body: () async throws -> Void) async rethrows -> Duration {
        try await ContinuousClock().measure { try await body() }
    }

    @Test(arguments: [("hang-connect", BCMError.Code.notReachable), ("hang-handshake", .notReachable)])
    func aConnectionThatDoesNotComeAboutTakesTheConnectTimeout(_ behaviour: String, _ code: BCMError.Code) async throws
    {
        try await withPeer(behaviour) { peer in
            let client = try peer.client { $0.connectTimeout = .seconds(1) }
            let time = await elapsed {
                let error = await failure { _ = try await client.devices() }
                #expect(error?.code == code, "\(String(describing: error))")
            }
            #expect(time >= .milliseconds(950) && time < .seconds(10))
        }
    }

    @Test(arguments: ["hang-headers", "hang-body"])
    func anAnswerThatDoesNotComeTakesTheRequestTimeout(_ behaviour: String) async throws {
        try await withPeer(behaviour) { peer in
            let client = try peer.client { $0.requestTimeout = .seconds(2) }
            let time = await elapsed {
                let error = await failure { _ = try await client.devices() }
                #expect(error?.code == .timedOut, "\(String(describing: error))")
            }
            #expect(time >= .milliseconds(1950) && time < .seconds(12))
            let ended = try await peer.wait { peer.events().contains("closed") }
            #expect(ended, "the connection is closed")
        }
    }

    @Test func cancellationEndsTheTransferAtOnce() async throws {
        try await withPeer("hang-headers") { peer in
            let client = try peer.client { $0.requestTimeout = .seconds(60) }
            let task = Task { await failure { _ = try await client.devices() } }
            let arrived = try await peer.wait { peer.events().contains("request /rest/v1/device") }
            #expect(arrived)
            let time = await elapsed {
                task.cancel()
                #expect(await task.value?.code == .cancelled)
            }
            #expect(time < .seconds(20))
            let ended = try await peer.wait { peer.events().contains("closed") }
            #expect(ended, "the connection is closed")
        }
    }

    @Test func cancellationOfOneRequestLeavesTheOthersAlone() async throws {
        let listeners = [
            PeerListener(name: "hanging", behaviour: "hang-headers"), PeerListener(name: "good", behaviour: "slow"),
        ]
        try await withPeer(listeners) { peer in
            let client = try peer.client(["good", "hanging"])
            let hanging = try peer.headNode("hanging")
            let tasks = (0..<20).map { _ in Task { await failure { _ = try await client.devices(at: hanging) } } }
            async let good = withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await client.devices().count } }
                return try await group.reduce(0, +)
            }
            for task in tasks { task.cancel() }
            for task in tasks { #expect(await task.value?.code == .cancelled) }
            #expect(try await good == 60)
        }
    }

    @Test func aTaskThatIsCancelledBeforehandSendsNothing() async throws {
        try await withPeer("ok") { peer in
            let client = try peer.client()
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { _ = try await client.devices() }
            }
            #expect(await task.value?.code == .cancelled)
        }
    }

    @Test func shuttingDownEndsWhatIsOnItsWay() async throws {
        try await withPeer("hang-headers") { peer in
            let client = try peer.client { $0.requestTimeout = .seconds(60) }
            let tasks = (0..<20).map { _ in Task { await failure { _ = try await client.devices() } } }
            let arrived = try await peer.wait { peer.events().contains("request /rest/v1/device") }
            #expect(arrived)
            client.shutDown()
            for task in tasks { #expect(await task.value?.code == .cancelled) }
            #expect(await failure { _ = try await client.devices() }?.code == .cancelled)
            let ended = try await peer.wait { peer.events().contains("closed") }
            #expect(ended)
        }
    }

    @Test func aReleasedClientClosesItsConnections() async throws {
        try await withPeer("ok") { peer in
            do {
                let client = try peer.client()
                _ = try await client.devices()
                #expect(!peer.events().contains("closed"))
            }
            let ended = try await peer.wait { peer.events().contains("closed") }
            #expect(ended)
        }
    }

    @Test func manyClientsLeaveNoThreadsBehind() async throws {
        func threads() -> Int {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
            return names.count { name in
                let path = "/proc/self/task/\(name)/comm"
                return (try? String(contentsOfFile: path, encoding: .utf8)) == "bcm-transfers\n"
            }
        }
        try await withPeer("ok") { peer in
            do {
                let clients = try (0..<30).map { _ in try peer.client() }
                for client in clients { _ = try await client.devices() }
                #expect(threads() >= 30)
                withExtendedLifetime(clients) {}
            }
            // Other suites have clients of their own meanwhile, but not as many.
            let ended = try await peer.wait { threads() < 20 }
            #expect(ended)
        }
    }

    @Test func requestsThatWaitForADeadHeadNodeFailWithTheFirst() async throws {
        try await withPeer("hang-handshake") { peer in
            let client = try peer.client { $0.connectTimeout = .seconds(2) }
            let time = try await elapsed {
                let codes = try await withThrowingTaskGroup(of: BCMError.Code?.self) { group in
                    for _ in 0..<60 { group.addTask { await failure { _ = try await client.devices() }?.code } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(codes.allSatisfy { $0 == .notReachable })
            }
            // Not 60 / 8 times the time-out.
            #expect(time < .seconds(9))
        }
    }
}
