import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

extension FaultCampaign {
    /// The node against the end of what it has: disks, descriptors, memory.
    @Suite struct Limits {
        /// A file system that stands in the place of one of the monitor's folders, in its own mount namespace.
        private func mount(_ bench: Bench, _ folder: String, _ options: String...) async throws {
            try await bench.run(
                "/usr/bin/nsenter", "--target", "\(bench.monitor?.identifier ?? 0)", "--mount", "/bin/mount",
                "-o", options.joined(separator: ","), "-t", "tmpfs", "fault", bench.path(folder))
        }

        private func unmount(_ bench: Bench, _ folder: String) async throws {
            try await bench.run(
                "/usr/bin/nsenter", "--target", "\(bench.monitor?.identifier ?? 0)", "--mount", "/bin/umount", "--lazy",
                bench.path(folder))
        }

        /// Where the role comes while a folder is out of order, exporters start all the same; with the folder back, files
        /// are as they should be.
        @Test(arguments: [
            "state-full", "state-readonly", "targets-full", "targets-readonly", "metrics-full", "metrics-readonly",
        ])
        func storage(_ fault: String) async {
            await Campaign.run("node.\(fault)") { findings in
                try await Bench.with(findings, .init(areRunning: false, hasRole: false)) { bench in
                    try bench.start()
                    try await bench.expectPasses(2)
                    let folder = String(fault.prefix { $0 != "-" })
                    if fault.hasSuffix("full") {
                        // Its one block is taken.
                        try await mount(bench, folder, "size=4k", "mode=755")
                        let root = "/proc/\(bench.monitor?.identifier ?? 0)/root"
                        try? Data(repeating: 1, count: 4096).write(
                            to: URL(filePath: "\(root)\(bench.path(folder))/taken"))
                    } else {
                        try await mount(bench, folder, "ro")
                    }
                    // The role is absent as before: with the folder out of order nothing changes either.
                    let rest = try Bench.Freeze(bench)
                    try await Task.sleep(for: .seconds(2))
                    rest.check("at rest with the folder out of order")
                    try bench.giveRole()
                    // Where the state is read-only the bench's monitor has no lock for its child that writes target files: on a
                    // real node that lock is in /run.
                    await bench.expect("exporters run", .seconds(30)) {
                        bench.exporters(are: "active")
                            && (folder == "targets" || fault == "state-readonly" || bench.isRunning)
                    }
                    let freeze = try Bench.Freeze(bench)
                    try await Task.sleep(for: .seconds(3))
                    freeze.check("with the folder out of order")
                    findings.check(bench.exporters(are: "active"), "exporters do not run any more: \(bench.calls)")
                    findings.check(!bench.calls.contains { $0.hasPrefix("stop") }, "stopped: \(bench.calls)")
                    try await unmount(bench, folder)
                    // Of the checks meanwhile the metrics could not tell.
                    if folder == "metrics" { try await bench.expectPasses(1) }
                    await bench.settle("running") { bench.isRunning }
                    await bench.settle("the state is saved") {
                        (bench.read("state/\(Bench.node)_state.json") ?? "").contains("\"isPresent\" : true")
                    }
                    try bench.takeRole()
                    await bench.settle("at rest") { bench.isAtRest }
                }
            }
        }

        /// Every flush, or every rename to a file of ours, or every opening in the folder of target files, of the state and of
        /// the metrics, fails with EIO: nothing is half written, and exporters start.
        @Test(arguments: ["fsync", "rename", "open"])
        func inputOutputError(_ call: String) async {
            await Campaign.run("node.io-error-\(call)", needsStrace: true) { findings in
                try await Bench.with(findings, .init(areRunning: false)) { bench in
                    let calls = ["rename": "rename,renameat,renameat2", "open": "open,openat"][call] ?? call
                    // systemctl's stand-in renames files as well, and those renames are not meant.
                    let files = ["targets", "state/\(Bench.node)_state.json", "metrics/m.prom"]
                    try bench.start(
                        prefix: ["/usr/bin/strace", "-D", "-f", "-qq", "-o", bench.path("strace")]
                            + (call != "fsync" ? files.flatMap { ["-P", bench.path($0)] } : [])
                            + ["-e", "trace=\(calls)", "-e", "inject=\(calls):error=EIO"])
                    await bench.expect("exporters run", .seconds(40)) { bench.exporters(are: "active") }
                    let freeze = try Bench.Freeze(bench)
                    _ = await within(.seconds(20)) { injected(bench) > 6 }
                    findings.check(injected(bench) > 6, "only \(injected(bench)) errors were injected")
                    findings.note("\(injected(bench)) errors")
                    freeze.check("with errors of \(call)")
                    findings.check(bench.targetNames.isEmpty, "targets: \(bench.names("targets"))")
                    findings.check(!bench.calls.contains { $0.hasPrefix("stop") }, "stopped: \(bench.calls)")
                    await bench.stop()
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                }
            }
        }

