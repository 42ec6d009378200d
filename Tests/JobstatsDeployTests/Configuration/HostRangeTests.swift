import Testing

@testable import JobstatsDeploy

@Suite struct HostRangeTests {
    @Test(arguments: [
        ("dgx-01", ["dgx-01"]),
        ("dgx-[01-03]", ["dgx-01", "dgx-02", "dgx-03"]),
        ("dgx-[01-03,07]", ["dgx-01", "dgx-02", "dgx-03", "dgx-07"]),
        ("dgx[8-11]", ["dgx8", "dgx9", "dgx10", "dgx11"]),
        ("dgx[098-101]", ["dgx098", "dgx099", "dgx100", "dgx101"]),
        ("dgx[98-101]", ["dgx98", "dgx99", "dgx100", "dgx101"]),
        ("dgx-[05]", ["dgx-05"]),
        ("r[1-2]n[01-02]", ["r1n01", "r1n02", "r2n01", "r2n02"]),
        ("dgx-[1-2].cluster", ["dgx-1.cluster", "dgx-2.cluster"]),
        ("dgx001..dgx003", ["dgx001", "dgx002", "dgx003"]),
        ("dgx9..dgx11", ["dgx9", "dgx10", "dgx11"]),
        ("dgx99..dgx101", ["dgx99", "dgx100", "dgx101"]),
        ("dgx-03..dgx-03", ["dgx-03"]),
        ("r1-n01.a..r1-n02.a", ["r1-n01.a", "r1-n02.a"]),
        ("node001..node002,node010", ["node001", "node002", "node010"]),
        ("a[1-2],b[1,3]", ["a1", "a2", "b1", "b3"]),
    ])
    func notationsNameTheirHosts(_ entry: String, _ expected: [String]) throws {
        #expect(try HostRange.expand(entry, limit: 100) == expected)
    }

    @Test(arguments: [
        "dgx-[01-03", "dgx-01-03]", "dgx-[[1-2]]", "dgx-[]", "dgx-[1-]", "dgx-[-2]", "dgx-[a-b]", "dgx-[1,,2]",
        "dgx-[3-1]", "dgx-[01-3]", "dgx-[1-010]", "dgx-[1-2-3]", "dgx-[1--2]", "dgx003..dgx001", "dgx001..", "..dgx001",
        "dgx01..dgx03..dgx05", "dgx01..other03", "r1n1..r2n2", "abc..abd", "dgx-[0-99999999999999999999]", "..",
        "dgx-[٣-٤]", "dgx-[1-101]", "a[1-11]b[1-10]", "dgx1..dgx999999999", "a[1-60],b[1-60]",
        "a[0-9]b[0-9]c[0-9]d[0-9]e[0-9]f[0-9]g[0-9]h[0-9]i[0-9]j[0-9]k[0-9]l[0-9]m[0-9]n[0-9]o[0-9]p[0-9]q[0-9]",
    ])
    func otherTextsAreRefused(_ entry: String) {
        #expect(throws: HostRange.Problem.self) { try HostRange.expand(entry, limit: 100) }
    }

    @Test func aRangeOfTenThousandIsTheMost() throws {
        let most = DeploymentConfiguration.parse(makeFile(systems: ["dgx_nodes": #"["dgx[00001-10000]"]"#]))
        #expect(try most.get().systems.dgxNodes.count == 10000)
        let more = DeploymentConfiguration.parse(
            makeFile(systems: ["dgx_nodes": #"["dgx[00001-09999]", "other[1-2]"]"#]))
        #expect(
            more.texts == [
                "error: systems.dgx_nodes[1]: \"other[1-2]\" stands for too many hosts: a list has at most 10000"
            ])
    }

    @Test func aHostNamedTwiceCountsOnce() throws {
        let reading = DeploymentConfiguration.parse(
            makeFile(systems: ["dgx_nodes": #"["dgx-[01-03]", "DGX-02", "dgx-03.cluster", "x1,x1"]"#]))
        #expect(
            reading.texts == [
                "warning: systems.dgx_nodes[1]: \"DGX-02\" is the same host as one in systems.dgx_nodes[0]: it counts once",
                "warning: systems.dgx_nodes[2]: \"dgx-03.cluster\" is the same host as one in systems.dgx_nodes[0]: it counts once",
                "warning: systems.dgx_nodes[3]: \"x1\" is the same host as one in the same entry: it counts once",
            ])
        #expect(try reading.get().systems.dgxNodes == ["dgx-01", "dgx-02", "dgx-03", "x1"])
    }
}
