import CommandExecution
import Testing

@testable import JobstatsDeploy

@Suite struct HostChecksTests {
    @Test(arguments: [
        (0.4, Assessment.State.inPlace, false), (-4.9, .inPlace, false), (30, .inPlace, true), (-299, .inPlace, true),
        (301, .blocked, false), (-86400, .blocked, false),
    ])
    func clocksAreJudgedByTheirDistance(_ difference: Double, _ state: Assessment.State, _ isWarning: Bool) {
        let assessment = HostChecks.judgeClock(difference: difference)
        #expect(assessment.state == state)
        #expect(assessment.isWarning == isWarning)
    }

    @Test func aClockIsNotSaidToBeCloserThanTheQuestionCouldTell() {
        #expect(HostChecks.judgeClock(difference: 0, uncertainty: 0.2).detail == "within 1 s")
        #expect(HostChecks.judgeClock(difference: 0, uncertainty: 17.2).detail == "within 18 s")
    }

    @Test(arguments: [
        ("x86_64\nsystemd 252 (252.39)\ncgroup2fs\ndebian 12\n", Assessment.State.inPlace, false),
        ("x86_64\nsystemd 249 (249.11)\ntmpfs\nubuntu 22.04\n", .inPlace, false),
        ("aarch64\nsystemd 255\ncgroup2fs\nubuntu 24.04\n", .inPlace, false),
        ("x86_64\nsystemd 257\ncgroup2fs\nfedora 41\n", .inPlace, true),
        ("x86_64\nsystemd 245\ncgroup2fs\nubuntu 20.04\n", .blocked, false),
        ("ppc64le\nsystemd 252\ncgroup2fs\ndebian 12\n", .blocked, false), ("", .blocked, false),
        ("x86_64\n\n", .blocked, false),
    ])
    func systemsAreJudgedByWhatTheySay(_ output: String, _ state: Assessment.State, _ isWarning: Bool) {
        let assessment = HostChecks.judgeSystem(makeResult(output))
        #expect(assessment.state == state, "\(assessment.detail)")
        #expect(assessment.isWarning == isWarning)
    }

    @Test func theFullestFileSystemCounts() {
        func output(_ free: Int) -> String {
            """
            Filesystem 1024-blocks Used Available Capacity Mounted on
            /dev/sda1 1000000 1 900000 1% /
            /dev/sdb1 1000000 1 \(free) 99% /var/lib
            """
        }
        #expect(HostChecks.judgeDisk(makeResult(output(400_000))).state == .inPlace)
        let full = HostChecks.judgeDisk(makeResult(output(1000)))
        #expect(full.state == .blocked)
        #expect(full.detail == "0 MiB free on /var/lib")
        #expect(HostChecks.judgeDisk(makeResult("")).state == .blocked)
    }

    @Test(arguments: [
        ("", Int32(0), Assessment.State.inPlace, "port 9100 is free"),
        ("12 node_exporter.service node_exporter\n", 0, .inPlace, "node_exporter.service has it"),
        (
            "12 prometheus-node-exporter.service prometheus-node\n", 0, .blocked,
            "port 9100 is taken by prometheus-node-exporter.service (prometheus-node), which this deployment did not install"
        ),
        ("- - -\n", 0, .blocked, "port 9100 is taken by process - (-), which this deployment did not install"),
        ("", 127, .inPlace, "who listens on port 9100 cannot be told"),
    ])
    func aPortOfSomebodyElseStopsTheStep(
        _ output: String, _ status: Int32, _ state: Assessment.State, _ detail: String
    ) {
        let assessment = HostChecks.judgePort(
            makeResult(output, status), 9100, "node_exporter.service", "node_exporter")
        #expect(assessment.state == state)
        #expect(assessment.detail == detail)
    }

    @Test func namesThatDoNotResolveAreListedTogether() {
        let all = HostChecks.judgeNames(makeResult("dgx-01\ndgx-02\ndgx-03\n"), of: 3)
        #expect(all.state == .blocked)
        #expect(all.detail == "does not resolve: dgx-[01-03]")
        #expect(HostChecks.judgeNames(makeResult("dgx-02\n"), of: 3).isWarning)
        #expect(HostChecks.judgeNames(makeResult(""), of: 3).state == .inPlace)
        #expect(HostChecks.judgeNames(makeResult("", 127), of: 3).state == .blocked)
    }

    @Test func aSwitchedOffNodeDoesNotStopThePrometheusServer() throws {
        let seen = MarkersSeen(in: "/shared/.seen-from", of: ["dgx-01", "dgx-02"])
        func assess(_ output: String) -> Assessment {
            var facts = Facts()
            facts.results[seen.probe] = makeResult(output)
            return seen.assess(facts)
        }
        #expect(assess("").state == .inPlace)
        #expect(assess("dgx-02\n").isWarning)
        #expect(assess("dgx-01\ndgx-02\n").state == .differs)
        #expect(throws: ResourceError.self) { try seen.changes(from: Facts()) }
    }

