import Glibc

/// Why a target file or a scrape configuration could not be made, read or removed. Two errors are equal when their
/// codes are.
public struct PromTargetsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// The targets directory does not exist, or is not a directory: shared storage may not be mounted.
        public static let directoryMissing = Code(name: "directory missing")
        /// The file system is mounted read-only.
        public static let readOnly = Code(name: "read-only")
        /// No space, no quota or no inode is left.
        public static let diskFull = Code(name: "disk full")
        /// The network file system forgot the directory (ESTALE) or does not answer (EIO, ETIMEDOUT and the like).
        public static let stale = Code(name: "stale")
        /// This user may not do it.
        public static let notPermitted = Code(name: "not permitted")
        /// A label's name or value is not allowed.
        public static let invalidLabel = Code(name: "invalid label")
        /// A target is not `host:port`.
        public static let invalidAddress = Code(name: "invalid address")
        /// A file's name is not a host name.
        public static let invalidName = Code(name: "invalid name")
        /// A setting of a scrape configuration is not allowed.
        public static let invalidConfiguration = Code(name: "invalid configuration")
        /// What is there is not a target file.
        public static let damaged = Code(name: "damaged")
        /// A target file, or all that a directory holds, is larger than the limit.
        public static let tooLarge = Code(name: "too large")
        /// Another failure of the operating system.
        public static let system = Code(name: "system error")
        /// The kind in words, without any value: fit for a metric's label.
        public var description: String { name }
    }

    /// The kind of failure.
    public let code: Code
    /// The file or directory concerned, if there is one.
    public let path: String?
    /// The cause, in words.
    public let reason: String
    /// What to do next.
    public let remedy: String

    /// Creates an error.
    public init(_ code: Code, path: String? = nil, reason: String, remedy: String) {
        self.code = code
        self.path = path
        self.reason = reason
        self.remedy = remedy
    }

    /// `/shared/targets/dgx-01.json: disk full: ...; free some space`.
    public var description: String {
        (path.map { "\($0): " } ?? "") + "\(code): \(reason); \(remedy)"
    }

    /// Whether both are of the same kind.
    public static func == (left: PromTargetsError, right: PromTargetsError) -> Bool { left.code == right.code }
}

extension PromTargetsError {
    /// The error for a failed system call.
    package static func system(_ number: CInt, doing action: String, path: String) -> PromTargetsError {
        let (code, remedy) = kind(of: number)
        return PromTargetsError(
            code, path: path, reason: "cannot \(action): \(String(cString: strerror(number)))", remedy: remedy)
    }

    private static func kind(of number: CInt) -> (Code, String) {
        switch number {
        case ENOENT, ENOTDIR:
            (.directoryMissing, "mount the shared storage or make the directory")
        case EROFS:
            (.readOnly, "mount the file system writable, or allow the path in the unit's ReadWritePaths")
        case ENOSPC, EDQUOT:
            (.diskFull, "free space or raise the quota")
        case ESTALE, EIO, ETIMEDOUT, ENOTCONN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, ECONNREFUSED, EREMOTEIO:
            (.stale, "check the file server and mount the file system again")
        case EACCES, EPERM:
            (.notPermitted, "run as root, and check the directory's mode and the export's root squashing")
        default:
            (.system, "check the file system")
        }
    }
}
