import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

extension FaultCampaign.Limits {
    /// Big answers, under a limit by control group that leaves the monitor its usual size and little more: no answer takes it
    /// over the limit. Then a limit below its usual size: the kernel ends it, and the node stays as it is.
    @Test func memoryGroup() async {
        guard let group = MemoryGroup(limit: 16 << 20) else {
            return Campaign.skip("node.memory-group", "no control group for memory can be made here")
        }
        defer { group.remove() }
        await Campaign.run("node.memory-group") { findings in
            try await Bench.with(findings) { bench in
                try bench.start(prefix: group.prefix)
                await bench.expect("running", .seconds(40)) { bench.isRunning }
                try await bench.expectPasses(1)
                let freeze = try Bench.Freeze(bench)
                let usual = group.peak
                for fault in ["huge", "gzip-bomb"] {
                    try bench.cluster.set("fault", fault)
                    try await bench.expectPasses(3, limit: .seconds(90))
                    freeze.check("with \(fault)", role: "unknown")
                }
                findings.note("at most \(usual >> 20) MiB without, \(group.peak >> 20) MiB with such answers, of 16")
                findings.check(group.kills == 0, "the kernel ended \(group.kills) processes")
                try bench.cluster.set("fault", "none")
                await bench.stop()
                try await Self.squeezed(bench)
            }
        }
    }

    /// The monitor in a group that is too small for it, started three times as systemd would, then in none.
    private static func squeezed(_ bench: Bench) async throws {
        guard let group = MemoryGroup(limit: 3 << 20) else { return }
        defer { group.remove() }
        let freeze = try Bench.Freeze(bench, startsLater: true)
        for _ in 1...3 {
            try bench.start(prefix: group.prefix)
            _ = await within(.seconds(20)) { bench.monitor?.isAlive != true }
            bench.findings.check(bench.monitor?.isAlive != true, "3 MiB are enough")
            bench.monitor?.kill()
            freeze.check("with too little memory", endedIsFine: true)
        }
        bench.findings.note("with 3 MiB the kernel ended it \(group.kills) times")
        bench.findings.check(group.kills > 0, "the kernel ended nothing")
        try bench.takeRole()
        try bench.start()
        await bench.settle("at rest") { bench.isAtRest }
    }
}

/// A control group that limits memory, of version 1 or 2, whichever this machine has.
struct MemoryGroup {
    private let folder: String
    private let isUnified: Bool

    /// Makes one; nil where the controller is not to be had.
    init?(limit: Int) {
        let own = (try? String(contentsOf: URL(filePath: "/proc/self/cgroup"), encoding: .utf8)) ?? ""
        let path = own.split(separator: "\n").first { $0.contains(":memory:") }.map { $0.drop { $0 != "/" } }
        let name = "jobstats-fault-\(UUID().uuidString)"
        isUnified = path == nil
        // Only the topmost group may have both processes and groups with controllers.
        folder = path.map { "/sys/fs/cgroup/memory\($0 == "/" ? "" : $0)/\(name)" } ?? "/sys/fs/cgroup/\(name)"
        guard mkdir(folder, 0o755) == 0 else { return nil }
        let files = isUnified ? ["memory.max", "memory.swap.max"] : ["memory.limit_in_bytes"]
        guard access("\(folder)/\(files[0])", W_OK) == 0 else {
            rmdir(folder)
            return nil
        }
        for file in files where access("\(folder)/\(file)", W_OK) == 0 {
            try? Data("\(file.contains("swap") ? 0 : limit)".utf8).write(to: URL(filePath: "\(folder)/\(file)"))
        }
    }

    /// What runs a program in the group.
    var prefix: [String] { ["/bin/sh", "-c", "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"", folder] }

    /// The most that was ever in use, pages of files included.
    var peak: Int { number(isUnified ? "memory.peak" : "memory.max_usage_in_bytes", after: "") }

    /// How many processes the kernel ended since they needed more.
    var kills: Int { number(isUnified ? "memory.events" : "memory.oom_control", after: "oom_kill ") }

    private func number(_ file: String, after word: String) -> Int {
        let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") ?? Data()
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix(word) } ?? ""
        return Int(line.dropFirst(word.count)) ?? 0
    }

    /// Removes it, once its last process has gone.
    func remove() {
        for _ in 1...100 where rmdir(folder) != 0 && errno == EBUSY { usleep(50_000) }
    }
}
