internal import FoundationEssentials
internal import Glibc
internal import PromTargets

/// The child process that touches shared storage: all it does may hang for hours, and nothing else then does.
public enum StorageWorker {
    /// The hidden first argument that makes the program this child. The second argument is the lock file.
    public static let argument = "_storage"

    /// Exit status when an earlier child still holds the lock, that is, hangs.
    static let busyStatus: Int32 = 75

    /// Reads a request from standard input, does it and writes the answer to standard output. Blocks.
    ///
    /// - Parameter lockFile: held for as long as this process lives, so that at most one such child exists.
    /// - Returns: the process's exit status.
    public static func main(lockFile: String) -> Int32 {
        // The monitor's own end must not leave a child that goes on writing.
        let lock = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600 as mode_t)
        guard lock >= 0 else { return 1 }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return busyStatus }
        guard let request = try? JSONDecoder().decode(StorageRequest.self, from: Data(readAll(STDIN_FILENO))),
            let answer = try? JSONEncoder().encode(StorageAnswer(outcomes: request.operations.map(outcome)))
        else { return 1 }
        let bytes = Array(answer)
        return write(STDOUT_FILENO, bytes, bytes.count) == bytes.count ? 0 : 1
    }

    /// Does one operation.
    static func outcome(of operation: StorageOperation) -> StorageOutcome {
        let directory = TargetDirectory(path: operation.directory)
        do throws(PromTargetsError) {
            switch operation.kind {
            case .write:
                let outcome = try directory.write(operation.groups ?? [], named: operation.name)
                return outcome == .written ? .written : .unchanged
            case .remove:
                if let digest = operation.digest {
                    guard let found = try content(directory, operation.name) else { return .notThere }
                    guard digest == found else { return .kept }
                }
                return try directory.remove(named: operation.name) ? .removed : .notThere
            case .inspect:
                guard let found = try content(directory, operation.name) else { return .notThere }
                guard let groups = operation.groups else { return .different }
                return found == ContentDigest.of(TargetGroup.encode(groups)) ? .unchanged : .different
            }
        } catch {
            return .failed(
                StorageFailure(
                    error.code.description, error.description,
                    isNamespaceOnly: error.code == .readOnly && MountTable.isReadOnlyHereAlone(operation.directory)))
        }
    }

    /// The digest of what a target file holds, damaged or not; nil when there is none.
    private static func content(_ directory: TargetDirectory, _ name: String) throws(PromTargetsError) -> String? {
        do throws(PromTargetsError) {
            return try directory.read(named: name).map { ContentDigest.of(TargetGroup.encode($0)) }
        } catch {
            guard [.damaged, .tooLarge, .invalidLabel, .invalidAddress].contains(error.code) else { throw error }
            return "damaged"
        }
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
