import JobstatsDeploy
import Testing

@Suite struct ConfigurationErrorTests {
    @Test func allErrorsComeAtOnceWithTheirKeys() {
        let file = """
            {
              "cluster_name": 7,
              "prometheus_port": "9090",
              "grafana_port": 70000,
              "use_existing_grafana": "false",
              "prometheus_targets_dir": "relative/path",
              "prometheus_retention_dayz": 3,
              "slurm_category": "dgx",
              "dgx_nodes": ["dgx-01"],
              "systems": {
                "slurm_controler": ["ctl-01"],
                "login_nodes": "login-01",
                "dgx_nodes": ["dgx-01", 7, "dgx-02",
                              "dgx-01;reboot"],
                "prometheus_server": ["mon-01", null]
              }
            }
            """
        let reading = DeploymentConfiguration.parse(Array(file.utf8))
        #expect(
            reading.issues.map(\.description) == [
                "warning: prometheus_retention_dayz: unknown key, it has no effect; did you mean \"prometheus_retention_days\"? (line 7, column 3)",
                "warning: slurm_category: has no effect any more: the BCM role decides where exporters run, not the category (line 8, column 3)",
                "warning: dgx_nodes: has no effect here: move it into \"systems\" (line 9, column 3)",
                "error: cluster_name: expected a string, found the number 7 (line 2, column 19)",
                "error: prometheus_port: expected a whole number from 1 to 65535, found the string \"9090\": remove the quotes (line 3, column 22)",
                "error: grafana_port: expected a whole number from 1 to 65535, found 70000 (line 4, column 19)",
                "error: use_existing_grafana: expected true or false, found the string \"false\": write false without quotes (line 5, column 27)",
                "error: prometheus_targets_dir: \"relative/path\" is not an absolute path: it must begin with / (line 6, column 29)",
                "warning: systems.slurm_controler: unknown key, it has no effect; did you mean \"slurm_controller\"? (line 11, column 5)",
                "error: systems.login_nodes: expected a list of host names, found the string \"login-01\": write [\"login-01\"] (line 12, column 20)",
                "error: systems.dgx_nodes[1]: expected a host name or a range of them, found the number 7 (line 13, column 29)",
                "error: systems.dgx_nodes[3]: \"dgx-01;reboot\" is not a host name (RFC 1123): letters, digits, hyphens and dots only, not \";\" (line 14, column 19)",
                "error: systems.prometheus_server[1]: expected a host name or a range of them, found null (line 15, column 37)",
                "warning: systems.prometheus_server: names mon-01, but prometheus_server is not set: clients are told \"prometheus-server\" (line 15, column 26)",
                "error: systems.slurm_controller: is empty, and section 5 (job summaries) needs at least one host there",
                "error: systems.grafana_server: is empty, and section 7 (Grafana) needs at least one host there",
            ])
        #expect(throws: ConfigurationError.self) { try reading.get() }
    }

    @Test(arguments: [
        (
            ["node_exporter_port": "9306"],
            ["cgroup_exporter_port: 9306 is also node_exporter_port, and both listen on every node: change one"]
        ),
        (
            ["prometheus_port": "3000"],
            ["grafana_port: 3000 is also prometheus_port, and both listen on mon-01: change one"]
        ),
        (
            ["grafana_port": "443"],
            ["grafana_port: 443 needs root to listen on, and the program runs without: use 1024 or more"]
        ),
        (
            ["target_domain": #"".cluster""#],
            ["target_domain: \".cluster\" is not a domain: write it without the dot in front"]
        ),
        (
            ["prometheus_server": #""http://mon-01:9090""#],
            [
                "prometheus_server: \"http://mon-01:9090\" is a URL: write the host alone here; the port has a key of its own"
            ]
        ),
        (
            ["prometheus_server": #""mon-01:9090""#],
            [
                "prometheus_server: \"mon-01:9090\" carries a port: write the host alone here; the port has a key of its own"
            ]
        ),
        (
            ["prometheus_server": #""fe80::1""#],
            ["prometheus_server: \"fe80::1\" is an IPv6 address: give the host a name and write that"]
        ),
        (
            ["prometheus_server": #""10.0.0.300""#],
            [
                "prometheus_server: \"10.0.0.300\" is neither a host name (RFC 1123: the last part is not a number) nor an IPv4 address"
            ]
        ),
        (
            ["grafana_server": #""-x""#],
            ["grafana_server: \"-x\" is not a host name (RFC 1123): no part begins or ends with a hyphen"]
        ),
        (
            ["prometheus_targets_dir": #""/a/../b""#],
            ["prometheus_targets_dir: \"/a/../b\" is not a usable path: it holds \"..\" as a part"]
        ),
        (
            ["prometheus_targets_dir": #""//""#],
            ["prometheus_targets_dir: \"//\" is not a usable path: it is the root of the file system"]
        ),
        (
            ["prometheus_targets_dir": #""/proc/x""#],
            ["prometheus_targets_dir: \"/proc/x\" cannot be on shared storage: it is under /proc"]
        ),
        (["cluster_name": "null"], ["cluster_name: expected a string, found null"]),
        (
            ["cluster_name": #""a-cluster-name-that-is-longer-than-forty-x""#],
            [
                "cluster_name: \"a-cluster-name-that-is-longer-than-forty-x\" is not a cluster name: at most 40 characters"
            ]
        ),
        (
            ["prometheus_retention_days": "0"],
            ["prometheus_retention_days: expected a whole number from 1 to 36500, found 0"]
        ),
        (
            ["artifacts": #"{"prometheus": {"path": "/root/p"}}"#],
            ["artifacts.prometheus: a file needs its \"sha256\" beside \"path\": sha256sum /root/p prints it"]
        ),
        (
            ["artifacts": #"{"prometheus": {"package": "prometheus"}}"#],
            ["artifacts.prometheus: a package needs \"binary\" beside \"package\": the program's path in it"]
        ),
        (
            ["artifacts": #"{"prometheus": {}}"#],
            [
                "artifacts.prometheus: expected \"path\" and \"sha256\", \"package\" and \"binary\", \"url\" and \"sha256\", or \"git\" and \"revision\""
            ]
        ),
        (
            ["artifacts": #"{"prometheus": {"url": "https://example.org/p.tar.gz", "member": "p/prometheus"}}"#],
            [
                "artifacts.prometheus: a release needs its \"sha256\" beside \"url\": the one that its makers publish"
            ]
        ),
        (
            ["artifacts": #"{"cgroup_exporter": {"git": "https://example.org/x", "revision": "v0.3.4"}}"#],
            [
                "artifacts.cgroup_exporter.revision: \"v0.3.4\" is not the full id of a commit: 40 hexadecimal digits; names of branches and tags can move"
            ]
        ),
        (
            ["artifacts": #"{"cgroup_exporter": {"git": "ssh://me@example.org/x", "cgo": true}}"#],
            [
                "artifacts.cgroup_exporter.git: \"ssh://me@example.org/x\" is not a usable address: it must begin with https:// or http://"
            ]
        ),
        (
            ["artifacts": #"{"prometheus": {"x86_64": {"path": "p"}}}"#],
            ["artifacts.prometheus.x86_64.path: \"p\" is not an absolute path: it must begin with /"]
        ),
    ])
    func eachErrorSaysWhatToWriteInstead(_ members: [String: String], _ expected: [String]) {
        let reading = DeploymentConfiguration.parse(makeFile(members))
        #expect(reading.errors.map { "\($0.keyPath): \($0.message)" } == expected)
    }

    @Test(arguments: [
        (["prometheus_port": "8081"], ["prometheus_port: 8081 is the usual port of BCM's CMDaemon"]),
        (["cluster_name": #""Slurm""#], ["cluster_name: has capital letters: Slurm recommends a name without any"]),
        (
            ["artifacts": #"{"node_exporterr": {}}"#],
            ["artifacts.node_exporterr: unknown key, it has no effect; did you mean \"node_exporter\"?"]
        ),
        (
            ["node_exporter_prot": "1"],
            ["node_exporter_prot: unknown key, it has no effect; did you mean \"node_exporter_port\"?"]
        ),
        (["colour": "1"], ["colour: unknown key, it has no effect"]),
        (
            ["prometheus_targets_dir": #""/tmp/t""#, "use_custom_prometheus_targets_dir": "true"],
            ["prometheus_targets_dir: \"/tmp/t\" looks local to each host: Prometheus must see what the nodes write"]
        ),
    ])
    func doubtfulValuesAreWarnings(_ members: [String: String], _ expected: [String]) {
        let reading = DeploymentConfiguration.parse(makeFile(members))
        #expect(reading.warnings.map { "\($0.keyPath): \($0.message)" } == expected)
        #expect(reading.configuration != nil)
    }

    @Test func portsMayBeTheSameOnDifferentHosts() {
        let reading = DeploymentConfiguration.parse(
            makeFile(["prometheus_port": "3000"], systems: ["grafana_server": #"["mon-01.other"]"#]))
        #expect(reading.errors.isEmpty)
        let shared = DeploymentConfiguration.parse(
            makeFile(["prometheus_port": "9100"], systems: ["prometheus_server": #"["DGX-02"]"#]))
        #expect(
            shared.errors.map(\.message) == ["9100 is also node_exporter_port, and both listen on DGX-02: change one"])
    }

    @Test func anExistingServersPortIsNotOurs() {
        let reading = DeploymentConfiguration.parse(
            makeFile(
                [
                    "prometheus_port": "443", "use_existing_prometheus": "true", "grafana_port": "443",
                    "use_existing_grafana": "true",
                ],
                systems: ["prometheus_server": "[]", "grafana_server": "[]"]))
        #expect(reading.texts == [])
    }

    @Test func onlyTheChosenSectionsNeedHosts() {
        let none = Array("{}".utf8)
        #expect(DeploymentConfiguration.parse(none, sections: [1, 8, 9]).errors.isEmpty)
        #expect(
            DeploymentConfiguration.parse(none, sections: [2, 3, 4, 10]).errors.map(\.description) == [
                "error: systems.dgx_nodes: is empty, and sections 2 (CPU job statistics), 3 (GPU job statistics), 4 (node statistics) and 10 (BCM role monitor) need at least one host there"
            ])
        #expect(
            DeploymentConfiguration.parse(none).errors.map(\.keyPath) == [
                "systems.slurm_controller", "systems.dgx_nodes", "systems.prometheus_server", "systems.grafana_server",
            ])
        #expect(
            DeploymentConfiguration.parse(Array(#"{"deploy_bcm_role_monitor": false}"#.utf8), sections: [10]).errors
                .isEmpty)
    }

    @Test func aKeyThatStandsTwiceIsAnError() {
        let text =
            "{\n\"grafana_port\": 3000,\n\"systems\": {\"dgx_nodes\": [\"a\"], \"dgx_nodes\": [\"b\"]},\n\"grafana_port\": 3001}"
        let reading = DeploymentConfiguration.parse(Array(text.utf8), sections: [4])
        #expect(reading.texts.contains("error: grafana_port: stands twice, on lines 2 and 4: keep one"))
        #expect(reading.texts.contains("error: systems.dgx_nodes: stands twice, on lines 3 and 3: keep one"))
    }
}
