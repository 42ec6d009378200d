import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import Logging
import Testing

/// What happens when the first head node cannot be used: which one answers, how long it takes, and what is said.
@Suite(.serialized) struct FailoverTableTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: Fault
        /// What the log says of the first head node.
        var said: String
        /// Which time-out bounds the first request.
        var bound: Duration
        var pins = false
        var testDescription: String { fault.rawValue }
    }

    static let connectTimeout = Duration.seconds(1)
    static let requestTimeout = Duration.seconds(3)

    @Test(arguments: [
        Case(fault: .refuse, said: "not reachable", bound: .zero),
        // A listener whose queue is full: the kernel drops what comes, as a firewall or a host without power does.
        Case(fault: .hangConnect, said: "not reachable: no connection came about in time", bound: connectTimeout),
        Case(fault: .hangTLS, said: "not reachable: no connection came about in time", bound: connectTimeout),
        Case(fault: .slow, said: "timed out", bound: requestTimeout),
        Case(fault: .hangHeader, said: "timed out", bound: requestTimeout),
        Case(fault: .status503, said: "unavailable: it answered with status 503", bound: .zero),
        Case(fault: .changedKey, said: "not trusted: the server's key is", bound: .zero, pins: true),
        Case(
            fault: .expiredCertificate, said: "not trusted: SSL certificate problem: certificate has expired",
            bound: .zero),
    ])
    func theOtherHeadNodeIsUsedAndRemembered(_ situation: Case) async throws {
        try await TestCluster.with { cluster in
            try cluster.set("fault", situation.fault.rawValue, on: "head-a")
            try await cluster.serving("head-a") { first in
                try await cluster.serving("head-b") { second in
                    let lines = LogLines()
                    let trust: ServerTrust =
                        situation.pins
                        ? .pinnedKeys([try cluster.pin(of: "names", "head-a"), try cluster.pin(of: "names", "head-b")])
                        : .authority(file: cluster.authority.certificateFile)
                    let client = try RESTClient(
                        configuration: .init(
                            headNodes: [first.headNode, second.headNode],
                            certificateFile: cluster.authority.adminCertificate, keyFile: cluster.authority.adminKey,
                            trust: trust, connectTimeout: Self.connectTimeout, requestTimeout: Self.requestTimeout),
                        logger: Logger(label: "test") { _ in CapturingLog(lines: lines) })
                    let clock = ContinuousClock()
                    var answer: DeviceLookup?
                    let once = try await clock.measure { answer = try await client.lookUp(["dgx-01"]) }
                    #expect(answer?.headNode == second.headNode)
                    // Generous towards a busy machine, and yet less than a second time-out would take.
                    #expect(once >= situation.bound * 0.9 && once < situation.bound + .milliseconds(900), "\(once)")
                    let before = first.counters
                    let again = try await clock.measure {
                        for _ in 0..<10 { answer = try await client.lookUp(["dgx-01"]) }
                    }
                    #expect(answer?.headNode == second.headNode && again < .milliseconds(900), "\(again)")
                    #expect(first.counters == before, "the first head node is not asked again")
                    #expect(lines.all.count == 1, "\(lines.all)")
                    let line = lines.all.first ?? ""
                    #expect(line.contains("failure=\(first.headNode): \(situation.said)"), "\(line)")
                    #expect(line.contains("head_node=\(second.headNode)"))
                }
            }
        }
    }

    @Test func whereNoneCanBeUsedEachSaysWhy() async throws {
        try await TestCluster.with { cluster in
            try cluster.set("fault", "hang-connect", on: "head-a")
            try cluster.set("fault", "expired-certificate", on: "head-b")
            try await cluster.serving("head-a") { first in
                try await cluster.serving("head-b") { second in
                    let client = try cluster.client(first, second, connectTimeout: .seconds(1))
                    let error = await failure { () async throws(BCMError) in try await client.jobs() }
                    #expect(error?.code == .notTrusted)
                    #expect(error?.underlying.map(\.code) == [.notReachable, .notTrusted])
                }
            }
        }
    }
}
