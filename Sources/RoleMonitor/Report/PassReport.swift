/// What one check did.
public struct PassReport: Sendable, Hashable {
    /// Something that went wrong.
    public struct Failure: Sendable, Hashable {
        /// A bounded word, fit for a metric's label: `start failed`, `read-only`, ...
        public let kind: String
        /// What failed, in words, with what to do.
        public let message: String
    }

    /// Whether the node has the role of the jobstats exporters.
    public internal(set) var role: RoleState
    /// The same for the roles of additional rules.
    public internal(set) var otherRoles: [String: RoleState] = [:]
    /// BCM's name of this node, as far as known.
    public internal(set) var node: String?
    /// Why the role cannot be told; nil where it can.
    public internal(set) var unknownReason: String?
    /// What was done, or, in a dry run, what would be done.
    public internal(set) var actions: [String] = []
    /// What went wrong.
    public internal(set) var failures: [Failure] = []
    /// What is not in order although no action of this check failed: units that are missing, masked or given up, ...
    public internal(set) var notes: [String] = []
    /// The units that exist and should run, and do not.
    public internal(set) var downUnits: [String] = []
    /// Until when the monitor is paused, in seconds since 1970; nil while it is not.
    public internal(set) var pauseEnd: Double?
    /// One line in words.
    public internal(set) var summary = ""
    /// Whether the check was interrupted before its end.
    public internal(set) var isInterrupted = false
    /// Whether only a new mount namespace would make the target directory writable.
    package var wantsNewNamespace = false

    /// Whether this check asked for anything on shared storage.
    var hasTouchedTargets = false

    init(role: RoleState) { self.role = role }
}
