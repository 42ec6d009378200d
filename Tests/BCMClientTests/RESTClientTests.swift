import CommandExecution
import Logging
import Testing

@testable import BCMClient

@Suite(.serialized, .enabled(if: Peer.isPossible, "needs python3 and openssl"))
struct RESTClientTests {
    @Test func aNodeIsFoundOverMutualTLS() async throws {
        try await withPeer("ok", authority: "ca") { peer in
            let client = try peer.client()
            let lookup = try await client.lookUp(["dgx-01.cluster.local"])
            #expect(lookup.matches.map(\.roles) == [["slurmclient"]])
            #expect(lookup.deviceCount == 3)
            #expect(lookup.devicesShowingRoles == 2)
            let headNode = try peer.headNode()
            #expect(lookup.headNode == headNode)
            #expect(try await client.devices().map(\.hostname) == ["dgx-01", "head-a", "dgx-02"])
            #expect(try await client.lookUp(["dgx-09"]).matches.isEmpty)
        }
    }

    @Test func versionsAreRead() async throws {
        let answer = """
            {"build_hash":"daf30669f1","build_index":152175,"cm_version":"9.2","cmd_version":"2.2",
            "database_version":36280}
            """
        try await withPeer("ok", answer: answer) { peer in
            let version = try await peer.client().version()
            #expect(version.clusterManager == "9.2")
            #expect(version.cmdaemon == "2.2")
            #expect(version.buildIndex == 152_175)
            #expect(version.buildHash == "daf30669f1")
            #expect(version.databaseVersion == 36_280)
        }
        try await withPeer("ok", answer: "[]") { peer in
            let error = await failure { _ = try await peer.client().version() }
            #expect(error?.code == .notUnderstood)
        }
    }

    @Test func manyRequestsUseOneConnection() async throws {
        try await withPeer("ok") { peer in
            let client = try peer.client()
            for _ in 0..<20 { _ = try await client.lookUp(["dgx-01"]) }
            #expect(client.connectionsOpened == 1)
            #expect(client.requestsSent == 20)
            #expect(peer.events().count { $0 == "connection" } == 1)
            #expect(peer.events().count { $0 == "request /rest/v1/device" } == 20)
        }
    }

    @Test func aConnectionThatTheServerClosedIsOpenedAgain() async throws {
        for behaviour in ["close", "close-silently"] {
            try await withPeer(behaviour) { peer in
                let client = try peer.client()
                for _ in 0..<3 { _ = try await client.lookUp(["dgx-01"]) }
                #expect(client.connectionsOpened == 3)
                // A resumed session would check no certificate, and show an earlier one of ours.
                #expect(!peer.events().contains("resumed"))
            }
        }
    }