        private func injected(_ bench: Bench) -> Int { (bench.read("strace") ?? "").ranges(of: "(INJECTED)").count }

        /// No further descriptor can be opened while the role is lost.
        @Test func descriptors() async {
            await Campaign.run("node.descriptors") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    try await bench.expectPasses(1)
                    let freeze = try Bench.Freeze(bench)
                    let process = "\(bench.monitor?.identifier ?? 0)"
                    try await bench.run("/usr/bin/prlimit", "--pid", process, "--nofile=4:1024")
                    try await Task.sleep(for: .seconds(5))
                    freeze.check("without descriptors")
                    try bench.takeRole()
                    try await Task.sleep(for: .seconds(3))
                    freeze.check("without descriptors and with another role")
                    try await bench.run("/usr/bin/prlimit", "--pid", process, "--nofile=1024:1024")
                    // Without a bound in checks: the metrics could not tell of those meanwhile, and now tell of all at once.
                    await bench.expect("at rest", Bench.bound) { bench.isAtRest }
                }
            }
        }

        /// Started with few descriptors: it works or says why not, and damages nothing.
        @Test func fewDescriptors() async {
            await Campaign.run("node.few-descriptors") { findings in
                try await Bench.with(findings) { bench in
                    var statuses: [Int32] = []
                    for limit in stride(from: 4, through: 80, by: 4) {
                        try bench.write("log", "")
                        try bench.start(
                            prefix: ["/usr/bin/prlimit", "--nofile=\(limit)"], arguments: ["--once"])
                        let time = await within(.seconds(60)) { bench.monitor?.isAlive != true }
                        findings.check(time != nil, "with \(limit) descriptors it hangs")
                        bench.monitor?.kill()
                        bench.checkFiles("with \(limit) descriptors")
                        let status = bench.monitor?.waitStatus ?? -1
                        statuses.append(status & 0x7F == 0 ? status >> 8 : -(status & 0x7F))
                        findings.check(statuses.last == (limit < 64 ? 2 : 0), "with \(limit): \(statuses.last ?? -1)")
                        let isNamed = bench.read("log")?.contains("at most \(limit) open files") == true
                        findings.check(isNamed == (limit < 64), "with \(limit) it says: \(bench.read("log") ?? "")")
                    }
                    findings.note("statuses with 4 to 80: \(statuses)")
                    findings.check(bench.calls.isEmpty, "units were changed: \(bench.calls)")
                    await bench.expect("running", .seconds(1)) { bench.isRunning }
                }
            }
        }

        /// No more memory: the monitor may end, but is started again, as systemd does it, and damages nothing.
        @Test func memory() async {
            await Campaign.run("node.memory") { findings in
                try await Bench.with(findings) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    try await bench.expectPasses(1)
                    let freeze = try Bench.Freeze(bench)
                    var ends = 0
                    for _ in 1...3 {
                        let process = "\(bench.monitor?.identifier ?? 0)"
                        // What it has already it keeps.
                        try await bench.run("/usr/bin/prlimit", "--pid", process, "--as=4096:unlimited")
                        _ = await within(.seconds(3)) { bench.monitor?.isAlive != true }
                        freeze.check("without memory", endedIsFine: true)
                        guard bench.monitor?.isAlive != true else {
                            try await bench.run("/usr/bin/prlimit", "--pid", process, "--as=unlimited:unlimited")
                            continue
                        }
                        ends += 1
                        try bench.start()
                        try await bench.expectPasses(1)
                    }
                    findings.note("it ended \(ends) of 3 times")
                    try bench.takeRole()
                    await bench.settle("at rest") { bench.isAtRest }
                }
            }
        }
    }
}
