import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import CommandExecution
import FoundationEssentials
import Glibc
import Testing

/// The program, on the simulated cluster.
@Suite struct BCMCtlTests {
    private struct Run {
        var status: Int32
        var output: String
        var errors: String
    }

    private static func options(_ cluster: TestCluster, _ server: SimulatorServer) -> [String] {
        [
            "--head", "127.0.0.1:\(server.port)", "--cert", cluster.authority.adminCertificate, "--key",
            cluster.authority.adminKey, "--ca", cluster.authority.certificateFile,
        ]
    }

    private func run(_ arguments: [String]) async throws -> Run {
        let result = try await LocalExecutor().run(
            Command(try TestCluster.program("bcmctl"), arguments, timeout: .seconds(60)))
        guard case .exited(let status) = result.status else { throw StringError("ended by \(result.status)") }
        return Run(status: status, output: result.outputText, errors: result.errorText)
    }

    private struct StringError: Error { init(_ text: String) {} }

    private func with(
        _ body: (TestCluster, SimulatorServer, ([String]) async throws -> Run) async throws -> Void
    ) async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; commit")
            try cluster.set("node-status", "dgx-02=DOWN")
            try cluster.store.update { $0.jobs.append(Job(id: 42, user: "alice", nodes: ["dgx-01", "dgx-02"])) }
            try await body(cluster, server) { arguments in
                try await run(arguments + Self.options(cluster, server))
            }
        }
    }

    @Test func devicesAreATable() async throws {
        try await with { _, _, bcmctl in
            let all = try await bcmctl(["devices", "--type", "physicalnode"])
            #expect(
                all.output == """
                    HOSTNAME  TYPE          CATEGORY  IP          ROLES
                    dgx-01    PhysicalNode  default   10.141.0.1  slurmclient
                    dgx-02    PhysicalNode  default   10.141.0.2
                    dgx-03    PhysicalNode  default   10.141.0.3

                    """)
            #expect(all.status == 0 && all.errors.isEmpty)
            #expect(try await bcmctl(["devices", "--role", "slurmclient"]).output.contains("dgx-01"))
            #expect(try await bcmctl(["devices", "--category", "nothing"]).output.split(separator: "\n").count == 1)
            let heads = try await bcmctl(["devices"])
            #expect(heads.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
            #expect(heads.output.contains("…"))
            let wide = try await bcmctl(["devices", "--wide"])
            #expect(wide.output.contains("backup,boot,headnode,monitoring,provisioning,slurmaccounting"))
        }
    }

    @Test func everyCommandPrintsItsDocument() async throws {
        try await with { _, _, bcmctl in
            func json(_ arguments: String...) async throws -> JSONValue {
                let run = try await bcmctl(arguments + ["--json"])
                #expect(run.status == 0 && run.errors.isEmpty, "\(arguments): \(run.errors)")
                return try JSONValue(parsing: run.output)
            }
            func names(_ value: JSONValue?) -> [String] { value?.object?.members.map(\.name) ?? [] }
            let devices = try await json("devices")
            #expect(names(devices[0]) == ["hostname", "type", "category", "cluster", "ip", "mac", "network", "roles"])
            #expect(devices[0]?["category"] == .null && devices[2]?["roles"] == ["slurmclient"])
            let status = try await json("status", "dgx-01..dgx-02")
            #expect(
                status[1] == [
                    "hostname": "dgx-02", "status": "DOWN", "remark": "", "health_check_failed": .null,
                    "health_check_unknown": .null, "provisioning_failed": .null, "restart_required": .null,
                ])
            #expect(try await json("status", "dgx-01", "--verbose")[0]?["restart_required"] == false)
            let job = try await json("jobs")[0]
            #expect(job?["id"] == "42" && job?["nodes"] == ["dgx-01", "dgx-02"] && job?["run_time"] == "60")
            #expect(try await json("version")["cluster_manager"] == "10.0")
            #expect(try await json("license")["nodes"] == 5)
            #expect(try await json("session")[0]?["username"] == "root")
            #expect(try await json("sysinfo")[0]?["memory_bytes"] == 2_151_677_952)
            let latest = try await json("monitoring", "latest", "--entity", "dgx-02", "--measurable", "ssh2node")
            #expect(
                names(latest[0]) == [
                    "entity", "measurable", "time", "time_text", "value", "number", "age_seconds", "info",
                ])
            #expect(latest[0]?["value"] == "FAIL" && latest[0]?["number"]?.number?.integer == 2)
            let dump = try await json(
                "monitoring", "dump", "--entity", "dgx-01", "--measurable", "LoadOne", "--start=-10m")
            #expect((4...6).contains(dump.elements?.count ?? 0))
            #expect(try await json("monitoring", "entities", "dgx-01")[0]?["name"] == "dgx-01")
            #expect(try await json("monitoring", "measurables", "--like", "^ssh")[0]?["type"] == "HealthCheck")
            #expect(try await json("call", "cmdevice", "getDevice", "dgx-01")["roles"] == ["slurmclient"])
            #expect(try await json("events", "post", "it happened") == ["posted": true])
        }
    }

    @Test func everyCommandPrintsATable() async throws {
        try await with { cluster, _, bcmctl in
            for words in [
                ["status"], ["status", "--verbose"], ["jobs"], ["version"], ["license"], ["session"], ["sysinfo"],
                ["monitoring", "latest"], ["monitoring", "entities"], ["monitoring", "measurables"],
                ["monitoring", "dump", "--entity", "dgx-01", "--measurable", "LoadOne"],
            ] {
                let run = try await bcmctl(words)
                #expect(run.status == 0 && run.errors.isEmpty && !run.output.isEmpty, "\(words)")
                #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(words)")
                #expect(!run.output.contains("\u{1b}"), "no colour in a pipe")
            }
            let posted = try await bcmctl(["events", "post", "a\"b", "--severity", "warning"])
            #expect(posted.output == "posted\n")
            #expect(try cluster.store.read().events.last == Event(message: "a\"b", details: "", severity: "warning"))
            let call = try await bcmctl(["call", "cmmain", "getProfile"])
            #expect(call.output.hasPrefix("{\n  \"baseType\": \"Profile\",\n"))
        }
    }

    @Test func exitStatusesTellWhoSaidNo() async throws {
        try await with { cluster, server, bcmctl in
            #expect(try await bcmctl(["call", "cmdevice", "getDevice", "dgx-09"]).status == 1)
            #expect(try await bcmctl(["call", "cmdevice", "nothing"]).status == 1)
            #expect(try await bcmctl(["status", "dgx-09"]).status == 1)
            for words in [["nothing"], ["devices", "--nothing"], ["status", "a;b"], ["call", "x y", "z"]] {
                let run = try await bcmctl(words)
                #expect(run.status == 2 && run.output.isEmpty && !run.errors.isEmpty, "\(words)")
            }
            #expect(try await run(["devices", "--ca", "/x", "--insecure"]).status == 2)
            #expect(try await run(["devices", "--pin", "x"]).status == 2)
            #expect(try await run(["devices", "--head", "a:b"]).status == 2)
            let files = ["--cert", "/nothing.pem", "--key", "/nothing.key"]
            let here = ["--head", "127.0.0.1:\(server.port)", "--ca", cluster.authority.certificateFile]
            #expect(try await run(["devices"] + here + files).status == 2)
            #expect(
                try await run(["devices", "--head", "127.0.0.1:1"] + Self.options(cluster, server).dropFirst(2)).status
                    == 3)
            let node = [
                "--cert", cluster.authority.certificate(ofNode: "dgx-01"), "--key",
                cluster.authority.key(ofNode: "dgx-01"),
            ]
            let refused = try await run(["license"] + here + node)
            #expect(refused.status == 4 && refused.errors.contains("not authorised"))
            let stranger = ["--ca", cluster.authority.directory + "/stranger.pem"]
            let untrusted = try await run(["devices"] + here.prefix(2) + node + stranger)
            #expect(untrusted.status == 4 && untrusted.errors.contains("not trusted"))
            try cluster.set("fault", "status-503")
            #expect(try await bcmctl(["devices"]).status == 3)
            try cluster.set("fault", "garbage")
            #expect(try await bcmctl(["devices"]).status == 1)
        }
    }

    @Test func severalHeadNodesPinsAndNoVerificationWork() async throws {
        try await with { cluster, server, _ in
            let files = ["--cert", cluster.authority.adminCertificate, "--key", cluster.authority.adminKey]
            let port = "\(server.port)"
            let pin = "\(try cluster.pin(of: "names"))"
            for words in [
                ["--head", "127.0.0.1:1", "--head", "127.0.0.1:\(port)", "--pin", pin],
                ["--head", "127.0.0.1", "--port", port, "--insecure"],
                ["--head", "127.0.0.1:\(port)", "--ca", cluster.authority.certificateFile, "--any-host-name"],
            ] {
                let run = try await run(["version", "--json"] + words + files)
                #expect(run.status == 0, "\(run.errors)")
            }
        }
    }

    @Test func passwordsComeFromFilesThatOthersCannotRead() async throws {
        try await with { cluster, server, _ in
            let file = cluster.store.directory + "/password"
            try "simulated-reader\n".write(toFile: file, atomically: true, encoding: .utf8)
            let words = [
                "--head", "127.0.0.1:\(server.port)", "--ca", cluster.authority.certificateFile, "--user", "reader",
                "--password-file", file,
            ]
            chmod(file, 0o644)
            let open = try await run(["license"] + words)
            #expect(open.status == 2 && open.errors.contains("chmod 0600"))
            chmod(file, 0o600)
            let good = try await run(["license", "--json"] + words)
            #expect(good.status == 0, "\(good.errors)")
            #expect(try await run(["call", "cmmain", "getProfile"] + words).output.contains("readonly"))
            #expect(try await run(["events", "post", "x"] + words).status == 4)
            try "other\n".write(toFile: file, atomically: true, encoding: .utf8)
            chmod(file, 0o600)
            let wrong = try await run(["license"] + words)
            #expect(wrong.status == 4 && !wrong.errors.contains("other\n"))
            #expect(try await run(["license", "--password-file", file]).status == 2)
        }
    }

    @Test func aClosedPipeEndsItQuietly() async throws {
        try await with { cluster, server, _ in
            try cluster.set("generate-devices", "3000")
            let program = try TestCluster.program("bcmctl")
            let result = try await LocalExecutor().run(
                Command(
                    "bash",
                    ["-c", #""$@" | true; echo "${PIPESTATUS[0]}""#, "bash", program, "devices", "--json"]
                        + Self.options(cluster, server), timeout: .seconds(60)))
            #expect(result.outputText == "0\n" && result.errorText.isEmpty)
        }
    }

    @Test func aFullDiskIsAFailure() async throws {
        try await with { cluster, server, _ in
            let program = try TestCluster.program("bcmctl")
            let words = ["-c", #""$@" >/dev/full"#, "bash", program, "devices"] + Self.options(cluster, server)
            let result = try await LocalExecutor().run(Command("bash", words, timeout: .seconds(60)))
            #expect(result.status == .exited(1) && result.errorText.contains("No space left on device"))
        }
    }

    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"))
    func aTerminalGetsColourUnlessNoColorIsSetAndIsAskedForPasswords() async throws {
        try await with { cluster, server, _ in
            let root = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()
            let driver = root + "/Tests/JobstatsDeployTests/Terminal/on-terminal.py"
            let program = try TestCluster.program("bcmctl")
            func onTerminal(
                _ words: [String], _ environment: [String: String], script: String = ""
            ) async throws -> String {
                let command = Command(
                    "/usr/bin/python3", [driver, "80", program] + words, input: Array(script.utf8),
                    environment: environment.merging(["TERM": "xterm"]) { $1 }, timeout: .seconds(90))
                return try await LocalExecutor().run(command).outputText
            }
            let options = Self.options(cluster, server)
            let coloured = try await onTerminal(["status"] + options, ["NO_COLOR": ""])
            #expect(coloured.contains("\u{1b}[31mdgx-02"), "\(coloured)")
            let plain = try await onTerminal(["status"] + options, ["NO_COLOR": "1"])
            #expect(plain.contains("dgx-02") && !plain.contains("\u{1b}"))
            let user = ["--user", "reader"] + options.prefix(2) + options.suffix(2)
            let asked = try await onTerminal(
                ["license"] + user, [:], script: "expect Password of reader:\ntype simulated-reader\nexpect Edition\n")
            #expect(!asked.contains("simulated-reader"), "the password is not shown: \(asked)")
            #expect(asked.contains("Simulator"))
        }
    }

    @Test func foreignTextCannotSpeakToTheTerminal() async throws {
        try await with { cluster, _, bcmctl in
            try cluster.store.update { $0.jobs = [Job(id: 1, user: "\u{1b}[31mx\u{202e}", nodes: [])] }
            let run = try await bcmctl(["jobs"])
            #expect(run.output.contains("?[31mx?") && !run.output.contains("\u{1b}"))
        }
    }
}
