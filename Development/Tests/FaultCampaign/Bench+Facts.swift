import FoundationEssentials
import Glibc
import Synchronization

/// What a file is: any touch shows in it.
struct FileFacts: Equatable, CustomStringConvertible {
    var bytes: Data
    var inode: UInt
    var mode: UInt32
    var seconds: Int
    var nanoseconds: Int

    init(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0, let bytes = FileManager.default.contents(atPath: path) else {
            throw Campaign.Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        self.bytes = bytes
        inode = UInt(status.st_ino)
        mode = status.st_mode
        (seconds, nanoseconds) = (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
    }

    var description: String {
        "inode \(inode), changed at \(seconds), \(String(decoding: bytes, as: UTF8.self).prefix(200))"
    }
}

extension Bench {
    // MARK: Target files

    /// One group of a target file.
    struct Group: Decodable, Equatable {
        var targets: [String]
        var labels: [String: String]
    }

    private static func exporterPorts(_ node: String) -> [(job: String, address: String)] {
        [("node_exporter", "\(node):9100"), ("cgroup_exporter", "\(node):9306"), ("gpu_exporter", "\(node):9445")]
    }

    /// What a node's target file must hold.
    static func target(_ node: String = node) -> [Group] {
        exporterPorts(node).map { job, address in
            Group(targets: [address], labels: ["cluster": "slurm", "hostname": node, "job": job])
        }
    }

    /// A node's target file as the monitor there writes it.
    static func targetText(_ node: String) -> Data {
        let lines = exporterPorts(node).map { job, address in
            "  {\"targets\": [\"\(address)\"], "
                + "\"labels\": {\"cluster\": \"slurm\", \"hostname\": \"\(node)\", \"job\": \"\(job)\"}}"
        }
        return Data("[\n\(lines.joined(separator: ",\n"))\n]\n".utf8)
    }

    /// What a target file holds; nil when there is none, and nothing when it is no target file.
    func target(_ node: String = node) -> [Group]? { read("targets/\(node).json").map { target(of: $0) } }

    func target(of text: String) -> [Group] { (try? JSONDecoder().decode([Group].self, from: Data(text.utf8))) ?? [] }

    // MARK: Metrics

    /// A figure of the monitor's own metrics.
    func metric(_ name: String) -> Double? {
        let start = "bcm_role_monitor_\(name) "
        return (read("metrics/m.prom") ?? "").split(separator: "\n").first { $0.hasPrefix(start) }
            .flatMap { Double($0.dropFirst(start.count)) }
    }

    /// The failures of all kinds that the metrics count.
    var failureCount: Int {
        let lines = (read("metrics/m.prom") ?? "").split(separator: "\n")
        return lines.filter { $0.hasPrefix("bcm_role_monitor_failures_total{") }.reduce(0) { sum, line in
            sum + (line.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0)
        }
    }

    /// How many checks the monitor has made.
    var checks: Int { metric("checks_total").map { Int($0) } ?? 0 }

    /// What the last check found: `present`, `absent` or `unknown`.
    var role: String? {
        ["present", "absent", "unknown"].first {
            metric("role_state{role=\"slurmclient\",state=\"\($0)\"}") == 1
        }
    }

    /// Where the monitor's clock of the calendar stood at the last check, against this machine's, in seconds.
    var clockOffset: Double? {
        metric("last_check_timestamp_seconds").map { $0 - Date().timeIntervalSince1970 }
    }

    // MARK: The simulator's log

    /// The lines of a head node's access log, one a request.
    func requests(_ headNode: String = "head-a") -> [Substring] {
        (read("access-\(headNode)") ?? "").split(separator: "\n")
    }

    /// How many bytes the last list of devices had.
    func listSize(_ headNode: String = "head-a") -> Int? {
        requests(headNode).last { $0.contains(" /rest/v1/device") }.flatMap { line in
            line.split(separator: " ").last { $0.hasPrefix("bytes=") }.flatMap { Int($0.dropFirst(6)) }
        }
    }

    // MARK: What is left

    /// No process, no temporary file, no mount, no namespace, no lock.
    func checkLeftovers() async {
        let time = await within(.seconds(5)) { Processes.naming(folder).isEmpty && traces.withLock { $0.left.isEmpty } }
        let left = Processes.naming(folder) + traces.withLock { $0.left }
        findings.check(time != nil, "processes are left: \(left)")
        for place in ["targets", "state", "metrics"] {
            let left = names(place).filter { $0.hasSuffix(".new") || $0.hasSuffix(".tmp") }
            findings.check(left.isEmpty, "\(place): temporary files are left: \(left)")
        }
        let mounts = (try? String(contentsOf: URL(filePath: "/proc/self/mounts"), encoding: .utf8)) ?? ""
        findings.check(!mounts.contains(folder), "a mount is left")
        for name in ["lock", "storage.lock"] {
            let file = open(path("state/\(name)"), O_RDWR | O_CLOEXEC)
            guard file >= 0 else { continue }
            findings.check(flock(file, LOCK_EX | LOCK_NB) == 0, "the lock \(name) is held")
            close(file)
        }
        checkFiles("at the end")
    }
}
