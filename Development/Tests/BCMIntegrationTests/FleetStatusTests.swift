import ClusterModel
import ClusterTestSupport
import CommandExecution
import FoundationEssentials
import Glibc
import PromTargets
import RoleMonitor
import BCMSimulator
import Testing

/// `guided-setup status` beside a simulated head node, with target files on disk and a stand-in for Prometheus.
@Suite struct FleetStatusTests {
    private struct Answer: Decodable {
        struct Node: Decodable {
            let name, level: String
            let has_role: Bool?
            let remarks: [String]
        }
        struct Source: Decodable {
            let seen: Bool
            let reason: String?
        }
        let status: Int32
        let bcm, targets, prometheus: Source
        let nodes: [Node]

        func node(_ name: String) -> Node? { nodes.first { $0.name == name } }
    }

    /// Gives Prometheus's answers about nodes whose three exporters are up.
    private static let standIn = """
        import http.server, json, sys, urllib.parse
        hosts = sys.argv[2:]
        def vector(metrics): return {"resultType": "vector", "result": [{"metric": m, "value": [1, v]} for m, v in metrics]}
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = urllib.parse.unquote(self.path)
                if "/targets" in path:
                    data = {"activeTargets": [{"labels": {"job": job, "cluster": "slurm", "hostname": host}, "health": "up",
                            "lastError": "", "scrapeUrl": ""} for host in hosts
                            for job in ("node_exporter", "cgroup_exporter", "gpu_exporter")]}
                elif "last_check" in path: data = vector([({"cluster": "slurm", "hostname": h}, "12") for h in hosts])
                elif "ALERTS" in path: data = vector([({}, "0")])
                else: data = vector([])
                body = json.dumps({"status": "success", "data": data}).encode()
                self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
                self.wfile.write(body)
            def log_message(self, *words): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        open(sys.argv[1], "w").write(str(server.server_address[1]) + "\\n")
        server.serve_forever()
        """

    private func with(
        _ hosts: [String], _ body: @escaping (TestCluster, String, Int) async throws -> Void
    ) async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; commit")
            let folder = try TestCluster.scratchPath("status")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            var monitors = MonitorConfiguration(headNodes: ["127.0.0.1:\(server.port)"])
            monitors.certificateFile = cluster.authority.adminCertificate
            monitors.keyFile = cluster.authority.adminKey
            monitors.authorityFile = cluster.authority.certificateFile
            monitors.requestTimeout = .seconds(3)
            monitors.areRolesVisible = true
            try Data(monitors.encoded()).write(to: URL(filePath: "\(folder)/monitors.json"))
            let targets = "\(folder)/targets"
            try FileManager.default.createDirectory(atPath: targets, withIntermediateDirectories: false)
            try TargetDirectory(path: targets).write(try monitors.targetGroups(of: "dgx-01"), named: "dgx-01")
            let deployment = """
                {"cluster_name": "slurm", "use_custom_prometheus_targets_dir": true, "prometheus_targets_dir": "\(targets)",
                 "systems": {"dgx_nodes": ["dgx-[01-02]"]}}
                """
            try Data(deployment.utf8).write(to: URL(filePath: "\(folder)/config.json"))
            let script = "\(folder)/stand-in.py"
            try Data(Self.standIn.utf8).write(to: URL(filePath: script))
            let running = Task {
                try await LocalExecutor().run(
                    Command("python3", [script, "\(folder)/port"] + hosts, timeout: .seconds(120)))
            }
            defer { running.cancel() }
            var port = 0
            for _ in 0..<500 where port == 0 {
                try await Task.sleep(for: .milliseconds(20))
                let text = FileManager.default.contents(atPath: "\(folder)/port").map {
                    String(decoding: $0, as: UTF8.self)
                }
                port = text.flatMap { Int($0.filter(\.isNumber)) } ?? 0
            }
            try await body(cluster, folder, port)
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    private func look(_ folder: String, _ port: Int, _ arguments: String...) async throws -> CommandResult {
        try await LocalExecutor().run(
            Command(
                try TestCluster.program("guided-setup"),
                [
                    "status", "--config", "\(folder)/config.json", "--monitor-config", "\(folder)/monitors.json",
                    "--prometheus", "http://127.0.0.1:\(port)",
                ] + arguments, timeout: .seconds(60)))
    }

