/// How a step ended on a host.
public struct StepOutcome: Sendable, Hashable, CustomStringConvertible {
    /// The word in the progress file and in tables.
    public let rawValue: String
    private init(_ rawValue: String) { self.rawValue = rawValue }

    /// Found as wanted; nothing was done.
    public static let inPlace = StepOutcome("in place")
    /// Brought about and seen to be so.
    public static let changed = StepOutcome("changed")
    /// A check found a difference; nothing was done.
    public static let wouldChange = StepOutcome("would change")
    /// Not as wanted after all; the later steps of this host were not begun.
    public static let failed = StepOutcome("failed")
    /// Not done, since it disturbs running work and nobody agreed to that.
    public static let needsConsent = StepOutcome("needs consent")
    /// Not begun, since something before it failed or the run was stopped.
    public static let notBegun = StepOutcome("not begun")

    /// An outcome as it was saved; nil for an unknown word.
    public static func saved(_ word: String) -> StepOutcome? {
        [.inPlace, .changed, .wouldChange, .failed, .needsConsent, .notBegun].first { $0.rawValue == word }
    }

    /// The word.
    public var description: String { rawValue }
    /// Whether the host is as wanted.
    public var isGood: Bool { self == .inPlace || self == .changed }
}

/// What came of one step on one host.
public struct StepResult: Sendable, Hashable {
    /// The step's id.
    public var step: String
    /// The step's title.
    public var title: String
    /// The number of its section.
    public var section: Int
    /// The host.
    public var host: Host
    /// How it ended.
    public var outcome: StepOutcome
    /// What was seen, done or wrong, in words.
    public var detail: String
    /// What a person can do about it.
    public var remedy: String?
    /// Whether an administrator should look at it although nothing failed.
    public var isWarning: Bool
    /// The difference between what is there and what is wanted, as a unified diff; checks only.
    public var difference: String?
    /// How long it took, the looking included.
    public var duration: Duration
}

/// Something that happened during a run, for displays and logs.
public enum RunEvent: Sendable {
    /// A section begins on these hosts, in waves of these sizes.
    case sectionBegan(number: Int, title: String, hosts: [Host], waves: [Int])
    /// A host is being worked on.
    case hostBegan(Host, section: Int)
    /// A step is being worked on.
    case stepBegan(Host, section: Int, title: String)
    /// A step ended.
    case stepEnded(StepResult)
    /// A host's part of a section ended.
    case hostEnded(Host, section: Int)
    /// A section ended.
    case sectionEnded(number: Int)
    /// Something that people should know and that concerns no single step.
    case notice(String)
}

/// What came of a whole run.
public struct RunReport: Sendable {
    /// Every step on every host, in no particular order.
    public var results: [StepResult] = []
    /// Whether the run was stopped by a signal.
    public var wasInterrupted = false
    /// Why the rest was not begun, when a limit or an essential failure stopped the run.
    public var stopReason: String?
    /// What concerns the run as a whole, such as progress that could not be saved.
    public var problems: [String] = []
    /// How many SSH connections were opened.
    public var connections = 0
    /// How long the run took.
    public var duration: Duration = .zero

    /// How many steps ended so.
    public func count(_ outcome: StepOutcome) -> Int {
        results.reduce(0) { $0 + ($1.outcome == outcome ? 1 : 0) }
    }

    /// 0 all well, 1 something failed, needs consent or was not begun, 130 interrupted.
    public var exitStatus: Int32 {
        if wasInterrupted { return 130 }
        let isGood =
            stopReason == nil && problems.isEmpty
            && results.allSatisfy { $0.outcome.isGood || $0.outcome == .wouldChange }
        return isGood ? 0 : 1
    }
}
