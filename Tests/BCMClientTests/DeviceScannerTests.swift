import Testing

@testable import BCMClient

struct DeviceScannerTests {
    static let documented = """
        [{"category": "default", "cluster": "basecm10", "hostname": "node001", "ip": "10.141.0.1",
         "mac": "FA:16:3E:2B:A4:31", "network": "internalnet", "roles": ["slurmclient"], "type": "PhysicalNode"},
         {"cluster": "basecm10", "hostname": "head-a", "ip": "10.141.255.254", "mac": "FA:16:3E:00:00:01",
         "network": "internalnet", "roles": ["boot", "monitoring"], "type": "HeadNode"},
         {"category": "default", "cluster": "basecm10", "hostname": "node002", "ip": "10.141.0.2",
         "mac": "FA:16:3E:2B:A4:32", "network": "internalnet", "type": "PhysicalNode"}]
        """

    @Test func everyMemberOfTheDocumentedDeviceIsRead() {
        let result = scan(Self.documented, for: ["node001"])
        #expect(
            result.matches == [
                Device(
                    hostname: "node001", category: "default", cluster: "basecm10", ip: "10.141.0.1",
                    mac: "FA:16:3E:2B:A4:31", network: "internalnet", type: "PhysicalNode", roles: ["slurmclient"])
            ])
        #expect(result.deviceCount == 3)
        #expect(result.devicesShowingRoles == 2)
    }

    @Test func absentRolesStayAbsentAndEmptyOnesEmpty() {
        #expect(scan(Self.documented, for: ["node002"]).matches.first?.roles == nil)
        #expect(scan(#"[{"hostname":"a","roles":[]}]"#).matches.first?.roles == [])
        #expect(scan(#"[{"hostname":"a","roles":null}]"#).matches.first?.roles == nil)
        #expect(scan(#"[{"hostname":"a","roles":[]}]"#).devicesShowingRoles == 0)
    }

    @Test func withoutNamesEveryDeviceIsKept() {
        #expect(scan(Self.documented).matches.map(\.hostname) == ["node001", "head-a", "node002"])
    }

    struct Match: Sendable {
        var device: String
        var name: String
        var isMatch: Bool
        init(_ device: String, _ name: String, _ isMatch: Bool) {
            self.device = device
            self.name = name
            self.isMatch = isMatch
        }
    }

    @Test(arguments: [
        Match("dgx-01", "dgx-01", true), Match("dgx-01", "DGX-01", true), Match("Dgx-01", "dGX-01", true),
        Match("dgx-01", "dgx-01.cm.cluster", true), Match("dgx-01.cm.cluster", "dgx-01", true),
        Match("dgx-01.a", "dgx-01.b", true), Match("dgx-01.a", "dgx-01.a", true),
        Match("dgx-01", "dgx-011", false), Match("dgx-011", "dgx-01", false), Match("dgx-01", "dgx-02", false),
        Match("dgx-01", "", false), Match("", "dgx-01", false), Match("", "", false), Match(".x", "", false),
        Match("dgx-01", "01", false), Match("dgx@01", "dgx`01", false), Match("nöde", "nöde", true),
    ])
    func namesAreComparedByTheirFirstLabels(_ match: Match) {
        let text = "[{\"hostname\":\"\(match.device)\"}]"
        let many = (0..<20).map { "other-\($0)" } + [match.name]
        #expect(scan(text, for: [match.name]).matches.count == (match.isMatch ? 1 : 0))
        #expect(scan(text, for: many).matches.count == (match.isMatch ? 1 : 0))
    }

    @Test func everyMatchIsReturnedInOrder() {
        let text = #"[{"hostname":"a.x","mac":"1"},{"hostname":"b"},{"hostname":"A","mac":"2"}]"#
        #expect(scan(text, for: ["a"]).matches.map(\.mac) == ["1", "2"])
    }

    @Test func theLastOfMembersWithOneNameCounts() {
        let text = #"[{"hostname":"a","roles":["x"],"hostname":"b","roles":[],"ip":"1","ip":"2"}]"#
        #expect(scan(text, for: ["a"]).matches.isEmpty)
        #expect(scan(text, for: ["b"]).matches == [Device(hostname: "b", ip: "2", roles: [])])
        #expect(scan(text).devicesShowingRoles == 0)
        #expect(scan(#"[{"hostname":"a","roles":["x"],"roles":null}]"#).matches.first?.roles == nil)
    }

    @Test func escapesInNamesAndValuesAreUndone() {
        let text = #"[{"host\u006eame":"n\u00f6de\ud83d\ude00\"\\\/\b\f\n\r\t","\u0072oles":["a\u0022b","]"]}]"#
        let device = scan(text).matches.first
        #expect(device?.hostname == "nöde😀\"\\/\u{8}\u{c}\n\r\t")
        #expect(device?.roles == ["a\"b", "]"])
        #expect(scan(#"[{"hostname":"\u0064gx-01.x"}]"#, for: ["dgx-01"]).matches.count == 1)
    }

    @Test func knownNamesInNestedValuesDoNotCount() {
        let text = #"[{"x":{"hostname":"no","roles":["no"]},"hostname":"a","y":[{"roles":["no"],"hostname":"b"}]}]"#
        let result = scan(text)
        #expect(result.matches == [Device(hostname: "a")])
        #expect(result.devicesShowingRoles == 0)
    }

    @Test func aHugeUnknownMemberIsSkippedWithoutBeingKept() {
        let huge = String(repeating: "x", count: 3 << 20)
        let text = "[{\"note\":\"\(huge)\",\"hostname\":\"a\"}]"
        #expect(scan(text, splitAt: Array(stride(from: 16_384, to: text.utf8.count, by: 16_384))).deviceCount == 1)
    }

    @Test func aHugeKnownMemberIsRefused() {
        let huge = String(repeating: "x", count: 3 << 20)
        let text = "[{\"category\":\"\(huge)\",\"hostname\":\"a\"}]"
        #expect(scan(text, splitAt: Array(stride(from: 16_384, to: text.utf8.count, by: 16_384))) == .refused)
    }

    @Test func faultsNameTheirPlace() {
        var scanner = DeviceScanner(wanted: nil)
        let chunks = [#"[{"hostname":"a"},"#, #"{"hostname":tru}"#]
        for chunk in chunks { _ = Array(chunk.utf8).withUnsafeBytes { scanner.scan($0) } }
        #expect(scanner.fault == "a word other than true, false and null (byte 33)")
    }

    @Test func anAnswerThatEndsEarlySaysSo() {
        var scanner = DeviceScanner(wanted: nil)
        _ = Array(#"[{"hostname":"a"},"#.utf8).withUnsafeBytes { scanner.scan($0) }
        let isWhole = scanner.finish()
        #expect(!isWhole)
        #expect(scanner.fault == "the answer ends in the middle, after 18 bytes")
    }
}
