import CommandExecution
import Testing

extension LabTests {
    /// What somebody or something changed on the hosts since the deployment.
    @Suite struct DriftTests {
        /// `host: step` of every step with this outcome.
        private static func steps(_ result: CommandResult, _ outcome: String) -> Set<String> {
            let ending = ": \(outcome)"
            return Set(
                result.outputText.split(separator: "\n").compactMap { line in
                    line.firstRange(of: ending).map { line[..<$0.lowerBound].trimmingSpaces }
                })
        }

        @Test func fourKindsOfDriftAreNamedWithTheirDifferencesAndTheseAloneAreRepaired() async throws {
            let deployment = try await Deployment.blank()
            let lab = deployment.lab
            // Without role monitors the exporters run on every node, so one that was stopped has drifted.
            let first = try await deployment.guidedSetup(monitors: false)
            #expect(first.succeeded, "\(first.outputText)\(first.errorText)")
            let link = "/cm/local/apps/slurm/var/prologs/60-prolog-jobstats.sh"
            let configuration = "/etc/prometheus/prometheus.yml"
            let wanted = try await GuidedSetupTests.inventories(deployment)
            try await lab.output(
                "dgx-01", "sed -i s/Restart=on-failure/Restart=no/ /etc/systemd/system/node_exporter.service")
            try await lab.output("dgx-02", "rm \(link)")
            try await lab.output("dgx-03", "systemctl stop cgroup_exporter")
            try await lab.output("mon-01", "echo '# edited by the site' >> \(configuration)")

            let drift: Set = [
                "dgx-01: Unit file of node_exporter.service", "dgx-02: Prolog linked for BCM's generic prolog",
                "dgx-03: cgroup_exporter.service enabled and running", "mon-01: Scrape configuration",
            ]
            // What follows: a process that is older than its file, an exporter that does not answer, or not yet.
            let consequences: Set = [
                "dgx-01: node_exporter.service enabled and running", "dgx-01: node_exporter.service answers",
                "dgx-03: cgroup_exporter.service answers",
                "mon-01: Prometheus enabled, running and ready",
            ]
            let check = try await deployment.guidedSetup("--check", monitors: false)
            #expect(check.succeeded, "\(check.outputText)\(check.errorText)")
            let found = Self.steps(check, "would change")
            #expect(found.isSuperset(of: drift) && found.subtracting(drift).isSubset(of: consequences), "\(found)")
            for line in ["-Restart=no", "+Restart=on-failure", "-# edited by the site"] {
                #expect(check.outputText.contains(line), "\(check.outputText)")
            }

            let process = "systemctl show --value -p MainPID nvidia_gpu_exporter"
            let untouched = try await lab.output("dgx-01", process)
            let repair = try await deployment.guidedSetup(monitors: false)
            #expect(repair.succeeded, "\(repair.outputText)\(repair.errorText)")
            let repaired = Self.steps(repair, "changed")
            #expect(repaired.isSuperset(of: drift), "\(repaired)")
            #expect(repaired.subtracting(drift).isSubset(of: consequences), "\(repaired)")
            #expect(repair.outputText.contains("-# edited by the site"), "what is repaired at once is shown, too")
            #expect(try await GuidedSetupTests.inventories(deployment) == wanted)
            #expect(try await lab.succeeds("dgx-02", "test -x \(link)"))
            #expect(try await deployment.exporters(of: "dgx-03", are: "active"))
            #expect(try await lab.output("dgx-01", process) == untouched, "nothing else was restarted")
            #expect(
                try await lab.output("mon-01", "cat /var/lib/bcm-jobstats/backups/*\(configuration)")
                    .hasSuffix("# edited by the site"), "what the site wrote is kept")
            let again = try await deployment.guidedSetup("--check", monitors: false)
            #expect(again.succeeded && Self.steps(again, "would change").isEmpty, "\(again.outputText)")
        }
    }
}

extension Substring {
    /// Without the spaces around it.
    fileprivate var trimmingSpaces: String {
        let start = drop { $0 == " " }
        return String(start.prefix(start.count - start.reversed().prefix { $0 == " " }.count))
    }
}
