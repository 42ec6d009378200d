import CommandExecution
import Glibc
import Logging
import Synchronization
import Testing

@testable import BCMClient

struct NameResolverTests {
    @Test func addressesNeedNoLookUp() async throws {
        let resolver = NameResolver(look: { _ in .failure(.init(reason: "asked")) })
        for address in ["127.0.0.1", "::1"] {
            #expect(try await resolver.addresses(of: address, within: .seconds(1))?.get() == [address])
        }
    }

    @Test func aNameServerThatHangsCostsOnlyTheTimeAllowed() async throws {
        let gate = Promise<Void>()
        defer { gate.fulfil(()) }
        let resolver = NameResolver(look: { _ in
            // A thread of its own may block; it is let go when the test ends.
            while !gate.isFulfilled { usleep(1000) }
            return .success(["127.0.0.1"])
        })
        let time = await ContinuousClock().measure {
            let answer = await resolver.addresses(of: "head-a", within: .milliseconds(100))
            #expect(answer == nil)
        }
        #expect(time < .seconds(20))
    }

    @Test func oldAddressesServeWhileNoFreshOnesCome() async throws {
        let answers = Mutex([NameResolver.Answer.success(["127.0.0.2"])])
        let resolver = NameResolver(
            freshness: .zero, patience: .milliseconds(50),
            look: { _ in
                answers.withLock { $0.popLast() } ?? .failure(.init(reason: "no server"))
            })
        #expect(try await resolver.addresses(of: "head-a", within: .seconds(5))?.get() == ["127.0.0.2"])
        #expect(try await resolver.addresses(of: "head-a", within: .seconds(5))?.get() == ["127.0.0.2"])
        answers.withLock { $0 = [.success(["127.0.0.3"])] }
        #expect(try await resolver.addresses(of: "head-a", within: .seconds(5))?.get() == ["127.0.0.3"])
    }

    @Test func freshAddressesAreNotAskedForAgain() async throws {
        let count = Mutex(0)
        let resolver = NameResolver(look: { _ in
            count.withLock { $0 += 1 }
            return .success(["127.0.0.1"])
        })
        for _ in 0..<5 { _ = await resolver.addresses(of: "head-a", within: .seconds(5)) }
        #expect(count.withLock { $0 } == 1)
        resolver.distrust("head-a")
        _ = await resolver.addresses(of: "head-a", within: .seconds(5))
        #expect(count.withLock { $0 } == 2)
    }

    @Test func namesOfThisMachineResolve() throws {
        #expect(try NameResolver.systemLookUp("localhost").get().contains("127.0.0.1"))
        #expect(throws: NameResolver.ResolutionFailure.self) {
            try NameResolver.systemLookUp("no-such-host.invalid").get()
        }
    }

    @Test func anUnknownNameIsNotReachable() async throws {
        let configuration = RESTClient.Configuration(headNodes: [HeadNode(host: "head-z")], trust: .insecure)
        let client = try RESTClient(
            configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            resolver: NameResolver(look: { _ in .failure(.init(reason: "Name or service not known")) }))
        let error = await failure { _ = try await client.devices() }
        #expect(
            "\(try #require(error))" == """
                head-z:8081: not reachable: the name has no address (Name or service not known); check the name of the \
                head node, and that a name server answers
                """)
    }
}
