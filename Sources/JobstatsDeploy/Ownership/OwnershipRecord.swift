/// What this deployment put on a host, as the host itself remembers it.
///
/// One text file with a line `WORD  NAME` for each thing. WORD is the SHA-256 of a file as it was installed, and on a
/// second line as it was before that, since a replacement may be interrupted between record and rename; `before:TIME`
/// when something else stood there before the deployment did (it is kept below `backups/TIME`); `directory`; or `user`.
/// The record names no host, so a software image may carry it. What stands on shared storage is remembered by the host
/// that wrote it.
public struct OwnershipRecord: Sendable, Hashable {
    /// The directory of the record and of the backups.
    public var directory: String

    /// The record of a real host.
    public static let standard = OwnershipRecord(directory: Installed.stateDirectory)

    /// Creates a record in another place, for tests.
    public init(directory: String) { self.directory = directory }

    /// The record's path.
    public var path: String { "\(directory)/installed" }
    /// Where replaced files are kept: below it a directory named for the time in UTC, and in it the file's own path.
    public var backups: String { "\(directory)/backups" }
    /// Asks for the record.
    public var query: Query { .content(path) }

    /// The words that a host remembers for a name; none when there is no record or it is unknown.
    func words(for name: String, _ facts: Facts) -> [String] {
        guard let bytes = facts.content(path) else { return [] }
        let suffix = Array("  \(name)".utf8)
        return bytes.split(separator: UInt8(ascii: "\n")).filter { line in
            line.count > suffix.count && line.suffix(suffix.count).elementsEqual(suffix)
                && !line.dropLast(suffix.count).contains(UInt8(ascii: " "))
        }.map { String(decoding: $0.dropLast(suffix.count), as: UTF8.self) }
    }

    /// How a file stands to the deployment.
    enum Standing: Sendable, Hashable {
        /// It is as the deployment left it.
        case ours
        /// The deployment put it there, and somebody changed it since.
        case changedSince
        /// The deployment did not put it there, or does not remember.
        case notRecorded
    }

    /// How the file at a path stands, as far as the facts tell.
    func standing(of path: String, _ facts: Facts) -> Standing {
        let words = words(for: path, facts)
        guard words.contains(where: { Self.isDigest($0) }) else { return .notRecorded }
        guard let file = facts.file(path), file.kind == .plain, let sha256 = file.sha256 else { return .changedSince }
        return words.contains(sha256) ? .ours : .changedSince
    }

    private static func isDigest(_ word: String) -> Bool { word.utf8.count == 64 }
}
