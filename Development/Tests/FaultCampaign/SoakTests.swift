import ClusterModel
import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

extension FaultCampaign {
    /// A monitor that lives long among faults. `scripts/soak.sh` runs it.
    @Suite(.enabled(if: Campaign.soakMinutes > 0, "half an hour: scripts/soak.sh")) struct Soak {
        /// Faults of BCM that are cheap to make; the two that move much data come now and then.
        private static let faults: [Fault] = Fault.allCases.filter { ![.huge, .gzipBomb, .roleMissing].contains($0) }

        @Test func memoryIsFlatAndNoDescriptorIsLeftOpen() async {
            await Campaign.run("node.soak") { findings in
                try await Bench.with(findings, .init(headNodes: ["head-a", "head-b"])) { bench in
                    try bench.start()
                    await bench.expect("running", .seconds(40)) { bench.isRunning }
                    let start = ContinuousClock.now
                    let end = start + .seconds(60 * Campaign.soakMinutes)
                    var figures: [Figures] = []
                    var flips = 0, faults = 0, next = start
                    show("minute  RSS KiB  PSS KiB  anonymous KiB  descriptors  threads  role flips  faults")
                    while ContinuousClock.now < end, bench.monitor?.isAlive == true {
                        let fault =
                            flips % 40 == 39 ? [Fault.huge, .gzipBomb].randomElement() : Self.faults.randomElement()
                        if Bool.random(), let fault {
                            try bench.cluster.set(
                                "fault", fault.rawValue, on: ["head-a", "head-b", nil].randomElement() ?? nil)
                            faults += 1
                        }
                        if flips % 7 == 3 {
                            try bench.write(
                                "systemctl-fault", ["fail", "garbage", "die", "other"].randomElement() ?? "fail")
                        }
                        try await Task.sleep(for: .seconds(2))
                        bench.checkFiles("in the soak")
                        try bench.cluster.set("fault", "none")
                        unlink(bench.path("systemctl-fault"))
                        if flips.isMultiple(of: 2) { try bench.takeRole() } else { try bench.giveRole() }
                        flips += 1
                        try await Task.sleep(for: .seconds(2))
                        guard ContinuousClock.now >= next, let process = bench.monitor?.identifier else { continue }
                        next += .seconds(60)
                        let now = Figures(of: process)
                        figures.append(now)
                        let minute = Int((ContinuousClock.now - start) / .seconds(60))
                        show(
                            [
                                minute, now.resident, now.proportional, now.own, now.descriptors, now.threads, flips,
                                faults,
                            ]
                            .map { "\($0)" }.joined(separator: "\t"))
                    }
                    findings.check(bench.monitor?.isAlive == true, "the monitor ended")
                    compare(figures, findings)
                    try bench.giveRole()
                    await bench.expect("running", .seconds(30)) { bench.isRunning }
                    findings.note("\(flips) flips, \(faults) faults")
                }
            }
        }

        /// The middle of the last quarter of the time against that of the second: the first is for warming up.
        private func compare(_ figures: [Figures], _ findings: Findings) {
            guard figures.count >= 8 else {
                findings.note("too short to tell growth")
                return
            }
            let quarter = figures.count / 4
            for (name, figure) in [
                ("own memory", \Figures.own), ("descriptors", \Figures.descriptors), ("threads", \Figures.threads),
            ] as [(String, KeyPath<Figures, Int>)] {
                let early = middle(figures[quarter..<2 * quarter].map { $0[keyPath: figure] })
                let late = middle(figures.suffix(quarter).map { $0[keyPath: figure] })
                findings.note("\(name) \(early), then \(late)")
                // A tenth of memory, and a few descriptors or threads that are under way at the moment.
                let allowed = name == "own memory" ? early / 10 + 256 : 4
                findings.check(late <= early + allowed, "\(name) grew from \(early) to \(late)")
            }
        }

        private func middle(_ numbers: [Int]) -> Int { numbers.sorted()[numbers.count / 2] }

        private func show(_ line: String) {
            print(line)
            fflush(nil)
        }

        private struct Figures {
            /// What no file backs. Private memory would count the program's text, too, where one process runs it: that
            /// comes with each code that runs first and goes once in 60 checks.
            var own = 0
            var resident = 0, proportional = 0, descriptors = 0, threads = 0

            init(of process: pid_t) {
                func text(_ name: String) -> String {
                    FileManager.default.contents(atPath: "/proc/\(process)/\(name)").map {
                        String(decoding: $0, as: UTF8.self)
                    }
                        ?? ""
                }
                func number(_ line: Substring) -> Int { Int(line.filter(\.isNumber)) ?? 0 }
                for line in text("smaps_rollup").split(separator: "\n") {
                    if line.hasPrefix("Rss:") { resident = number(line) }
                    if line.hasPrefix("Pss:") { proportional = number(line) }
                    if line.hasPrefix("Anonymous:") { own = number(line) }
                }
                for line in text("status").split(separator: "\n") where line.hasPrefix("Threads:") {
                    threads = number(line)
                }
                descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count) ?? 0
            }
        }
    }
}
