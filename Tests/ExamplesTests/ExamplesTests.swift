import FoundationEssentials
import Testing

/// The examples, run as programs; what they print is compared as a whole.
struct ExamplesTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    @Test func targetFilesAreWrittenOnce() throws {
        let job = """
              - job_name: node_exporter
                scrape_interval: 30s
                scrape_timeout: 30s
            """
        let first = try run("write-target-files", [folder.path, "dgx-01", "dgx-02"])
        #expect(
            first.output.hasPrefix(
                "\(folder.path)/dgx-01.json: written\n\(folder.path)/dgx-02.json: written\n\(job)\n"))
        let second = try run("write-target-files", [folder.path, "dgx-01"])
        #expect(
            second.output == "\(folder.path)/dgx-01.json: unchanged\n"
                + first.output.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2)
                .joined(separator: "\n"))
        #expect(
            try folder.read("dgx-02.json") == """
                [
                  {"targets": ["dgx-02:9100"], "labels": {"cluster": "slurm", "hostname": "dgx-02", "job": "node_exporter"}}
                ]

                """)
        let wrong = try run("write-target-files", [folder.path, "../x"])
        #expect(
            wrong.output == """
                invalid address: "../x" is no target: its host is neither a host name nor an IP address; write HOST:PORT, an \
                IPv6 address in brackets

                """)
        #expect([first.status, second.status, wrong.status] == [0, 0, 1])
    }

    @Test func servicesThatAreDownAreStarted() throws {
        try folder.script(
            "systemctl",
            """
            case $1 in
            start) [ "$3" = bad.service ] && { echo bad > failed; exit 1; }; : > started; exit 0 ;;
            esac
            state() { printf 'Id=%s\\nNames=%s\\nLoadState=%s\\nActiveState=%s\\nSubState=%s\\nResult=%s\\n\\n' "$1" "$1" "$2" "$3" "$4" "$5"; }
            for unit; do
                case $unit in
                up.service) state "$unit" loaded active running success ;;
                down.service) if [ -e started ]; then state "$unit" loaded active running success
                    else state "$unit" loaded inactive dead success; fi ;;
                bad.service) state "$unit" loaded failed failed exit-code ;;
                none.service) state "$unit" not-found inactive dead success ;;
                esac
            done
            """)
        try folder.script("journalctl", "echo 'it said why'")
        let good = try run("service-states", ["up.service", "down.service"], path: folder.path)
        #expect(good.output == "up.service: active (running)\ndown.service: started\n")
        let bad = try run("service-states", ["none.service", "bad.service"], path: folder.path)
        #expect(
            bad.output == """
                none.service: not-found
                bad.service: start failed: it is failed (failed), result exit-code; start ended with exit status 1; look at systemctl status bad.service and \
                journalctl --unit=bad.service
                  last lines of its journal:
                    it said why

                """)
        #expect([good.status, bad.status] == [0, 1])
        #expect(try run("service-states", []).output == "usage: service-states UNIT ...\n")
    }

    @Test func rulesAreShown() throws {
        let file = "\(folder.path)/config.json"
        try Data(#"{"bcm_headnodes": ["head-a"], "prometheus_targets_dir": "/srv/t", "cluster": "x"}"#.utf8)
            .write(to: URL(filePath: file))
        let good = try run("show-rules", [file, "dgx-01"])
        #expect(
            good.output == """
                warning: "cluster" is not a known key and has no effect; the nearest known key is "cluster_name"
                with the role slurmclient:
                  node_exporter.service on port 9100
                  cgroup_exporter.service on port 9306
                  nvidia_gpu_exporter.service on port 9445
                with the role gpu-metrics:
                  dcgm-exporter.service on port 9400
                /srv/t/dgx-01.json:
                [
                  {"targets": ["dgx-01:9100"], "labels": {"cluster": "slurm", "hostname": "dgx-01", "job": "node_exporter"}},
                  {"targets": ["dgx-01:9306"], "labels": {"cluster": "slurm", "hostname": "dgx-01", "job": "cgroup_exporter"}},
                  {"targets": ["dgx-01:9445"], "labels": {"cluster": "slurm", "hostname": "dgx-01", "job": "gpu_exporter"}},
                  {"targets": ["dgx-01:9400"], "labels": {"cluster": "slurm", "hostname": "dgx-01", "job": "dcgm_exporter"}}
                ]

                """)
        try Data(#"{"bcm_headnodes": ["head-a"], "bcm_port": 0, "rules": 1}"#.utf8).write(to: URL(filePath: file))
        let bad = try run("show-rules", [file, "dgx-01"])
        #expect(
            bad.output == """
                \(file): 2 mistakes
                  bcm_port: found 0, expected a whole number from 1 to 65535
                  rules: found 1, expected a list of rules, as in [{"role": "ROLE", "units": [{"unit": "dcgm-exporter", "port": \
                9400, "job": "dcgm_exporter"}]}]

                """)
        #expect([good.status, bad.status] == [0, 2])
    }

    @Test func planIsShownWithTheSitesOwnSection() throws {
        let file = "\(folder.path)/config.json"
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: file)) }
        try write(
            #"{"cluster_nam": "x", "deploy_bcm_role_monitor": false, "systems": {"dgx_nodes": ["dgx-[01-02]"]}}"#)
        let good = try run("show-plan", [file, "4"])
        #expect(
            good.output == """
                warning: cluster_nam: unknown key, it has no effect; did you mean "cluster_name"? (line 1, column 2)
                4. Node statistics
                  System user prometheus: dgx-01, dgx-02
                  Directory of metrics that others write: dgx-01, dgx-02
                  Program node_exporter: dgx-01, dgx-02
                  Unit file of node_exporter.service: dgx-01, dgx-02
                  node_exporter.service enabled and running: dgx-01, dgx-02
                  node_exporter.service answers: dgx-01, dgx-02
                11. Site
                  Message of the day: dgx-01, dgx-02

                """)
        try write(#"{"prometheus_port": "9090", "systems": {"dgx_nodes": ["dgx 01"]}}"#)
        let bad = try run("show-plan", [file, "4"])
        #expect(
            bad.output == """
                \(file): invalid configuration, 2 errors:
                  error: prometheus_port: expected a whole number from 1 to 65535, found the string "9090": remove the quotes \
                (line 1, column 21)
                  error: systems.dgx_nodes[0]: "dgx 01" is not a host name (RFC 1123): letters, digits, hyphens and dots only, \
                not " " (line 1, column 55)

                """)
        #expect([good.status, bad.status] == [0, 2])
        #expect(try run("show-plan", [file, "11"]) == (2, "usage: show-plan FILE SECTION ...\n"))
    }

    /// With a BCM these two are run by the tests against the simulated one.
    @Test func examplesThatAskBCMSayWhatTheyNeed() throws {
        #expect(try run("audit-targets", []) == (2, "usage: audit-targets FILE\n"))
        #expect(
            try run("nodes-with-role", ["slurmclient", "/ca"])
                == (2, "usage: nodes-with-role ROLE CA-FILE CERTIFICATE KEY HEAD-NODE ...\n"))
        let wrong = try run("nodes-with-role", ["slurmclient", "/ca", "/cert", "/key", "head a"])
        #expect(
            wrong.output == """
                invalid configuration: the head node "head a" is neither a host name nor an address; write a head node as a \
                name or an address, with a port after a colon if it is not 8081

                """)
        #expect(wrong.status == 2)
    }

    private static let examples = [
        "write-target-files", "service-states", "show-rules", "nodes-with-role", "audit-targets", "show-plan",
    ]

    @Test func examplesAreShort() throws {
        for example in Self.examples {
            let source = try text("Sources/Examples/\(example)/main.swift")
            #expect(source.split(separator: "\n", omittingEmptySubsequences: false).count <= 71, "\(example)")
        }
    }

    /// The README shows parts of the examples, line by line as they are.
    @Test func snippetsOfTheREADMEAreTheExamples() throws {
        let readme = try text("README.md")
        for example in Self.examples { #expect(readme.contains("Sources/Examples/\(example)"), "\(example)") }
        let lines = try Set(Self.examples.flatMap(lines))
        let blocks = Self.blocks(readme).filter { !$0.hasPrefix(".package") }
        #expect(blocks.count >= Self.examples.count)
        for line in blocks.flatMap(Self.codeLines) { #expect(lines.contains(Self.trimmed(line)), "\(line)") }
    }

    /// So does the first block of a library's article.
    @Test(arguments: [
        ("BCMClient.docc/AskingBCM", "nodes-with-role"), ("FleetTargets.docc/LookingAfterAFleet", "audit-targets"),
        ("JobstatsDeploy.docc/PlanningAndRunning", "show-plan"), ("RoleMonitor.docc/OtherRolesAndUnits", "show-rules"),
    ])
    func snippetsOfArticlesAreTheExamples(article: String, example: String) throws {
        let library = article.split(separator: ".")[0]
        let block = try #require(Self.blocks(try text("Sources/\(library)/\(article).md")).first)
        let lines = try Set(lines(of: example))
        for line in Self.codeLines(block) { #expect(lines.contains(Self.trimmed(line)), "\(line)") }
    }

    private static func blocks(_ text: String) -> [Substring] {
        text.split(separator: "```swift\n").dropFirst().map { $0.prefix { $0 != "`" } }
    }

    private static func codeLines(_ block: Substring) -> [Substring] {
        block.split(separator: "\n").filter { !$0.allSatisfy { $0 == " " } }
    }

    private func lines(of example: String) throws -> [Substring] {
        try text("Sources/Examples/\(example)/main.swift").split(separator: "\n").map(Self.trimmed)
    }

    private static func trimmed(_ line: Substring) -> Substring { line.drop { $0 == " " } }

    private func text(_ path: String) throws -> String {
        try String(contentsOf: URL(filePath: "\(repository)/\(path)"), encoding: .utf8)
    }
}
