import CommandExecution
import Testing

extension LabTests {
    /// Real units that cannot be started.
    @Suite struct NodeFaultTests {
        @Test func unitsThatAreMaskedMissingOrCrashAreLeftAndPickedUpLater() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            let folder = "/etc/systemd/system"
            try await lab.output(
                "dgx-01",
                """
                cd \(folder)
                mkdir /root/units
                mv node_exporter.service cgroup_exporter.service /root/units
                ln -s /dev/null node_exporter.service
                mkdir nvidia_gpu_exporter.service.d
                printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\nRestart=always\\nRestartSec=1\\n' \
                    > nvidia_gpu_exporter.service.d/crash.conf
                systemctl daemon-reload
                # An hour otherwise, before a unit that was given up is tried again.
                sed -i 's/"give_up_interval": [0-9]*/"give_up_interval": 5/' /etc/bcm-role-monitor/config.json
                systemctl restart bcm-role-monitor
                """)
            try await deployment.giveRole("dgx-01")
            for words in ["is masked", "does not exist", "nvidia_gpu_exporter"] {
                try await eventually(within: .seconds(60), "the journal says: \(words)") {
                    try await deployment.journal(of: "dgx-01").contains(words)
                }
            }
            try await eventually("the target file is there") {
                try await deployment.targetFiles().contains("dgx-01.json")
            }
            let process = try await deployment.monitor("MainPID", on: "dgx-01")
            try await lab.output(
                "dgx-01",
                """
                cd \(folder)
                rm node_exporter.service
                mv /root/units/* .
                rm -r nvidia_gpu_exporter.service.d
                systemctl daemon-reload
                """)
            try await eventually(within: .seconds(90), "all run") {
                try await deployment.exporters(of: "dgx-01", are: "active")
            }
            #expect(try await deployment.monitor("MainPID", on: "dgx-01") == process)
            #expect(try await deployment.monitor("NRestarts", on: "dgx-01") == "0")
        }
    }
}
