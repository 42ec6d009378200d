import Glibc

/// The directory of target files that Prometheus's `file_sd_configs` reads: one file `NAME.json` per host.
///
/// Prometheus never sees half a file. A new content is written under a temporary name that a `*.json` pattern does not
/// match, flushed, renamed, and the directory is flushed too. Content that is there already causes no write at all.
///
/// Every call blocks until the file system answers, and a dead network file system may not answer for hours, which no
/// signal ends: call it from a process that may be abandoned, or where the storage is known to answer; not on a thread
/// of Swift's cooperative pool when others wait for it.
public struct TargetDirectory: Sendable, Hashable {
    /// What a write did.
    public enum WriteOutcome: Sendable, Hashable {
        /// The file is new or has new content.
        case written
        /// The file held this content already and was not touched.
        case unchanged
    }

    /// The directory's path.
    public let path: String
    /// How many bytes a file may have: 64 KiB. A node's own file has less than one, and 100 more for each exporter of
    /// a rule.
    public static let sizeLimit = 64 << 10
    /// How many names the directory may hold to be looked at as a whole: twice the largest fleet.
    package static let countLimit = 20_000
    /// How many bytes its files may have together to be looked at as a whole: 32 MiB, with 10,000 nodes
    /// some 3 KiB for each.
    package static let totalLimit = 32 << 20

    /// Names a directory, which is neither looked at nor made here.
    public init(path: String) { self.path = path }

    /// The path of a host's target file.
    ///
    /// - Throws: ``PromTargetsError/Code/invalidName`` when the name is not a host name (RFC 1123).
    public func filePath(named name: String) throws(PromTargetsError) -> String {
        "\(path)/\(try Self.fileName(name))"
    }

    /// Writes a host's target file, unless it holds just this already.
    ///
    /// The file's mode is 0644 whatever the umask; a file of the right content with a mode that Prometheus cannot read
    /// or that others can write is replaced. A symbolic link at the destination is replaced, never followed. Temporary
    /// files that a writer left behind are removed once they are older than an hour.
    ///
    /// - Parameters:
    ///   - groups: the content.
    ///   - name: the host's name; the file is `NAME.json`.
    /// - Throws: ``PromTargetsError``: directory missing, read-only, disk full, stale, not permitted and so on; `tooLarge`
    ///   for a content past ``sizeLimit``, which nobody would read back. The earlier file is then still there, whole.
    @discardableResult
    public func write(_ groups: [TargetGroup], named name: String) throws(PromTargetsError) -> WriteOutcome {
        let (file, content) = try form(of: groups, named: name)
        let directory = try Descriptor(openingDirectory: path)
        if isCurrent(file, content: content, in: directory) { return .unchanged }
        let now = try replace(file, with: content, in: directory)
        removeLeftovers(in: directory, before: now - Self.leftoverAge)
        return .written
    }

    /// The file's name within the directory, and the bytes that ``write(_:named:)`` gives it.
    package func form(
        of groups: [TargetGroup], named name: String
    ) throws(PromTargetsError) -> (file: String, content: [UInt8]) {
        let file = try Self.fileName(name)
        let content = TargetGroup.encode(groups)
        guard content.count <= Self.sizeLimit else {
            throw PromTargetsError(
                .tooLarge, path: "\(path)/\(file)",
                reason: "it would have \(content.count) bytes, and at most \(Self.sizeLimit) are read",
                remedy: "name fewer exporters in the rules")
        }
        return (file, content)
    }

    /// Removes the temporary files of writers that died, for directories in which no file changes for days.
    ///
    /// - Parameter age: how old they are at least, in seconds, by this host's clock; a good deal more than its clock and
    ///   the file system's may differ.
    package func removeLeftovers(olderThan age: Int) {
        guard let directory = try? Descriptor(openingDirectory: path) else { return }
        removeLeftovers(in: directory, before: time(nil) - age)
    }

    /// Reads a host's target file.
    ///
    /// - Returns: its groups, or nil when there is no such file.
    /// - Throws: ``PromTargetsError``: `damaged` for anything but a regular file of valid groups, `tooLarge` past
    ///   ``sizeLimit``, and the failures of the file system.
    public func read(named name: String) throws(PromTargetsError) -> [TargetGroup]? {
        let file = try Self.fileName(name)
        let directory = try Descriptor(openingDirectory: path)
        let place = "\(path)/\(file)"
        let descriptor = openat(directory.number, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            if number == ENOENT { return nil }
            if number == ELOOP { throw Self.notRegular(place) }
            throw .system(number, doing: "open the file", path: place)
        }
        let owned = Descriptor(owning: descriptor)
        guard try owned.status(path: place).isRegularFile else { throw Self.notRegular(place) }
        let bytes = try owned.read(limit: Self.sizeLimit + 1, path: place)
        guard bytes.count <= Self.sizeLimit else {
            throw PromTargetsError(
                .tooLarge, path: place, reason: "it has more than \(Self.sizeLimit) bytes", remedy: "remove the file")
        }
        do {
            return try TargetGroup.decode(bytes)
        } catch {
            throw PromTargetsError(error.code, path: place, reason: error.reason, remedy: error.remedy)
        }
    }

