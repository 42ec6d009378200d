import ClusterModel
import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

extension FaultCampaign {
    /// The node against what can be wrong on it: systemctl, units, clocks, names, limits.
    @Suite struct Node {
        /// While systemctl is out of order nothing changes; then the role is lost: the target file goes, and units are not
        /// touched before it is back.
        @Test(arguments: ["missing", "hang", "fail", "garbage", "other", "die"])
        func systemctl(_ fault: String) async {
            await Campaign.run("node.systemctl-\(fault)") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let freeze = try Bench.Freeze(bench)
                    let failures = bench.failureCount
                    if fault == "missing" {
                        rename(bench.path("bin/systemctl"), bench.path("bin/gone"))
                    } else {
                        try bench.write("systemctl-fault", "\(fault)\n")
                    }
                    // One call may take thirty seconds before it is given up.
                    if fault == "hang" {
                        _ = await within(.seconds(45)) {
                            bench.sample()
                            return bench.failureCount > failures
                        }
                    } else {
                        try await bench.expectPasses(3)
                    }
                    freeze.check("with the fault", role: "present")
                    findings.check(bench.failureCount > failures, "the fault was not met")
                    let asked = bench.requests().count
                    try bench.takeRole()
                    if fault == "hang" {
                        // A check that looked twice for the role, and now asks for the units.
                        let time = await within(.seconds(45)) {
                            bench.sample()
                            return bench.requests().count >= asked + 2
                                && Processes.descendants(of: bench.monitor?.identifier ?? 0).contains {
                                    Processes.words($0.identifier, "cmdline").hasPrefix("sleep 3600")
                                }
                        }
                        findings.check(time != nil, "no call hangs with the role lost")
                    } else {
                        try await bench.expectPasses(3)
                    }
                    findings.check(bench.calls.isEmpty, "units were changed: \(bench.calls)")
                    findings.check(bench.exporters(are: "active"), "exporters are not active any more")
                    findings.check(bench.monitor?.isAlive == true, "the monitor ended")
                    if fault == "missing" {
                        rename(bench.path("bin/gone"), bench.path("bin/systemctl"))
                    } else {
                        unlink(bench.path("systemctl-fault"))
                    }
                    // A call that hangs is given up first.
                    let bound = fault == "hang" ? Bench.bound + .seconds(35) : Bench.bound
                    await bench.expect("at rest", bound, checks: Bench.checkBound) { bench.isAtRest }
                    let stops = Bench.exporters.map { "stop \($0)" }
                    findings.check(bench.calls.sorted() == stops.sorted(), "not stopped once each: \(bench.calls)")
                }
            }
        }

        /// systemctl says that it stops units, and does not.
        @Test func systemctlLiesAboutStops() async {
            await Campaign.run("node.systemctl-lies-stop") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    try bench.write("systemctl-fault", "lie\n")
                    try bench.takeRole()
                    // Nothing is to be scraped any more, whatever becomes of the units: a check waits for them first.
                    await bench.expect("no target file", .seconds(60)) { bench.targetNames.isEmpty }
                    let last = Bench.exporters.last ?? ""
                    await bench.expect("tried again", .seconds(60)) { bench.calls.count { $0 == "stop \(last)" } >= 2 }
                    findings.check(bench.calls.allSatisfy { $0.hasPrefix("stop ") }, "more than stops: \(bench.calls)")
                    findings.check(bench.exporters(are: "active"), "the stand-in does not lie")
                    for unit in Bench.exporters {
                        let isSaid = (bench.read("log") ?? "").contains("\(unit): still active")
                        findings.check(isSaid, "that \(unit) does not stop is not said")
                    }
                    let told = bench.metric("failures_total{kind=\"stop failed\"}") ?? 0
                    findings.check(told >= 3, "the metrics tell \(told) failed stops")
                    unlink(bench.path("systemctl-fault"))
                    await bench.expect("at rest", .seconds(60), checks: Bench.checkBound) { bench.isAtRest }
                }
            }
        }

        /// systemctl says that it starts units, and does not.
        @Test func systemctlLies() async {
            await Campaign.run("node.systemctl-lies") { findings in
                try await Bench.with(findings, .init(areRunning: false)) { bench in
                    try bench.write("systemctl-fault", "lie\n")
                    try bench.start()
                    let limit = Duration.seconds(40)
                    let givenUp = await within(limit) {
                        (bench.read("log") ?? "").ranges(of: "is given up: one attempt each").count == 3
                    }
                    findings.check(givenUp != nil, "not all were given up: \(bench.calls)")
                    let tries = bench.calls.count { $0 == "start node_exporter.service" }
                    findings.check((3...5).contains(tries), "node_exporter was tried \(tries) times")
                    findings.check(bench.target() == Bench.target(), "no target file")
                    unlink(bench.path("systemctl-fault"))
                    // One attempt each two seconds, by the give-up interval.
                    await bench.settle("running", checks: 4) { bench.isRunning }
                }
            }
        }

        /// Units that cannot be started are not tried, and picked up when that changes.
        @Test(arguments: ["masked", "not-found"])
        func unit(_ load: String) async {
            await Campaign.run("node.unit-\(load)") { findings in
                try await Bench.with(findings, .init(areRunning: false)) { bench in
                    try bench.write("units/cgroup_exporter.service.load", "\(load)\n")
                    try bench.start()
                    await bench.expect("the others run", .seconds(40)) {
                        bench.calls.count == 2 && bench.target() == Bench.target()
                    }
                    let freeze = try Bench.Freeze(bench)
                    try await bench.expectPasses(3)
                    freeze.check("with a unit that is \(load)", role: "present")
                    findings.check(bench.calls.count == 2, "it was tried: \(bench.calls)")
                    unlink(bench.path("units/cgroup_exporter.service.load"))
                    await bench.settle("running") { bench.isRunning }
                    findings.check(bench.calls.count == 3, "not started once: \(bench.calls)")
                }
            }
        }

        /// A unit that fails again and again does not keep the others, and is tried no more than the contract says.
        @Test func unitBreaks() async {
            await Campaign.run("node.unit-breaks") { findings in
                try await Bench.with(findings, .init(areRunning: false)) { bench in
                    try bench.write("units/node_exporter.service.breaks", "")
                    try bench.start()
                    await bench.expect("it is given up", .seconds(40)) {
                        (bench.read("log") ?? "").contains("node_exporter.service did not stay up after 3 attempts")
                    }
                    findings.check(bench.target() == Bench.target(), "no target file")
                    let others = Bench.exporters.dropFirst().allSatisfy { bench.read("units/\($0)") == "active\n" }
                    findings.check(others, "the others do not run")
                    findings.check(!bench.calls.contains { $0.hasPrefix("stop") }, "stopped: \(bench.calls)")
                    unlink(bench.path("units/node_exporter.service.breaks"))
                    // One attempt each two seconds, by the give-up interval.
                    await bench.settle("running", checks: 4) { bench.isRunning }
                }
            }
        }

        /// The clock of the machine jumps while exporters run; certificates may seem invalid meanwhile.
        @Test(arguments: ["+40", "-40", "+8000"])
        func clock(_ days: String) async {
            await Campaign.run("node.clock\(days)d") { findings in
                let library = try await StandIn.clock.value.get()
                try await Bench.with(findings) { bench in
                    try bench.write("time", "0\n")
                    try bench.start(environment: ["LD_PRELOAD": library, "CLOCK_OFFSET": bench.path("time")])
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    try await bench.expectPasses(1)
                    let freeze = try Bench.Freeze(bench)
                    let offset = (Int(days) ?? 0) * 86_400
                    try bench.write("time", "\(offset)\n")
                    try await bench.expectPasses(4)
                    bench.checkClock(Double(offset))
                    freeze.check("after the jump")
                    try bench.write("time", "0\n")
                    try await bench.expectPasses(2)
                    bench.checkClock(0)
                    freeze.check("after the jump back", role: "present")
                    try bench.takeRole()
                    await bench.settle("at rest") { bench.isAtRest }
                }
            }
        }

        /// The host gets another name, in BCM a little later, as after imaging.
        @Test func renamed() async {
            await Campaign.run("node.renamed") { findings in
                try await Bench.with(findings, .init(furtherNames: ["gpu-02"])) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let freeze = try Bench.Freeze(bench)
                    let process = bench.monitor?.identifier ?? 0
                    try await bench.run("/usr/bin/nsenter", "--target", "\(process)", "--uts", "hostname", "gpu-02")
                    try await bench.expectPasses(3)
                    // BCM knows no gpu-02 yet: that is unknown, and unknown changes nothing.
                    freeze.check("with a name that BCM does not know", role: "unknown")
                    findings.check(bench.isRunning, "something changed: \(bench.calls) \(bench.names("targets"))")
                    try bench.cluster.set("rename-node", "\(Bench.node)=gpu-02")
                    await bench.settle("the file goes along") { bench.targetNames == ["gpu-02.json"] }
                    findings.check(bench.target("gpu-02") == Bench.target("gpu-02"), "the new file is not right")
                    findings.check(bench.calls.isEmpty, "units were changed: \(bench.calls)")
                    findings.check(
                        bench.names("state").filter { $0.hasSuffix(".json") } == ["gpu-02_state.json"],
                        "state: \(bench.names("state"))")
                }
            }
        }

        /// Two monitors at once: the second leaves, and the first goes on when the second is started again and again.
        @Test func twoMonitors() async {
            await Campaign.run("node.two-monitors") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let freeze = try Bench.Freeze(bench)
                    let program = try Bench.program.get()
                    for _ in 1...10 {
                        let second = try ChildProcess(
                            [program, "--config", bench.path("config.json")], log: bench.path("second"))
                        let time = await within(.seconds(20)) { !second.isAlive }
                        findings.check(time != nil, "the second stays")
                        second.kill()
                        findings.check(
                            second.waitStatus.map { $0 >> 8 } == 4, "it ended with \(second.waitStatus ?? -1)")
                    }
                    try await bench.expectPasses(2)
                    freeze.check("with a second monitor")
                }
            }
        }
    }
}

extension Bench {
    /// The monitor's clock of the calendar is ahead by so much, two minutes more or less.
    func checkClock(_ offset: Double) {
        let now = clockOffset
        findings.check(now.map { abs($0 - offset) < 120 } == true, "the clock is \(now ?? 0) s ahead, not \(offset)")
    }
}
