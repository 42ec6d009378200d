import BCMSimulator
import ClusterModel
import ClusterTestSupport
import FoundationEssentials
import Testing

@Suite struct RESTTests {
    private struct Device: Decodable, Equatable {
        var category: String?
        var cluster: String
        var hostname: String
        var ip: String
        var mac: String
        var network: String
        var roles: [String]?
        var type: String
    }

    private func devices(_ answer: TestCluster.Answer) throws -> [String: Device] {
        let list = try JSONDecoder().decode([Device].self, from: Data(answer.body.utf8))
        return Dictionary(uniqueKeysWithValues: list.map { ($0.hostname, $0) })
    }

    @Test func devicesHaveTheDocumentedMembers() async throws {
        try await TestCluster.served { cluster, server in
            let devices = try devices(try await cluster.curl(server, "/rest/v1/device"))
            #expect(devices.count == 5)
            #expect(
                devices["dgx-01"]
                    == Device(
                        category: "default", cluster: "basecm10", hostname: "dgx-01", ip: "10.141.0.1",
                        mac: "FA:16:0A:8D:00:01", network: "internalnet", roles: nil, type: "PhysicalNode"))
            let head = try #require(devices["head-a"])
            #expect(head.type == "HeadNode" && head.category == nil && head.roles?.contains("boot") == true)
        }
    }

    @Test func overlayRolesAreShownOrNotAsTheSwitchSays() async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh("configurationoverlay; use slurm-client; append nodes dgx-01; commit")
            _ = try cluster.cmsh("device use dgx-02; roles; assign slurmclient; commit")
            var devices = try devices(try await cluster.curl(server, "/rest/v1/device"))
            #expect(devices["dgx-01"]?.roles == ["slurmclient"])
            try cluster.set("overlay-roles-visible", "no")
            devices = try self.devices(try await cluster.curl(server, "/rest/v1/device"))
            #expect(devices["dgx-01"]?.roles == nil)
            #expect(devices["dgx-02"]?.roles == ["slurmclient"])
        }
    }

    @Test(arguments: [
        ("/rest", "[\"v1\"]\n"),
        (
            "/rest/v1/status?name=dgx-01..dgx-02",
            #"[{"hostname": "dgx-01", "status": "UP"}, {"hostname": "dgx-02", "status": "UP"}]"# + "\n"
        ),
        ("/rest/v1/status?name=dgx-03&indent=1", "[\n {\n  \"hostname\": \"dgx-03\",\n  \"status\": \"UP\"\n }\n]\n"),
        (
            "/rest/v1/monitoring/measurable?like=^ssh",
            #"{"measurables": [{"key": 99999999002, "name": "ssh2node", "type": "HealthCheck"}]}"# + "\n"
        ),
        (
            "/rest/v1/monitoring/usage?entity=dgx-01&measurable=LoadOne",
            #"{"data": [{"entity": "dgx-01", "measurable": "LoadOne"}]}"# + "\n"
        ),
        ("/rest/v1/monitoring/latest?entity=dgx-09", "{\"data\": []}\n"),
        ("/rest/v1/workload/jobs", "[]\n"),
    ])
    func pathsAnswerAsDocumented(path: String, body: String) async throws {
        try await TestCluster.served { cluster, server in
            let answer = try await cluster.curl(server, path)
            #expect(answer.status == 200)
            #expect(answer.body == body)
        }
    }

    @Test(arguments: ["version", "license", "session", "sysinfo", "check", "monitoring", "chargeback", ""])
    func smallerPathsAnswerWithJSON(name: String) async throws {
        try await TestCluster.served { cluster, server in
            let answer = try await cluster.curl(server, "/rest/v1/\(name)", options: ["--include"])
            #expect(answer.status == 200)
            #expect(answer.body.contains("Server: BCM-simulator (not CMDaemon)\r\n"))
            let body = try #require(answer.body.split(separator: "\r\n\r\n").last)
            #expect(throws: Never.self) { try JSONDecoder().decode(Anything.self, from: Data(body.utf8)) }
        }
    }

    private struct Anything: Decodable { init(from decoder: any Decoder) {} }

    @Test func statusPostsCountTheFieldsTheyChange() async throws {
        try await TestCluster.served { cluster, server in
            let body =
                #"[{"hostname":"dgx-01","user":"a","info":"b"},{"hostname":"dgx-02"},{"hostname":"nowhere","user":"x"}]"#
            let first = try await cluster.curl(server, "/rest/v1/status", options: ["-d", body])
            #expect(first.body == "[2, 0, 0]\n")
            let second = try await cluster.curl(server, "/rest/v1/status", options: ["-d", body])
            #expect(second.body == "[0, 0, 0]\n")
            let broken = try await cluster.curl(server, "/rest/v1/status", options: ["-d", "{"])
            #expect(broken.status == 400)
        }
    }

    @Test func eventsAreKept() async throws {
        try await TestCluster.served { cluster, server in
            let body = #"{"message":"m","details":"d","severity":"notice"}"#
            let answer = try await cluster.curl(server, "/rest/v1/event", options: ["-d", body])
            #expect(answer.body == "true\n")
            #expect(try cluster.store.read().events == [Event(message: "m", details: "d", severity: "notice")])
        }
    }

    @Test func whoMayReadDependsOnCertificateAndProfile() async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh("profile; add jobstats; append tokens GET_DEVICE_TOKEN; set nonuser yes; commit")
            let (key, certificate) = (cluster.store.directory + "/m.key", cluster.store.directory + "/m.pem")
            _ = try cluster.cmsh(
                #"cert; createcertificate 2048 monitor "" "" "" "" "" jobstats "" 30 \#(key) \#(certificate)"#)
            let monitor = TestCluster.Identity.files(certificate: certificate, key: key)
            func status(_ path: String, _ identity: TestCluster.Identity) async throws -> Int {
                try await cluster.curl(server, path, as: identity).status
            }
            #expect(try await status("/rest/v1/device", .none) == 401)
            #expect(try await status("/rest/v1/device", monitor) == 200)
            #expect(try await status("/rest/v1/license", monitor) == 403)
            #expect(try await status("/rest/v1/device", .node("dgx-01")) == 200)
            try cluster.set("node-certificates-may-read", "no")
            #expect(try await status("/rest/v1/device", .node("dgx-01")) == 403)
            #expect(try await status("/rest/v1/version", .node("dgx-01")) == 200)
            let serial = try #require(CertificateAuthority.serial(ofFile: certificate))
            _ = try cluster.cmsh("cert; revokecertificate \(serial)")
            #expect(try await status("/rest/v1/device", monitor) == 403)
        }
    }

    @Test func certificatesOfStrangersEndTheHandshake() async throws {
        try await TestCluster.served { cluster, server in
            let stranger = TestCluster.Identity.files(
                certificate: cluster.authority.file("wrong-ca.pem", ofHead: "head-a"),
                key: cluster.authority.file("stranger.key", ofHead: "head-a"))
            let answer = try await cluster.curl(server, "/rest/v1/version", as: stranger)
            #expect(answer.exit != 0)
            #expect(answer.status == 0)
        }
    }

    @Test func connectionsAreKeptAndCounted() async throws {
        try await TestCluster.served { cluster, server in
            let answer = try await cluster.curl(server, "/rest/v1/device", "/rest/v1/version", "/rest/v1/device")
            #expect(answer.connections == 0)
            #expect(server.counters == .init(accepted: 1, connections: 1, requests: 3))
            let counters = try await cluster.curl(server, "/simulator/counters", as: .none)
            #expect(counters.body == "{\"accepted\": 2, \"connections\": 1, \"requests\": 3}\n")
        }
    }

    @Test func generatedDevicesSurroundTheRealOnes() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("generate-devices", "1000")
            let answer = try await cluster.curl(server, "/rest/v1/device")
            let names = try JSONDecoder().decode([Device].self, from: Data(answer.body.utf8)).map(\.hostname)
            #expect(names.count == 1005)
            #expect(Set(names).count == 1005)
            #expect(names[500..<505] == ["head-a", "head-b", "dgx-01", "dgx-02", "dgx-03"])
            #expect((330...350).contains(answer.body.utf8.count / 1005))
        }
    }

    @Test func everyRequestLeavesALineInTheAccessLog() async throws {
        try await TestCluster.with { cluster in
            let lines = Lines()
            try await cluster.serving("head-b", accessLog: { lines.append($0) }) { server in
                _ = try await cluster.curl(server, "/rest/v1/device?indent=2", as: .node("dgx-02"))
                _ = try await cluster.curl(server, "/rest/v1/device", as: .none)
            }
            let texts = lines.all.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
            #expect(texts.count == 2)
            #expect(
                texts.first?.hasPrefix("head-b connection=1 GET /rest/v1/device cn=dgx-02 status=200 bytes=") == true)
            #expect(texts.last == "head-b connection=2 GET /rest/v1/device cn=- status=401 bytes=61")
        }
    }
}
