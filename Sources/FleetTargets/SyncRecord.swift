internal import FoundationEssentials
internal import Glibc
internal import PromTargets

/// The file in the targets directory that makes a sync the only one there, on whichever host, and in which it notes what
/// the files were like after its last pass. Its name matches no `*.json`.
final class SyncRecord: Sendable {
    static let fileName = ".prom-targets-sync"

    /// What stands in the file.
    struct Content: Sendable, Hashable, Codable {
        /// Who holds the lock, in words.
        var holder: String
        /// The version of each file after the last pass; nil before the first.
        var files: [String: String]?
    }

    private let descriptor: Int32
    private let path: String
    /// Whether the file system knows locks.
    let isLocked: Bool

    private init(descriptor: Int32, path: String, isLocked: Bool) {
        self.descriptor = descriptor
        self.path = path
        self.isLocked = isLocked
    }

    deinit { close(descriptor) }

    /// What came of an attempt.
    enum Attempt: Sendable {
        case held(SyncRecord)
        /// Another process holds the lock; who it is, as far as it says.
        case heldByOther(String)
    }

    /// Tries to take the lock.
    static func take(in directory: String) throws(PromTargetsError) -> Attempt {
        let path = "\(directory)/\(fileName)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600 as mode_t)
        guard descriptor >= 0 else { throw .system(errno, doing: "open the lock", path: path) }
        let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0
        let number = errno
        let record = SyncRecord(descriptor: descriptor, path: path, isLocked: isLocked)
        if !isLocked {
            if number == EWOULDBLOCK { return .heldByOther(record.content?.holder ?? "") }
            // Some network file systems know no locks.
            guard [ENOTSUP, ENOSYS, ENOLCK, EINVAL].contains(number) else {
                throw .system(number, doing: "lock the file", path: path)
            }
        }
        return .held(record)
    }

    /// Whether the directory still holds this very file: not after another file system was mounted there.
    var isInPlace: Bool {
        var own = stat()
        var there = stat()
        return fstat(descriptor, &own) == 0 && lstat(path, &there) == 0 && own.st_ino == there.st_ino
            && own.st_dev == there.st_dev
    }

    /// What stands in the file; nil when that is nothing, or damaged.
    var content: Content? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < 8 << 20 {
            let count = pread(descriptor, &chunk, chunk.count, off_t(bytes.count))
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return try? JSONDecoder().decode(Content.self, from: Data(bytes))
    }

    /// Writes the file in place, so that the lock stays.
    func write(_ content: Content) throws(PromTargetsError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(content) else { return }
        let bytes = Array(data) + [UInt8(ascii: "\n")]
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(done)) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno, doing: "write the record", path: path)
            }
            done += count
        }
        guard ftruncate(descriptor, off_t(bytes.count)) == 0 else {
            throw .system(errno, doing: "cut the record", path: path)
        }
    }

    /// This process, in words.
    static var ownName: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "process \(getpid()) on \(host)"
    }
}
