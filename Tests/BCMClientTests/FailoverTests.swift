import Logging
import Testing

@testable import BCMClient

@Suite(.serialized, .enabled(if: Peer.isPossible, "needs python3 and openssl"))
struct FailoverTests {
    @Test func theSecondHeadNodeAnswersWhenTheFirstIsGone() async throws {
        let listeners = [
            PeerListener(name: "dead", behaviour: "hang-handshake"), PeerListener(name: "b", behaviour: "ok"),
        ]
        try await withPeer(listeners) { peer in
            let client = try peer.client(["dead", "b"]) { $0.connectTimeout = .seconds(1) }
            let good = try peer.headNode("b")
            for _ in 0..<5 { #expect(try await client.lookUp(["dgx-01"]).headNode == good) }
            // The time-out was paid once, and one connection sufficed afterwards.
            #expect(peer.events("dead").count { $0 == "connection" } == 1)
            #expect(peer.events("b").count { $0 == "connection" } == 1)
        }
    }

    @Test(arguments: ["reset", "truncated", "garbage", "redirect"])
    func anyFailureLeadsToTheNextHeadNode(_ behaviour: String) async throws {
        let listeners = [PeerListener(name: "a", behaviour: behaviour), PeerListener(name: "b", behaviour: "ok")]
        try await withPeer(listeners) { peer in
            let client = try peer.client(["a", "b"])
            let good = try peer.headNode("b")
            #expect(try await client.lookUp(["dgx-01"]).headNode == good)
        }
    }

    @Test func aStandbyThatRefusesIsPassedOver() async throws {
        let listeners = [
            PeerListener(name: "a", behaviour: "ok", status: 503),
            PeerListener(name: "b", behaviour: "ok", status: 403),
            PeerListener(name: "c", behaviour: "ok"),
        ]
        try await withPeer(listeners) { peer in
            let client = try peer.client(["a", "b", "c"])
            let good = try peer.headNode("c")
            #expect(try await client.lookUp(["dgx-01"]).headNode == good)
            #expect(try await client.lookUp(["dgx-01"]).headNode == good)
            #expect(peer.events("a").count { $0.hasPrefix("request") } == 1)
        }
    }

    @Test func oneHeadNodeCanBeAskedAlone() async throws {
        let listeners = [
            PeerListener(name: "a", behaviour: "ok", status: 503), PeerListener(name: "b", behaviour: "ok"),
        ]
        try await withPeer(listeners) { peer in
            let client = try peer.client(["a", "b"])
            let (first, second) = (try peer.headNode("a"), try peer.headNode("b"))
            let error = await failure { _ = try await client.lookUp(["dgx-01"], at: first) }
            #expect(error?.code == .unavailable)
            #expect(error?.headNode == first)
            #expect(try await client.lookUp(["dgx-01"], at: second).headNode == second)
        }
    }

    @Test func whenAllFailEachFailureIsTold() async throws {
        let listeners = [
            PeerListener(name: "a", behaviour: "ok", status: 503),
            PeerListener(name: "b", behaviour: "ok", status: 403),
        ]
        try await withPeer(listeners) { peer in
            let error = await failure { _ = try await peer.client(["a", "b"]).devices() }
            #expect(error?.code == .notAuthorised)
            #expect(error?.headNode == nil)
            #expect(error?.underlying.map(\.code) == [.unavailable, .notAuthorised])
            let (first, second) = (try peer.headNode("a"), try peer.headNode("b"))
            #expect(error?.underlying.map(\.headNode) == [first, second])
            #expect(error?.description.contains("\(first): unavailable: ") == true)
            #expect(error?.description.contains("\(second): not authorised: ") == true)
        }
    }
}

struct HeadNodeOrderTests {
    private let nodes = ["a", "b", "c"].map { HeadNode(host: $0) }

    private func names(_ order: HeadNodeOrder, after: Duration = .zero) -> String {
        order.candidates(now: .now + after).map(\.host).joined()
    }

    @Test func theLastGoodOneIsFirst() {
        let order = HeadNodeOrder(nodes)
        #expect(names(order) == "abc")
        order.succeeded(nodes[2])
        #expect(names(order) == "cab")
        order.succeeded(nodes[1])
        #expect(names(order) == "bac")
    }

    @Test func onesThatFailedComeLastForAWhile() {
        let order = HeadNodeOrder(nodes, memory: .seconds(60))
        order.failed(nodes[0])
        #expect(names(order) == "bca")
        #expect(names(order, after: .seconds(59)) == "bca")
        #expect(names(order, after: .seconds(61)) == "abc")
        order.succeeded(nodes[1])
        order.failed(nodes[1])
        #expect(names(order) == "cab")
        order.succeeded(nodes[0])
        #expect(names(order) == "acb")
    }
}
