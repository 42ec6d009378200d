import CommandExecution
import Testing

extension LabTests {
    /// The role monitor on real hosts: services, target files, head nodes.
    @Suite struct RoleMonitorTests {
        @Test func exportersAndTargetFileFollowTheRole() async throws {
            let deployment = try await Deployment.ready()
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            #expect(try await deployment.exporters(of: "dgx-02", are: "inactive"))
            #expect(try await deployment.targetFiles() == ["dgx-01.json"])
            try await deployment.takeRole("dgx-01")
            try await deployment.expectStopped("dgx-01")
        }

        @Test func theMonitorGoesOnWithTheOtherHeadNodeWhenTheActiveOneAndStorageAreGone() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            let process = try await deployment.monitor("MainPID", on: "dgx-02")
            try await lab.script("isolate", "head-a")
            try await lab.script("storage", "hang", "dgx-01", "dgx-02")
            try await deployment.giveRole("dgx-02", on: "head-b")
            try await eventually(within: .seconds(60), "dgx-02 starts its exporters") {
                try await deployment.exporters(of: "dgx-02", are: "active")
            }
            #expect(try await deployment.exporters(of: "dgx-01", are: "active"))
            #expect(try await deployment.monitor("MainPID", on: "dgx-02") == process)
            try await lab.script("storage", "on")
            try await deployment.expectRunning("dgx-02")
        }

        @Test func anOutageOfBCMAtBootIsNoRestartLoopAndEndsByItself() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            try await lab.script("simulator", "set", "fault", "refuse")
            try await lab.script("reboot", "dgx-01")
            try await eventually("the monitor is up") {
                try await deployment.monitor("ActiveState", on: "dgx-01") == "active"
            }
            #expect(try await deployment.exporters(of: "dgx-01", are: "inactive"), "unknown changes nothing")
            #expect(try await deployment.targetFiles() == ["dgx-01.json"], "unknown changes nothing")
            try await lab.script("simulator", "set", "fault", "none")
            try await deployment.expectRunning("dgx-01")
            #expect(try await deployment.monitor("NRestarts", on: "dgx-01") == "0")
        }

        @Test func rolesThatRESTDoesNotShowChangeNothing() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await lab.output(
                "dgx-01",
                """
                systemctl stop bcm-role-monitor
                rm -rf /var/lib/bcm-role-monitor/*
                sed -i 's/"roles_visible": true/"roles_visible": false/' /etc/bcm-role-monitor/config.json
                systemctl start \(Deployment.exporters.joined(separator: " ")) bcm-role-monitor
                """)
            try await deployment.giveRole("dgx-01")
            try await lab.script("simulator", "set", "fault", "roles-invisible")
            try await Task.sleep(for: .seconds(5))
            #expect(try await deployment.exporters(of: "dgx-01", are: "active"))
            #expect(try await deployment.targetFiles().isEmpty)
            let once = try await lab.shell("dgx-01", "systemctl stop bcm-role-monitor; bcm-role-monitor --once")
            #expect(once.status == .exited(3), "\(once.errorText)")
            #expect(try await deployment.exporters(of: "dgx-01", are: "active"))
        }

        @Test func aWatchdogBitesAStuckMonitorAndExportersGoOn() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await deployment.giveRole("dgx-01")
            try await deployment.expectRunning("dgx-01")
            try await lab.output(
                "dgx-01",
                """
                mkdir -p /run/systemd/system/bcm-role-monitor.service.d
                printf '[Service]\\nWatchdogSec=4\\nRestartSec=1\\n' > /run/systemd/system/bcm-role-monitor.service.d/fast.conf
                systemctl daemon-reload
                systemctl restart bcm-role-monitor
                kill -STOP $(systemctl show --value -p MainPID bcm-role-monitor)
                """)
            try await eventually(within: .seconds(60), "systemd restarts the monitor") {
                let restarts = try await deployment.monitor("NRestarts", on: "dgx-01")
                let state = try await deployment.monitor("ActiveState", on: "dgx-01")
                return restarts == "1" && state == "active"
            }
            #expect(try await deployment.exporters(of: "dgx-01", are: "active"))
            try await deployment.takeRole("dgx-01")
            try await deployment.expectStopped("dgx-01")
        }

        @Test func aSystemctlThatHangsIsBoundedAndTheMonitorGoesOnAfterwards() async throws {
            let deployment = try await Deployment.ready()
            let lab = deployment.lab
            try await lab.output(
                "dgx-01",
                """
                cp /usr/bin/systemctl /usr/bin/systemctl.real
                printf '#!/bin/sh\\n[ -e /etc/hang ] && exec sleep 600\\nexec /usr/bin/systemctl.real "$@"\\n' > /tmp/new
                chmod 755 /tmp/new
                touch /etc/hang
                mv /tmp/new /usr/bin/systemctl
                """)
            let show = "systemctl.real show --value -p MainPID -p NRestarts bcm-role-monitor"
            let before = try await lab.output("dgx-01", show)
            try await deployment.giveRole("dgx-01")
            try await Task.sleep(for: .seconds(40))
            #expect(try await lab.output("dgx-01", show) == before)
            try await lab.output("dgx-01", "rm /etc/hang")
            try await eventually(within: .seconds(90), "the exporters run") {
                try await deployment.exporters(of: "dgx-01", are: "active")
            }
            #expect(try await lab.output("dgx-01", show) == before)
        }
    }
}
