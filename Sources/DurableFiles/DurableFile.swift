package import Glibc

/// Files that are whole at every instant: after a crash or `kill -9` a reader finds the old content or the new, never
/// a mixture and never an empty file.
package enum DurableFile {
    /// Replaces the file at a path with these bytes.
    ///
    /// The bytes go to a new file in the same directory (`.NAME.RANDOM.new`, created with O_EXCL and O_NOFOLLOW, mode
    /// 0600 until it is complete), are flushed, and take the path by rename(2); then the directory is flushed.
    ///
    /// - Throws: ``DurableFileError`` naming the path, what failed and the system's reason. The old file is untouched.
    package static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(DurableFileError) {
        let (directory, name) = split(path)
        let temporary = "\(directory)/.\(name).\(UInt64.random(in: .min ... .max)).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600 as mode_t)
        guard file >= 0 else { throw DurableFileError("create", path, errno) }
        do throws(DurableFileError) {
            try fill(file, bytes, path)
            guard fchmod(file, mode) == 0 else { throw DurableFileError("set the mode of", path, errno) }
            guard fsync(file) == 0 else { throw DurableFileError("flush", path, errno) }
            guard rename(temporary, path) == 0 else { throw DurableFileError("replace", path, errno) }
        } catch {
            close(file)
            unlink(temporary)
            throw error
        }
        close(file)
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Reads a whole file of at most `limit` bytes; nil when there is none.
    package static func read(_ path: String, limit: Int = 64 << 20) throws(DurableFileError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw DurableFileError("open", path, errno)
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw DurableFileError("read", path, errno)
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > limit { throw DurableFileError("read", path, EFBIG) }
        }
    }

    private static func fill(_ file: Int32, _ bytes: [UInt8], _ path: String) throws(DurableFileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw DurableFileError("write", path, errno)
            }
            written += count
        }
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let directory = path[..<slash]
        return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
    }
}

/// Why a file could not be read or replaced.
package struct DurableFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What failed: `create`, `write`, `flush`, `replace`, ...
    package let action: String
    /// The file.
    package let path: String
    /// The system's error number.
    package let errorNumber: Int32

    package init(_ action: String, _ path: String, _ errorNumber: Int32) {
        self.action = action
        self.path = path
        self.errorNumber = errorNumber
    }

    /// `cannot write /var/x: No space left on device`
    package var description: String { "cannot \(action) \(path): \(String(cString: strerror(errorNumber)))" }
}
