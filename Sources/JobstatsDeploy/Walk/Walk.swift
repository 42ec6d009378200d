/// A walk through the sections of a plan, one question at a time: its rules alone, without hosts and without a terminal.
///
/// A ``WalkRun`` carries out what each ``Action`` says, shows ``question`` and hands the line that was typed to
/// ``answer(_:)``. So every rule (what agrees and what does not, where *back* goes) can be tested as a table.
struct Walk: Sendable, Equatable {
    /// A section on the way, and what became of it.
    struct Stage: Sendable, Equatable {
        let number: Int
        let title: String
        var state = State.open

        enum State: String, Sendable {
            case open = "not begun"
            /// Done by the run that is resumed.
            case before = "done before"
            case done = "done"
            case skipped = "skipped"
            case failed = "failed"
            /// Done but for what disturbs, to which nobody agreed.
            case withheld = "needs consent"
            /// Done but for hosts on which something failed before.
            case partial = "done in part"
        }
    }

    /// What is asked now.
    enum Question: Sendable, Equatable {
        /// What shall become of the section.
        case section
        /// What shall follow a failure; nothing can go on without what is essential.
        case failure(isEssential: Bool)
        /// Whether something may disturb running work.
        case consent(ConsentRequest)
    }

    /// What is to be done before the next question.
    enum Action: Sendable, Equatable {
        /// Say what the section is about.
        case introduce
        /// Carry the section out, with what was agreed to.
        case run(agreed: [ConsentRequest])
        /// Compare it with the hosts.
        case look(showsDifferences: Bool)
        case showCommands
        /// Show what the failed steps said.
        case showOutput
        /// Explain the choices.
        case explain
        /// Say this.
        case remark(String)
        /// Say what the question of consent is about.
        case describe(ConsentRequest)
        case finish
    }

    /// What came of carrying a section out.
    struct Outcome: Sendable, Equatable {
        var hasFailed = false
        var isEssential = false
        /// Whether a step was left since it disturbs.
        var needsConsent = false
        /// Whether hosts were left out.
        var isPartial = false
        /// What would go on if somebody agreed.
        var requests: [ConsentRequest] = []
    }

    private(set) var stages: [Stage]
    private(set) var position = 0
    private(set) var question = Question.section
    /// Whether the last section was left behind.
    private(set) var isThrough = false
    private var requests: [ConsentRequest] = []
    private var agreed: [ConsentRequest] = []
    /// The names that were answered since the section was begun, so that none is asked twice.
    private var answered = Set<String>()
    private var outcome = Outcome()

    /// Creates a walk.
    ///
    /// - Parameters:
    ///   - stages: the sections in their order, at least one.
    ///   - number: the section to begin at; the first by default.
    init(_ stages: [Stage], startingAt number: Int? = nil) {
        precondition(!stages.isEmpty, "a walk needs a section")
        self.stages = stages
        position = stages.firstIndex { $0.number == number } ?? 0
        for earlier in 0..<position { self.stages[earlier].state = .before }
    }

    var stage: Stage { stages[position] }

    /// What can be answered now, the default first; none where only *yes* counts.
    var choices: [WalkChoice] {
        switch question {
        case .section:
            [.run, .commands, .diff, .check, .skip] + (position > 0 ? [.back] : []) + [.quit]
        case .failure(isEssential: true): [.retry, .output, .quit]
        case .failure: [.retry, .output, .skip] + (position > 0 ? [.back] : []) + [.quit]
        case .consent: []
        }
    }

    // MARK: Answers

    /// Takes a line that was typed, nil at the end of input, and says what to do. The end of input agrees to nothing.
    mutating func answer(_ line: String?) -> [Action] {
        guard let line else { return [.finish] }
        let words = line.split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
        if case .consent(let request) = question { return answer(to: request, words) }
        guard let word = words.first else { return take(choices[0]) }
        if word == "?" || word == "help" { return [.explain] }
        if word == "back", words.count == 2, choices.contains(.back) { return goBack(to: words[1]) }
        let matches = choices.filter { $0.word.hasPrefix(word) }
        let names = choices.map(\.word)
        guard words.count == 1, !matches.isEmpty else {
            return [.remark("\(Quoted(line)) is none of \(names.joined(separator: ", ")); ? explains them.")]
        }
        guard matches.count == 1 else {
            let meant = matches.map(\.word).joined(separator: " or ")
            return [.remark("\(Quoted(word)) could be \(meant): type more of it.")]
        }
        return take(matches[0])
    }

    private mutating func take(_ choice: WalkChoice) -> [Action] {
        switch choice {
        case .run, .retry:
            answered = []
            return [.run(agreed: [])]
        case .commands: return [.showCommands]
        case .diff: return [.look(showsDifferences: true)]
        case .check: return [.look(showsDifferences: false)]
        case .output: return [.showOutput]
        case .skip:
            if stage.state == .open { stages[position].state = .skipped }
            return goOn()
        case .back: return move(to: position - 1)
        case .quit: return [.finish]
        }
    }

    /// Only *yes* in full agrees.
    private mutating func answer(to request: ConsentRequest, _ words: [String]) -> [Action] {
        if words == ["?"] || words == ["help"] { return [.explain] }
        var actions: [Action] = []
        answered.insert(request.name)
        if words == ["yes"] {
            agreed.append(request)
        } else if words.first?.hasPrefix("y") == true {
            actions.append(.remark("Only yes in full agrees; this was taken as no."))
        }
        requests.removeFirst()
        if let next = requests.first {
            question = .consent(next)
            return actions + [.describe(next)]
        }
        question = .section
        return actions + (agreed.isEmpty ? settle() : [.run(agreed: agreed)])
    }

    // MARK: What came of it

    /// Takes what came of ``Action/run(agreed:)``.
    mutating func ended(_ outcome: Outcome) -> [Action] {
        self.outcome = outcome
        agreed = []
        requests = outcome.isEssential ? [] : outcome.requests.filter { !answered.contains($0.name) }
        guard let first = requests.first else { return settle() }
        question = .consent(first)
        return [.describe(first)]
    }

    private mutating func settle() -> [Action] {
        if outcome.hasFailed {
            stages[position].state = .failed
            question = .failure(isEssential: outcome.isEssential)
            let next = outcome.isEssential ? "Nothing can go on without it." : "Other hosts went on."
            return [.remark("Section \(stage.number) failed. \(next)")]
        }
        stages[position].state = outcome.needsConsent ? .withheld : outcome.isPartial ? .partial : .done
        return goOn()
    }

    // MARK: Moving

    private mutating func goOn() -> [Action] {
        guard position + 1 < stages.count else {
            isThrough = true
            return [.finish]
        }
        return move(to: position + 1)
    }

    private mutating func goBack(to number: String) -> [Action] {
        guard let index = stages.firstIndex(where: { String($0.number) == number }), index < position else {
            let earlier = stages[..<position].map { String($0.number) }.joined(separator: ", ")
            return [.remark("back goes to an earlier section: \(earlier).")]
        }
        return move(to: index)
    }

    private mutating func move(to index: Int) -> [Action] {
        position = index
        question = .section
        answered = []
        return [.introduce]
    }
}
