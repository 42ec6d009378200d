import CommandExecution
import FoundationEssentials
import PromTargets
import Testing

struct ScrapeConfigurationTests {
    private let directory = "/cm/shared/apps/jobstats/prometheus-targets"

    private func configuration(_ cluster: String = "slurm") throws -> ScrapeConfiguration {
        try ScrapeConfiguration(
            clusterName: cluster, targetsDirectory: directory, jobs: ScrapeConfiguration.standardJobs())
    }

    @Test func oneJobIsRenderedWithAllItsRules() throws {
        let configuration = try ScrapeConfiguration(
            clusterName: "slurm", targetsDirectory: directory, jobs: [.init("gpu_exporter", port: 9445)],
            targetDomain: "cluster.example", targetLimit: 2000, ruleFiles: ["/etc/prometheus/rules/*.yml"],
            externalLabels: ["site": "o'hara #1", "number": "1"])
        let expected = #"""
            global:
              scrape_interval: 30s
              scrape_timeout: 30s
              evaluation_interval: 30s
              external_labels:
                number: '1'
                site: 'o''hara #1'
            rule_files:
              - '/etc/prometheus/rules/*.yml'
            scrape_configs:
              - job_name: gpu_exporter
                scrape_interval: 30s
                scrape_timeout: 30s
                # A node must not send Prometheus elsewhere.
                follow_redirects: false
                target_limit: 2000
                body_size_limit: 64MB
                file_sd_configs:
                  - files:
                      - '/cm/shared/apps/jobstats/prometheus-targets/*.json'
                    refresh_interval: 30s
                relabel_configs:
                  # Only this exporter's targets, of hosts with proper names.
                  - source_labels: [job]
                    regex: gpu_exporter
                    action: keep
                  - source_labels: [hostname]
                    regex: '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*(?:[0-9][0-9-]*)?[a-zA-Z](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
                    action: keep
                  # Only the exporter's own port on the host that the label names (Prometheus 2.41 or later).
                  - source_labels: [hostname]
                    regex: '(.+)'
                    target_label: __tmp_expected_address
                    replacement: '${1}.cluster.example:9445'
                    action: replace
                  - source_labels: [__address__]
                    target_label: __tmp_expected_address
                    action: keepequal
                  # How and how often a target is scraped is not for its file to say.
                  - target_label: __scheme__
                    replacement: http
                    action: replace
                  - target_label: __metrics_path__
                    replacement: /metrics
                    action: replace
                  - target_label: __scrape_interval__
                    replacement: 30s
                    action: replace
                  - target_label: __scrape_timeout__
                    replacement: 30s
                    action: replace
                  - target_label: cluster
                    replacement: slurm
                    action: replace
                  - source_labels: [hostname]
                    regex: '(.+)'
                    target_label: instance
                    replacement: '${1}:9445'
                    action: replace
                  # URL parameters (__param_...) and all other labels of the file go.
                  - regex: '__address__|__scheme__|__metrics_path__|__scrape_interval__|__scrape_timeout__|job|cluster|hostname|instance'
                    action: labelkeep
                metric_relabel_configs:
                  - source_labels: [__name__]
                    regex: '^go_.*'
                    action: drop

            """#
        #expect(configuration.rendered == expected)
    }

    @Test func fixedTargetsStandBesideTheExportersAndAreNoPartOfTheJobsAlone() throws {
        let configuration = try ScrapeConfiguration(
            clusterName: "slurm", targetsDirectory: directory, jobs: ScrapeConfiguration.standardJobs(),
            fixedJobs: [
                .init(
                    "servers",
                    [.init(host: "mon-01.example", port: 9100, hostName: "mon-01"), .init(host: "::1", port: 9100)])
            ])
        let expected = """
              - job_name: servers
                scrape_interval: 30s
                scrape_timeout: 30s
                follow_redirects: false
                static_configs:
                  - targets:
                      - 'mon-01.example:9100'
                    labels:
                      cluster: slurm
                      hostname: mon-01
                      instance: 'mon-01:9100'
                  - targets:
                      - '[::1]:9100'
                    labels:
                      cluster: slurm
                      hostname: '::1'
                      instance: '::1:9100'
                metric_relabel_configs:
                  - source_labels: [__name__]
                    regex: '^go_.*'
                    action: drop

            """
        #expect(configuration.rendered.hasSuffix(expected))
        #expect(!configuration.renderedJobs.contains("servers"))
        let error = PromTargetsError.Code.invalidConfiguration
        for make: () throws -> ScrapeConfiguration in [
            {
                try ScrapeConfiguration(
                    clusterName: "a", targetsDirectory: "/t", jobs: [.init("x", port: 1)],
                    fixedJobs: [.init("x", [.init(host: "a", port: 1)])])
            },
            {
                try ScrapeConfiguration(
                    clusterName: "a", targetsDirectory: "/t", jobs: [.init("x", port: 1)], fixedJobs: [.init("y", [])])
            },
        ] {
            #expect { try make() } throws: { ($0 as? PromTargetsError)?.code == error }
        }
    }

    @Test func theJobsAloneAreThoseOfTheWholeFile() throws {
        let configuration = try configuration()
        #expect(configuration.rendered.hasSuffix("scrape_configs:\n" + configuration.renderedJobs))
        for job in ["node_exporter", "cgroup_exporter", "gpu_exporter"] {
            #expect(configuration.renderedJobs.contains("  - job_name: \(job)\n"))
        }
    }

    /// Names that a reader of YAML takes for something else, or that could end the text they stand in.
    @Test(
        .enabled(if: Promtool.exists, "promtool is not installed"),
        arguments: [
            "slurm", "true", "NO", "null", "~", "1", "1e3", "0x1F", "2026-01-06", "12:30:00", "- a", "a: b", "a #b",
            "{a}", "[a", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "?", "'", "\"", "\\", "$1 ${2} $$", " a ", "=",
            "a\nscrape_configs: []", "tab\there", "\u{e4}\u{1f600}", "\u{85}\u{2028}\u{feff}", "<<", "{{ x }}", "y",
        ])
    func promtoolReadsAnyClusterName(name: String) async throws {
        let configuration = try ScrapeConfiguration(
            clusterName: name, targetsDirectory: "/nonexistent", jobs: ScrapeConfiguration.standardJobs(),
            externalLabels: ["cluster": name])
        let result = try await Promtool.check(configuration.rendered)
        #expect(result.succeeded, "\(result.errorText)\n\(configuration.rendered)")
    }

    @Test(.enabled(if: Promtool.exists, "promtool is not installed"))
    func promtoolAcceptsEveryVariant() async throws {
        let jobs = try ScrapeConfiguration.standardJobs()
        let variants = [
            try configuration(),
            try ScrapeConfiguration(
                clusterName: "a", targetsDirectory: "/nonexistent/", jobs: jobs, targetDomain: "x.example"),
            try ScrapeConfiguration(
                clusterName: "a", targetsDirectory: "/path with 'quotes' and #", jobs: jobs,
                hostNames: ["dgx-01", "dgx-02.x"]),
            try ScrapeConfiguration(
                clusterName: "a", targetsDirectory: "/t", jobs: jobs, scrapeInterval: .milliseconds(1500),
                scrapeTimeout: .milliseconds(10), refreshInterval: .seconds(3600), addressCheck: .derivation),
            try ScrapeConfiguration(
                clusterName: "a", targetsDirectory: "/t", jobs: jobs,
                fixedJobs: [.init("prometheus", [.init(host: "localhost", port: 9090)])]),
        ]
        for variant in variants {
            let result = try await Promtool.check(variant.rendered)
            #expect(result.succeeded, "\(result.errorText)\n\(variant.rendered)")
        }
    }

    /// The check of the tests above would be worth nothing if promtool took anything.
    @Test(.enabled(if: Promtool.exists, "promtool is not installed"))
    func promtoolRefusesAConfigurationWithAWrongAction() async throws {
        let wrong = try configuration().rendered.split(separator: "keepequal").joined(separator: "keepalmost")
        #expect(try await !Promtool.check(wrong).succeeded)
    }

    @Test func whatCannotStandInAConfigurationIsRefused() throws {
        let jobs = try ScrapeConfiguration.standardJobs()
        let invalid = PromTargetsError(.invalidConfiguration, reason: "", remedy: "")
        for port in [-1, 0, 65_536] {
            #expect(throws: invalid) { try ScrapeConfiguration.Job("a", port: port) }
        }
        for label in ["", "a b", "a\n", "a|b", ".*"] {
            #expect(throws: invalid) { try ScrapeConfiguration.Job(label, port: 1) }
            #expect(throws: invalid) { try ScrapeConfiguration.Job("a", port: 1, name: label) }
        }
        for path in ["", "relative", "/a*", "/a?", "/a[b]", "/a\\b", "/a\nb", "/a\0"] {
            #expect(throws: invalid) { try ScrapeConfiguration(clusterName: "a", targetsDirectory: path, jobs: jobs) }
        }
        for name in ["", "a b", ".a", "a|b", ".*"] {
            #expect(throws: invalid) {
                try ScrapeConfiguration(clusterName: "a", targetsDirectory: "/a", jobs: jobs, targetDomain: name)
            }
            #expect(throws: invalid) {
                try ScrapeConfiguration(clusterName: "a", targetsDirectory: "/a", jobs: jobs, hostNames: [name])
            }
        }
        #expect(throws: invalid) {
            try ScrapeConfiguration(clusterName: "a", targetsDirectory: "/a", jobs: jobs, hostNames: [])
        }
        #expect(throws: invalid) { try ScrapeConfiguration(clusterName: "a", targetsDirectory: "/a", jobs: []) }
        #expect(throws: invalid) { try ScrapeConfiguration.standardJobs(nodePort: 1, cgroupPort: 70_000) }
        #expect(throws: invalid) {
            try ScrapeConfiguration(
                clusterName: "a", targetsDirectory: "/a",
                jobs: ScrapeConfiguration.standardJobs(nodePort: 9306, cgroupPort: 9306))
        }
        #expect(throws: invalid) {
            try ScrapeConfiguration(
                clusterName: "a", targetsDirectory: "/a", jobs: jobs, scrapeInterval: .seconds(10),
                scrapeTimeout: .seconds(11))
        }
        #expect(throws: invalid) {
            try ScrapeConfiguration(clusterName: "a", targetsDirectory: "/a", jobs: jobs, targetLimit: 0)
        }
        #expect(throws: invalid) {
            try ScrapeConfiguration(clusterName: "a", targetsDirectory: "/a", jobs: jobs, ruleFiles: ["rules.yml"])
        }
        #expect(throws: PromTargetsError(.invalidLabel, reason: "", remedy: "")) { try configuration("") }
        #expect(throws: PromTargetsError(.invalidLabel, reason: "", remedy: "")) {
            try ScrapeConfiguration(
                clusterName: "a", targetsDirectory: "/a", jobs: jobs, externalLabels: ["a-b": "c"])
        }
    }
}

/// Prometheus's own checker of configurations.
enum Promtool {
    static let exists = FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")

    static func check(_ configuration: String) async throws -> CommandResult {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = "\(temporary.path)/prometheus.yml"
        try put(configuration, at: path)
        return try await LocalExecutor().run(Command("/usr/bin/promtool", ["check", "config", path]))
    }
}
