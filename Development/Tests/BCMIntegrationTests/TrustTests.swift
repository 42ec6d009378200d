import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import Testing

@Suite struct TrustTests {
    /// A situation, whether host names are verified, and the outcome under: authority, pin, first use with a known key,
    /// no verification.
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        var verifiesHostname = true
        var authority: BCMError.Code?
        var pin: BCMError.Code?
        var testDescription: String { "\(fault), host name \(verifiesHostname ? "verified" : "not verified")" }
    }

    @Test(arguments: [
        Case(fault: "none"), Case(fault: "expired-certificate", authority: .notTrusted),
        Case(fault: "wrong-ca", authority: .notTrusted, pin: .notTrusted),
        Case(fault: "wrong-name", authority: .notTrusted), Case(fault: "wrong-name", verifiesHostname: false),
        Case(fault: "changed-key", pin: .notTrusted),
        Case(fault: "wrong-ca", verifiesHostname: false, authority: .notTrusted, pin: .notTrusted),
    ])
    func everyKindOfTrustSeesWhatItCanSee(_ situation: Case) async throws {
        try await TestCluster.with { cluster in
            try cluster.set("fault", situation.fault)
            try await cluster.serving("head-a") { server in
                func outcome(_ trust: ServerTrust?) async throws -> BCMError.Code? {
                    let client = try cluster.client(
                        server, trust: trust, verifiesHostname: situation.verifiesHostname)
                    return await code { () async throws(BCMError) in try await client.version() }
                }
                let usual = try cluster.pin(of: "names")
                #expect(try await outcome(nil) == situation.authority)
                #expect(try await outcome(.pinnedKeys([usual])) == situation.pin)
                #expect(try await outcome(.firstUse(known: [server.headNode: usual])) == situation.pin)
                #expect(try await outcome(.firstUse()) == nil)
                #expect(try await outcome(.insecure) == nil)
            }
        }
    }

    @Test func certificatesWithoutNamesVerifyByChainAlone() async throws {
        try await TestCluster.with { cluster in
            try cluster.set("head-names-in-certificate", "no")
            try await cluster.serving("head-a") { server in
                let strict = try cluster.client(server)
                #expect(await code { () async throws(BCMError) in try await strict.version() } == .notTrusted)
                let lenient = try cluster.client(server, verifiesHostname: false)
                #expect(await code { () async throws(BCMError) in try await lenient.version() } == nil)
            }
        }
    }

    @Test func theFirstKeySeenIsRememberedAndALaterOneRefused() async throws {
        try await TestCluster.served { cluster, server in
            let client = try cluster.client(server, trust: .firstUse())
            #expect(client.seenKeys.isEmpty)
            _ = try await client.version()
            #expect(client.seenKeys == [server.headNode: try cluster.pin(of: "names")])
            try cluster.set("fault", "changed-key")
            #expect(await code { () async throws(BCMError) in try await client.version() } == .notTrusted)
            #expect(client.seenKeys == [server.headNode: try cluster.pin(of: "names")])
            try cluster.set("fault", "none")
            #expect(await code { () async throws(BCMError) in try await client.version() } == nil)
        }
    }

    @Test func connectivityReportsTellWhatIsWrong() async throws {
        try await TestCluster.served { cluster, server in
            let client = try cluster.client(server)
            let good = await client.checkConnectivity(of: server.headNode)
            #expect(good.isReachable && good.isTrusted == true && good.isAuthorised == true)
            #expect(good.deviceCount == 5 && good.devicesShowingRoles == 2)
            #expect(good.serverKey == (try cluster.pin(of: "names")))
            try cluster.set("fault", "wrong-ca")
            let untrusted = await client.checkConnectivity(of: server.headNode)
            #expect(untrusted.isReachable && untrusted.isTrusted == false)
            try cluster.set("fault", "status-403")
            let refused = await client.checkConnectivity(of: server.headNode)
            #expect(refused.isReachable && refused.isTrusted == true && refused.isAuthorised == false)
            try cluster.set("fault", "refuse")
            #expect(await eventually { await !client.checkConnectivity(of: server.headNode).isReachable })
        }
    }
}
