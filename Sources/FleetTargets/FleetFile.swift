package import PromTargets

/// One target file, or one that should be there, and what is to be said of it.
public struct FleetFile: Sendable, Hashable {
    /// How a target file stands; more may be added.
    public struct State: Sendable, Hashable, CustomStringConvertible {
        /// The word in tables and JSON.
        public let description: String
        private init(_ word: String) { description = word }

        /// It is what a monitor writes for this node now. Where BCM was not asked: what a monitor may have written.
        public static let current = State("current")
        /// The node has the role, and the file holds something else.
        public static let different = State("different")
        /// The node has the role and no file.
        public static let missing = State("missing")
        /// BCM lists the node, and it has none of the roles any more.
        public static let orphaned = State("orphaned")
        /// BCM does not list the node any more.
        public static let gone = State("gone")
        /// It cannot be told whether the node has the role.
        public static let undecided = State("undecided")
        /// No monitor and no sync of this cluster wrote it.
        public static let foreign = State("foreign")

        static let all: [State] = [.current, .different, .missing, .orphaned, .gone, .undecided, .foreign]
    }

    /// What was done with the file, or would be; more may be added.
    public struct Action: Sendable, Hashable, CustomStringConvertible {
        /// The word in tables and JSON.
        public let description: String
        private init(_ word: String) { description = word }

        /// It was left as it is.
        public static let none = Action("none")
        /// It would be removed, were this no dry run.
        public static let wouldRemove = Action("would remove")
        /// It was removed.
        public static let removed = Action("removed")
        /// It was written.
        public static let written = Action("written")
        /// It should be removed and was not, since so many would go at once.
        public static let refused = Action("refused")
        /// It was left, since somebody changed it in the meantime.
        public static let changed = Action("changed meanwhile")
        /// Writing or removing it failed.
        public static let failed = Action("failed")
    }

    /// The file's name in the directory.
    public let fileName: String
    /// How it stood when it was looked at, before anything was done.
    public internal(set) var state: State
    /// Why it stands so, in words; empty where there is nothing to say.
    public internal(set) var reason: String
    /// What was done.
    public internal(set) var action = Action.none
    /// The addresses that it holds, as far as it can be read; those that it held when it was removed.
    public internal(set) var targets: [String]
    /// What it should hold; nil where nothing is to be written.
    package let wanted: [TargetGroup]?
    /// The file itself; nil where there is none.
    package let entry: TargetDirectory.Entry?

    init(
        _ fileName: String, _ state: State, _ reason: String = "", entry: TargetDirectory.Entry? = nil,
        wanted: [TargetGroup]? = nil
    ) {
        self.fileName = fileName
        self.state = state
        self.reason = reason
        self.entry = entry
        self.wanted = wanted
        targets = (entry?.groups ?? []).flatMap(\.targets)
    }

    /// Notes what became of it.
    mutating func note(_ action: Action, _ reason: String?) {
        self.action = action
        if let reason { self.reason = reason }
        if action == .written { targets = (wanted ?? []).flatMap(\.targets) }
    }

    /// Whether the file has no reason to be there.
    package var isOrphan: Bool { state == .orphaned || state == .gone }
}
