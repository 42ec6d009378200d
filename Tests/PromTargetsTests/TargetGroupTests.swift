import PromTargets
import Testing

struct TargetGroupTests {
    @Test(arguments: [
        "dgx-01:9100", "dgx-01.cluster.example:1", "DGX-01:65535", "1node:9100", "192.0.2.1:9100", "[2001:db8::1]:9100",
        "[::1]:9100", "\(String(repeating: "a", count: 63)):9100",
    ])
    func hostAndPortAreAccepted(address: String) throws {
        #expect(try TargetAddress(parsing: address).description == address)
        #expect(try TargetGroup(targets: [address], labels: [:]).targets == [address])
    }

    @Test(arguments: [
        "", "dgx-01", "dgx-01:", ":9100", "dgx-01:0", "dgx-01:65536", "dgx-01:09100", "dgx-01:+1", "dgx-01:１",
        "dgx-01:9100/metrics", "http://dgx-01:9100", "dgx_01:9100", "-dgx:9100", "dgx-:9100", "dgx..01:9100",
        ".dgx:9100", "dgx.:9100", "dgx 01:9100", "dgx-01;reboot:9100", "$(x):9100", "dgx-01\n:9100", "dgx-01\0:9100",
        "192.0.2.256:9100", "1.2.3:9100", "42:9100", "2001:db8::1:9100", "[2001:db8::1]", "[dgx-01]:9100",
        "[::1%eth0]:9100", "[]:9100", "dgx\u{e4}:9100", "\(String(repeating: "a", count: 64)):9100",
        "\(Array(repeating: "abcdefg", count: 32).joined(separator: ".")):9100",
    ])
    func whatIsNotHostAndPortIsRefused(address: String) throws {
        let error = #expect(throws: PromTargetsError.self) { try TargetGroup(targets: [address], labels: [:]) }
        #expect(error?.code == .invalidAddress)
    }

    @Test(arguments: ["job", "_x", "Cluster9", "a_b"])
    func labelNamesOfTheDataModelAreAccepted(name: String) throws {
        #expect(try TargetGroup(targets: [], labels: [name: "v"]).labels == [name: "v"])
    }

    @Test(arguments: [
        "", "9a", "a-b", "a.b", "a b", "\u{e4}", "a\n", "__address__", "__scheme__", "__metrics_path__",
        "__param_module",
        "__meta_x", "__tmp", "__",
    ])
    func otherLabelNamesAndThoseThatSteerPrometheusAreRefused(name: String) throws {
        let error = #expect(throws: PromTargetsError.self) { try TargetGroup(targets: [], labels: [name: "v"]) }
        #expect(error?.code == .invalidLabel)
    }

    @Test func anEmptyLabelValueIsRefused() throws {
        let error = #expect(throws: PromTargetsError.self) { try TargetGroup(targets: [], labels: ["job": ""]) }
        #expect(error?.code == .invalidLabel)
    }

    @Test func theFirstFaultyLabelInOrderIsNamed() throws {
        let error = #expect(throws: PromTargetsError.self) {
            try TargetGroup(targets: [], labels: ["b-": "v", "a-": "v", "c-": "v"])
        }
        #expect(
            error?.description
                == #"invalid label: "a-" is no label name; use letters, digits and underscores, not a digit first"#)
    }

    @Test func encodingIsOneLinePerGroupWithSortedLabels() throws {
        let groups = [
            try TargetGroup(
                targets: ["dgx-01:9100"], labels: ["job": "node_exporter", "hostname": "dgx-01", "cluster": "slurm"]),
            try TargetGroup(targets: ["dgx-01:9306", "[::1]:1"], labels: [:]),
        ]
        let expected = """
            [
              {"targets": ["dgx-01:9100"], "labels": {"cluster": "slurm", "hostname": "dgx-01", "job": "node_exporter"}},
              {"targets": ["dgx-01:9306", "[::1]:1"], "labels": {}}
            ]

            """
        #expect(String(decoding: TargetGroup.encode(groups), as: UTF8.self) == expected)
        #expect(TargetGroup.encode([]) == Array("[]\n".utf8))
    }

    @Test func equalGroupsGiveEqualBytesInWhateverOrderLabelsCame() throws {
        let names = (0..<40).map { "label_\($0)" }
        var forward: [String: String] = [:]
        var backward: [String: String] = [:]
        backward.reserveCapacity(1000)
        for name in names { forward[name] = "v" }
        for name in names.reversed() { backward[name] = "v" }
        #expect(
            TargetGroup.encode([try TargetGroup(targets: [], labels: forward)])
                == TargetGroup.encode([try TargetGroup(targets: [], labels: backward)]))
    }

    @Test(arguments: [
        "plain", "quote\" and \\ backslash", "new\nline\ttab\r", "nul\0 bell\u{7} del\u{7f}", "\u{e4}\u{1f600}",
        "$1 ${x}",
        "</script>", "\u{2028}",
    ])
    func labelValuesSurviveWritingAndReading(value: String) throws {
        let groups = [try TargetGroup(targets: ["a:1"], labels: ["name": value])]
        #expect(try TargetGroup.decode(TargetGroup.encode(groups)) == groups)
    }

    @Test(arguments: [
        "", "{", "null", "{}", "[1]", "[{}]", #"[{"targets": "a:1"}]"#, #"[{"targets": [1]}]"#,
        #"[{"targets": ["a:1"], "labels": {"job": 1}}]"#, #"[{"targets": ["a:1"]}"#, "\u{0}\u{0}\u{0}",
        String(repeating: "[", count: 100_000),
    ])
    func whatIsNotAnArrayOfGroupsIsDamaged(text: String) throws {
        let error = #expect(throws: PromTargetsError.self) { try TargetGroup.decode(Array(text.utf8)) }
        #expect(error?.code == .damaged)
    }

    @Test func damageIsDescribedWithItsPlace() throws {
        let error = #expect(throws: PromTargetsError.self) {
            try TargetGroup.decode(Array(#"[{"targets": []}, {"targets": [7]}]"#.utf8))
        }
        #expect(
            error?.description == "damaged: it is not a JSON array of target groups: entry 1, \"targets\", entry 0: "
                + "String was expected; write the file again")
    }

    @Test func aForeignFileWithLabelsThatSteerPrometheusIsRefused() throws {
        let text = #"[{"targets": ["a:1"], "labels": {"__scheme__": "https"}}]"#
        let error = #expect(throws: PromTargetsError.self) { try TargetGroup.decode(Array(text.utf8)) }
        #expect(error?.code == .invalidLabel)
    }
}
