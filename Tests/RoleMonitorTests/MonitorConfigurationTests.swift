import Testing

@testable import RoleMonitor

struct MonitorConfigurationTests {
    private func parse(_ text: String) throws(MonitorConfigurationError) -> (MonitorConfiguration, [String]) {
        try MonitorConfiguration.parse(Array(text.utf8))
    }

    private func failure(_ text: String) -> String {
        do {
            return "no error: \(try parse(text))"
        } catch {
            return "\(error)"
        }
    }

    @Test func absentKeysHaveTheDefaultsOfTheContract() throws {
        let (configuration, warnings) = try parse(#"{"bcm_headnodes": ["head-a"]}"#)
        #expect(warnings.isEmpty)
        #expect(configuration == MonitorConfiguration(headNodes: ["head-a"]))
        #expect(configuration.port == 8081)
        #expect(configuration.certificateFile == "/etc/bcm-role-monitor/admin.pem")
        #expect(configuration.keyFile == "/etc/bcm-role-monitor/admin.key")
        #expect(configuration.checkInterval == .seconds(60))
        #expect(configuration.retryInterval == .seconds(600))
        #expect(configuration.maximumRetries == 3)
        #expect(configuration.giveUpInterval == .seconds(3600))
        #expect(configuration.roleLossDelay == .seconds(15))
        #expect(configuration.requestTimeout == .seconds(15))
        #expect(configuration.targetsDirectory == "/cm/shared/apps/jobstats/prometheus-targets")
        #expect(configuration.exporters.map(\.port) == [9100, 9306, 9445])
        #expect(configuration.exporters.map(\.job) == ["node_exporter", "cgroup_exporter", "gpu_exporter"])
        #expect(configuration.clusterName == "slurm")
        #expect(configuration.role == "slurmclient")
        #expect(!configuration.areRolesVisible && !configuration.isInsecure && configuration.verifiesHostname)
        #expect(configuration.managesServices && configuration.managesTargets)
        #expect(configuration.stateDirectory == "/var/lib/bcm-role-monitor")
        #expect(configuration.metricsTextfile == MonitorPaths.metricsTextfile)
    }

    @Test func everyKeySurvivesWritingAndReading() throws {
        var configuration = MonitorConfiguration(headNodes: ["head-a:18081", "[fd00::1]:8081", "10.141.255.254"])
        configuration.port = 1
        configuration.certificateFile = "/a b/\"c\\\u{1}é".replacing("\u{1}", with: "")
        configuration.keyFile = "/k"
        configuration.authorityFile = "/ca"
        configuration.pinnedKeys = ["sha256//" + String(repeating: "A", count: 43) + "="]
        configuration.verifiesHostname = false
        configuration.isInsecure = true
        configuration.checkInterval = .milliseconds(1500)
        configuration.retryInterval = .seconds(1)
        configuration.maximumRetries = 7
        configuration.giveUpInterval = .seconds(2)
        configuration.role = "other"
        configuration.areRolesVisible = true
        configuration.roleLossDelay = .zero
        configuration.requestTimeout = .seconds(3)
        configuration.managesServices = false
        configuration.managesTargets = false
        configuration.targetsDirectory = "/t"
        configuration.nodeExporterPort = 2
        configuration.cgroupExporterPort = 3
        configuration.gpuExporterPort = 4
        configuration.clusterName = "my cluster"
        configuration.targetDomain = "example.org"
        configuration.stateDirectory = "/s"
        configuration.metricsTextfile = nil
        #expect(try MonitorConfiguration.parse(configuration.encoded()).configuration == configuration)
    }

    @Test func writtenFileIsReadable() {
        let text = String(decoding: MonitorConfiguration(headNodes: ["head-a", "head-b"]).encoded(), as: UTF8.self)
        #expect(text.hasPrefix("{\n  \"bcm_headnodes\": [\"head-a\", \"head-b\"],\n  \"bcm_port\": 8081,\n"))
        #expect(text.hasSuffix("bcm_role_monitor.prom\"\n}\n"))
    }

    @Test func allMistakesAreNamedAtOnce() {
        let text = failure(
            """
            {"bcm_port": 99999, "max_retries": true, "check_interval": 0.5, "cert_path": "admin.pem",
             "bcm_headnodes": ["head-a", 3, "x:y"], "role": "", "insecure": "yes", "target_domain": "-",
             "pinned_keys": ["sha256//short"], "prometheus_targets_dir": "/a/../b", "cluster_name": "a\\nb",
             "retry_interval": "10", "request_timeout": 1e9, "metrics_textfile": 1}
            """)
        #expect(
            text == """
                configuration: 15 mistakes
                  bcm_headnodes[1]: found 3, expected a name or an address, with or without a port, as in "head-a" or "head-a:8081"
                  bcm_headnodes[2]: found "x:y", expected a name or an address, with or without a port, as in "head-a" or "head-a:8081"
                  bcm_port: found 99999, expected a whole number from 1 to 65535
                  cert_path: found "admin.pem", expected an absolute path
                  pinned_keys[0]: found "sha256//short", expected a public-key pin, sha256// and the 44 characters of a SHA-256 digest in base 64
                  insecure: found "yes", expected true or false
                  check_interval: found 0.5, expected a number of seconds from 1 to 86400
                  retry_interval: found "10", expected a number of seconds from 1 to 604800
                  max_retries: found true, expected a whole number from 1 to 1000
                  role: found "", expected one word of letters, digits and the characters - _ . : @
                  request_timeout: found 1e9, expected a number of seconds from 1 to 300
                  prometheus_targets_dir: found "/a/../b", expected an absolute path
                  cluster_name: found "a\\nb", expected a text of one line, not empty
                  target_domain: found "-", expected a domain name, as in "example.org", or null
                  metrics_textfile: found 1, expected an absolute path, or null
                """)
    }

