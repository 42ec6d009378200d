import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

extension FaultCampaign {
    /// The monitor is killed wherever it is.
    @Suite struct Kill {
        /// SIGKILL at random instants within the first checks; the role flips meanwhile.
        private func kill(_ cell: String, times: Int) async {
            await Campaign.run(cell) { findings in
                try await Bench.with(findings, .init(areRunning: false)) { bench in
                    var generator = SystemRandomNumberGenerator()
                    var withFile = 0
                    for round in 0..<times {
                        if round % 5 == 0 {
                            if round % 10 == 0 { try bench.giveRole() } else { try bench.takeRole() }
                        }
                        try bench.start()
                        // Most of a first check is over after this; starting alone takes a part of it.
                        let instant = Int.random(in: 0...(round % 4 == 3 ? 2500 : 300), using: &generator)
                        try await Task.sleep(for: .milliseconds(instant))
                        // The whole group: a child that writes is killed as well, as when power fails.
                        if let process = bench.monitor?.identifier { Glibc.kill(-process, SIGKILL) }
                        bench.monitor?.kill()
                        bench.checkFiles("killed after \(instant) ms, round \(round)")
                        if !bench.names("targets").isEmpty { withFile += 1 }
                    }
                    findings.note("\(times) kills, a target file there after \(withFile)")
                    try bench.giveRole()
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    try bench.takeRole()
                    await bench.expect("at rest", Bench.bound) { bench.isAtRest }
                    // What a killed child left goes after an hour, with the next write: not what is looked for here.
                    for name in bench.names("targets") where name.hasPrefix(".prom-targets-") {
                        findings.note("a temporary file of a killed writer is left for an hour")
                        unlink(bench.path("targets/\(name)"))
                    }
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
                    for round in 0..<20 {
                        let watch = try FolderWatch(bench.path("state"))
                        try bench.start()
                        if round.isMultiple(of: 2) {
                            // Just when files are being replaced.
                            _ = await within(.seconds(10)) { watch.drain().contains { $0.name.hasSuffix(".new") } }
                        } else {
                            try await Task.sleep(for: .milliseconds(Int.random(in: 100...600)))
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
                    findings.note("20 ends, the longest took \(longest.words)")
                    findings.check(longest < .seconds(5), "an end took \(longest.words)")
                }
            }
        }

        /// What a power cut keeps is what was flushed: content before its name, and the folder afterwards.
        @Test func filesAreFlushedBeforeTheyGetTheirNames() async {
            await Campaign.run("node.power-cut") { findings in
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
