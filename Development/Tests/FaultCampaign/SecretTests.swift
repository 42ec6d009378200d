import ClusterModel
import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

extension FaultCampaign {
    /// What may be seen on the disk, not only afterwards but at every instant.
    @Suite struct Secrets {
        /// Every call of the monitor and its children that makes a file or changes a mode.
        @Test func monitor() async {
            await Campaign.run("secrets.monitor-files", needsStrace: true) { findings in
                try await Bench.with(findings) { bench in
                    let calls = "openat,open,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,umask,mknod,mknodat"
                    // An administrator's shell may have any umask; the widest shows what the program itself says.
                    try bench.start(prefix: [
                        "/bin/sh", "-c", "umask 0; exec \"$@\"", "sh", "/usr/bin/strace", "-D", "-f", "-qq", "-y", "-o",
                        bench.path("strace"), "-e", "trace=\(calls)",
                    ])
                    await bench.expect("running", .seconds(60)) { bench.isRunning }
                    try await bench.expectPasses(2)
                    await bench.stop()
                    let lines = (bench.read("strace") ?? "").split(separator: "\n").map(String.init)
                    let made = lines.filter { $0.contains("O_CREAT") || $0.contains("mkdir") || $0.contains("chmod") }
                    findings.note("\(made.count) calls that make a file or set a mode")
                    findings.check(made.count > 3, "too few calls were seen")
                    for line in made where !Self.isFine(line, bench) {
                        findings.check(false, "open to others: \(line)")
                    }
                    try Self.lookForKey(bench)
                }
            }
        }

        /// Target files and metrics are for all to read; of all else only the owner sees anything.
        private static func isFine(_ line: String, _ bench: Bench) -> Bool {
            let isOurs = line.contains(bench.folder)
            guard isOurs else { return !line.contains("O_CREAT") || line.contains("/dev/") }
            if line.contains(bench.path("targets")) || line.contains(bench.path("metrics")) { return true }
            // The stand-in for systemctl writes as the shell does.
            if line.contains(bench.path("units")) || line.contains(bench.path("calls")) { return true }
            return line.contains("0600") || line.contains("0700")
        }

        /// No file of the monitor's holds anything of the key.
        private static func lookForKey(_ bench: Bench) throws {
            let key = try String(contentsOf: URL(filePath: bench.cluster.authority.adminKey), encoding: .utf8)
            let line = key.split(separator: "\n").first { $0.count == 64 }.map(String.init) ?? key
            for name in try FileManager.default.subpathsOfDirectory(atPath: bench.folder) {
                guard let text = bench.read(name) else { continue }
                bench.findings.check(!text.contains(line), "\(name) holds the key")
            }
        }
    }
}
