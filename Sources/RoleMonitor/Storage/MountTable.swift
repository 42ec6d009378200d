internal import Glibc

/// What this process's mount namespace says about a directory (proc_pid_mountinfo(5)).
enum MountTable {
    /// Whether the directory's mount is read-only while its file system is not.
    ///
    /// That is what a unit sees whose namespace was made before the directory existed: systemd's `ProtectSystem=strict`
    /// makes mounts read-only, not file systems. A server that exports read-only, or a file system that went
    /// read-only after an error, makes the file system itself read-only.
    static func isReadOnlyHereAlone(_ directory: String) -> Bool {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard let information = text("/proc/self/fdinfo/\(descriptor)"), let table = text("/proc/self/mountinfo"),
            let line = information.split(separator: "\n").first(where: { $0.hasPrefix("mnt_id:") }),
            let identifier = Int(line.dropFirst("mnt_id:".count).filter { $0.isNumber })
        else { return false }
        return isReadOnlyHereAlone(mount: identifier, table: table)
    }

    /// The same for a mount's number in a table of this form:
    /// `36 35 98:0 /mnt1 /mnt2 ro,noatime master:1 - ext3 /dev/root rw,errors=continue`
    static func isReadOnlyHereAlone(mount: Int, table: String) -> Bool {
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 10, Int(fields[0]) == mount, let separator = fields.firstIndex(of: "-"),
                fields.count > separator + 3
            else { continue }
            let mountOptions = fields[5].split(separator: ",")
            let systemOptions = fields[separator + 3].split(separator: ",")
            return mountOptions.contains("ro") && systemOptions.contains("rw")
        }
        return false
    }

    /// Whether the file system of the directory was mounted anew, and only this process's mount namespace still shows the
    /// one before. Reads nothing but the table, so it may be asked while the file system hangs.
    static func isReplaced(under directory: String) -> Bool {
        text("/proc/self/mountinfo").map { isReplaced(under: directory, table: $0) } ?? false
    }

    /// The same for a table.
    ///
    /// A unit's namespace holds on to a file system in which `ReadWritePaths=` made a mount of its own: what the host
    /// mounts in its place is put below it, unseen. Of the two mounts at one place the upper one is read-only, as
    /// `ProtectSystem=strict` made it when the unit started; the lower one, which came later, is not.
    static func isReplaced(under directory: String, table: String) -> Bool {
        struct Mount {
            let parent: Int
            let point: Substring
            let isReadOnly: Bool
        }
        var mounts: [Int: Mount] = [:]
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 10, let identifier = Int(fields[0]), let parent = Int(fields[1]) else { continue }
            mounts[identifier] = Mount(
                parent: parent, point: fields[4], isReadOnly: fields[5].split(separator: ",").contains("ro"))
        }
        return mounts.values.contains { upper in
            guard let lower = mounts[upper.parent], lower.point == upper.point else { return false }
            let isAbove = upper.point == directory || directory.hasPrefix(upper.point + "/")
            return isAbove && upper.isReadOnly && !lower.isReadOnly
        }
    }

    private static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while bytes.count < 8 << 20 {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
