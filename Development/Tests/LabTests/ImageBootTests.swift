import CommandExecution
import Testing

extension LabTests {
    /// DGX nodes that boot from software images, as BCM's nodes do.
    @Suite struct ImageBootTests {
        /// The lab, its DGX nodes booted from the images of their categories.
        private static func booted() async throws -> Lab {
            let lab = try await Lab.ready()
            try #require(
                lab.variable("IMAGES") == "yes", "the lab that is up has no images: scripts/lab.sh up --images")
            for host in lab.hosts("dgx") { try await lab.script("provision", host, "as-bcm-says") }
            return lab
        }

        @Test func aBootBringsWhatTheImageHoldsAndLosesAllElseButTheNodesIdentity() async throws {
            let lab = try await Self.booted()
            let identity = "sha256sum /etc/hostname /etc/machine-id /etc/ssh/ssh_host_* /cm/local/apps/cmd/etc/cert.*"
            let before = try await lab.output("dgx-01", identity)
            try await lab.output("dgx-01", "touch /etc/of-the-node /var/lib/of-the-node")
            try await lab.output(
                "head-b",
                """
                cd /cm/images/default-image
                echo image > etc/of-the-image
                chroot . useradd --system image-user
                systemctl --root=$PWD enable systemd-networkd-wait-online.service
                rm etc/issue.net
                """)
            try await lab.script("reboot", "dgx-01")
            #expect(try await lab.output("dgx-01", "cat /etc/of-the-image; id -un image-user") == "image\nimage-user")
            #expect(
                try await !lab.succeeds("dgx-01", "ls /etc/of-the-node || ls /var/lib/of-the-node || ls /etc/issue.net")
            )
            #expect(try await lab.output("dgx-01", identity) == before)
            // Another type of node has another image.
            try await lab.script("reboot", "dgx-03")
            #expect(try await !lab.succeeds("dgx-03", "ls /etc/of-the-image"))
            try await lab.output(
                "head-a",
                """
                cd /cm/images/default-image
                systemctl --root=$PWD disable systemd-networkd-wait-online.service
                chroot . userdel image-user
                echo again > etc/issue.net
                rm etc/of-the-image
                """)
        }

        @Test func imagesAreCopiedToNodesAndBackWhenItIsSaidSo() async throws {
            let lab = try await Self.booted()
            try await lab.output("head-a", "echo one > /cm/images/default-image/etc/copied")
            let dry = try await lab.cmsh("device; use dgx-02; imageupdate")
            #expect(dry.contains("dry run"))
            #expect(try await !lab.succeeds("dgx-02", "ls /etc/copied"))
            try await lab.output("dgx-02", "echo mine > /var/lib/mine")
            try await lab.cmsh("device; use dgx-02; imageupdate -w")
            #expect(try await lab.output("dgx-02", "cat /etc/copied /var/lib/mine; hostname") == "one\nmine\ndgx-02")
            try await lab.output("dgx-02", "echo two > /etc/copied")
            try await lab.cmsh("device; use dgx-02; grabimage -i other-image")
            #expect(try await !lab.succeeds("head-a", "ls /cm/images/other-image/etc/copied"))
            try await lab.cmsh("device; use dgx-02; grabimage -i other-image -w")
            #expect(try await lab.output("head-b", "cat /cm/images/other-image/etc/copied") == "two")
            #expect(try await lab.output("head-b", "cat /cm/images/default-image/etc/copied") == "one")
            #expect(try await !lab.succeeds("head-b", "ls /cm/images/other-image/etc/ssh/ssh_host_ed25519_key"))
            try await lab.output("head-a", "rm /cm/images/{default,other}-image/etc/copied")
        }

        @Test func aNodeBootsFromAnImageThatBCMCloned() async throws {
            let lab = try await Self.booted()
            try await lab.cmsh("softwareimage; clone default-image cloned; commit")
            try await lab.cmsh("category; clone default cloned; set softwareimage cloned; commit")
            try await lab.output(
                "head-a", "echo yes > /cm/images/cloned/etc/is-cloned; rm /cm/images/cloned/etc/issue.net")
            try await lab.cmsh("device; use dgx-02; set category cloned; commit")
            try await lab.script("reboot", "dgx-02")
            #expect(
                try await lab.output("dgx-02", "cat /etc/is-cloned; hostname; ls -A /etc/issue*")
                    == "yes\ndgx-02\n/etc/issue")
            #expect(try await !lab.succeeds("head-b", "ls /cm/images/default-image/etc/is-cloned"))
            try await lab.cmsh("device; use dgx-02; set category default; commit")
        }

        @Test func packagesAreInstalledIntoAnImageFromTheLabsOwnRepository() async throws {
            let lab = try await Self.booted()
            try #require(lab.hasSlurm, "the repository comes with Slurm: scripts/lab.sh up --slurm")
            try await lab.script("image", "packages-test", "default-image")
            let result = try await lab.shell(
                "head-a",
                """
                chroot /cm/images/packages-test sh -c '
                    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y python3-wcwidth'
                """, timeout: .seconds(120))
            #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
            try await lab.script("provision", "dgx-02", "packages-test")
            let program = #"import wcwidth; print(wcwidth.wcswidth("ab"))"#
            #expect(try await lab.output("dgx-02", "python3 -c '\(program)'") == "2")
        }
    }
}