    @Test func aDirectoryOnTheRootFileSystemIsAWarning() {
        #expect(HostChecks.judgeMount(makeResult("/cm/shared head:/shared nfs4\n"), "/cm/shared/t").isWarning == false)
        #expect(HostChecks.judgeMount(makeResult("/ /dev/sda1 ext4\n"), "/cm/shared/t").isWarning)
        #expect(HostChecks.judgeMount(makeResult("", 1), "/cm/shared/t").isWarning)
    }

    @Test(arguments: [
        ("Node Status: running in active mode\n\nhead-a* -> head-b\n", Int32(0), Assessment.State.inPlace),
        ("Node Status: running in passive mode\n\nhead-a -> head-b*\n", 0, .blocked),
        // Noise in the place of an answer, with an asterisk and without.
        ("\u{FFFD}\u{17}\u{FFFD}x*\n", 0, .blocked), ("\u{FFFD}\u{FFFD}4R]\n", 0, .blocked),
        ("head-b* -> head-a\n", 0, .blocked), ("head-a* -> head-b\n", 0, .inPlace),
        ("no failover head node is configured\n", 1, .inPlace), ("", 1, .blocked), ("error: no such mode", 1, .blocked),
    ])
    func onlyTheActiveHeadNodeDeploys(_ output: String, _ status: Int32, _ state: Assessment.State) {
        #expect(HeadNodeStatus.judge(makeResult(output, status), localHost: "head-a").state == state)
    }

    @Test(arguments: [Int32(127), 126]) func missingCmshIsNamedWithItsPathAndNotTakenForSilence(_ status: Int32) {
        let found = HeadNodeStatus.judge(makeResult("", status), localHost: "head-a")
        #expect(found.state == .blocked)
        #expect(found.detail == "there is no cmsh at /cm/local/apps/cmd/bin/cmsh, so this machine is no BCM head node")
        #expect(found.remedy?.contains("run this on the active BCM head node") == true)
    }

    @Test func aTakenPortLeavesAChoice() {
        let remedy = HostChecks.judgePort(
            makeResult("12 other.service other\n"), 3000, "grafana-server.service", "grafana"
        ).remedy
        #expect(remedy?.contains("another port") == true && remedy?.contains("--allow skip-grafana") == true)
    }

    @Test func headNodesThatAreNotReachedAreNamed() async throws {
        let server = try await StubServer([:])
        let good = HostChecks.reaches(["127.0.0.1"], port: server.port)
        #expect(good.assess(try await lookHere(good)) == .inPlace())
        try await server.stop()
        let bad = HostChecks.reaches(["127.0.0.1", "no-such-host.invalid"], port: 1)
        let found = bad.assess(try await lookHere(bad))
        #expect(found.isWarning && found.detail == "port 1 is not reached on 127.0.0.1, no-such-host.invalid")
    }

    @Test func aMissingArchitectureBlocksBeforeAnythingIsChanged() {
        let check = HostChecks.programs([("node_exporter", ["x86_64"]), ("bcm-role-monitor", ["x86_64", "aarch64"])])
        func assess(_ architecture: String) -> Assessment {
            var facts = Facts()
            facts.results[check.command] = makeResult(architecture + "\n")
            return check.assess(facts)
        }
        #expect(assess("x86_64") == .inPlace("x86_64"))
        #expect(assess("aarch64").state == .blocked)
        #expect(assess("aarch64").detail == "there is no node_exporter for aarch64")
        #expect(assess("aarch64").remedy?.contains("artifacts.node_exporter.aarch64") == true)
        #expect(assess("").state == .blocked)
    }

    @Test func roomForTheSamplesIsEstimated() async throws {
        let estimate = StorageEstimate(nodes: 16, days: 365)
        #expect(estimate.gigabytes == 120)
        #expect(StorageEstimate(nodes: 1, days: 1).gigabytes == 1)
        func judge(_ free: Int, used: String = "") -> Assessment {
            HostChecks.judgeSpace(
                makeResult("/dev/sda1 1 1 \(free) 9% /var\n\(used)"), estimate, "/var/lib/prometheus/jobstats")
        }
        #expect(!judge(200_000_000).isWarning)
        let small = judge(50_000_000)
        #expect(small.isWarning && small.detail.contains("room for 51 GB on /var, about 120 GB are expected"))
        #expect(small.detail.contains("16 nodes, 365 days") && small.detail.contains("0.5 GB for each of its 8 GPUs"))
        #expect(!judge(50_000_000, used: "90000000\t/var/lib/prometheus/jobstats\n").isWarning)
        #expect(HostChecks.judgeSpace(makeResult(""), estimate, "/x").isWarning)
        let here = HostChecks.space(for: StorageEstimate(nodes: 1, days: 1), in: "/tmp/a b/$(c)/none")
        #expect(here.assess(try await lookHere(here)).detail.contains("GB on /"))
    }
}
