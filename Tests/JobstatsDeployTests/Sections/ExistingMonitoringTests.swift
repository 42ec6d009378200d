import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// Servers that are not ours, asked over HTTP.
@Suite struct ExistingMonitoringTests {
    private static let up = "/api/v1/query?query=sum%20by%20(job)%20(up%7Bcluster%3D%22slurm%22%7D)"

    private func prometheus(port: Int, host: String = "127.0.0.1") -> ExistingPrometheus {
        ExistingPrometheus(
            host: host, port: port, targetsDirectory: "/shared/targets", jobs: ["node_exporter", "gpu_exporter"],
            cluster: "slurm", retentionDays: 365)
    }

    private func judge(_ answers: [String: (Int, String)]) async throws -> Assessment {
        let server = try await StubServer(answers)
        let resource = prometheus(port: server.port)
        let facts = try await lookHere(resource)
        try await server.stop()
        return resource.assess(facts)
    }

    private func configuration(_ yaml: String) -> String {
        String(
            decoding: JSONNode.object([("status", .text("success")), ("data", .object([("yaml", .text(yaml))]))])
                .encoded(),
            as: UTF8.self)
    }

    private func flags(_ time: String, size: String = "0B") -> String {
        #"{"status":"success","data":{"storage.tsdb.retention.time":"\#(time)","storage.tsdb.retention.size":"\#(size)"}}"#
    }

    private let jobs = """
        scrape_configs:
        - job_name: node_exporter
          file_sd_configs:
          - files:
            - /shared/targets/*.json
        - job_name: "gpu_exporter"

        """

    @Test func aServerThatHasEverythingIsInPlace() async throws {
        let found = try await judge([
            "/-/ready": (200, "ready"), "/api/v1/status/config": (200, configuration(jobs)),
            "/api/v1/status/flags": (200, flags("1y")),
            Self.up: (
                200,
                #"{"data":{"result":[{"metric":{"job":"node_exporter"},"value":[1,"3"]},{"metric":{"job":"other"},"value":[1,"9"]}]}}"#
            ),
        ])
        #expect(found == .inPlace("it is ready and has the scrape jobs; answering: 3 node_exporter"))
    }

    @Test func whatIsMissingIsAWarningThatNamesIt() async throws {
        let found = try await judge([
            "/-/ready": (200, "ready"), "/api/v1/status/flags": (200, flags("0s")),
            "/api/v1/status/config": (200, configuration("scrape_configs:\n- job_name: node_exporter_old\n")),
        ])
        #expect(found.isWarning)
        #expect(
            found.detail == "its configuration does not read /shared/targets; it has no scrape job node_exporter, "
                + "gpu_exporter; it keeps 15 days, and jobstats is told 365 (prometheus_retention_days)")
        let bySize = try await judge([
            "/-/ready": (200, "ready"), "/api/v1/status/flags": (200, flags("0s", size: "500GB")),
            "/api/v1/status/config": (200, configuration(jobs)),
        ])
        #expect(bySize == .inPlace("it is ready and has the scrape jobs; no target answers yet"))
    }

    @Test func anUnreachableServerIsAWarning() async throws {
        let resource = prometheus(port: 1)
        let found = resource.assess(try await lookHere(resource))
        #expect(found.isWarning && found.detail == "127.0.0.1:1 does not answer HTTP requests from here")
        let nobody = prometheus(port: 9090, host: "no-such-host.invalid")
        #expect(nobody.assess(try await lookHere(nobody)).isWarning)
        #expect(try await judge([:]).detail.contains("is not ready (HTTP 404)"))
        #expect(try await judge(["/-/ready": (200, "x"), "/api/v1/status/config": (200, "<html>")]).isWarning)
        #expect(resource.assess(Facts()).state == .blocked)
    }

    @Test func aGrafanaIsAskedForItsHealth() async throws {
        let server = try await StubServer(["/api/health": (200, #"{"database":"ok","version":"12.1.0"}"#)])
        let good = ExistingGrafana(host: "127.0.0.1", port: server.port)
        #expect(good.assess(try await lookHere(good)) == .inPlace("Grafana 12.1.0 answers"))
        try await server.stop()
        let none = ExistingGrafana(host: "127.0.0.1", port: 1)
        #expect(none.assess(try await lookHere(none)).isWarning)
    }

    @Test(
        arguments: [
            ("15d", 15.0), ("1y", 365), ("1y2w", 379), ("36h", 1.5), ("0s", 0), ("", nil), ("d", nil), ("15", nil),
            ("15d; rm", nil), ("٣d", nil),
        ] as [(String, Double?)])
    func durationsAreReadAsPrometheusWritesThem(_ text: String, _ days: Double?) {
        #expect(ExistingPrometheus.days(text) == days)
    }

    @Test func nothingOfAnExistingServerIsTouched() throws {
        let configuration = makeConfiguration {
            $0.usesExistingPrometheus = true
            $0.usesExistingGrafana = true
            $0.customTargetsDirectory = "/shared/targets"
        }
        let plan = try makePlan(configuration)
        #expect(!plan.hosts.contains(Host("mon-01")))
        for number in [6, 7] {
            let section = try #require(plan.sections.first { $0.number == number })
            #expect(section.steps.map(\.hosts) == [[Host("head-a", isLocal: true)]])
            for step in section.steps {
                #expect(try step.commonResource?.changes(from: Facts()).isEmpty == true)
            }
        }
        let grafana = try #require(plan.sections.first { $0.number == 7 })
        #expect(grafana.notes.contains("url: \"http://mon-01:9090\"") && grafana.notes.contains("Jobstats: one job"))
        let prometheus = try #require(plan.sections.first { $0.number == 6 })
        #expect(prometheus.notes.contains("/shared/targets/*.json") && prometheus.notes.contains("365d"))
    }
}
