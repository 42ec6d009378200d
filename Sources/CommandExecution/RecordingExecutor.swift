import Synchronization

/// An executor for tests: records every command and answers from a closure, running nothing.
public final class RecordingExecutor: CommandExecutor {
    private let recorded = Mutex<[Command]>([])
    private let answer: @Sendable (Command) throws(CommandError) -> CommandResult

    /// Creates an executor that gives this answer to each command; success without output by default.
    public init(
        answer: @escaping @Sendable (Command) throws(CommandError) -> CommandResult = { _ throws(CommandError) in
            CommandResult(status: .exited(0))
        }
    ) {
        self.answer = answer
    }

    /// The commands seen so far, in their order.
    public var commands: [Command] { recorded.withLock { $0 } }

    /// Records the command and answers.
    public func run(_ command: Command) async throws(CommandError) -> CommandResult {
        recorded.withLock { $0.append(command) }
        return try answer(command)
    }
}
