import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

extension FaultCampaign {
    /// The monitor is killed wherever it is.
    @Suite struct Kill {
        /// SIGKILL of the monitor and all its descendants at random instants within the first checks; the role flips
        /// meanwhile. Every fifth time it is aimed at the child that writes the target file, which strace makes slow.
        private func kill(_ cell: String, times: Int) async {
            await Campaign.run(cell, needsStrace: true) { findings in
                try await Bench.with(findings, .init(areRunning: false)) { bench in
                    var chance = Campaign.chance(cell)
                    var (withFile, withChild, withWriter) = (0, 0, 0)
                    for round in 0..<times {
                        let isAimed = round % 10 == 2 || round % 10 == 4
                        if round % 5 == 0 {
                            if round % 10 == 0 { try bench.giveRole() } else { try bench.takeRole() }
                        }
                        if isAimed { unlink(bench.path("targets/\(Bench.node).json")) }
                        let watch = try FolderWatch(bench.path("targets"))
                        let calls = "fsync,rename,renameat,renameat2"
                        try bench.start(
                            prefix: isAimed
                                ? [
                                    "/usr/bin/strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(calls)",
                                    "-e",
                                    "inject=\(calls):delay_enter=50000",
                                ] : [])
                        // Most of a first check is over after this; starting alone takes a part of it.
                        var instant = Int.random(in: 0...(round % 4 == 3 ? 2500 : 300), using: &chance)
                        if isAimed {
                            instant = Int.random(in: 0...60, using: &chance)
                            _ = await within(.seconds(10)) { watch.drain().contains { $0.name.hasSuffix(".tmp") } }
                        }
                        try await Task.sleep(for: .milliseconds(instant))
                        let killed = bench.monitor?.killTree() ?? []
                        bench.checkFiles("killed after \(instant) ms, round \(round)")
                        if bench.target() != nil { withFile += 1 }
                        if killed.contains(where: { $0.contains("_storage") }) { withChild += 1 }
                        // What it had begun stays as it was: nothing writes on.
                        let left = bench.leftTargets
                        if left.count > 0, isAimed { withWriter += 1 }
                        _ = watch.drain()
                        let gone = await within(.seconds(5)) { Processes.naming(bench.path("bin")).isEmpty }
                        findings.check(
                            gone != nil, "round \(round): not killed: \(Processes.naming(bench.path("bin")))")
                        let later = watch.drain().map(\.name)
                        findings.check(later.isEmpty, "round \(round): written on after the kill: \(later)")
                        // What a killed child left goes after a day: not what is looked for here.
                        for name in left { unlink(bench.path("targets/\(name)")) }
                    }
                    findings.note(
                        "\(times) kills, a target file there after \(withFile), with the program for storage \(withChild), in the "
                            + "middle of its writing \(withWriter); seed \(Campaign.seed)")
                    findings.check(withWriter >= times / 20, "only \(withWriter) kills met a target file being written")
                    try bench.giveRole()
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    try bench.takeRole()
                    await bench.settle("at rest") { bench.isAtRest }
                }
            }
        }

        @Test func killedAtFiftyInstants() async { await kill("node.sigkill", times: 50) }

        @Test(.enabled(if: Campaign.isLong, "minutes: scripts/faults.sh --long"))
        func killedAtAThousandInstants() async { await kill("node.sigkill-1000", times: 1000) }

        /// SIGTERM at random instants: it ends with 0, and no temporary file is left.
        @Test func endedAtTwentyInstants() async {
            await Campaign.run("node.sigterm") { findings in
                try await Bench.with(findings, .init(areRunning: false)) { bench in
                    var longest = Duration.zero
                    var chance = Campaign.chance("node.sigterm")
                    for round in 0..<20 {
                        let watch = try FolderWatch(bench.path("state"))
                        try bench.start()
                        if round.isMultiple(of: 2) {
                            // Just when files are being replaced.
                            _ = await within(.seconds(10)) { watch.drain().contains { $0.name.hasSuffix(".new") } }
                        } else {
                            try await Task.sleep(for: .milliseconds(Int.random(in: 100...600, using: &chance)))
                        }
                        let start = ContinuousClock.now
                        bench.monitor?.signal(SIGTERM)
                        _ = await within(.seconds(10)) { bench.monitor?.isAlive != true }
                        longest = max(longest, ContinuousClock.now - start)
                        let status = bench.monitor?.waitStatus
                        // 15 where it came before the program had asked for the signal.
                        findings.check(status == 0 || status == SIGTERM, "it ended with \(status ?? -1)")
                        for place in ["targets", "state", "metrics"] {
                            let left = bench.names(place).filter { $0.hasSuffix(".new") || $0.hasSuffix(".tmp") }
                            findings.check(left.isEmpty, "\(place): \(left)")
                        }
                        bench.checkFiles("ended, round \(round)")
                        unlink(bench.path("state/\(Bench.node)_state.json"))
                    }
                    findings.note("20 ends, the longest took \(longest.words); seed \(Campaign.seed)")
                    findings.check(longest < .seconds(5), "an end took \(longest.words)")
                }
            }
        }

        /// What a power cut keeps is what was flushed: content before its name, and the folder afterwards.
        @Test func filesAreFlushedBeforeTheyGetTheirNames() async {
            await Campaign.run("node.power-cut", needsStrace: true) { findings in
                try await Bench.with(findings) { bench in
                    try bench.start(prefix: [
                        "/usr/bin/strace", "-D", "-f", "-qq", "-y", "-o", bench.path("strace"), "-e",
                        "trace=openat,write,fsync,fdatasync,rename,renameat,renameat2",
                    ])
                    await bench.expect("running", .seconds(60)) { bench.isRunning }
                    try await bench.expectPasses(1)
                    await bench.stop()
                    for (folder, suffix) in [("targets", ".tmp"), ("state", ".new")] {
                        let lines = (bench.read("strace") ?? "").split(separator: "\n").filter {
                            $0.contains(bench.path(folder)) && !$0.contains("unfinished")
                        }
                        let last = lines.lastIndex { $0.contains("rename") && $0.contains(suffix) }
                        guard let last else {
                            findings.check(false, "\(folder): nothing was renamed")
                            continue
                        }
                        let before = lines[..<last], after = lines[last...]
                        let written = before.lastIndex { $0.contains("write(") && $0.contains(suffix) }
                        let flushed = before.lastIndex { $0.contains("fsync(") && $0.contains(suffix) }
                        findings.check(
                            written != nil && flushed.map { $0 > written ?? .max } == true,
                            "\(folder): not flushed before it was renamed")
                        findings.check(
                            after.contains { $0.contains("fsync(") && !$0.contains(suffix) },
                            "\(folder): the folder is not flushed after the rename")
                    }
                }
            }
        }
    }
}

extension Bench {
    /// What writers of target files have not finished.
    var leftTargets: [String] { names("targets").filter { $0.hasPrefix(".prom-targets-") } }
}
