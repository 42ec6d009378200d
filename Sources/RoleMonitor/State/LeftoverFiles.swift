internal import Glibc

/// Files that a process left behind when it was killed while it replaced another.
enum LeftoverFiles {
    /// Removes `.NAME.RANDOM.new` beside a file. Only for files that nobody else replaces at this time.
    static func remove(besides path: String) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let directory = String(path[..<slash])
        let prefix = ".\(path[path.index(after: slash)...])."
        for name in DirectoryEntries.names(in: directory)
        where name.hasPrefix(prefix) && name.hasSuffix(".new") && name.utf8.count > prefix.utf8.count + 4 {
            unlink("\(directory)/\(name)")
        }
    }
}

/// The names in a directory.
enum DirectoryEntries {
    /// All names but `.` and `..`; none where the directory cannot be read.
    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
