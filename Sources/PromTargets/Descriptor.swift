import Glibc

/// One owned file descriptor, closed with its owner.
struct Descriptor: ~Copyable {
    let number: CInt

    init(owning number: CInt) { self.number = number }

    init(openingDirectory path: String) throws(PromTargetsError) {
        // A NUL would cut the path short.
        let opened = path.utf8.contains(0) ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let code = path.utf8.contains(0) ? ENOENT : errno
        self.init(owning: opened)
        guard opened >= 0 else { throw .system(code, doing: "open the directory", path: path) }
    }

    deinit {
        if number >= 0 { Glibc.close(number) }
    }

    /// Closes it now, to learn of a failure that a network file system only tells then.
    consuming func close(path: String) throws(PromTargetsError) {
        let result = Glibc.close(number)
        let code = errno
        discard self
        guard result == 0 else { throw .system(code, doing: "close the file", path: path) }
    }

    borrowing func status(path: String) throws(PromTargetsError) -> stat {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw .system(errno, doing: "look at the file", path: path) }
        return status
    }

    borrowing func read(limit: Int, path: String) throws(PromTargetsError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit, 65_536))
        while bytes.count < limit {
            let wanted = min(buffer.count, limit - bytes.count)
            let count = buffer.withUnsafeMutableBytes { Glibc.read(number, $0.baseAddress, wanted) }
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno, doing: "read the file", path: path)
            }
            bytes += buffer[..<count]
        }
        return bytes
    }

    borrowing func write(_ bytes: [UInt8], path: String) throws(PromTargetsError) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno, doing: "write the temporary file", path: path)
            }
            done += count
        }
    }

    borrowing func synchronizeDirectory(path: String) throws(PromTargetsError) {
        // Some file systems cannot flush a directory and say EINVAL; their renames need no flush.
        guard fsync(number) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw .system(errno, doing: "flush the directory", path: path)
        }
    }

    /// The names in the directory, without `.` and `..`, and no more of them than the limit.
    borrowing func entries(path: String, limit: Int) throws(PromTargetsError) -> [String] {
        let copy = openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw .system(errno, doing: "read the directory", path: path) }
        guard let stream = fdopendir(copy) else {
            let code = errno
            Glibc.close(copy)
            throw .system(code, doing: "read the directory", path: path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while names.count < limit, let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw .system(errno, doing: "read the directory", path: path) }
        return names
    }
}

extension stat {
    var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
}
