import ClusterModel
import ClusterTestSupport
import Testing

extension FaultCampaign {
    /// BCM against everything that it may answer, and not answer.
    @Suite struct BCM {
        /// Faults with which BCM's answer is still certain.
        private static let harmless: Set<Fault> = [.hostTwice]

        /// Healthy, then the fault while exporters run, then the role is taken, then the fault is gone.
        @Test(arguments: Fault.allCases.filter { ![.roleMissing, .rolesInvisible].contains($0) })
        func fault(_ fault: Fault) async {
            await Campaign.run("bcm.\(fault.rawValue)") { findings in
                // A key that changed is refused where the first one was trusted.
                let options = Bench.Options(hasAuthority: fault != .changedKey)
                try await Bench.with(findings, options) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    try await bench.expectPasses(1)
                    let freeze = try Bench.Freeze(bench)
                    let size = bench.listSize()
                    try bench.cluster.set("fault", fault.rawValue)
                    try await bench.expectPasses(4)
                    let isHarmless = Self.harmless.contains(fault)
                    freeze.check("with the fault", role: isHarmless ? "present" : "unknown")
                    try bench.takeRole()
                    if isHarmless {
                        // The answer with the fault is another one, and still tells all.
                        findings.check(bench.listSize() != size, "the fault was not met: \(size ?? 0) bytes as before")
                        findings.check(Bench.hardwareAddress != nil, "this machine has no address to be known by")
                        await bench.settle("at rest with the fault") { bench.isAtRest }
                        let rest = try Bench.Freeze(bench)
                        try bench.cluster.set("fault", "none")
                        try await bench.expectPasses(2)
                        rest.check("after the fault", role: "absent")
                    } else {
                        try await bench.expectPasses(3)
                        freeze.check("with the fault and another role", role: "unknown")
                        try bench.cluster.set("fault", "none")
                    }
                    await bench.settle("at rest") { bench.isAtRest }
                    findings.check(bench.monitor?.isAlive == true, "the monitor ended")
                }
            }
        }

        @Test func stopped() async {
            await Campaign.run("bcm.stopped") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let freeze = try Bench.Freeze(bench)
                    bench.stopServing("head-a")
                    try await bench.expectPasses(4)
                    freeze.check("without BCM", role: "unknown")
                    try bench.takeRole()
                    try await bench.expectPasses(2)
                    freeze.check("without BCM and with another role", role: "unknown")
                    try await bench.serve("head-a")
                    await bench.settle("at rest") { bench.isAtRest }
                }
            }
        }

        /// REST does not show roles of nodes, and never did: exporters that run go on, whatever cmsh would say.
        @Test func rolesInvisible() async {
            await Campaign.run("bcm.roles-invisible") { findings in
                try await Bench.with(findings, .init(settings: ["roles_visible": "false"])) { bench in
                    try bench.cluster.set("fault", Fault.rolesInvisible.rawValue)
                    let freeze = try Bench.Freeze(bench, startsLater: true)
                    try bench.start()
                    try await bench.expectPasses(3)
                    try bench.takeRole()
                    try await bench.expectPasses(2)
                    freeze.check("while roles are hidden", role: "unknown")
                    try bench.cluster.set("fault", "none")
                    try await bench.expectPasses(2)
                    freeze.check("while the role was never shown", role: "unknown")
                    try bench.giveRole()
                    await bench.settle("running") { bench.isRunning }
                    try bench.takeRole()
                    await bench.settle("at rest") { bench.isAtRest }
                }
            }
        }

        /// BCM showed the role, and hides roles of nodes from then on. By the contract that is a lost role: a monitor sees
        /// its own node alone. It costs no more than the time until roles are shown again.
        @Test func rolesHiddenLater() async {
            await Campaign.run("bcm.roles-hidden-later") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    try bench.cluster.set("fault", Fault.rolesInvisible.rawValue)
                    await bench.settle("at rest") { bench.isAtRest }
                    try bench.cluster.set("fault", "none")
                    await bench.settle("running again") { bench.isRunning }
                }
            }
        }

        /// The one that is asked first has lost the role, the other has not.
        @Test func disagreement() async {
            await Campaign.run("bcm.disagreement") { findings in
                try await Bench.with(findings, .init(headNodes: ["head-b", "head-a"])) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let freeze = try Bench.Freeze(bench)
                    try bench.cluster.set("fault", "role-missing", on: "head-b")
                    try await bench.expectPasses(4)
                    freeze.check("while head nodes disagree")
                    // The one that answered last is asked first the next time, and shows the role.
                    let doubts = bench.metric("failures_total{kind=\"not confirmed\"}") ?? 0
                    findings.check(doubts > 0, "the fault was not met: no second look contradicted the first")
                    // With the role taken they agree, the fault or not.
                    try bench.takeRole()
                    await bench.settle("at rest") { bench.isAtRest }
                    let rest = try Bench.Freeze(bench)
                    try bench.cluster.set("fault", "none")
                    try await bench.expectPasses(2)
                    rest.check("without the fault", role: "absent")
                }
            }
        }

        /// One head node hangs, which must not keep the other's answer away.
        @Test func oneOfTwoHangs() async {
            await Campaign.run("bcm.one-of-two-hangs") { findings in
                try await Bench.with(findings, .init(headNodes: ["head-a", "head-b"])) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let freeze = try Bench.Freeze(bench)
                    try bench.cluster.set("fault", "hang-header", on: "head-a")
                    try await bench.expectPasses(3)
                    freeze.check("while one head node hangs", role: "present")
                    let met = bench.requests("head-a").contains { $0.contains("fault=hang-header") }
                    findings.check(met, "the fault was not met")
                    try bench.takeRole()
                    await bench.settle("at rest") { bench.isAtRest }
                    try bench.cluster.set("fault", "none")
                    try bench.giveRole()
                    await bench.settle("running again") { bench.isRunning }
                }
            }
        }

        /// Faults come and go faster than checks.
        @Test func changingFaults() async {
            await Campaign.run("bcm.changing") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let freeze = try Bench.Freeze(bench)
                    let faults: [Fault] = [
                        .refuse, .reset, .truncate, .garbage, .wrongType, .status503, .hangBody, .rolesInvisible,
                        .hostMissing, .redirect, .wrongCA, .oldTLS,
                    ]
                    var unknown = 0
                    for round in 0..<24 {
                        try bench.cluster.set("fault", faults[round % faults.count].rawValue)
                        try await Task.sleep(for: .milliseconds(230))
                        if bench.role == "unknown" { unknown += 1 }
                        try bench.cluster.set("fault", "none")
                        try await Task.sleep(for: .milliseconds(70))
                        freeze.check("with faults that change")
                    }
                    findings.check(unknown > 0, "no fault was met")
                    findings.note("the role unknown at \(unknown) of 24 looks")
                    try bench.takeRole()
                    await bench.settle("at rest") { bench.isAtRest }
                }
            }
        }
    }
}

/// The campaign's own experiments. All of them at once would not fit on two cores: ``Campaign/run(_:location:_:)`` lets a
/// few run at a time.
@Suite(.enabled(if: Campaign.isAllowed, "namespaces and limits of other processes need root"))
enum FaultCampaign {}
