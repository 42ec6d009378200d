import CommandExecution
import DurableFiles
import FoundationEssentials
import Glibc

/// Keeps two administrators from running at the same time. The kernel drops it when its process ends, however it ends.
public final class RunLock: Sendable {
    /// Somebody else has it, or it could not be taken.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// Who has it, since when, and what to do; or why it could not be taken.
        public let description: String
    }

    private struct Owner: Codable {
        var user: String
        var host: String
        var process: Int32
        var since: Int
    }

    private let descriptor: Int32

    /// Takes the lock at a path, or says who has it.
    public init(path: String, user: String, host: String) throws(Failure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600 as mode_t)
        guard descriptor >= 0 else {
            throw Failure(description: "cannot open the lock \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK else {
                throw Failure(description: "cannot lock \(path): \(String(cString: strerror(number)))")
            }
            throw Failure(description: Self.words(path))
        }
        let owner = Owner(user: user, host: host, process: getpid(), since: Int(Date().timeIntervalSince1970))
        if let data = try? JSONEncoder().encode(owner), ftruncate(descriptor, 0) == 0 {
            data.withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        }
        self.descriptor = descriptor
    }

    deinit {
        ftruncate(descriptor, 0)
        close(descriptor)
    }

    private static func words(_ path: String) -> String {
        guard let bytes = try? DurableFile.read(path, limit: 4096), !bytes.isEmpty,
            let owner = try? JSONDecoder().decode(Owner.self, from: Data(bytes))
        else { return "another run is under way (\(path)); wait for it" }
        let age = max(0, Int(Date().timeIntervalSince1970) - owner.since)
        let minutes = age < 120 ? "\(age) s" : "\(age / 60) min"
        return
            "\(ForeignText.printable(owner.user)) on \(ForeignText.printable(owner.host)) (process \(owner.process)) has been running this for \(minutes); "
            + "wait for it, or look at that process. The lock is \(path)"
    }
}
