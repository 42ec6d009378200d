public import CommandExecution

/// Something that must be so and that no command of ours brings about: a prerequisite, or an answer to wait for.
///
/// The judge is a pure function of the command's result. A result that never came is not judged: it blocks.
public struct CheckResource: Resource {
    /// What must be so, in words.
    public var summary: String
    /// The command that looks; it must change nothing.
    public var command: Command
    /// Whether the same must be so in a software image; false by default.
    public var concernsImages = false
    /// Whether nothing that earlier steps of its section change on the host matters to it.
    var isIndependent = false
    private let judge: @Sendable (CommandResult) -> Assessment

    /// Creates a check.
    public init(_ summary: String, _ command: Command, judge: @escaping @Sendable (CommandResult) -> Assessment) {
        self.summary = summary
        self.command = command
        self.judge = judge
    }

    /// The same check, to which earlier steps do not matter.
    func independent() -> CheckResource {
        var check = self
        check.isIndependent = true
        return check
    }

    public var queries: [Query] { [.command(command)] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let result = facts.result(command) else { return .unknown(summary) }
        if result.status == .exited(124) || result.status == .signalled(9) {
            return .blocked("\(summary): no answer within \(command.timeout)", remedy: "try it there: \(command)")
        }
        let assessment = judge(result)
        return assessment.state == .differs
            ? .blocked(assessment.detail, remedy: assessment.remedy ?? "try it there: \(command)") : assessment
    }

    public func changes(from facts: Facts) -> [Command] { [] }

    public var instructions: Instructions { Instructions(verification: [command.description]) }
}
