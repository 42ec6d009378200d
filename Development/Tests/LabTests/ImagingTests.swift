import Testing

extension LabTests {
    /// The role monitor on nodes whose disks come from images, and on a node that gets another name.
    @Suite struct ImagingTests {
        @Test func aNodeWithAnotherNodesStateLeavesThatNodesTargetFileAlone() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            try await lab.script("grabimage", "dgx-01", "with-state")
            try await lab.script("reimage", "dgx-02", "with-state")
            try await lab.script("reimage", "dgx-03", "with-state")
            for host in ["dgx-02", "dgx-03"] {
                #expect(try await lab.succeeds(host, "journalctl -D /var/log/journal -o cat | grep -q 'dgx-01'"))
                try await eventually("the monitor of \(host) is up") {
                    try await deployment.monitor("ActiveState", on: host) == "active"
                }
            }
            try await deployment.giveRole("dgx-03")
            try await deployment.expectRunning("dgx-03")
            #expect(try await deployment.targetFiles() == ["dgx-01.json", "dgx-03.json"])
            #expect(try await deployment.exporters(of: "dgx-02", are: "inactive"))
            #expect(try await deployment.exporters(of: "dgx-01", are: "active"))
        }

        @Test func aNodeWhoseStateIsOlderThanItsRoleRunsItsExportersAfterTheBoot() async throws {
            let deployment = try await Deployment.ready()
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            try await deployment.lab.script("reimage", "dgx-01", "deployed-dgx-01")
            try await deployment.expectRunning("dgx-01")
            #expect(try await deployment.targetFiles() == ["dgx-01.json"])
        }

        @Test func aNodeThatIsRenamedTakesItsTargetFileAlong() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            try await lab.script("simulator", "set", "rename-node", "dgx-01=gpu-01")
            try await lab.output("dgx-01", "hostname gpu-01")
            try await deployment.expectRunning("dgx-01", file: "gpu-01")
            try await eventually("the old file is gone") { try await deployment.targetFiles() == ["gpu-01.json"] }
            try await lab.output("dgx-01", "hostname dgx-01")
            try await lab.script("simulator", "set", "rename-node", "gpu-01=dgx-01")
            try await eventually("the file has the first name again") {
                try await deployment.targetFiles() == ["dgx-01.json"]
            }
        }
    }
}