    @Test func twoHundredRequestsAtOnceShareFewConnections() async throws {
        try await withPeer("slow") { peer in
            let client = try peer.client()
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 { group.addTask { try await client.lookUp(["dgx-01"]).matches.count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts == Array(repeating: 1, count: 200))
            #expect(client.requestsSent == 200)
            #expect(client.connectionsOpened <= TransferEngine.transfersAtOnce)
            #expect(peer.events().count { $0 == "connection" } == client.connectionsOpened)
        }
    }

    @Test(arguments: ["chunked", "gzip", "close"])
    func answersInOtherFramingsAreRead(_ behaviour: String) async throws {
        try await withPeer(behaviour) { peer in
            let devices = try await peer.client().devices()
            #expect(devices.count == 3)
        }
    }

    @Test(arguments: [
        (401, BCMError.Code.notAuthorised), (403, .notAuthorised), (404, .notFound), (429, .unavailable),
        (500, .unavailable), (503, .unavailable), (418, .notUnderstood), (204, .notUnderstood),
    ])
    func statusesAreToldApart(_ status: Int, _ code: BCMError.Code) async throws {
        try await withPeer("ok", answer: status == 204 ? "" : "no\nway", status: status) { peer in
            let client = try peer.client()
            let headNode = try peer.headNode()
            let error = await failure { _ = try await client.lookUp(["dgx-01"]) }
            #expect(error?.code == code)
            #expect(error?.headNode == headNode)
            #expect(error?.remedy != nil)
            let text = status == 204 ? "status 204" : "status \(status) (no way)"
            #expect(error?.reason == "it answered with \(text)")
            // The connection is still good.
            _ = await failure { _ = try await client.lookUp(["dgx-01"]) }
            #expect(client.connectionsOpened == 1)
        }
    }

    @Test func redirectionsAreNotFollowed() async throws {
        try await withPeer("redirect") { peer in
            let error = await failure { _ = try await peer.client().devices() }
            #expect(error?.code == .notUnderstood)
            #expect(error?.reason.contains("which points to https://other.example:8081/rest/v1/device") == true)
        }
    }

    @Test(arguments: ["{}", "", "<html>", "[{}]", "[{\"hostname\":\"a\"}"])
    func answersThatAreNoDeviceListAreNotUnderstood(_ answer: String) async throws {
        try await withPeer("ok", answer: answer) { peer in
            let error = await failure { _ = try await peer.client().lookUp(["dgx-01"]) }
            #expect(error?.code == .notUnderstood)
        }
    }

    @Test(arguments: ["truncated", "chunked-truncated", "reset"])
    func anAnswerThatBreaksOffIsALostConnection(_ behaviour: String) async throws {
        try await withPeer(behaviour) { peer in
            let error = await failure { _ = try await peer.client().lookUp(["dgx-01"]) }
            #expect(error?.code == .connectionLost)
        }
    }

    @Test(arguments: ["garbage", "garbage-http"])
    func aServerThatSpeaksSomethingElseIsNotUnderstood(_ behaviour: String) async throws {
        try await withPeer(behaviour) { peer in
            let error = await failure { _ = try await peer.client().lookUp(["dgx-01"]) }
            #expect(error?.code == .notUnderstood, "\(String(describing: error))")
        }
    }

    @Test(arguments: ["ok", "chunked", "gzip"])
    func answersBeyondTheLimitAreRefused(_ behaviour: String) async throws {
        let spaces = String(repeating: " ", count: 300_000)
        try await withPeer(behaviour, answer: "[" + spaces + "]") { peer in
            let error = await failure { _ = try await peer.client { $0.answerLimit = 200_000 }.devices() }
            #expect(error?.code == .tooLarge)
            #expect(error?.reason == "the answer is larger than 200000 bytes")
            let enough = try peer.client { $0.answerLimit = 300_002 }
            #expect(try await enough.devices().isEmpty)
        }
    }

    @Test func anEndlessAnswerIsCutOffAtTheLimit() async throws {
        try await withPeer("endless") { peer in
            let error = await failure { _ = try await peer.client { $0.answerLimit = 1 << 20 }.devices() }
            #expect(error?.code == .notUnderstood || error?.code == .tooLarge)
        }
    }

    @Test func endlessHeadersAreRefused() async throws {
        try await withPeer("headers-without-end") { peer in
            let error = await failure { _ = try await peer.client().devices() }
            #expect(error?.code == .tooLarge)
        }
    }

    @Test func connectivityIsReported() async throws {
        try await withPeer("ok", authority: "ca") { peer in
            let pin = try Certificate.read(file: peer.certificates.file("server.pem")).publicKeyPin
            let report = await (try peer.client()).checkConnectivity(of: try peer.headNode())
            #expect(report.isReachable)
            #expect(report.isTrusted == true)
            #expect(report.isAuthorised == true)
            #expect(report.deviceCount == 3)
            #expect(report.devicesShowingRoles == 2)
            #expect(report.latency != nil)
            #expect(report.serverKey == pin)
            #expect(report.error == nil)

            let stranger = try peer.client {
                $0.certificateFile = nil; $0.keyFile = nil
            }
            let refused = await stranger.checkConnectivity(of: try peer.headNode())
            #expect(refused.isReachable)
            #expect(refused.isTrusted == true)
            #expect(refused.isAuthorised == false)

            let misled = try peer.client { $0.trust = .authority(file: peer.certificates.file("other-ca.pem")) }
            let untrusted = await misled.checkConnectivity(of: try peer.headNode())
            #expect(untrusted.isReachable)
            #expect(untrusted.isTrusted == false)
            #expect(untrusted.isAuthorised == nil)
        }
    }

    @Test func nobodyThereIsNotReachable() async throws {
        let configuration = RESTClient.Configuration(
            headNodes: [HeadNode(host: "127.0.0.1", port: 1)], trust: .insecure)
        let client = try RESTClient(
            configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let error = await failure { _ = try await client.devices() }
        #expect(error?.code == .notReachable)
        #expect("\(try #require(error))".hasPrefix("127.0.0.1:1: not reachable: "))
        let report = await client.checkConnectivity(of: HeadNode(host: "127.0.0.1", port: 1))
        #expect(!report.isReachable)
        #expect(report.isTrusted == nil)
    }
}
