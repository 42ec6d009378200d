import ClusterModel
import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

extension FaultCampaign {
    /// The node against what can be wrong on it: systemctl, units, clocks, names, limits.
    @Suite struct Node {
        /// While systemctl is out of order the role is lost; units stop once it is back.
        @Test(arguments: ["missing", "hang", "fail", "garbage", "other", "die"])
        func systemctl(_ fault: String) async {
            await Campaign.run("node.systemctl-\(fault)") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    if fault == "missing" {
                        rename(bench.path("bin/systemctl"), bench.path("bin/gone"))
                    } else {
                        try bench.write("systemctl-fault", "\(fault)\n")
                    }
                    // One call may take thirty seconds before it is given up.
                    if fault == "hang" {
                        try await Task.sleep(for: .seconds(33))
                    } else {
                        try await bench.expectPasses(3)
                    }
                    try bench.takeRole()
                    if fault != "hang" { try await bench.expectPasses(3) }
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
                    await bench.expect("at rest", bound) { bench.isAtRest }
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
                    findings.check(bench.target() == Bench.target(), "no target file: \(bench.target() ?? "")")
                    unlink(bench.path("systemctl-fault"))
                    await bench.expect("running", Bench.bound) { bench.isRunning }
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
                    try await bench.expectPasses(3)
                    findings.check(bench.calls.count == 2, "it was tried: \(bench.calls)")
                    unlink(bench.path("units/cgroup_exporter.service.load"))
                    await bench.expect("running", Bench.bound) { bench.isRunning }
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
                    await bench.expect("running", Bench.bound) { bench.isRunning }
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
                    let seen = bench.read("metrics/m.prom")
                    try bench.write("time", "\((Int(days) ?? 0) * 86_400)\n")
                    try await bench.expectPasses(4)
                    findings.check(bench.read("metrics/m.prom") != seen, "the clock did not jump")
                    freeze.check("after the jump")
                    try bench.write("time", "0\n")
                    try await bench.expectPasses(2)
                    freeze.check("after the jump back")
                    try bench.takeRole()
                    await bench.expect("at rest", Bench.bound) { bench.isAtRest }
                }
            }
        }

        /// The host gets another name, in BCM a little later, as after imaging.
        @Test func renamed() async {
            await Campaign.run("node.renamed") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let process = bench.monitor?.identifier ?? 0
                    try await bench.run("/usr/bin/nsenter", "--target", "\(process)", "--uts", "hostname", "gpu-02")
                    try await bench.expectPasses(3)
                    // BCM knows no gpu-02 yet: that is unknown, and unknown changes nothing.
                    findings.check(bench.isRunning, "something changed: \(bench.calls) \(bench.names("targets"))")
                    try bench.cluster.set("rename-node", "\(Bench.node)=gpu-02")
                    await bench.expect("the file goes along", Bench.bound) {
                        bench.names("targets").filter { $0.hasSuffix(".json") } == ["gpu-02.json"]
                    }
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
