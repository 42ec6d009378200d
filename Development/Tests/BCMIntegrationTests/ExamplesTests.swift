import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import CommandExecution
import FoundationEssentials
import PromTargets
import RoleMonitor
import Testing

/// The examples that ask BCM, on the simulated cluster; what they print is compared as a whole.
@Suite struct ExamplesTests {
    private func run(_ name: String, _ arguments: [String]) async throws -> (
        status: CommandExecution.ExitStatus, output: String
    ) {
        let result = try await LocalExecutor().run(
            Command(try TestCluster.program(name), arguments, timeout: .seconds(60)))
        #expect(result.errorText.isEmpty, "\(result.errorText)")
        return (result.status, result.outputText)
    }

    @Test func nodesWithARoleAreListed() async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh(
                "device use dgx-01; roles; assign slurmclient; commit; device use dgx-03; roles; assign slurmclient; commit"
            )
            try cluster.set("node-status", "dgx-03=DOWN")
            let words = [
                cluster.authority.certificateFile, cluster.authority.adminCertificate, cluster.authority.adminKey,
                "127.0.0.1:1", "127.0.0.1:\(server.port)",
            ]
            let good = try await run("nodes-with-role", ["slurmclient"] + words)
            #expect(
                good.output == """
                    dgx-01 10.141.0.1 UP
                    dgx-03 10.141.0.3 DOWN
                    2 of 5 nodes have the role slurmclient

                    """)
            #expect(good.status == .exited(0))
            let down = try await run("nodes-with-role", ["slurmclient"] + words.dropLast())
            #expect(
                down.output.replacing(/after [0-9]+ ms/, with: "after N ms") == """
                    127.0.0.1:1: not reachable: Failed to connect to 127.0.0.1 port 1 after N ms: Couldn't connect to server; \
                    check that the host is up and that CMDaemon listens on port 1

                    """)
            #expect(down.status == .exited(3))
        }
    }

    @Test func targetFilesAreAudited() async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh(
                "device use dgx-01; roles; assign slurmclient; commit; device use dgx-02; roles; assign slurmclient; commit"
            )
            let path = try TestCluster.scratchPath("targets")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            var configuration = MonitorConfiguration(headNodes: ["127.0.0.1:\(server.port)"])
            configuration.certificateFile = cluster.authority.adminCertificate
            configuration.keyFile = cluster.authority.adminKey
            configuration.authorityFile = cluster.authority.certificateFile
            configuration.roleLossDelay = .zero
            configuration.targetsDirectory = path
            configuration.areRolesVisible = true
            for name in ["dgx-01", "dgx-03", "dead"] {
                try TargetDirectory(path: path).write(try configuration.targetGroups(of: name), named: name)
            }
            let file = "\(path)-config.json"
            try Data(configuration.encoded()).write(to: URL(filePath: file))
            let head = "127.0.0.1:\(server.port)"
            let audit = try await run("audit-targets", [file])
            #expect(
                audit.output == """
                    3 files in \(path): 3 current
                    dead.json is gone: \(head) does not list it among 5 devices
                    dgx-02.json is missing: dgx-02 has the role slurmclient
                    dgx-03.json is orphaned: \(head) lists dgx-03 without the role slurmclient
                    a prune would remove: dead.json, dgx-03.json

                    """)
            #expect(audit.status == .exited(1))
        }
    }
}