    private func answer(_ folder: String, _ port: Int) async throws -> Answer {
        try JSONDecoder().decode(
            Answer.self, from: Data(try await look(folder, port, "--json").standardOutput))
    }

    @Test func nodesStandAsBCMFilesAndPrometheusShowThem() async throws {
        try await with(["dgx-01"]) { cluster, folder, port in
            let table = try await look(folder, port)
            #expect(table.status == .exited(0), "\(table.outputText)\(table.errorText)")
            #expect(table.outputText.contains("2 nodes: 1 ok, 1 off\n"), "\(table.outputText)")
            #expect(table.outputText.split(separator: "\n").allSatisfy { $0.count <= 80 })
            // dgx-02 gets the role, and nothing runs there yet.
            _ = try cluster.cmsh("device use dgx-02; roles; assign slurmclient; commit")
            let seen = try await answer(folder, port)
            #expect(seen.status == 1 && seen.nodes.first?.name == "dgx-02" && seen.nodes.first?.level == "failing")
            #expect(seen.node("dgx-02")?.remarks.first == "no target file (paused?)")
            #expect(seen.node("dgx-01")?.level == "good")
        }
    }

    @Test func whatIsOutOfReachIsUnknownAndTheRestShown() async throws {
        try await with(["dgx-01"]) { cluster, folder, port in
            let withoutPrometheus = try await answer(folder, 1)
            #expect(withoutPrometheus.status == 3 && withoutPrometheus.bcm.seen && !withoutPrometheus.prometheus.seen)
            #expect(withoutPrometheus.node("dgx-01")?.level == "unknown")
            #expect(withoutPrometheus.node("dgx-01")?.has_role == true)
            try cluster.set("fault", "status-503")
            let withoutBCM = try await answer(folder, port)
            #expect(withoutBCM.status == 3 && !withoutBCM.bcm.seen && withoutBCM.prometheus.seen)
            #expect(withoutBCM.nodes.allSatisfy { $0.level == "unknown" && $0.has_role == nil })
            try cluster.set("fault", "none")
            try FileManager.default.removeItem(atPath: "\(folder)/targets")
            let withoutFiles = try await answer(folder, port)
            #expect(withoutFiles.status == 3 && !withoutFiles.targets.seen && withoutFiles.bcm.seen)
        }
    }

    @Test func watchingGoesOnInPlainLinesUntilItIsInterrupted() async throws {
        try await with(["dgx-01"]) { _, folder, port in
            let program = try TestCluster.program("guided-setup")
            // With job control a program in the background does not ignore SIGINT.
            let script = """
                set -m
                "$@" >"$0" & child=$!
                for ((n = 0; n < 200; n++)); do [ "$(grep -c '2 nodes:' "$0")" -ge 2 ] && break; sleep 0.1; done
                kill -INT "$child"; wait "$child"; echo "status $?"; cat "$0"
                """
            let result = try await LocalExecutor().run(
                Command(
                    "bash",
                    [
                        "-c", script, "\(folder)/out", program, "status", "--config", "\(folder)/config.json",
                        "--monitor-config", "\(folder)/monitors.json", "--prometheus", "http://127.0.0.1:\(port)",
                        "--watch", "--interval", "1",
                    ], timeout: .seconds(60)))
            #expect(result.outputText.hasPrefix("status 130\n"), "\(result.outputText)")
            #expect(result.outputText.components(separatedBy: "2 nodes: 1 ok, 1 off").count >= 3)
            #expect(!result.outputText.contains("\u{1b}"))
        }
    }
}
