import CommandExecution
import FoundationEssentials
import PromTargets
import Testing

/// A real Prometheus reads a directory in which somebody put hostile files.
@Suite(.enabled(if: Prometheus.exists, "prometheus is not installed"))
struct PrometheusScrapeTests {
    @Test(arguments: [ScrapeConfiguration.AddressCheck.equality, .derivation])
    func onlyTheHostsOwnExportersAreScraped(check: ScrapeConfiguration.AddressCheck) async throws {
        let exporter = try HTTPServer(body: "node_load1 1\ngo_threads 8\nleaked{cluster=\"evil\"} 1\n")
        let victim = try HTTPServer(body: "secret 1\n")
        let redirecting = try HTTPServer(
            status: "302 Found", headers: ["Location: http://127.0.0.1:\(victim.port)/metrics"], body: "")
        defer { for server in [exporter, victim, redirecting] { server.stop() } }
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = TargetDirectory(path: temporary.path)
        let cluster = "a 'cluster' with $1 and \"quotes\""
        let configuration = try ScrapeConfiguration(
            clusterName: cluster, targetsDirectory: temporary.path,
            jobs: [
                .init("node_exporter", port: exporter.port), .init("cgroup_exporter", port: redirecting.port),
            ], scrapeInterval: .seconds(1), scrapeTimeout: .seconds(1), refreshInterval: .seconds(1),
            addressCheck: check)

        // The host's own file, as the role monitor writes it.
        try directory.write(
            [
                TargetGroup(
                    targets: ["localhost:\(exporter.port)"],
                    labels: ["job": "node_exporter", "cluster": "x", "hostname": "localhost"]),
                TargetGroup(
                    targets: ["localhost:\(redirecting.port)"],
                    labels: ["job": "cgroup_exporter", "cluster": "x", "hostname": "localhost"]),
            ], named: "localhost")
        let hostile = Self.hostileFiles(port: exporter.port, victim: victim.port)
        for (index, text) in hostile.enumerated() { try put(text, at: "\(temporary.path)/hostile-\(index).json") }

        try await Prometheus.run(configuration.rendered) { api in
            // Both targets are scraped again and again, and every hostile file was looked at.
            let targets = try await poll { () throws -> Prometheus.API.Targets? in
                guard exporter.requests.count >= 3, redirecting.requests.count >= 2,
                    let targets = try api.targets(), targets.activeTargets.count == 2,
                    targets.activeTargets.allSatisfy({ $0.lastScrape > "2" })
                else { return nil }
                let files = Set(targets.droppedTargets.compactMap { $0.discoveredLabels["__meta_filepath"] })
                return files.isSuperset(of: hostile.indices.map { "\(temporary.path)/hostile-\($0).json" })
                    ? targets : nil
            }
            let expected = [
                "job": "node_exporter", "cluster": cluster, "hostname": "localhost",
                "instance": "localhost:\(exporter.port)",
            ]
            #expect(
                targets.activeTargets.map(\.labels).sorted { ($0["job"] ?? "") > ($1["job"] ?? "") } == [
                    expected,
                    expected.merging(["job": "cgroup_exporter", "instance": "localhost:\(redirecting.port)"]) { $1 },
                ])
            #expect(targets.activeTargets.contains { $0.lastError.contains("302") })
            let series = try await poll { () throws -> [[String: String]]? in
                let series = try api.series("{__name__=~\".+\", hostname=\"localhost\"}")
                return series.contains { $0["__name__"] == "leaked" } ? series : nil
            }
            #expect(!series.contains { $0["__name__"]?.hasPrefix("go_") == true || $0["__name__"] == "secret" })
            #expect(series.allSatisfy { $0["cluster"] == cluster })
        }
        #expect(victim.requests == [])
        #expect(Set(exporter.requests) == ["GET /metrics HTTP/1.1"])
        #expect(Set(redirecting.requests) == ["GET /metrics HTTP/1.1"])
    }

    /// What somebody with write access to the directory may try; each file holds at least one target that is dropped.
    private static func hostileFiles(port: Int, victim: Int) -> [String] {
        func group(_ address: String, _ labels: String) -> String {
            "{\"targets\": [\"\(address)\"], \"labels\": {\(labels)}}"
        }
        let job = #""job": "node_exporter""#
        let host = #""hostname": "localhost""#
        return [
            // Another port, and the same port on another address.
            group("localhost:\(victim)", "\(job), \(host)"),
            group("127.0.0.1:\(victim)", #"\#(job), "hostname": "127.0.0.1""#),
            group("127.0.0.1:\(port)", #"\#(job), "hostname": "127.0.0.1""#),
            // No host name, an empty one, one that is none.
            group("localhost:\(port)", job),
            group("127.0.0.1:\(victim)", #"\#(job), "hostname": """#),
            group("localhost:\(port)", #"\#(job), "hostname": "localhost:\#(port)/x?""#),
            group("127.1:\(victim)", #"\#(job), "hostname": "127.1""#),
            // The name of the label that the rules use.
            group("127.0.0.1:\(victim)", #"\#(job), "__tmp_expected_address": "127.0.0.1:\#(victim)""#),
            group("localhost:\(victim)", #"\#(job), \#(host), "__tmp_expected_address": "localhost:\#(victim)""#),
            // Another job.
            group("localhost:\(port)", #""job": "evil", \#(host)"#),
            // The right address with labels that steer the scrape: the same target as the host's own. A wrong one
            // beside it shows that the file was read.
            group(
                "localhost:\(port)",
                """
                \(job), \(host), "__scheme__": "https", "__metrics_path__": "/secret", "__param_module": "x", \
                "__scrape_interval__": "1ms", "__scrape_timeout__": "1ms", "instance": "dgx-99:9100", \
                "cluster": "other", "extra": "label"
                """) + "," + group("localhost:\(victim)", "\(job), \(host)"),
            group("localhost:\(port)", #"\#(job), \#(host), "__address__": "127.0.0.1:\#(victim)""#) + ","
                + group("localhost:\(victim)", "\(job), \(host)"),
        ].map { "[\($0)]" }
    }
}

/// Asks again and again until there is an answer, for half a minute.
private func poll<Value>(_ ask: () throws -> Value?) async throws -> Value {
    let deadline = ContinuousClock.now.advanced(by: .seconds(30))
    while ContinuousClock.now < deadline {
        if let value = try ask() { return value }
        try await Task.sleep(for: .milliseconds(100))
    }
    return try #require(try ask(), "no answer within 30 seconds")
}

/// A Prometheus of one's own on loopback.
private enum Prometheus {
    static let exists = FileManager.default.isExecutableFile(atPath: "/usr/bin/prometheus")

    struct API: Sendable {
        let port: Int

        struct Answer<Value: Decodable>: Decodable { let data: Value }
        struct Targets: Decodable {
            let activeTargets: [Active]
            let droppedTargets: [Dropped]
        }
        struct Active: Decodable {
            let labels: [String: String]
            let lastScrape: String
            let lastError: String
        }
        struct Dropped: Decodable { let discoveredLabels: [String: String] }

        func targets() throws -> Targets? { try get("/api/v1/targets") }

        func series(_ selector: String) throws -> [[String: String]] {
            let encoded = selector.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return try get("/api/v1/series?match[]=\(encoded)") ?? []
        }

        private func get<Value: Decodable>(_ path: String) throws -> Value? {
            guard let body = Loopback.get(path, port: port) else { return nil }
            return try JSONDecoder().decode(Answer<Value>.self, from: Data(body.utf8)).data
        }
    }

    static func run(_ configuration: String, _ body: @escaping (API) async throws -> Void) async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let file = "\(temporary.path)/prometheus.yml"
        try put(configuration, at: file)
        let port = try Loopback.freePort()
        let server = Task {
            try await LocalExecutor().run(
                Command(
                    "/usr/bin/prometheus",
                    [
                        "--config.file=\(file)", "--storage.tsdb.path=\(temporary.path)/data",
                        "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
                    ], timeout: .seconds(90)))
        }
        do {
            try await body(API(port: port))
        } catch {
            server.cancel()
            _ = try? await server.value
            throw error
        }
        server.cancel()
        _ = try? await server.value
    }
}
