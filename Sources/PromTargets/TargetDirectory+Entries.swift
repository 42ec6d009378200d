import Glibc

extension TargetDirectory {
    /// One file of the directory as it was at one moment.
    public struct Entry: Sendable, Hashable {
        /// The file's name.
        public let fileName: String
        /// The host whose target file it is by its name; nil for a file that is not called `HOST.json`.
        public let hostName: String?
        /// What it holds; nil when it is not a regular file of valid groups.
        public let groups: [TargetGroup]?
        /// Whether its bytes are just what ``TargetDirectory/write(_:named:)`` writes for these groups.
        public let isAsWritten: Bool
        /// What is wrong with it, in words; nil when it is a target file.
        public let fault: String?
        /// The number of the user who owns it.
        public let owner: UInt32
        /// Its permission bits.
        public let mode: UInt16
        /// A text that is another one once the file was replaced or changed. It means the same on every host that
        /// mounts the file system.
        public let version: String

        /// Creates an entry; tests of decisions need this.
        public init(
            fileName: String, hostName: String?, groups: [TargetGroup]?, isAsWritten: Bool = true,
            fault: String? = nil, owner: UInt32 = 0, mode: UInt16 = 0o644, version: String = ""
        ) {
            self.fileName = fileName
            self.hostName = hostName
            self.groups = groups
            self.isAsWritten = isAsWritten
            self.fault = fault
            self.owner = owner
            self.mode = mode
            self.version = version
        }

        /// Whether all may read it and its owner alone may write it.
        public var isReadableByAll: Bool { mode & 0o444 == 0o444 && mode & 0o022 == 0 }
    }

    /// What a removal did.
    public enum RemovalOutcome: Sendable, Hashable {
        /// The file is gone.
        case removed
        /// It was gone before.
        case notThere
        /// Somebody has changed or replaced the file since it was looked at, and it was left.
        case changed
    }

    /// Every file of the directory with what it holds, sorted by name. Names that begin with a dot are passed over.
    ///
    /// - Throws: ``PromTargetsError`` when the directory or one of its files cannot be read; `tooLarge` when it holds more
    ///   than 20,000 names, or its files more than 32 MiB together: whoever fills it fills no memory here. A file that
    ///   holds something else, or more than ``sizeLimit``, is no error: see ``Entry/fault``.
    public func entries() throws(PromTargetsError) -> [Entry] {
        let directory = try Descriptor(openingDirectory: path)
        var entries: [Entry] = []
        var total = 0
        let names = try allEntries(of: directory).sorted()
        for name in names where !name.hasPrefix(".") {
            guard let (entry, size) = try entry(name, in: directory) else { continue }
            total += size
            guard total <= Self.totalLimit else {
                throw PromTargetsError(
                    .tooLarge, path: path,
                    reason:
                        "its \(names.count) files hold more than \(Self.totalLimit) bytes together, so none is looked at",
                    remedy: "see which are large and who writes there (ls -lS), and move away what is no target file")
            }
            entries.append(entry)
        }
        return entries
    }

    /// A host's target file with what it holds.
    ///
    /// - Returns: nil when there is none.
    /// - Throws: ``PromTargetsError`` when it cannot be read. A file that holds something else is no error.
    public func entry(named name: String) throws(PromTargetsError) -> Entry? {
        try entry(try Self.fileName(name), in: try Descriptor(openingDirectory: path))?.entry
    }

    /// Removes a file, if it still is as it was looked at.
    ///
    /// Between the last look and the removal lies an instant in which a replacement goes unseen.
    ///
    /// - Throws: ``PromTargetsError`` when it is still there and could not be removed.
    public func remove(_ entry: Entry) throws(PromTargetsError) -> RemovalOutcome {
        let place = "\(path)/\(entry.fileName)"
        guard !entry.fileName.contains("/") else {
            throw PromTargetsError(
                .invalidName, reason: "\(JSONText.quoted(entry.fileName)) is no file name",
                remedy: "leave the slash out")
        }
        let directory = try Descriptor(openingDirectory: path)
        var status = stat()
        guard fstatat(directory.number, entry.fileName, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return .notThere }
            throw .system(errno, doing: "look at the file", path: place)
        }
        guard status.isRegularFile, Self.version(of: status) == entry.version else { return .changed }
        guard unlinkat(directory.number, entry.fileName, 0) == 0 else {
            if errno == ENOENT { return .notThere }
            throw .system(errno, doing: "remove the file", path: place)
        }
        try directory.synchronizeDirectory(path: path)
        return .removed
    }

    /// Looks at one file, and says how many bytes of it were read; nil when there is none any more.
    private func entry(
        _ name: String, in directory: borrowing Descriptor
    ) throws(PromTargetsError) -> (entry: Entry, size: Int)? {
        let place = "\(path)/\(name)"
        var status = stat()
        guard fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw .system(errno, doing: "look at the file", path: place)
        }
        func found(
            _ groups: [TargetGroup]?, size: Int = 0, isAsWritten: Bool = false, fault: String? = nil
        ) -> (Entry, Int) {
            let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : nil
            let entry = Entry(
                fileName: name, hostName: stem.flatMap { HostName.isValid($0) ? $0 : nil }, groups: groups,
                isAsWritten: isAsWritten, fault: fault.map(Self.inFewWords), owner: status.st_uid,
                mode: UInt16(status.st_mode & 0o7777), version: Self.version(of: status))
            return (entry, size)
        }
        guard status.isRegularFile else { return found(nil, fault: "it is not a regular file") }
        let descriptor = openat(directory.number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            if errno == ELOOP { return found(nil, fault: "it is not a regular file") }
            throw .system(errno, doing: "open the file", path: place)
        }
        let owned = Descriptor(owning: descriptor)
        // What is open may be another file by now; it is the one that counts.
        status = try owned.status(path: place)
        guard status.isRegularFile else { return found(nil, fault: "it is not a regular file") }
        guard status.st_size <= Self.sizeLimit else {
            return found(nil, fault: "it has more than \(Self.sizeLimit) bytes")
        }
        let bytes = try owned.read(limit: Self.sizeLimit + 1, path: place)
        guard bytes.count <= Self.sizeLimit else {
            return found(nil, fault: "it has more than \(Self.sizeLimit) bytes")
        }
        do {
            let groups = try TargetGroup.decode(bytes)
            return found(groups, size: bytes.count, isAsWritten: TargetGroup.encode(groups) == bytes)
        } catch {
            return found(nil, size: bytes.count, fault: error.reason)
        }
    }

    /// A reason may quote what stands in the file.
    private static func inFewWords(_ reason: String) -> String {
        reason.utf8.count <= 300 ? reason : String(decoding: reason.utf8.prefix(297), as: UTF8.self) + "..."
    }

    /// Inode, size and times: a replaced file has another inode, a changed one other times. The device is left out,
    /// since hosts number their mounts as they like.
    private static func version(of status: stat) -> String {
        "\(status.st_ino):\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
            + ":\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
    }
}
