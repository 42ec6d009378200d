import Glibc

/// The jobs that Slurm has control groups for on this host, where there is a Slurm.
struct SlurmControlGroups {
    /// Where control groups are mounted.
    let root: String

    /// Users' numbers by jobs' numbers. With cgroup v1 the path tells both, with v2 the job alone.
    var jobs: [String: String] {
        var jobs: [String: String] = [:]
        for slurm in Self.names(in: root + "/memory") where slurm.hasPrefix("slurm") {
            let top = root + "/memory/" + slurm
            for user in Self.numbers("uid_", in: top) {
                for job in Self.numbers("job_", in: "\(top)/uid_\(user)") { jobs[job] = user }
            }
        }
        for scope in Self.names(in: root + "/system.slice") where scope.hasSuffix("slurmstepd.scope") {
            for job in Self.numbers("job_", in: "\(root)/system.slice/\(scope)") { jobs[job] = jobs[job] ?? "" }
        }
        return jobs
    }

    /// What follows the prefix in the names of a folder, where it is a number.
    private static func numbers(_ prefix: String, in directory: String) -> [String] {
        names(in: directory).filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            .filter { !$0.isEmpty && $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}
