import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import PrometheusAPI

struct PrometheusServerTests {
    @Test(arguments: [
        ("http://mon-01:9090", "http://mon-01:9090"), ("mon-01", "http://mon-01:9090"),
        ("http://mon-01:80/prometheus/", "http://mon-01:80/prometheus"), ("[fd00::1]:9091", "http://[fd00::1]:9091"),
        ("HTTP://10.0.0.1/", "http://10.0.0.1:9090"),
    ])
    func addressesAreRead(text: String, url: String) throws { #expect(try PrometheusServer(url: text).url == url) }

    @Test(arguments: [
        "", "https://mon-01", "http://", "mon-01:0", "mon-01:99999", "mon-01:x", "http://a b", "http://user@mon-01",
        "http://mon-01/\r\nX: y", "http://mon-01/?a", "[fd00::1]x",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(throws: PrometheusError(.address, "")) { try PrometheusServer(url: text) }
    }

    /// Answers every connection with these bytes, in python3, which the tests need anyway.
    private func withServer(
        _ answer: String, delay: Double = 0, _ body: (PrometheusServer) async throws -> Void
    ) async throws {
        let script = """
            import socket, sys, time
            s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(8); print(s.getsockname()[1], flush=True)
            open(sys.argv[1], "w").write(str(s.getsockname()[1]))
            while True:
                c, _ = s.accept(); c.recv(65536); time.sleep(float(sys.argv[3])); c.sendall(sys.argv[2].encode()); c.close()
            """
        let file = "/tmp/prometheus-api-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(file) }
        let running = Task {
            try await LocalExecutor().run(
                Command("python3", ["-c", script, file, answer, "\(delay)"], timeout: .seconds(60)))
        }
        defer { running.cancel() }
        var port: UInt16?
        for _ in 0..<500 where port == nil {
            try await Task.sleep(for: .milliseconds(20))
            port = FileManager.default.contents(atPath: file).flatMap { UInt16(String(decoding: $0, as: UTF8.self)) }
        }
        try await body(PrometheusServer(host: "127.0.0.1", port: try #require(port)))
    }

    private func answer(_ body: String, status: String = "200 OK", length: Int? = nil) -> String {
        "HTTP/1.0 \(status)\r\nContent-Length: \(length ?? body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func vectorsAndScalarsAreRead() async throws {
        let vector =
            #"{"status":"success","data":{"resultType":"vector","result":["#
            + #"{"metric":{"a":"b"},"value":[1.5,"2"]},{"metric":{},"value":[1,"NaN"]}]}}"#
        try await withServer(answer(vector)) { server in
            let samples = try await server.query("x")
            #expect(samples.first == .init(labels: ["a": "b"], value: 2) && samples[1].value.isNaN)
        }
        let scalar = #"{"status":"success","data":{"resultType":"scalar","result":[1,"+Inf"]}}"#
        try await withServer(answer(scalar)) { server in
            let values = try await server.query("x").map(\.value)
            #expect(values == [.infinity])
        }
    }

    @Test func answersThatAreNoneAreToldApart() async throws {
        let cases: [(String, PrometheusError.Code)] = [
            ("nonsense", .malformed), (answer("{}"), .malformed),
            (answer("<html>", status: "401 Unauthorized"), .refused),
            (answer("{}", length: 500), .timedOut),
            (answer(#"{"status":"error","error":"bad"}"#, status: "400 Bad Request"), .refused),
        ]
        for (text, code) in cases {
            try await withServer(text) { server in
                await #expect(throws: PrometheusError(code, "")) { try await server.query("x") }
            }
        }
    }

    @Test func aServerThatIsSilentIsNotWaitedFor() async throws {
        try await withServer(answer("{}"), delay: 20) { server in
            var server = server
            server.timeout = .milliseconds(300)
            let started = ContinuousClock.now
            await #expect(throws: PrometheusError(.timedOut, "")) { try await server.query("x") }
            #expect(started.duration(to: .now) < .seconds(5))
        }
    }

    @Test func nobodyIsNotReachable() async throws {
        let server = PrometheusServer(host: "127.0.0.1", port: 1)
        await #expect(throws: PrometheusError(.notReachable, "")) { try await server.targets() }
        let unknown = PrometheusServer(host: "no-such-host.invalid", port: 9090)
        await #expect(throws: PrometheusError(.notReachable, "")) { try await unknown.flags() }
    }

    @Test(.enabled(if: access("/usr/bin/prometheus", X_OK) == 0, "prometheus is not installed"))
    func aRealPrometheusIsUnderstood() async throws {
        let folder = "/tmp/prometheus-api-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let port = Int.random(in: 55000..<60000)
        try Data(
            "scrape_configs: [{job_name: it, scrape_interval: 1s, static_configs: [{targets: ['127.0.0.1:\(port)']}]}]\n"
                .utf8
        ).write(to: URL(filePath: "\(folder)/p.yml"))
        let arguments = [
            "--config.file=\(folder)/p.yml", "--storage.tsdb.path=\(folder)/data",
            "--web.listen-address=127.0.0.1:\(port)",
        ]
        let running = Task {
            try await LocalExecutor().run(Command("/usr/bin/prometheus", arguments, timeout: .seconds(60)))
        }
        defer { running.cancel() }
        let server = PrometheusServer(host: "localhost", port: UInt16(port))
        var targets: [PrometheusServer.Target] = []
        for _ in 0..<120 where targets.first?.health != "up" {
            try await Task.sleep(for: .milliseconds(250))
            targets = (try? await server.targets()) ?? []
        }
        #expect(targets.map(\.health) == ["up"] && targets.first?.labels["job"] == "it")
        #expect(try await server.query("up{job=\"it\"} == 1").map(\.labels["job"]) == ["it"])
        #expect(try await server.flags()["storage.tsdb.path"] == "\(folder)/data")
        #expect(try await server.ownMetrics()["prometheus_tsdb_head_series"] ?? 0 > 0)
        let version = try await server.version()
        #expect(version.hasPrefix("2") || version.hasPrefix("3"))
        await #expect(throws: PrometheusError(.refused, "")) { try await server.query("up{") }
    }
}
