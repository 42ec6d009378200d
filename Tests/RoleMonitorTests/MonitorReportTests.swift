import BCMClient
import ServiceManager
import CommandExecution
import Testing

@testable import RoleMonitor

/// What operators and Prometheus get to read.
struct MonitorReportTests {
    @Test(.enabled(if: Tool.promtool != nil, "promtool is not installed"))
    func metricsAreAcceptedByPromtool() async throws {
        var node = try Node()
        node.configuration.role = "odd\"role"
        let monitor = try node.monitor()
        _ = await monitor.pass()
        await monitor.setPause(until: node.clock.now().wall + 60)
        _ = await monitor.pass()
        let text = try #require(node.folder.read("metrics.prom"))
        let checked = try await LocalExecutor().run(Command("promtool", ["check", "metrics"], input: Array(text.utf8)))
        #expect(checked.succeeded, "\(checked.outputText)\(checked.errorText)")
    }

    @Test func metricsShowWhatAnOperatorAsksFor() async throws {
        let node = try Node()
        node.units.whenStarted("node_exporter.service", becomes: .failed)
        let monitor = try node.monitor()
        for _ in 1...3 {
            _ = await monitor.pass()
            node.clock.advance(.seconds(600))
        }
        node.bcm.answer(.failure(BCMError(.notTrusted, reason: "another key")))
        _ = await monitor.pass()
        let text = try #require(node.folder.read("metrics.prom"))
        for line in [
            "bcm_role_monitor_info{version=\"1.2.3\"} 1",
            "bcm_role_monitor_role_state{role=\"slurmclient\",state=\"present\"} 0",
            "bcm_role_monitor_role_state{role=\"slurmclient\",state=\"unknown\"} 1",
            "bcm_role_monitor_checks_total 4",
            "bcm_role_monitor_failures_total{kind=\"not trusted\"} 1",
            "bcm_role_monitor_failures_total{kind=\"given up\"} 1",
            "bcm_role_monitor_failures_total{kind=\"start failed\"} 3",
            "bcm_role_monitor_start_attempts_total{unit=\"node_exporter.service\"} 3",
            "bcm_role_monitor_unit_retries{unit=\"node_exporter.service\"} 3",
            "bcm_role_monitor_unit_given_up{unit=\"node_exporter.service\"} 1",
            "bcm_role_monitor_unit_given_up{unit=\"cgroup_exporter.service\"} 0",
            "bcm_role_monitor_paused 0",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        #expect(text.contains("bcm_role_monitor_last_success_timestamp_seconds 18000"))
    }

    @Test func certificateThatEndsSoonIsAWarningAndAMetric() async throws {
        let node = try Node()
        let end = node.clock.now().wall + 10.5 * 86_400
        let bcm = node.bcm
        let monitor = try Monitor(
            configuration: node.configuration,
            seams: MonitorSeams(
                makeSource: { _, _ in bcm }, units: node.units, store: node.store, clock: node.clock, host: node.host,
                certificate: { _ in CertificateFacts(end: end, problems: ["the key is open to all"]) }),
            logger: node.log.logger)
        for _ in 1...2 { _ = await monitor.pass() }
        #expect(node.folder.read("metrics.prom")?.contains("bcm_role_monitor_certificate_left_days 10\n") == true)
        #expect(node.log.count("warning: the client certificate /etc/bcm-role-monitor/admin.pem ends in 10 days") == 1)
        #expect(node.log.count("warning: the key is open to all") == 1)
    }

    @Test func metricsThatCannotBeWrittenAreAWarningOnce() async throws {
        var node = try Node()
        node.configuration.metricsTextfile = "/no/such/directory/x.prom"
        let monitor = try node.monitor()
        for _ in 1...3 { #expect(await monitor.pass().exit == .done) }
        #expect(node.log.count("warning: cannot create /no/such/directory/x.prom") == 1)
    }

    /// What BCM says, and the line that systemctl status shows.
    @Test func summaryIsOneLineInWords() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        #expect(await monitor.pass().summary == "role slurmclient present (dgx-01); all in order")
        node.bcm.answer(.failure(BCMError(.timedOut, at: HeadNode(host: "head-a"), reason: "no answer within 15 s")))
        #expect(
            await monitor.pass().summary
                == "role slurmclient unknown; nothing is changed: head-a:8081: timed out: no answer within 15 s")
        await monitor.setPause(until: 1_800_000_600)
        #expect(await monitor.pass().summary == "paused until 2027-01-15T08:10:00Z")
        await monitor.setPause(until: nil)
        node.store.fail(StorageFailure("disk full", "/t: disk full; free space"))
        #expect(
            await monitor.pass().summary == "role slurmclient present (dgx-01); 1 failed: /t: disk full; free space")
    }

    @Test func answersToRequestsTellWhatHappened() async throws {
        let node = try Node(units: FakeUnits(.active))
        let monitor = try node.monitor()
        _ = await monitor.pass()
        await monitor.setPause(until: 1_800_000_600)
        let done = MonitorLoop.answer(.pause(seconds: 600), await monitor.pass())
        #expect(done.isDone)
        #expect(
            done.message == "paused until 2027-01-15T08:10:00Z (stopped node_exporter.service, stopped "
                + "cgroup_exporter.service, stopped nvidia_gpu_exporter.service, removed /t/dgx-01.json)")
        await monitor.setPause(until: nil)
        node.store.fail(StorageFailure("disk full", "/t: disk full"))
        let failed = MonitorLoop.answer(.resume, await monitor.pass())
        #expect(!failed.isDone)
        #expect(failed.message.hasSuffix(", but:\n  /t: disk full"))
    }

    @Test func namespaceRestartIsAskedForAtMostOnceAnHour() async throws {
        let node = try Node()
        let monitor = try node.monitor()
        #expect(await monitor.mayRestartForNamespace())
        let next = try node.monitor()
        #expect(await !next.mayRestartForNamespace())
        node.clock.advance(.seconds(3600))
        #expect(await next.mayRestartForNamespace())
    }
}
