import CommandExecution
import Testing

extension LabTests {
    /// prom-targets on a head node: the timer that prunes, and the service that writes the files of all nodes.
    @Suite struct FleetTargetsTests {
        private static let configuration = """
            {"bcm_headnodes": ["head-a", "head-b"], "cert_path": "/root/.cm/admin.pem", "key_path": "/root/.cm/admin.key",
             "ca_path": "/cm/local/apps/cmd/etc/cacert.pem", "roles_visible": true, "role_loss_delay": 1, "request_timeout": 3}
            """

        /// Runs a test with a configuration on the head node, and takes the units away again.
        private func with(_ test: (Deployment) async throws -> Void) async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            let clean = """
                systemctl disable --now prom-targets-prune.timer prom-targets-sync.service 2>/dev/null
                systemctl stop prom-targets-prune.service
                rm -rf /etc/systemd/system/prom-targets-* /run/systemd/system/prom-targets-* /etc/bcm-role-monitor
                systemctl daemon-reload; systemctl reset-failed
                """
            _ = try await lab.shell("head-a", clean)
            _ = try await lab.shell(
                "head-a", "mkdir -m 700 /etc/bcm-role-monitor; cat > /etc/bcm-role-monitor/config.json",
                input: Array(Self.configuration.utf8))
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await test(deployment)) } catch { outcome = .failure(error) }
            _ = try await lab.shell("head-a", clean)
            for head in ["head-a", "head-b"] { _ = try await lab.shell(head, "systemctl start bcm-simulator") }
            try outcome.get()
        }

        @Test func aTimerPrunesOrphansAndNothingWhileBCMIsStopped() async throws {
            try await with { deployment in
                let lab = deployment.lab
                try await deployment.giveRole("dgx-01")
                try await deployment.expectRunning("dgx-01")
                try await lab.output("head-a", "prom-targets write dead")
                for head in ["head-a", "head-b"] { try await lab.output(head, "systemctl stop bcm-simulator") }
                // As it is installed, but for the hour by which runs are spread.
                try await lab.output(
                    "head-a",
                    """
                    mkdir -p /run/systemd/system/prom-targets-prune.timer.d
                    printf '[Timer]\\nRandomizedDelaySec=0\\nAccuracySec=1s\\n' > /run/systemd/system/prom-targets-prune.timer.d/soon.conf
                    prom-targets install-timer --enable --on-calendar '*:*:0/3'
                    """)
                func run(_ property: String) async throws -> String {
                    try await lab.output("head-a", "systemctl show --value -p \(property) prom-targets-prune.service")
                }
                try await eventually(within: .seconds(60), "a run that knew nothing has failed") {
                    try await run("ExecMainStatus") == "3"
                }
                #expect(try await run("Result") == "exit-code")
                #expect(try await deployment.targetFiles() == ["dead.json", "dgx-01.json"])
                for head in ["head-a", "head-b"] { try await lab.output(head, "systemctl start bcm-simulator") }
                try await eventually(within: .seconds(60), "the orphan is gone") {
                    try await deployment.targetFiles() == ["dgx-01.json"]
                }
                try await eventually("the run has succeeded") { try await run("Result") == "success" }
                let journal = try await lab.output("head-a", "journalctl -b -o cat -u prom-targets-prune.service")
                #expect(journal.contains("does not list it among"), "\(journal)")
                #expect(
                    try await lab.output("head-a", "systemctl is-enabled prom-targets-prune.timer") == "enabled")
            }
        }

        @Test func aServiceWritesTheFilesOfTheFleetAndPrometheusReadsThem() async throws {
            try await with { deployment in
                let lab = deployment.lab
                for node in deployment.nodes {
                    try await lab.output(
                        node,
                        """
                        sed -i 's/"manage_targets": true/"manage_targets": false/' /etc/bcm-role-monitor/config.json
                        grep -q '"manage_targets": false' /etc/bcm-role-monitor/config.json
                        systemctl restart bcm-role-monitor
                        """)
                }
                for node in ["dgx-01", "dgx-02"] { try await deployment.giveRole(node) }
                try await eventually("the exporters run") {
                    let first = try await deployment.exporters(of: "dgx-01", are: "active")
                    return try await deployment.exporters(of: "dgx-02", are: "active") && first
                }
                #expect(try await deployment.targetFiles().isEmpty)
                try await lab.output("head-a", "prom-targets install-service --enable --interval 2")
                try await eventually("the fleet's files are there") {
                    try await deployment.targetFiles() == ["dgx-01.json", "dgx-02.json"]
                }
                /// The nodes whose node_exporter Prometheus has scraped of late.
                func scraped() async throws -> [String] {
                    let query = "http://localhost:9090/api/v1/query?query=up%7Bjob%3D%22node_exporter%22%7D+%3D%3D+1"
                    let answer = try await lab.output("mon-01", "curl -sf '\(query)'")
                    return deployment.nodes.filter { answer.contains("\"hostname\":\"\($0)\"") }
                }
                try await eventually(within: .seconds(120), every: .seconds(2), "Prometheus scrapes both") {
                    try await scraped() == ["dgx-01", "dgx-02"]
                }
                try await deployment.takeRole("dgx-02")
                try await eventually("the file is gone") { try await deployment.targetFiles() == ["dgx-01.json"] }
                try await eventually(within: .seconds(120), every: .seconds(2), "Prometheus forgets the node") {
                    try await scraped() == ["dgx-01"]
                }
                let state = try await lab.output(
                    "head-a", "systemctl show --value -p ActiveState -p NRestarts prom-targets-sync.service")
                #expect(state.split(separator: "\n").sorted() == ["0", "active"], "\(state)")
                try await lab.output("head-a", "systemctl stop prom-targets-sync.service")
                #expect(try await deployment.targetFiles() == ["dgx-01.json"])
                #expect(
                    try await lab.output("head-a", "systemctl show --value -p Result prom-targets-sync") == "success")
            }
        }
    }
}
