/// What one check did.
public struct PassReport: Sendable, Hashable {
    /// Something that went wrong.
    public struct Failure: Sendable, Hashable {
        /// A bounded word, fit for a metric's label: `start failed`, `read-only`, ...
        public var kind: String
        /// What failed, in words, with what to do.
        public var message: String
    }

    /// `present`, `absent` or `unknown`: how the node has the role of the jobstats exporters.
    public var role: String
    /// The same for the roles of additional rules.
    public var otherRoles: [String: String] = [:]
    /// BCM's name of this node, as far as known.
    public var node: String?
    /// Why the role cannot be told; nil where it can.
    public var unknownReason: String?
    /// What was done, or, in a dry run, what would be done.
    public var actions: [String] = []
    /// What went wrong.
    public var failures: [Failure] = []
    /// What is not in order although no action of this check failed: units that are missing, masked or given up, ...
    public var notes: [String] = []
    /// The units that exist and should run, and do not.
    public var downUnits: [String] = []
    /// Until when the monitor is paused, in seconds since 1970; nil while it is not.
    public var pauseEnd: Double?
    /// One line in words.
    public var summary = ""
    /// Whether the check was interrupted before its end.
    public var isInterrupted = false
    /// Whether only a new mount namespace would make the target directory writable.
    package var wantsNewNamespace = false

    /// Whether this check asked for anything on shared storage.
    var hasTouchedTargets = false

    init(role: String) { self.role = role }
}
