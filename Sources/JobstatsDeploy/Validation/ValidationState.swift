/// How a check ended.
public struct ValidationState: Sendable, Hashable, Comparable, CaseIterable, CustomStringConvertible {
    /// The word in JSON, metrics and tables.
    public let rawValue: String
    /// A letter for narrow tables; no two states share one.
    public let letter: Character
    /// The place in the order, from 0 for the worst.
    let rank: Int

    private init(_ rawValue: String, _ letter: Character, _ rank: Int) {
        self.rawValue = rawValue
        self.letter = letter
        self.rank = rank
    }

    /// Seen, and not as it must be.
    public static let failed = ValidationState("failed", "F", 0)
    /// It could not be looked at. That is never a pass, and counts as a failure in the exit status.
    public static let unseen = ValidationState("unseen", "?", 1)
    /// Seen, and to be looked at by a person; or there is no data yet.
    public static let warning = ValidationState("warning", "W", 2)
    /// It does not apply here, or was left out on purpose.
    public static let skipped = ValidationState("skipped", "-", 3)
    /// Seen, and as it must be.
    public static let passed = ValidationState("passed", "+", 4)

    /// All of them, the worst first.
    public static let allCases: [ValidationState] = [.failed, .unseen, .warning, .skipped, .passed]

    /// Whether an administrator must act.
    public var isFailure: Bool { self == .failed || self == .unseen }
    /// In a sentence: `could not look` for ``unseen``, otherwise the word.
    public var words: String { self == .unseen ? "could not look" : rawValue }
    /// The word.
    public var description: String { rawValue }
    /// Orders the worst first.
    public static func < (left: ValidationState, right: ValidationState) -> Bool { left.rank < right.rank }
}

/// What a check found about one host: its state, what was seen, and what to do.
public struct ValidationVerdict: Sendable, Hashable {
    /// How it ended.
    public var state: ValidationState
    /// What was seen, in words.
    public var seen: String
    /// What to do about it; nil where nothing is to be done.
    public var advice: String?

    private init(_ state: ValidationState, _ seen: String, _ advice: String?) {
        self.state = state
        self.seen = seen
        self.advice = advice
    }

    /// As it must be.
    public static func passed(_ seen: String) -> ValidationVerdict { ValidationVerdict(.passed, seen, nil) }
    /// Not as it must be.
    public static func failed(_ seen: String, advice: String) -> ValidationVerdict {
        ValidationVerdict(.failed, seen, advice)
    }
    /// To be looked at by a person.
    public static func warning(_ seen: String, advice: String) -> ValidationVerdict {
        ValidationVerdict(.warning, seen, advice)
    }
    /// It does not apply.
    public static func skipped(_ why: String) -> ValidationVerdict { ValidationVerdict(.skipped, why, nil) }
    /// It could not be looked at.
    public static func unseen(_ why: String, advice: String) -> ValidationVerdict {
        ValidationVerdict(.unseen, why, advice)
    }

    /// What a resource of the plan was assessed as.
    init(_ assessment: Assessment, advice: String) {
        switch assessment.state {
        case .inPlace:
            self =
                assessment.isWarning
                ? .warning(assessment.detail, advice: assessment.remedy ?? advice) : .passed(assessment.detail)
        case .differs: self = .failed(assessment.detail, advice: advice)
        case .blocked:
            self =
                assessment.isUnknown
                ? .unseen(assessment.detail, advice: assessment.remedy ?? advice)
                : .failed(assessment.detail, advice: assessment.remedy ?? advice)
        }
    }
}
