import Testing

@testable import JobstatsDeploy

struct ImagingInstructionsTests {
    private func text(_ change: (inout DeploymentConfiguration) -> Void = { _ in }) -> String {
        ImagingInstructions(configuration: makeConfiguration(change), facts: nil).text
    }

    @Test func theRecordIsCapturedAndTheRestOfItsFolderIsNot() {
        let text = text()
        #expect(text.contains("Must be captured"))
        let captured = text.split(separator: "\n").first { $0.hasPrefix("Must be captured") } ?? ""
        #expect(captured.contains("`/var/lib/bcm-jobstats/installed`"))
        let excluded = text.split(separator: "\n").first { $0.hasPrefix("Must not be captured") } ?? ""
        #expect(!excluded.contains("`/var/lib/bcm-jobstats`"))
        for name in ["backups", "self-test.*", "sums", "packages"] {
            #expect(excluded.contains("`/var/lib/bcm-jobstats/\(name)`"), "\(name)")
        }
    }

    @Test func everyTypeOfNodeKeepsTheRecord() {
        let lines = text().split(separator: "\n").filter { $0.hasPrefix("Must be captured") }
        #expect(lines.count == text().split(separator: "\n").filter { $0.hasPrefix("#### ") }.count)
    }

    @Test func typesOfTheSameHostsAreToldTogetherAndTheHeadNodeBootsFromNoImage() {
        let shared = makeConfiguration {
            $0.systems.slurmController = ["one"]
            $0.systems.loginNodes = ["one"]
            $0.systems.prometheusServer = ["one"]
            $0.systems.grafanaServer = ["head-a"]
        }
        let text = ImagingInstructions(configuration: shared, facts: nil, headNode: "head-a").text
        let titles = text.split(separator: "\n").filter { $0.hasPrefix("#### ") }
        #expect(
            titles == [
                "#### DGX nodes (dgx-\\[01-02\\])", "#### Login nodes, Slurm controllers, Prometheus servers (one)",
            ])
        #expect(text.contains("`/usr/local/sbin/slurmctldepilog.sh`") && !text.contains("Grafana servers"))
    }

    @Test func passwordsSamplesAndDatabasesStayOutOfImages() {
        let text = text { $0.systems.grafanaServer = ["graf-01"] }
        for path in ["/etc/bcm-jobstats/grafana.env", "/var/lib/grafana", "/var/lib/prometheus/jobstats"] {
            let line = text.split(separator: "\n").first { $0.contains("`\(path)`") }
            #expect(line?.hasPrefix("Must not be captured") == true, "\(path)")
        }
    }
}
