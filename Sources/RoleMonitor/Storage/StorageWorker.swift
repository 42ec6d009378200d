internal import FoundationEssentials
internal import Glibc
internal import PromTargets

/// The child process that touches shared storage: all it does may hang for hours, and nothing else then does.
package enum StorageWorker {
    /// The hidden first argument that makes the program this child. The second argument is the lock file.
    package static let argument = "_storage"

    /// Stands for the lock file of a child that only inspects.
    static let noLock = "-"

    /// Exit status when an earlier child still holds the lock, that is, hangs.
    static let busyStatus: Int32 = 75

    /// Reads a request from standard input, does it and writes the answer to standard output. Blocks.
    ///
    /// - Parameter lockFile: held for as long as this process lives, so that at most one such child exists. A child
    ///   without a lock, `-`, changes nothing.
    /// - Returns: the process's exit status.
    package static func main(lockFile: String) -> Int32 {
        // The monitor's own end must not leave a child that goes on writing.
        var lock: Int32?
        if lockFile != noLock {
            let opened = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600 as mode_t)
            guard opened >= 0 else { return 1 }
            guard flock(opened, LOCK_EX | LOCK_NB) == 0 else { return busyStatus }
            lock = opened
        }
        guard let request = try? JSONDecoder().decode(StorageRequest.self, from: Data(readAll(STDIN_FILENO))),
            lockFile != noLock || request.operations.allSatisfy({ $0.kind == .inspect }),
            let answer = try? JSONEncoder().encode(StorageAnswer(outcomes: request.operations.map(outcome)))
        else { return 1 }
        let bytes = Array(answer)
        guard write(STDOUT_FILENO, bytes, bytes.count) == bytes.count else { return 1 }
        if let lock { clearLeftovers(in: Set(request.operations.map(\.directory)), lock: lock) }
        return 0
    }

    /// Once an hour removes what killed writers, this node's or others', left a day ago or earlier.
    ///
    /// A directory in which a file changes is cleared by whoever writes it. The lock file's time is that of the last look.
    private static func clearLeftovers(in directories: Set<String>, lock: Int32) {
        guard isClearingDue(lock: lock) else { return }
        for directory in directories { TargetDirectory(path: directory).removeLeftovers(olderThan: 86_400) }
        futimens(lock, nil)
    }

    /// Whether the last look for leftovers was more than an hour ago.
    static func isClearingDue(lock: Int32) -> Bool {
        var status = stat()
        return fstat(lock, &status) == 0 && abs(time(nil) - status.st_mtim.tv_sec) > 3600
    }

    /// Does one operation.
    static func outcome(of operation: StorageOperation) -> StorageOutcome {
        let directory = TargetDirectory(path: operation.directory)
        do throws(PromTargetsError) {
            switch operation.kind {
            case .write:
                guard let groups = try wanted(operation, in: directory) else {
                    return try directory.remove(named: operation.name) ? .removed : .notThere
                }
                let outcome = try directory.write(groups, named: operation.name)
                return outcome == .written ? .written : .unchanged
            case .remove:
                if let digest = operation.digest {
                    guard let entry = try directory.entry(named: operation.name) else { return .notThere }
                    guard digest == ContentDigest.of(entry) else { return .kept }
                }
                return try directory.remove(named: operation.name) ? .removed : .notThere
            case .inspect:
                guard let entry = try directory.entry(named: operation.name) else { return .notThere }
                guard operation.groups != nil else {
                    return operation.digest.map { $0 == ContentDigest.of(entry) } ?? true ? .different : .kept
                }
                let groups = try wanted(operation, in: directory)
                let isCurrent = entry.isAsWritten && entry.groups == groups && entry.isReadableByAll
                return isCurrent ? .unchanged : .different
            }
        } catch {
            return .failed(
                StorageFailure(
                    error.code.description, error.description,
                    isNamespaceOnly: error.code == .readOnly && MountTable.isReadOnlyHereAlone(operation.directory)))
        }
    }

    /// What the file is to hold; nil for no file.
    private static func wanted(
        _ operation: StorageOperation, in directory: TargetDirectory
    ) throws(PromTargetsError) -> [TargetGroup]? {
        let groups = operation.groups ?? []
        guard let keptOnly = operation.keptOnly, !keptOnly.isEmpty else { return groups }
        let present = try directory.entry(named: operation.name)?.groups ?? []
        let wanted = groups.filter { !keptOnly.contains($0) || present.contains($0) }
        return wanted.isEmpty ? nil : wanted
    }

    private static func readAll(_ descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}

extension ContentDigest {
    /// The digest of a target file that holds just what a monitor writes; a text that is no digest for any other.
    fileprivate static func of(_ entry: TargetDirectory.Entry) -> String {
        guard entry.isAsWritten, let groups = entry.groups else { return "changed" }
        return of(TargetGroup.encode(groups))
    }
}