    /// Removes a host's target file.
    ///
    /// - Returns: whether there was one.
    /// - Throws: ``PromTargetsError`` when it is still there.
    @discardableResult
    public func remove(named name: String) throws(PromTargetsError) -> Bool {
        let file = try Self.fileName(name)
        let directory = try Descriptor(openingDirectory: path)
        guard unlinkat(directory.number, file, 0) == 0 else {
            let number = errno
            if number == ENOENT { return false }
            if number == EISDIR { throw Self.notRegular("\(path)/\(file)") }
            throw .system(number, doing: "remove the file", path: "\(path)/\(file)")
        }
        try directory.synchronizeDirectory(path: path)
        return true
    }

    /// The names of the hosts that have a target file, sorted. Files that are not `HOST.json` are passed over.
    ///
    /// - Throws: ``PromTargetsError`` when the directory cannot be read; `tooLarge` when it holds more than 20,000 names.
    public func names() throws(PromTargetsError) -> [String] {
        try allEntries(of: try Descriptor(openingDirectory: path))
            .compactMap { entry in
                guard entry.hasSuffix(".json") else { return nil }
                let name = String(entry.dropLast(5))
                return HostName.isValid(name) ? name : nil
            }
            .sorted()
    }
}

extension TargetDirectory {
    private static let temporaryPrefix = ".prom-targets-"
    private static let temporarySuffix = ".tmp"
    private static let leftoverAge = 3600

    static func fileName(_ name: String) throws(PromTargetsError) -> String {
        // 250 bytes and ".json" are what a file name can hold.
        guard HostName.isValid(name), name.utf8.count <= 250 else {
            throw PromTargetsError(
                .invalidName, reason: "\(JSONText.quoted(name)) is no host name",
                remedy: "use a name as RFC 1123 allows it")
        }
        return name + ".json"
    }

    /// All names of the directory, which is refused when it holds more than any fleet needs.
    func allEntries(of directory: borrowing Descriptor) throws(PromTargetsError) -> [String] {
        let names = try directory.entries(path: path, limit: Self.countLimit + 1)
        guard names.count <= Self.countLimit else {
            throw PromTargetsError(
                .tooLarge, path: path, reason: "more than \(Self.countLimit) files lie there, so none is looked at",
                remedy: "see what they are and who writes there (ls -U | head), and move away what is no target file")
        }
        return names
    }

    private static func notRegular(_ path: String) -> PromTargetsError {
        PromTargetsError(.damaged, path: path, reason: "it is not a regular file", remedy: "remove it")
    }

    /// Whether the file is a regular one with this content that all may read and only its owner may write.
    /// `clinux_compare_file()` has the same rule.
    private func isCurrent(_ file: String, content: [UInt8], in directory: borrowing Descriptor) -> Bool {
        let descriptor = openat(directory.number, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        let owned = Descriptor(owning: descriptor)
        guard let status = try? owned.status(path: file), status.isRegularFile, status.st_size == content.count,
            status.st_mode & 0o444 == 0o444, status.st_mode & 0o022 == 0
        else { return false }
        return (try? owned.read(limit: content.count + 1, path: file)) == content
    }

    /// Writes the temporary file and renames it. Returns the file system's own idea of the present time.
    private func replace(
        _ file: String, with content: [UInt8], in directory: borrowing Descriptor
    ) throws(PromTargetsError) -> Int {
        let temporary =
            Self.temporaryPrefix + String(UInt64.random(in: .min ... .max), radix: 16) + Self.temporarySuffix
        let place = "\(path)/\(file)"
        let descriptor = openat(
            directory.number, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644 as mode_t)
        guard descriptor >= 0 else { throw .system(errno, doing: "make a temporary file beside it", path: place) }
        do throws(PromTargetsError) {
            let owned = Descriptor(owning: descriptor)
            // Against the umask. A file system without modes may refuse; then its own modes count.
            if fchmod(owned.number, 0o644) != 0, errno != EPERM, errno != ENOTSUP {
                throw PromTargetsError.system(errno, doing: "set the temporary file's mode", path: place)
            }
            try owned.write(content, path: place)
            guard fsync(owned.number) == 0 else {
                throw PromTargetsError.system(errno, doing: "flush the temporary file", path: place)
            }
            let now = try owned.status(path: place).st_mtim.tv_sec
            try owned.close(path: place)
            guard renameat(directory.number, temporary, directory.number, file) == 0 else {
                let number = errno
                if number == EISDIR || number == ENOTEMPTY || number == EEXIST { throw Self.notRegular(place) }
                throw PromTargetsError.system(number, doing: "rename the temporary file", path: place)
            }
            try directory.synchronizeDirectory(path: path)
            return now
        } catch {
            // After a rename there is nothing of this name, and that is fine.
            unlinkat(directory.number, temporary, 0)
            throw error
        }
    }

    /// Removes temporary files of writers that died. A failure is no reason to fail: the next writer tries again.
    private func removeLeftovers(in directory: borrowing Descriptor, before end: Int) {
        // Of more names than these the rest has its turn when some of them are gone.
        guard let entries = try? directory.entries(path: path, limit: Self.countLimit) else { return }
        for entry in entries where entry.hasPrefix(Self.temporaryPrefix) && entry.hasSuffix(Self.temporarySuffix) {
            var status = stat()
            guard fstatat(directory.number, entry, &status, AT_SYMLINK_NOFOLLOW) == 0, status.isRegularFile,
                status.st_mtim.tv_sec < end
            else { continue }
            unlinkat(directory.number, entry, 0)
        }
    }
}
