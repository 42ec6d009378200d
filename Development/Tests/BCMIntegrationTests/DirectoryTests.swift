import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import Testing

/// What every ``ClusterDirectory`` has to do.
@Suite struct DirectoryTests {
    enum Kind: String, CaseIterable, Sendable { case rest, shell, shellWithoutJSON }

    /// A cluster with roles from everywhere, as seen by one of the directories.
    private func with(
        _ kind: Kind, _ body: (TestCluster, any ClusterDirectory) async throws -> Void
    ) async throws {
        try await TestCluster.served { cluster, server in
            if kind == .shellWithoutJSON { try cluster.set("json-tables", "off") }
            _ = try cluster.cmsh("category; clone default other; commit; device use dgx-03; set category other; commit")
            _ = try cluster.cmsh("configurationoverlay; use slurm-client; append nodes dgx-01; commit")
            _ = try cluster.cmsh("category; use other; roles; assign docker; commit")
            _ = try cluster.cmsh("device use dgx-02; roles; assign slurmclient; commit")
            try cluster.set("node-status", "dgx-02=DOWN")
            try await body(cluster, kind == .rest ? cluster.client(server) : cluster.shell())
        }
    }

    @Test(arguments: Kind.allCases)
    func devicesAreListedWithWhatTheyAre(_ kind: Kind) async throws {
        try await with(kind) { _, directory in
            let devices = try await directory.clusterDevices(DeviceFilter())
            #expect(devices.map(\.hostname) == ["head-a", "head-b", "dgx-01", "dgx-02", "dgx-03"])
            #expect(devices.map(\.type) == ["HeadNode", "HeadNode", "PhysicalNode", "PhysicalNode", "PhysicalNode"])
            #expect(devices.map(\.category) == [nil, nil, "default", "default", "other"])
            #expect(devices.last?.ip == "10.141.0.3" && devices.last?.mac == "FA:16:0A:8D:00:03")
        }
    }

    @Test(arguments: Kind.allCases)
    func filtersLetThroughWhatIsMeant(_ kind: Kind) async throws {
        try await with(kind) { _, directory in
            let cases: [(DeviceFilter, [String])] = [
                (DeviceFilter(role: "slurmclient"), ["dgx-01", "dgx-02"]),
                (DeviceFilter(role: "docker", category: "other"), ["dgx-03"]),
                (DeviceFilter(role: "docker", category: "default"), []),
                (DeviceFilter(type: "headnode"), ["head-a", "head-b"]),
                (DeviceFilter(category: "nothing"), []),
                (DeviceFilter(role: "nothing"), []),
                (DeviceFilter(names: ["DGX-02.cluster.example", "dgx-09"]), ["dgx-02"]),
                (DeviceFilter(type: "PhysicalNode", names: ["head-a", "dgx-01"]), ["dgx-01"]),
            ]
            for (filter, names) in cases {
                let devices = try await directory.clusterDevices(filter)
                #expect(devices.map(\.hostname) == names, "\(filter)")
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func rolesAreThoseInForce(_ kind: Kind) async throws {
        try await with(kind) { cluster, directory in
            #expect(try await directory.roleNames(of: "dgx-01") == ["slurmclient"])
            #expect(try await directory.roleNames(of: "dgx-03.cluster.example") == ["docker"])
            #expect(try await directory.roleNames(of: "head-a")?.contains("boot") == true)
            _ = try cluster.cmsh("device use dgx-02; roles; unassign slurmclient; commit")
            #expect(try await directory.roleNames(of: "dgx-02") == nil)
            #expect(
                await code { () async throws(BCMError) in try await directory.roleNames(of: "dgx-09") } == .notFound)
        }
    }

    @Test(arguments: Kind.allCases)
    func statesAreWithoutDecoration(_ kind: Kind) async throws {
        try await with(kind) { _, directory in
            #expect(try await directory.nodeStatuses(of: nil).map(\.state.name) == ["UP", "UP", "UP", "DOWN", "UP"])
            let some = try await directory.nodeStatuses(of: NodeRange("dgx-01..dgx-02,head-b,dgx-09"))
            #expect(some.map(\.hostname) == ["head-b", "dgx-01", "dgx-02"])
            #expect(some.map(\.state) == [.up, .up, .down])
        }
    }

    @Test func restSaysSoWhereItShowsNoRoles() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("fault", "roles-invisible")
            _ = try cluster.store.update { state in
                for index in state.headNodes.indices { state.headNodes[index].roles = [] }
                state.overlays = []
            }
            let client = try cluster.client(server)
            let error = await failure { () async throws(BCMError) in
                try await client.clusterDevices(DeviceFilter(role: "slurmclient"))
            }
            #expect(error?.code == .notUnderstood && error?.reason.contains("shows no roles at all") == true)
        }
    }
}
