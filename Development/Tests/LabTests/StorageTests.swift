import Testing

extension LabTests {
    /// The role monitor when shared storage fails in each way that it can.
    @Suite struct StorageTests {
        @Test(arguments: ["readonly", "stale", "off", "hang"])
        func exportersStartWithoutStorageAndTheTargetFileFollowsWhenItIsBack(_ state: String) async throws {
            let deployment = try await Deployment.ready()
            let process = try await deployment.monitor("MainPID", on: "dgx-01")
            try await deployment.lab.script("storage", state, "dgx-01")
            try await deployment.giveRole("dgx-01")
            try await eventually("the exporters run") { try await deployment.exporters(of: "dgx-01", are: "active") }
            #expect(try await deployment.targetFiles().isEmpty)
            try await Task.sleep(for: .seconds(3))
            #expect(try await deployment.exporters(of: "dgx-01", are: "active"))
            #expect(try await deployment.monitor("MainPID", on: "dgx-01") == process, "no crash")
            try await deployment.lab.script("storage", "on", "dgx-01")
            try await deployment.expectRunning("dgx-01")
        }

        @Test func aFullDiskNeitherStopsExportersNorLeavesHalfAFile() async throws {
            let deployment = try await Deployment.ready()
            try await deployment.lab.script("storage", "full")
            try await deployment.giveRole("dgx-01")
            try await eventually("the exporters run") { try await deployment.exporters(of: "dgx-01", are: "active") }
            try await Task.sleep(for: .seconds(3))
            #expect(try await !deployment.targetFiles().contains { $0.hasSuffix(".json") })
            try await deployment.lab.script("storage", "on")
            try await deployment.expectRunning("dgx-01")
            #expect(try await deployment.targetFiles() == ["dgx-01.json"])
        }

        @Test(arguments: ["off", "hang"])
        func theMonitorBootsWithoutItsStorageAndFindsItWhenItComesLate(_ state: String) async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            try await lab.script("crash", "dgx-01")
            try await lab.script("storage", state, "dgx-01")
            try await lab.output("mon-01", "rm \(Deployment.targets)/dgx-01.json")
            try await lab.script("on", "dgx-01")
            #expect(try await lab.output("dgx-01", "systemctl show --value -p ActiveState cm-shared.mount") == "failed")
            try await eventually("the exporters run") { try await deployment.exporters(of: "dgx-01", are: "active") }
            try await lab.script("storage", "on", "dgx-01")
            try await deployment.expectRunning("dgx-01")
        }
    }
}
