package import PromTargets
internal import FoundationEssentials

/// What a child process is asked to do on shared storage, as it stands on its standard input.
struct StorageRequest: Sendable, Codable {
    /// What to do, in this order.
    var operations: [StorageOperation]
}

/// One operation on one target file.
package struct StorageOperation: Sendable, Hashable, Codable {
    /// The kinds of operation.
    package enum Kind: String, Sendable, Codable {
        /// Make the file hold these groups.
        case write
        /// Make the file not exist; with a digest only if it holds just that.
        case remove
        /// Say what `write` or `remove` would find, and change nothing.
        case inspect
    }

    package var kind: Kind
    package var directory: String
    package var name: String
    /// For `write` and `inspect`.
    package var groups: [TargetGroup]?
    /// Those of the groups that the file gets only if it holds them already. With none left there is to be no file.
    package var keptOnly: [TargetGroup]?
    /// For `remove`, and for `inspect` without groups: the digest of what may be removed; nil for whatever is there.
    package var digest: String?
}

/// What became of one operation.
package enum StorageOutcome: Sendable, Hashable, Codable {
    /// The file is new or has new content.
    case written
    /// The file holds the content already.
    case unchanged
    /// The file was removed.
    case removed
    /// There is no such file.
    case notThere
    /// Somebody else changed the file: it was left alone.
    case kept
    /// An inspection found other content than asked for.
    case different
    /// It could not be done.
    case failed(StorageFailure)
}

/// Why shared storage could not be used.
package struct StorageFailure: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    /// A bounded word for metrics: `directory missing`, `read-only`, `hangs`, ...
    package var kind: String
    /// What failed, in words, with what to do.
    package var message: String
    /// Whether a new mount namespace would help: read-only is only what this unit sees.
    package var isNamespaceOnly: Bool

    package init(_ kind: String, _ message: String, isNamespaceOnly: Bool = false) {
        self.kind = kind
        self.message = message
        self.isNamespaceOnly = isNamespaceOnly
    }

    package var description: String { message }

    /// The kind for storage that does not answer.
    package static let hangs = "hangs"
}

/// The child's answer, as it stands on its standard output: an outcome for each operation.
struct StorageAnswer: Sendable, Codable {
    var outcomes: [StorageOutcome]
}
