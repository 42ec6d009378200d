import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import Testing

/// What cmsh changes, on the simulated cluster.
@Suite struct CmshChangeTests {
    @Test(arguments: ["on", "off"])
    func overlaysAreReadAndChanged(tables: String) async throws {
        try await TestCluster.with { cluster in
            try cluster.set("json-tables", tables)
            let shell = try cluster.shell()
            try await shell.addNodes(NodeRange("dgx-01..dgx-03"), toOverlay: "slurm-client")
            try await shell.removeNodes(NodeRange("dgx-02"), fromOverlay: "slurm-client")
            try await shell.set("priority", to: "600", of: .overlay("slurm-client"))
            #expect(
                try await shell.overlayDetails() == [
                    ConfigurationOverlay(
                        name: "slurm-server", priority: 500, coversHeadNodes: true,
                        roles: ["slurmserver", "slurmaccounting"]),
                    ConfigurationOverlay(
                        name: "slurm-client", priority: 600, nodes: ["dgx-01", "dgx-03"], coversHeadNodes: false,
                        roles: ["slurmclient"]),
                ])
            #expect(
                await code { () async throws(BCMError) in
                    try await shell.addNodes(NodeRange("dgx-01"), toOverlay: "nothing")
                } == .notFound)
        }
    }

    @Test func aTransactionCommitsAllOrSaysWhatItLeft() async throws {
        try await TestCluster.with { cluster in
            let shell = try cluster.shell()
            var good = CmshTransaction()
            good.set("mac", to: "FA:16:3E:00:00:09", of: .device("dgx-01"))
            good.assign("slurmclient", to: .node("dgx-01"))
            good.append("dgx-02", to: "nodes", of: .overlay("slurm-client"))
            good.set("constraincores", to: "off", of: .workloadManager("slurm").submode("cgroups"))
            try await shell.commit(good)
            let state = try cluster.store.read()
            #expect(state.node("dgx-01")?.roles.map(\.name) == ["slurmclient"])
            #expect(state.overlays.last?.nodes == ["dgx-02"])

            var bad = CmshTransaction()
            bad.append("dgx-03", to: "nodes", of: .overlay("slurm-client"))
            bad.set("nonsense", to: "1", of: .device("dgx-02"))
            bad.assign("docker", to: .category("default"))
            let error = await #expect(throws: CmshTransactionError.self) { try await shell.commit(bad) }
            #expect(error?.cause.reason.contains("no such property: nonsense") == true)
            #expect(error?.committed.map { "\($0)" } == ["configuration overlay slurm-client: append nodes dgx-03"])
            #expect(error?.uncommitted.map { "\($0)" } == ["category default: assign docker"])
            #expect(error?.unknown.map { "\($0)" } == ["device dgx-02: set nonsense 1"])
            #expect(try cluster.store.read().categories.first?.roles.isEmpty == true)
        }
    }

    @Test func selectionsAreChangedTogether() async throws {
        try await TestCluster.with { cluster in
            let shell = try cluster.shell()
            try await shell.cloneCategory("default", as: "other")
            let some = try Cmsh.Selection.nodes(NodeRange("dgx-01..dgx-02")).and(.category("default"))
            #expect(
                try await shell.set("category", to: "other", ofEach: .nodes(NodeRange("dgx-02..dgx-03"))).count == 2)
            #expect(try cluster.store.read().nodes.map(\.category) == ["default", "other", "other"])
            #expect(try await shell.values(of: "mac", ofEach: some) == ["dgx-01": "FA:16:0A:8D:00:01"])
            try await shell.assignRole("slurmclient", to: .node("dgx-01"))
            #expect(try await shell.devices(.role("slurmclient").and(.physicalNodes)).map(\.hostname) == ["dgx-01"])
            let nobody = await code { () async throws(BCMError) in
                try await shell.set("category", to: "other", ofEach: .role("docker"))
            }
            #expect(nobody == .notFound)
        }
    }

    @Test func settingsOfTheWorkloadManagerAreListedSetAndReadBack() async throws {
        try await TestCluster.with { cluster in
            let shell = try cluster.shell()
            try await shell.set("epilogslurmctld", to: "/usr/local/sbin/epilog.sh", ofWorkloadManager: "slurm")
            try await shell.set("constrainramspace", to: "no", in: "cgroups", ofWorkloadManager: "slurm")
            let settings = try await shell.settings(ofWorkloadManager: "slurm")
            #expect(settings["epilogslurmctld"] == "/usr/local/sbin/epilog.sh" && settings["selecttype"] != nil)
            #expect(
                try await shell.settings(in: "cgroups", ofWorkloadManager: "slurm")["constrainramspace"] == "no")
            let missing = await code { () async throws(BCMError) in
                try await shell.set("nonsense", to: "1", ofWorkloadManager: "slurm")
            }
            #expect(missing == .notFound)
        }
    }

    @Test func imagesAndCategoriesAreClonedAndGrabbed() async throws {
        try await TestCluster.with { cluster in
            let shell = try cluster.shell()
            try await shell.cloneSoftwareImage("default-image", as: "dgx-new")
            #expect(try await shell.softwareImages() == ["default-image", "dgx-new"])
            try await shell.cloneCategory("default", as: "dgx-test")
            try await shell.set("softwareimage", to: "dgx-new", of: .category("dgx-test"))
            #expect(try await shell.categories() == ["default", "dgx-test"])
            let dry = try await shell.grabImage(of: "dgx-01", into: "dgx-new", isDryRun: true)
            #expect(dry.contains("dry run"))
            #expect(try await shell.grabImage(of: "dgx-01", into: "dgx-new", isDryRun: false).contains("started"))
            let nodes = try NodeRange("dgx-01..dgx-02")
            #expect(try await shell.updateFromImage(nodes, isDryRun: true).contains("dry run"))
            #expect(try await shell.updateFromImage(nodes, isDryRun: false).contains("dgx-02: image update started"))
            let missing = await code { () async throws(BCMError) in
                try await shell.grabImage(of: "dgx-01", into: "nothing", isDryRun: true)
            }
            #expect(missing == .notFound)
        }
    }

    @Test(arguments: [RoleHolder.node("dgx-01"), .category("default")])
    func servicesAreAddedChangedAndRemoved(holder: RoleHolder) async throws {
        try await TestCluster.with { cluster in
            let shell = try cluster.shell()
            try await shell.put(ManagedService("chronyd"), on: holder)
            #expect(try await shell.services(of: holder) == [ManagedService("chronyd")])
            try await shell.put(ManagedService("chronyd", isMonitored: nil, startsByItself: true), on: holder)
            #expect(try await shell.services(of: holder) == [ManagedService("chronyd", startsByItself: true)])
            try await shell.removeService("chronyd", from: holder)
            #expect(try await shell.services(of: holder).isEmpty)
            let overlay = await code { () async throws(BCMError) in
                try await shell.services(of: .overlay("slurm-client"))
            }
            #expect(overlay == .invalidConfiguration)
        }
    }

    @Test func profilesAreReadAndRemoved() async throws {
        try await TestCluster.with { cluster in
            let shell = try cluster.shell()
            try await shell.addProfile("jobstats", tokens: ["GET_DEVICE_TOKEN", "GET_JOB_TOKEN"])
            #expect(try await shell.tokens(ofProfile: "jobstats") == ["GET_DEVICE_TOKEN", "GET_JOB_TOKEN"])
            #expect(try await shell.value(of: "nonuser", of: .profile("jobstats")) == "yes")
            try await shell.removeProfile("jobstats")
            #expect(try await !shell.profiles().contains("jobstats"))
        }
    }
}
