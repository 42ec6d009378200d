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
                    var chance = Campaign.chance("node.soak")
                    let start = ContinuousClock.now
                    let end = start + .seconds(60 * Campaign.soakMinutes)
                    var figures: [Figures] = []
                    var flips = 0, faults = 0, next = start
                    show("minute  RSS KiB  PSS KiB  anonymous KiB  descriptors  threads  role flips  faults  checks")
                    while ContinuousClock.now < end, bench.monitor?.isAlive == true {
                        let fault =
                            flips % 40 == 39
                            ? [Fault.huge, .gzipBomb].randomElement(using: &chance)
                            : Self.faults.randomElement(using: &chance)
                        if Bool.random(using: &chance), let fault {
                            try bench.cluster.set(
                                "fault", fault.rawValue,
                                on: ["head-a", "head-b", nil].randomElement(using: &chance) ?? nil)
                            faults += 1
                        }
                        if flips % 7 == 3 {
                            try bench.write(
                                "systemctl-fault",
                                ["fail", "garbage", "die", "other"].randomElement(using: &chance) ?? "fail")
                        }
                        try await Task.sleep(for: .seconds(2))
                        bench.checkFiles("in the soak")
                        try bench.cluster.set("fault", "none")
                        unlink(bench.path("systemctl-fault"))
                        if flips.isMultiple(of: 2) { try bench.takeRole() } else { try bench.giveRole() }
                        flips += 1
                        try await Task.sleep(for: .seconds(2))
                        guard let process = bench.monitor?.identifier else { continue }
                        let now = Figures(of: process, checks: bench.checks)
                        figures.append(now)
                        guard ContinuousClock.now >= next else { continue }
                        next += .seconds(60)
                        let minute = Int((ContinuousClock.now - start) / .seconds(60))
                        show(
                            [
                                minute, now.resident, now.proportional, now.own, now.descriptors, now.threads, flips,
                                faults, now.checks,
                            ]
                            .map { "\($0)" }.joined(separator: "\t"))
                    }
                    findings.check(bench.monitor?.isAlive == true, "the monitor ended")
                    let least = max(100, 10 * Campaign.soakMinutes)
                    findings.check(bench.checks >= least, "only \(bench.checks) checks, not \(least)")
                    judge(figures, findings)
                    try bench.giveRole()
                    await bench.expect("running", .seconds(30)) { bench.isRunning }
                    findings.note("\(bench.checks) checks, \(flips) flips, \(faults) faults, seed \(Campaign.seed)")
                }
            }
        }

        /// What a check may add to the anonymous memory, in bytes: a task, a connection or an answer that is lost is larger.
        private static let bytesPerCheck = 64.0

        /// Anonymous memory by a straight line through the last two thirds of all samples; of descriptors and threads the
        /// middle of the last quarter against that of the second. What comes before is for warming up.
        private func judge(_ figures: [Figures], _ findings: Findings) {
            let late = figures.suffix(figures.count * 2 / 3)
            if let line = Line(through: late.map { (Double($0.checks), Double($0.own) * 1024) }) {
                let (slope, error) = (line.slope.rounded(), line.error.rounded())
                findings.note("anonymous memory \(Int(slope)) bytes a check, give or take \(Int(error))")
                findings.check(
                    line.slope <= Self.bytesPerCheck + 2 * line.error,
                    "anonymous memory grows by \(Int(slope)) bytes a check, give or take \(Int(error))")
            } else {
                findings.check(Campaign.soakMinutes < 30, "too few checks for a line through the memory")
                findings.note("too short to tell growth")
            }
            guard figures.count >= 8 else { return }
            let quarter = figures.count / 4
            for (name, figure, allowed) in [
                // Connections and threads that are under way at the moment.
                ("descriptors", \Figures.descriptors, 1), ("threads", \Figures.threads, 4),
            ] as [(String, KeyPath<Figures, Int>, Int)] {
                let early = middle(figures[quarter..<2 * quarter].map { $0[keyPath: figure] })
                let late = middle(figures.suffix(quarter).map { $0[keyPath: figure] })
                findings.note("\(name) \(early), then \(late)")
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
            /// How many checks the monitor had made.
            var checks = 0
            var resident = 0, proportional = 0, descriptors = 0, threads = 0

            init(of process: pid_t, checks: Int) {
                self.checks = checks
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

/// A straight line through points, by least squares.
struct Line {
    /// What a step of one adds.
    var slope: Double
    /// The standard error of that, with points that follow each other closely counted as one: memory comes and goes in
    /// waves of 60 checks, after which the monitor gives back what it can.
    var error: Double

    /// - Parameter wave: how far apart points must be to count as independent ones.
    /// - Returns: nil for points of fewer than three waves.
    init?(through points: [(x: Double, y: Double)], wave: Double = 60) {
        let count = Double(points.count)
        guard let first = points.first?.x, let last = points.last?.x, last - first >= 3 * wave, count > 5 else {
            return nil
        }
        let (meanX, meanY) = (points.reduce(0) { $0 + $1.x } / count, points.reduce(0) { $0 + $1.y } / count)
        let square = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
        guard square > 0 else { return nil }
        slope = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / square
        let (slope, waves) = (slope, min(count, (last - first) / wave))
        let residue = points.reduce(0.0) { sum, point in
            let off = point.y - meanY - slope * (point.x - meanX)
            return sum + off * off
        }
        error = (residue / count / (square / count) / (waves - 2)).squareRoot()
    }
}
