import BCMSimulator
import ClusterModel
import ClusterTestSupport
import CommandExecution
import FoundationEssentials
import Testing

@Suite struct FaultTests {
    /// Each fault with curl's exit status for it and the HTTP status.
    @Test(arguments: [
        (Fault.refuse, 7, 0), (.hangConnect, 28, 0), (.hangTLS, 28, 0), (.hangHeader, 28, 0), (.hangBody, 28, 200),
        (.slow, 28, 200), (.truncate, 18, 200), (.expiredCertificate, 60, 0), (.wrongCA, 60, 0), (.wrongName, 60, 0),
        (.changedKey, 0, 200), (.oldTLS, 35, 0), (.garbage, 0, 200), (.wrongType, 0, 200), (.gzipBomb, 0, 200),
        (.huge, 0, 200), (.redirect, 0, 302), (.status401, 0, 401), (.status403, 0, 403), (.status404, 0, 404),
        (.status429, 0, 429), (.status500, 0, 500), (.status503, 0, 503),
    ])
    func faultsShowThemselves(fault: Fault, exit: Int32, status: Int) async throws {
        try await TestCluster.with { cluster in
            try cluster.set("fault", fault.rawValue, on: "head-a")
            try await cluster.serving("head-a") { server in
                let answer = try await cluster.curl(
                    server, "/rest/v1/device", options: ["--output", "/dev/null"],
                    timeout: 4)
                // Four seconds may be too few for the flood.
                #expect(answer.exit == exit || (fault == .huge && answer.exit == 28), "\(answer.complaint)")
                #expect(answer.status == status)
            }
            // The other head node has nothing of it.
            try await cluster.serving("head-b") { server in
                let answer = try await cluster.curl(server, "/rest/v1/device")
                #expect(answer.status == 200)
            }
        }
    }

    @Test func aResetLeavesNoAnswer() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("fault", "reset")
            let answer = try await cluster.curl(server, "/rest/v1/device")
            #expect([35, 52, 56].contains(answer.exit), "\(answer.complaint)")
            #expect(answer.status == 0)
        }
    }

    @Test func theFloodIsJSONOfMoreThan128MiB() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("fault", "huge")
            let file = cluster.store.directory + "/flood.json"
            let answer = try await cluster.curl(server, "/rest/v1/device", options: ["--output", file], timeout: 60)
            #expect(answer.exit == 0)
            let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
            #expect(size > 128 << 20)
            let ends = Command("sh", ["-c", "head -c 2 \"$0\"; tail -c 3 \"$0\"", file])
            #expect(try await LocalExecutor().run(ends).outputText == "[{}]\n")
        }
    }

    @Test func theBombUnpacksToFarMoreThanItIs() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("fault", "gzip-bomb")
            let file = cluster.store.directory + "/bomb.gz"
            _ = try await cluster.curl(server, "/rest/v1/device", options: ["--output", file])
            let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
            #expect((6_000_000...8_000_000).contains(size))
            let command = Command(
                "sh", ["-c", "gzip -dc <\"$0\" 2>/dev/null | head -c 100000000 | tail -c 1 | wc -c", file])
            #expect(try await LocalExecutor().run(command).outputText == "1\n")
            let start = Command("sh", ["-c", "gzip -dc <\"$0\" 2>/dev/null | head -c 3", file])
            #expect(try await LocalExecutor().run(start).outputText == "[  ")
        }
    }

    @Test func aPinnedKeyRefusesTheChangedOne() async throws {
        try await TestCluster.with { cluster in
            let command = Command(
                "sh",
                [
                    "-c",
                    "openssl pkey -in \"$0\" -pubout -outform der | openssl dgst -sha256 -binary | openssl base64",
                    cluster.authority.file("server.key", ofHead: "head-a"),
                ])
            let digest = try await LocalExecutor().run(command).outputText.filter { !$0.isWhitespace }
            let options = ["--insecure", "--pinnedpubkey", "sha256//" + digest]
            try await cluster.serving("head-a") { server in
                #expect(try await cluster.curl(server, "/rest/v1/version", options: options).exit == 0)
                try cluster.set("fault", "changed-key")
                #expect(try await cluster.curl(server, "/rest/v1/version", options: options).exit == 90)
            }
        }
    }

    @Test func aCertificateWithoutNamesVerifiesByChainAlone() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("head-names-in-certificate", "no")
            #expect(try await cluster.curl(server, "/rest/v1/version").exit == 60)
            try cluster.set("head-names-in-certificate", "yes")
            #expect(try await cluster.curl(server, "/rest/v1/version").exit == 0)
        }
    }

    @Test func thePortClosesAndOpensWhileTheServiceRuns() async throws {
        try await TestCluster.served { cluster, server in
            for (fault, exit) in [("refuse", 7), ("none", 0), ("hang-connect", 28), ("none", 0)] as [(String, Int32)] {
                try cluster.set("fault", fault)
                #expect(
                    try await eventually {
                        try await cluster.curl(server, "/rest/v1/version", timeout: 1).exit == exit
                    }, "\(fault)")
            }
        }
    }

    @Test func aRedirectWouldLeadToAnAnswer() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("fault", "redirect")
            let followed = try await cluster.curl(server, "/rest/v1/device", options: ["--location"])
            #expect(followed.status == 200)
            #expect(followed.body.hasPrefix("[{"))
        }
    }

    @Test func contentFaultsChangeTheListOfDevices() async throws {
        try await TestCluster.served { cluster, server in
            _ = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; assign docker; commit")
            func list(_ fault: String) async throws -> String {
                try cluster.set("fault", fault)
                return try await cluster.curl(server, "/rest/v1/device").body
            }
            func count(_ text: String, _ part: String) -> Int { text.ranges(of: part).count }
            let whole = try await list("none")
            #expect(count(whole, "\"dgx-01\"") == 1 && count(whole, "slurmclient") == 1 && count(whole, "docker") == 1)
            let invisible = try await list("roles-invisible")
            #expect(count(invisible, "slurmclient") == 0 && count(invisible, "docker") == 0)
            #expect(count(invisible, "headnode") == 2)
            let missing = try await list("role-missing")
            #expect(count(missing, "slurmclient") == 0 && count(missing, "docker") == 1)
            #expect(count(try await list("host-missing"), "dgx-01") == 0)
            let twice = try await list("host-twice")
            #expect(count(twice, "\"dgx-01\"") == 2 && count(twice, "slurmclient") == 1)
        }
    }

    @Test(arguments: [
        ("fault", "nonsense"), ("fault", ""), ("active-head", "dgx-01"), ("overlay-roles-visible", "maybe"),
        ("generate-devices", "-1"), ("nonsense", "1"), ("latency", "x"),
    ])
    func badSettingsAreRefusedAndChangeNothing(key: String, value: String) async throws {
        try await TestCluster.with { cluster in
            let before = try cluster.store.read()
            #expect(throws: SettingError.self) { try cluster.set(key, value) }
            #expect(try cluster.store.read() == before)
        }
    }
}
