import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import FleetTargets
import FoundationEssentials
import Logging
import PromTargets
import RoleMonitor
import Testing

/// A directory of target files as monitors left it, beside a simulated cluster where dgx-01 and dgx-02 have the role,
/// dgx-03 has lost it, and `dead` is gone.
private struct FleetSite {
    let path: String
    var configuration: MonitorConfiguration

    init(_ cluster: TestCluster, _ servers: SimulatorServer...) throws {
        let made = try cluster.cmsh(
            "device use dgx-01; roles; assign slurmclient; commit; device use dgx-02; roles; assign slurmclient; commit"
        )
        #expect(made.errors.isEmpty)
        path = try TestCluster.scratchPath("targets")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        configuration = MonitorConfiguration(headNodes: servers.map { "127.0.0.1:\($0.port)" })
        configuration.certificateFile = cluster.authority.adminCertificate
        configuration.keyFile = cluster.authority.adminKey
        configuration.authorityFile = cluster.authority.certificateFile
        configuration.requestTimeout = .seconds(3)
        configuration.roleLossDelay = .milliseconds(10)
        configuration.targetsDirectory = path
        configuration.areRolesVisible = true
        for name in ["dgx-01", "dgx-03", "dead"] {
            try TargetDirectory(path: path).write(try configuration.targetGroups(of: name), named: name)
        }
    }

    var fleet: Fleet {
        Fleet(
            configuration: configuration, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func names() throws -> [String] { try TargetDirectory(path: path).names() }
}

@Suite struct FleetTests {
    @Test func pruneRemovesWhatLostTheRoleAndWhatIsGone() async throws {
        try await TestCluster.served { cluster, server in
            let site = try FleetSite(cluster, server)
            #expect(try await site.fleet.prune().outcome == .fine)
            #expect(try site.names() == ["dead", "dgx-01", "dgx-03"])
            let report = try await site.fleet.prune(isDryRun: false)
            #expect(report.outcome == .fine, "\(report.table())")
            #expect(try site.names() == ["dgx-01"])
        }
    }

    @Test func syncFollowsRolesRenamesAndRemovals() async throws {
        try await TestCluster.served { cluster, server in
            let site = try FleetSite(cluster, server)
            let fleet = site.fleet
            #expect(try await fleet.synchronize().outcome == .fine)
            #expect(try site.names() == ["dgx-01", "dgx-02"])
            try cluster.set("rename-node", "dgx-01=dgx-11")
            #expect(try await fleet.synchronize().outcome == .fine)
            #expect(try site.names() == ["dgx-02", "dgx-11"])
            try cluster.set("remove-node", "dgx-11")
            #expect(try await fleet.synchronize().outcome == .fine)
            #expect(try site.names() == ["dgx-02"])
        }
    }

    @Test func loopFollowsRolesSurvivesAnOutageAndEndsWhenCancelled() async throws {
        try await TestCluster.served { cluster, server in
            let site = try FleetSite(cluster, server)
            let fleet = site.fleet
            let loop = Task { try await fleet.keepSynchronized(every: .seconds(1), jitter: .zero) }
            #expect(await eventually { (try? site.names()) == ["dgx-01", "dgx-02"] })
            try cluster.set("fault", "status-503")
            _ = try cluster.cmsh("device use dgx-03; roles; assign slurmclient; commit")
            // Another sync of the same directory waits for its turn.
            let second = await #expect(throws: FleetError.self) { try await site.fleet.synchronize() }
            #expect(second?.code == .locked)
            #expect(try site.names() == ["dgx-01", "dgx-02"])
            try cluster.set("fault", "none")
            #expect(await eventually { (try? site.names()) == ["dgx-01", "dgx-02", "dgx-03"] })
            loop.cancel()
            try await loop.value
        }
    }

    /// Everything that can go wrong with an answer, and how it is told.
    static let faults: [(Fault, FleetReport.Outcome)] = [
        (.refuse, .unknown), (.hangConnect, .unknown), (.hangTLS, .unknown), (.oldTLS, .unknown),
        (.expiredCertificate, .notAuthorised), (.wrongCA, .notAuthorised), (.wrongName, .notAuthorised),
        (.hangHeader, .unknown), (.hangBody, .unknown), (.slow, .unknown), (.reset, .unknown), (.truncate, .unknown),
        (.garbage, .unknown), (.wrongType, .unknown), (.redirect, .unknown), (.status401, .notAuthorised),
        (.status403, .notAuthorised), (.status404, .unknown), (.status429, .unknown), (.status500, .unknown),
        (.status503, .unknown), (.rolesInvisible, .unknown), (.roleMissing, .unknown), (.hostMissing, .unknown),
    ]

    @Test(arguments: faults)
    func unknownAnswerRemovesNothing(fault: Fault, outcome: FleetReport.Outcome) async throws {
        try await TestCluster.with { cluster in
            try cluster.set("fault", fault.rawValue)
            try await cluster.serving("head-a") { server in
                let site = try FleetSite(cluster, server)
                let report = try await site.fleet.prune(isDryRun: false, removing: .atMost(1000))
                #expect(report.outcome == outcome, "\(report.table())")
                #expect(report.files.allSatisfy { $0.state == .undecided && $0.action == .none })
                #expect(try await site.fleet.synchronize(removing: .atMost(1000)).outcome == outcome)
                #expect(try site.names() == ["dead", "dgx-01", "dgx-03"])
            }
        }
    }

    @Test func headNodesThatDisagreeRemoveNothing() async throws {
        try await TestCluster.with { cluster in
            try await cluster.serving("head-a") { first in
                try await cluster.serving("head-b") { second in
                    let site = try FleetSite(cluster, first, second)
                    // The second head node shows the role of no node.
                    try cluster.set("fault", "role-missing", on: "head-b")
                    let report = try await site.fleet.prune(isDryRun: false)
                    #expect(report.outcome == .unknown, "\(report.table())")
                    #expect(try site.names() == ["dead", "dgx-01", "dgx-03"])
                    try cluster.set("fault", "refuse", on: "head-b")
                    #expect(
                        await eventually {
                            (try? await site.fleet.prune(isDryRun: false).outcome) == .fine
                                && (try? site.names()) == ["dgx-01"]
                        }, "a head node that is down does not vote")
                }
            }
        }
    }

    @Test func roleThatMayBeHiddenOnTheNodeIsUndecided() async throws {
        try await TestCluster.served { cluster, server in
            var site = try FleetSite(cluster, server)
            site.configuration.areRolesVisible = false
            let report = try await site.fleet.prune(isDryRun: false)
            #expect(report.outcome == .unknown)
            #expect(try site.names() == ["dgx-01", "dgx-03"], "only the node that is gone is certain")
        }
    }

    @Test func largeFleetIsSynchronisedInOneRequest() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("generate-devices", "2000")
            let site = try FleetSite(cluster, server)
            let before = server.counters.requests
            let report = try await site.fleet.synchronize()
            #expect(report.files.count { $0.action == .written } == 2001, "\(report.summary)")
            #expect(server.counters.requests - before == 2, "one look, and the second before removals")
            let again = try await site.fleet.check()
            #expect(again.outcome == .fine, "\(again.summary)")
        }
    }
}
