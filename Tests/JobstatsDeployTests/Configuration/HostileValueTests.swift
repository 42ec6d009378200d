import JobstatsDeploy
import Testing

/// What an attacker, a slip or an editor may leave in a file; none of it may come through.
@Suite struct HostileValueTests {
    /// JSON texts of values that no key of text or number takes.
    static let values: [String] = [
        #""dgx-01;reboot""#, #""$(x)""#, #""`id`""#, #""a b""#, #""a\nb""#, #""a\u0000b""#, #""a'b""#, #""a\"b""#,
        #""a|b""#, #""a&b""#, #""a>b""#, #""a<b""#, #""a*b""#, #""a?b""#, #""a\\b""#, #""a#b""#, #""a!b""#,
        #""${HOME}""#,
        #""%n%s""#, #""{a,b}""#, #""-oProxyCommand=id""#, #""--help""#, #""../etc""#, #""/etc/../etc/passwd""#,
        #""a\tb""#,
        #""a\rb""#, #""\u202edgx""#, #""dgx\u200b""#, #""dgx-\u0661""#, #""\uff44gx""#, #""caf\u00e9""#, #""\u0130""#,
        #""a(b)""#, #""[a""#, #""a]""#, #""a[1-""#, #""root@dgx-01""#, #""http://dgx-01""#, #""dgx-01:22""#, #""::1""#,
        #""\u001b[31mred""#, #""a\u007f""#, #""<script>""#, #""'; DROP TABLE jobs""#, #""\ud83d\ude00""#, "[]", "{}",
        "-1", "1e9", "99999999999999999999", "0.5", "true",
        "\"" + String(repeating: "a", count: 2000) + "\"",
    ]

    static let textKeys = ["cluster_name", "wlm_instance", "prometheus_server", "grafana_server", "target_domain"]
    static let numberKeys = [
        "prometheus_port", "grafana_port", "node_exporter_port", "cgroup_exporter_port", "nvidia_gpu_exporter_port",
        "prometheus_retention_days",
    ]
    static let flagKeys = [
        "use_existing_prometheus", "use_existing_grafana", "deploy_bcm_role_monitor",
        "use_custom_prometheus_targets_dir",
    ]
    static let lists = ["slurm_controller", "login_nodes", "dgx_nodes", "prometheus_server", "grafana_server"]

    @Test func thereAreFortyOfThem() { #expect(values.count >= 40) }

    private var values: [String] { Self.values }

    @Test(arguments: textKeys + numberKeys + ["prometheus_targets_dir", "artifacts", "systems"])
    func noKeyTakesThem(_ key: String) {
        for value in values where !(value == "{}" && ["artifacts", "systems"].contains(key)) {
            let reading = DeploymentConfiguration.parse(makeFile([key: value]))
            #expect(reading.configuration == nil, "\(key): \(value)")
            #expect(
                reading.errors.allSatisfy { $0.keyPath == key || $0.keyPath.hasPrefix("systems.") },
                "\(key): \(value): \(reading.texts)")
        }
    }

    @Test(arguments: flagKeys)
    func noSwitchTakesThem(_ key: String) {
        for value in values where value != "true" {
            #expect(DeploymentConfiguration.parse(makeFile([key: value])).errors.map(\.keyPath) == [key], "\(value)")
        }
    }

    @Test(arguments: lists)
    func noListOfHostsTakesThem(_ list: String) {
        for value in values {
            let reading = DeploymentConfiguration.parse(makeFile(systems: [list: "[\"ok-01\", \(value)]"]))
            #expect(reading.errors.map(\.keyPath) == ["systems.\(list)[1]"], "\(list): \(value): \(reading.texts)")
        }
    }

    @Test(arguments: ["path", "sha256", "package", "binary", "url", "member", "git", "revision", "build", "cgo"])
    func noArtifactTakesThem(_ member: String) {
        for value in values where !(member == "package" && value == #""a""#) {
            let file = makeFile(["artifacts": "{\"prometheus\": {\"\(member)\": \(value)}}"])
            #expect(DeploymentConfiguration.parse(file).configuration == nil, "\(member): \(value)")
        }
    }

    @Test func messagesShowNothingThatATerminalObeys() {
        for value in values {
            let reading = DeploymentConfiguration.parse(
                makeFile(["cluster_name": value, "x": value], systems: ["dgx_nodes": "[\(value)]"]))
            for issue in reading.issues {
                #expect(
                    "\(issue)".unicodeScalars.allSatisfy {
                        ![.control, .format].contains($0.properties.generalCategory)
                    }, "\(value)")
            }
        }
        let key = DeploymentConfiguration.parse(makeFile(["a\\u001b[2Jb": "1"]))
        #expect(key.texts == ["warning: \"a\\u{1b}[2Jb\": unknown key, it has no effect"])
    }
}
