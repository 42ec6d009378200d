import CommandExecution
import Testing

extension LabTests {
    /// guided-setup over SSH to real hosts.
    @Suite struct GuidedSetupTests {
        /// What a deployment leaves on a host: files with modes, owners and contents, and which units are enabled.
        static let inventory = """
            find /etc/systemd/system /etc/bcm-role-monitor /etc/prometheus /usr/local/bin /var/lib/node_exporter \
                -type f -not -path '*/.*' 2>/dev/null | sort | xargs -r stat -c '%n %a %U'
            find /etc/systemd/system /etc/bcm-role-monitor /etc/prometheus /usr/local/bin -type f 2>/dev/null \
                | sort | xargs -r sha256sum
            systemctl is-enabled node_exporter prometheus bcm-role-monitor 2>/dev/null
            getent passwd prometheus
            true
            """

        static func inventories(_ deployment: Deployment) async throws -> [String: String] {
            var all: [String: String] = [:]
            for host in deployment.hosts { all[host] = try await deployment.lab.output(host, inventory) }
            return all
        }

        @Test func aSecondRunChangesNothingAndEveryRunOpensOneConnectionPerNode() async throws {
            let deployment = try await Deployment.blank()
            let logins = "journalctl -u ssh --no-pager -o cat | grep -c 'Accepted publickey.*from 10.141.255.254'"
            for round in ["first", "second"] {
                let before = try await deployment.lab.output("dgx-02", "\(logins) || true")
                let files = try await Self.inventories(deployment)
                let result = try await deployment.guidedSetup()
                #expect(result.succeeded, "\(round): \(result.outputText)\(result.errorText)")
                let after = try await deployment.lab.output("dgx-02", logins)
                #expect(Int(after) == (Int(before) ?? 0) + 1, "\(round) run")
                if round == "second" { #expect(try await Self.inventories(deployment) == files) }
            }
            for host in deployment.nodes {
                #expect(try await deployment.monitor("ActiveState", on: host) == "active")
            }
        }

        @Test func aKilledRunIsResumedToTheSameEnd() async throws {
            let deployment = try await Deployment.blank()
            #expect(try await deployment.guidedSetup().succeeded)
            let wanted = try await Self.inventories(deployment)
            for progressed in [4, 12, 30] {
                let deployment = try await Deployment.blank()
                async let run = deployment.guidedSetup()
                try await eventually(every: .milliseconds(30), "\(progressed) steps are done") {
                    let steps = try await deployment.lab.output(
                        "head-a",
                        "grep -o '\"outcome\"' \(Deployment.state)/guided_setup_progress.json 2>/dev/null | wc -l")
                    return Int(steps) ?? 0 >= progressed
                }
                try await deployment.lab.output("head-a", "pkill -KILL -x guided-setup")
                _ = try await run
                let result = try await deployment.guidedSetup("--resume")
                #expect(result.succeeded, "after \(progressed): \(result.outputText)\(result.errorText)")
                #expect(try await Self.inventories(deployment) == wanted, "after \(progressed) steps")
            }
        }

        @Test func aNodeThatIsOffIsNamedTheOthersFinishAndItIsCompletedLater() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            try await lab.script("crash", "dgx-02")
            let result = try await deployment.guidedSetup()
            #expect(result.status == .exited(1), "\(result.outputText)\(result.errorText)")
            #expect((result.outputText + result.errorText).contains("dgx-02"))
            for host in ["dgx-01", "dgx-03"] {
                #expect(try await deployment.monitor("ActiveState", on: host) == "active")
            }
            try await lab.script("on", "dgx-02")
            let rest = try await deployment.guidedSetup("--resume", "--limit", "dgx-02")
            #expect(rest.succeeded, "\(rest.outputText)\(rest.errorText)")
            #expect(try await deployment.monitor("ActiveState", on: "dgx-02") == "active")
        }

        @Test func aConfigurationWithMistakesTouchesNothingAndNamesThemAll() async throws {
            let deployment = try await Deployment.blank()
            let files = try await Self.inventories(deployment)
            let mistakes = """
                {"prometheus_port": 99999, "prometheus_targets_dir": "relative", "use_custom_prometheus_targets_dir": true,
                 "systems": {"dgx_nodes": ["dgx-01;reboot", "$(touch /tmp/pwned)"], "prometheus_server": ["mon-01"]}}
                """
            let lab = deployment.lab
            _ = try await lab.shell("head-a", "cat > /root/mistakes.json", input: Array(mistakes.utf8))
            let result = try await lab.run(
                "head-a",
                [
                    "guided-setup", "--config", "/root/mistakes.json", "--state-dir", Deployment.state,
                    "--non-interactive",
                ])
            #expect(result.status == .exited(2))
            for key in ["prometheus_port", "prometheus_targets_dir", "systems.dgx_nodes"] {
                #expect(result.errorText.contains(key), "\(result.errorText)")
            }
            #expect(try await !lab.succeeds("head-a", "test -e /tmp/pwned"))
            #expect(try await Self.inventories(deployment) == files)
        }

        @Test func thePassiveHeadNodeRefuses() async throws {
            let deployment = try await Deployment.blank()
            let result = try await deployment.guidedSetup(on: "head-b")
            #expect(result.status != .exited(0))
            #expect((result.outputText + result.errorText).contains("is the passive head node"), "\(result.errorText)")
            #expect(try await !deployment.lab.succeeds("dgx-01", "test -e /etc/bcm-role-monitor"))
        }
    }
}
