import CommandExecution
import Testing

extension LabTests {
    /// The lab is what the other tests take it for.
    @Suite struct ClusterTests {
        @Test func everyHostRunsASystemThatIsWhole() async throws {
            let lab = try await Lab.ready()
            for host in lab.hosts() {
                try await eventually("\(host) has booted") {
                    try await lab.shell(host, "systemctl is-system-running").outputText == "running\n"
                }
                #expect(try await lab.output(host, "hostname") == host)
                #expect(
                    try await lab.output(host, "cd /sys/class/net && echo *") == "eth0 lo", "no device of this machine")
            }
        }

        @Test func headNodesReachEveryHostWithAKnownKey() async throws {
            let lab = try await Lab.ready()
            for host in lab.hosts() + ["master"] {
                #expect(try await lab.succeeds("head-a", "ssh \(host) true"), "from head-a to \(host)")
            }
        }

        @Test func nodesReadDevicesFromBothHeadNodesWithTheirOwnCertificate() async throws {
            let lab = try await Lab.ready()
            for head in ["head-a", "head-b", "master"] {
                let answer = try await lab.output(
                    "dgx-01",
                    """
                    cd /cm/local/apps/cmd/etc
                    curl -sSf --cacert cacert.pem --cert cert.pem --key cert.key https://\(head):8081/rest/v1/device
                    """)
                #expect(answer.contains("dgx-01"))
            }
        }

        @Test func sharedStorageIsSharedAndCanFailForOneHost() async throws {
            let lab = try await Lab.ready()
            try await lab.output("dgx-01", "echo hello > /cm/shared/greeting")
            #expect(try await lab.output("mon-01", "cat /cm/shared/greeting") == "hello")
            let write = "echo again > /cm/shared/greeting"
            for (state, message) in [
                ("readonly", "Read-only file system"), ("stale", "Transport endpoint is not connected"),
            ] {
                try await lab.script("storage", state, "dgx-01")
                let result = try await lab.shell("dgx-01", write)
                #expect(!result.succeeded && result.errorText.contains(message))
                #expect(try await lab.succeeds("dgx-02", write))
                try await lab.script("storage", "on", "dgx-01")
                #expect(try await lab.succeeds("dgx-01", write))
            }
        }

        @Test func storageThatHangsCannotBeInterruptedAndGoesOnAfterwards() async throws {
            let lab = try await Lab.ready()
            try await lab.script("storage", "hang", "dgx-01")
            try await lab.output("dgx-01", "rm -f /tmp/listing; (ls /cm/shared > /tmp/listing 2>&1) > /dev/null 2>&1 &")
            try await Task.sleep(for: .milliseconds(500))
            try await lab.output("dgx-01", "pkill -KILL -x ls")
            try await Task.sleep(for: .milliseconds(500))
            #expect(
                try await lab.output("dgx-01", "ps -C ls -o stat=").hasPrefix("D"),
                "what waits for storage cannot be killed")
            try await lab.script("storage", "on", "dgx-01")
            try await eventually("it ends") { try await !lab.succeeds("dgx-01", "pgrep -x ls") }
        }

        @Test func aRebootKeepsADiskAndAnImageReplacesIt() async throws {
            let lab = try await Lab.ready()
            for host in ["dgx-02", "dgx-03"] { try await lab.script("provision", host, "none") }
            try await lab.output("dgx-02", "echo one > /var/tmp/kept; sync")
            try await lab.script("grabimage", "dgx-02", "cluster-test")
            try await lab.output("dgx-02", "echo two > /var/tmp/kept; sync")
            try await lab.script("reboot", "dgx-02")
            #expect(try await lab.output("dgx-02", "cat /var/tmp/kept") == "two")
            try await lab.script("reimage", "dgx-02", "cluster-test")
            #expect(try await lab.output("dgx-02", "cat /var/tmp/kept; hostname") == "one\ndgx-02")
            try await lab.script("reimage", "dgx-03", "cluster-test")
            #expect(try await lab.output("dgx-03", "cat /var/tmp/kept; hostname") == "one\ndgx-03")
            #expect(
                try await lab.output("dgx-02", "cat /etc/machine-id") == lab.output("dgx-03", "cat /etc/machine-id"))
        }

        @Test func theMasterNameFollowsTheActiveHeadNode() async throws {
            let lab = try await Lab.ready()
            try await lab.script("master", "head-b")
            #expect(try await lab.output("master", "hostname") == "head-b")
            #expect(try await lab.output("head-a", "ssh master hostname") == "head-b")
        }
    }
}
