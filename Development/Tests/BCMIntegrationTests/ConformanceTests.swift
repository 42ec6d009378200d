import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import Testing

/// REST and cmsh look at the same cluster.
@Suite struct ConformanceTests {
    @Test(arguments: ["on", "off", "error"])
    func devicesAreTheSame(tables: String) async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("json-tables", tables)
            try cluster.set("node-status", "dgx-02=DOWN")
            let rest = try await cluster.client(server).devices()
            let shell = try cluster.shell()
            let devices = try await shell.devices()
            #expect(devices.map(\.hostname) == rest.map(\.hostname))
            #expect(devices.map(\.ip) == rest.map(\.ip))
            #expect(devices.map(\.mac) == rest.map(\.mac))
            #expect(devices.map { $0.category ?? "" } == rest.map { $0.category ?? "" })
            #expect(devices.map(\.status) == ["UP", "UP", "UP", "DOWN", "UP"])
            #expect(try await shell.headNodes().map(\.hostname) == ["head-a", "head-b"])
            #expect(try await shell.devices(.category("default")).count == 3)
        }
    }

    @Test(arguments: ["on", "off"])
    func rolesAreTheSameWhereverTheyComeFrom(tables: String) async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("json-tables", tables)
            let shell = try cluster.shell()
            _ = try cluster.cmsh("configurationoverlay; use slurm-client; append nodes dgx-01; commit")
            try await shell.assignRole("slurmclient", to: .node("dgx-02"))
            try await shell.assignRole("docker", to: .category("default"))
            for device in try await cluster.client(server).devices() {
                let names = try await shell.roles(of: device.hostname).map(\.name)
                #expect(names.sorted() == (device.roles ?? []).sorted(), "\(device.hostname)")
            }
            #expect(
                Set(try await shell.roles(of: "dgx-01")) == [
                    RoleAssignment(name: "slurmclient", origin: .overlay("slurm-client"), priority: 500),
                    RoleAssignment(name: "docker", origin: .category("default"), priority: 250),
                ])
            #expect(try await shell.devices(.role("slurmclient")).map(\.hostname) == ["dgx-01", "dgx-02"])
        }
    }

    @Test func restMayHideWhatCmshShows() async throws {
        try await TestCluster.served { cluster, server in
            try cluster.set("overlay-roles-visible", "no")
            _ = try cluster.cmsh("configurationoverlay; use slurm-client; append nodes dgx-01; commit")
            let client = try cluster.client(server)
            #expect(try await client.lookUp(["dgx-01"]).matches.first?.roles == nil)
            #expect(try await cluster.shell().roles(of: "dgx-01").map(\.name) == ["slurmclient"])
        }
    }

    @Test func assignedRolesAppearAndUnassignedOnesGo() async throws {
        try await TestCluster.served { cluster, server in
            let client = try cluster.client(server)
            let shell = try cluster.shell()
            func roles() async throws -> [String]? { try await client.lookUp(["dgx-03"]).matches.first?.roles }
            #expect(try await roles() == nil)
            try await shell.assignRole("slurmclient", to: .node("dgx-03"))
            #expect(try await roles() == ["slurmclient"])
            try await shell.unassignRole("slurmclient", from: .node("dgx-03"))
            #expect(try await roles() == nil)
        }
    }

    @Test func theActiveHeadNodeIsTold() async throws {
        try await TestCluster.with { cluster in
            let first = try await cluster.shell().highAvailability()
            #expect(first.headNodes == ["head-a", "head-b"] && first.activeHost == "head-a")
            try cluster.set("active-head", "head-b")
            let second = try await cluster.shell().highAvailability()
            #expect(second.isActive("head-b") && !second.isActive("head-a"))
        }
    }

    @Test func workloadManagerSettingsAreReadAndChanged() async throws {
        try await TestCluster.with { cluster in
            let shell = try cluster.shell()
            #expect(try await shell.workloadManagers() == ["slurm"])
            let output = try await shell.run([
                ["wlm"], ["use", "slurm"], ["cgroups"], ["set", "constrainramspace", "no"], ["commit"],
                ["get", "constrainramspace"],
            ])
            #expect(output == "no\n")
        }
    }

    @Test func errorsOfCmshAreErrors() async throws {
        try await TestCluster.with { cluster in
            let shell = try cluster.shell()
            #expect(await code { () async throws(BCMError) in try await shell.roles(of: "dgx-09") } == .notFound)
            let refused = await code { () async throws(BCMError) in
                try await shell.assignRole("slurmclient;commit", to: .node("dgx-01"))
            }
            #expect(refused == .invalidConfiguration)
            #expect(try cluster.store.read().nodes.allSatisfy { $0.roles.isEmpty })
        }
    }

    @Test func aCertificateForDevicesAloneReadsDevicesAlone() async throws {
        try await TestCluster.served { cluster, server in
            let shell = try cluster.shell()
            try await shell.addProfile("jobstats", tokens: ["GET_DEVICE_TOKEN"])
            try await shell.addProfile("nothing", tokens: [])
            func client(_ profile: String) async throws -> RESTClient {
                let files = (cluster.store.directory + "/\(profile).key", cluster.store.directory + "/\(profile).pem")
                try await shell.createCertificate(
                    CertificateRequest(
                        commonName: "monitor-\(profile)", profile: profile, keyFile: files.0, certificateFile: files.1,
                        days: 30))
                #expect(try Certificate.key(files.0, belongsTo: files.1))
                return try cluster.client(server, certificate: files.1, key: files.0)
            }
            let monitor = try await client("jobstats")
            #expect(try await monitor.lookUp(["dgx-01"]).matches.count == 1)
            let files = TestCluster.Identity.files(
                certificate: cluster.store.directory + "/jobstats.pem", key: cluster.store.directory + "/jobstats.key")
            for path in ["license", "session", "sysinfo", "workload/jobs", "monitoring/entity", "status"] {
                #expect(try await cluster.curl(server, "/rest/v1/\(path)", as: files).status == 403, "\(path)")
            }
            let other = try await client("nothing")
            #expect(await code { () async throws(BCMError) in try await other.devices() } == .notAuthorised)
            let listed = try await shell.certificates().filter { $0.name == "monitor-jobstats" }
            #expect(listed.map(\.profile) == ["jobstats"] && listed.map(\.daysLeft) == [30])
        }
    }

    @Test func nodesReadWithTheirOwnCertificateWhereTheSiteAllowsIt() async throws {
        try await TestCluster.served { cluster, server in
            let node = try cluster.client(
                server, certificate: cluster.authority.certificate(ofNode: "dgx-01"),
                key: cluster.authority.key(ofNode: "dgx-01"))
            #expect(try await node.devices().count == 5)
            try cluster.set("node-certificates-may-read", "no")
            #expect(await code { () async throws(BCMError) in try await node.devices() } == .notAuthorised)
        }
    }
}
