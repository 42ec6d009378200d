import CommandExecution
import Testing

extension LabTests {
    /// guided-setup into software images, and what it says of nodes that boot from them.
    @Suite struct ImageDeploymentTests {
        private static let image = "deployed-image"

        /// Runs a test on nodes without a deployment, and gives the nodes their own disks back.
        private static func withImages(_ test: (Deployment) async throws -> Void) async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            try #require(
                lab.variable("IMAGES") == "yes", "the lab that is up has no images: scripts/lab.sh up --images")
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await test(deployment)) } catch { outcome = .failure(error) }
            for host in lab.hosts("dgx") { try await lab.script("provision", host, "none") }
            try await lab.cmsh("device; use dgx-01; set category default; commit")
            try outcome.get()
        }

        @Test func aNodeThatBootsFromAnImageThatWasDeployedToWorksUnaidedAndAnotherTypeOfNodeIsUntouched()
            async throws
        {
            try await Self.withImages { deployment in
                let lab = deployment.lab
                if try await !lab.cmsh("category; list").contains("deployed") {
                    if try await !lab.cmsh("softwareimage; list").contains(Self.image) {
                        try await lab.cmsh("softwareimage; clone default-image \(Self.image); commit")
                    }
                    try await lab.cmsh(
                        "category; clone default deployed; set softwareimage \(Self.image); commit")
                }
                try await lab.cmsh("device; use dgx-01; set category deployed; commit")
                let result = try await deployment.guidedSetup("--image", Self.image)
                #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
                #expect(result.outputText.contains("dgx-01 use"), "\(result.outputText)")
                let again = try await deployment.guidedSetup("--check", "--image", Self.image)
                #expect(again.succeeded && !again.outputText.contains("would change"), "\(again.outputText)")
                #expect(try await !lab.succeeds("head-a", "grep /cm/images/\(Self.image)/ /proc/self/mounts"))

                try await deployment.giveRole("dgx-01")
                for host in ["dgx-01", "dgx-03"] { try await lab.script("provision", host, "as-bcm-says") }
                try await deployment.expectRunning("dgx-01")
                try await lab.output("dgx-01", "readlink /cm/local/apps/slurm/var/prologs/60-prolog-jobstats.sh")
                #expect(try await !lab.succeeds("dgx-03", "test -e /etc/bcm-role-monitor"))
                try await lab.script("reboot", "dgx-01")
                try await deployment.expectRunning("dgx-01")
            }
        }

        @Test func whatANodeLosesByBootingIsNamedWithItsImage() async throws {
            try await Self.withImages { deployment in
                let lab = deployment.lab
                let result = try await deployment.guidedSetup()
                #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
                let said = result.outputText.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                #expect(said.contains("what was deployed on dgx-[01-02] is lost at the next boot"), "\(said)")
                try await lab.script("provision", "dgx-02", "as-bcm-says")
                let check = try await deployment.guidedSetup("--check")
                let words = check.outputText.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                #expect(words.contains("what was deployed on dgx-02 was lost at the last boot"), "\(words)")
            }
        }
    }
}