    @Test(arguments: [
        (
            "{}",
            "configuration: bcm_headnodes: missing, expected at least one head node, as in [\"head-a\", \"head-b:8081\"]"
        ),
        (
            #"{"bcm_headnodes": []}"#,
            "configuration: bcm_headnodes: found an empty list, expected at least one head node, as in [\"head-a\", \"head-b:8081\"]"
        ),
        (
            #"{"bcm_headnodes": "head-a"}"#,
            "configuration: bcm_headnodes: found \"head-a\", expected a list of head nodes, as in [\"head-a\", \"head-b:8081\"]"
        ),
        ("", "configuration: not JSON: line 1, column 1: the file ends where a value is expected"),
        ("[1]", "configuration: found [1], expected an object, as in {\"bcm_headnodes\": [\"head-a\"]}"),
        ("{\"a\": 1,\n  }", "configuration: not JSON: line 2, column 3: expected a key in double quotes"),
        ("{\"a\": 1\n \"b\": 2}", "configuration: not JSON: line 2, column 2: expected a comma or a closing brace"),
        ("{\"a\": True}", "configuration: not JSON: line 1, column 7: expected a value; texts stand in double quotes"),
        ("{\"a\": 1, \"a\": 2}", "configuration: not JSON: line 1, column 10: the key \"a\" stands here a second time"),
        ("{\"a\": \"x}", "configuration: not JSON: line 1, column 7: the text has no closing quote"),
        ("{} x", "configuration: not JSON: line 1, column 4: expected nothing after the value"),
    ])
    func mistakeIsExplained(text: String, message: String) {
        #expect(failure(text) == message)
    }

    @Test func unknownKeyIsAWarningThatNamesTheNearest() throws {
        let (_, warnings) = try parse(#"{"bcm_headnodes": ["a"], "check_intervall": 3, "bcm_head_nodes": []}"#)
        #expect(
            warnings == [
                "\"bcm_head_nodes\" is not a known key and has no effect; the nearest known key is \"bcm_headnodes\"",
                "\"check_intervall\" is not a known key and has no effect; the nearest known key is \"check_interval\"",
            ])
    }

    @Test func switchedOffVerificationIsAWarning() throws {
        let (_, warnings) = try parse(#"{"bcm_headnodes": ["a"], "insecure": true}"#)
        #expect(warnings.count == 1 && warnings[0].hasPrefix("\"insecure\" is true: head nodes are not verified"))
    }

    @Test(arguments: [
        "head-a", "head-a.example.org:8081", "10.0.0.1", "10.0.0.1:1", "fd00::1", "[fd00::1]", "[fd00::1]:65535",
    ])
    func headNodeFormsAreTaken(name: String) throws {
        #expect(try parse("{\"bcm_headnodes\": [\"\(name)\"]}").0.headNodes == [name])
    }

    @Test(arguments: [
        "", "a b", "head-a;reboot", "$(x)", "-a", "a:", "a:0", "a:65536", "[fd00::1", "a/b", "user@head-a", "https://a",
    ])
    func otherTextsAreNoHeadNodes(name: String) {
        #expect(failure("{\"bcm_headnodes\": [\"\(name)\"]}").hasPrefix("configuration: bcm_headnodes[0]: found"))
    }
}
