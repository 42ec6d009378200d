import BCMClient
import Testing

@testable import RoleMonitor

struct RoleFindingTests {
    static let ours = "0A:00:00:00:00:01"
    static let others = "0A:00:00:00:00:02"

    /// The host name, the devices, and the name of the one that is this node.
    static let matches: [(String, [Device], String?)] = [
        ("dgx-01", [.dgx("dgx-01")], "dgx-01"),
        ("dgx-01.cluster.example", [.dgx("dgx-01")], "dgx-01"),
        ("dgx-01", [.dgx("dgx-01.cluster.example")], "dgx-01.cluster.example"),
        ("DGX-01", [.dgx("dgx-01")], "dgx-01"),
        ("dgx-01.Cluster", [.dgx("DGX-01.cluster")], "DGX-01.cluster"),
        // An exact match goes before a short one, wherever it stands and whatever the address says.
        ("dgx-01.b", [.dgx("dgx-01", mac: ours), .dgx("dgx-01.b")], "dgx-01.b"),
        ("dgx-01", [.dgx("dgx-01.b", mac: ours), .dgx("dgx-01")], "dgx-01"),
        // Among several, the address of this host decides.
        ("dgx-01", [.dgx("dgx-01.a", mac: others), .dgx("dgx-01.b", mac: ours)], "dgx-01.b"),
        ("dgx-01", [.dgx("dgx-01", mac: others), .dgx("dgx-01", mac: ours)], "dgx-01"),
        ("dgx-01", [.dgx("dgx-01.a", mac: others), .dgx("dgx-01.b")], nil),
        ("dgx-01", [.dgx("dgx-01.a", mac: ours), .dgx("dgx-01.b", mac: ours)], nil),
        // Two different qualified names are two nodes, unless the address says otherwise.
        ("dgx-01.a", [.dgx("dgx-01.b")], nil),
        ("dgx-01.a", [.dgx("dgx-01.b", mac: ours)], "dgx-01.b"),
        ("dgx-01", [], nil),
        ("dgx-01", [.dgx("dgx-011")], nil),
    ]

    @Test(arguments: matches)
    func nodeIsFoundAmongDevices(hostName: String, devices: [Device], expected: String?) {
        let match = NodeMatch(hostName: hostName, addresses: ["0a:00:00:00:00:01"], among: devices)
        switch match {
        case .found(let device): #expect(device.hostname == expected)
        case .notListed, .ambiguous: #expect(expected == nil, "\(match)")
        }
    }

    @Test func addressesDecideWhichOfTwoDevicesOfOneNameItIs() {
        let devices: [Device] = [
            .dgx("dgx-01", mac: Self.others, roles: ["slurmclient"]), .dgx("dgx-01", mac: "0a-00-00-00-00-01"),
        ]
        #expect(
            NodeMatch(hostName: "dgx-01", addresses: ["0a:00:00:00:00:01"], among: devices) == .found(devices[1]))
    }

    /// The roles of this node, whether others show roles, whether the role is known to be shown, the finding.
    static let verdicts: [([String]?, Bool, Bool, String)] = [
        (["slurmclient"], true, true, "present"),
        (["slurmclient"], false, false, "present"),
        (["boot", "slurmclient"], true, false, "present"),
        (nil, true, true, "absent"),
        ([], true, true, "absent"),
        (["boot"], true, true, "absent"),
        (["SlurmClient"], true, true, "absent"),
        (nil, true, false, "unknown: role never shown"),
        (["boot"], true, false, "unknown: role never shown"),
        (["boot"], false, false, "unknown: role never shown"),
        (nil, false, true, "unknown: roles hidden"),
        ([], false, true, "unknown: roles hidden"),
        (nil, false, false, "unknown: roles hidden"),
    ]

    @Test(arguments: verdicts)
    func absenceNeedsProofThatRolesAreShown(
        roles: [String]?, othersShow: Bool, isKnownVisible: Bool, expected: String
    ) {
        let devices: [Device] = [.dgx("dgx-01", roles: roles), Device(hostname: "h", roles: othersShow ? ["x"] : nil)]
        let answer = FakeBCM.lookUp(["dgx-01"], in: devices, at: HeadNode(host: "head-a"))
        let finding = RoleFinding(
            answer, host: FakeHost().identity(), role: "slurmclient", isRoleKnownVisible: isKnownVisible)
        if case .unknown(let reason) = finding {
            #expect("unknown: \(reason.kind)" == expected)
        } else {
            #expect(finding.state.rawValue == expected)
        }
    }

    @Test func nodeThatIsNotListedIsUnknown() {
        let answer = FakeBCM.lookUp(["dgx-01"], in: [.head], at: HeadNode(host: "head-a"))
        let finding = RoleFinding(answer, host: FakeHost().identity(), role: "slurmclient", isRoleKnownVisible: true)
        #expect(
            finding
                == .unknown(
                    UnknownRole(
                        "not listed",
                        "head-a:8081 does not list this node, \"dgx-01\", among 1 devices; add it in BCM, or correct "
                            + "the host name")))
    }
}
