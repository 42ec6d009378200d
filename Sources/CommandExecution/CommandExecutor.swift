/// Something that runs commands: this machine, a host behind SSH, or a script of prepared answers in tests.
///
/// A program's exit status is part of the result; only a program that gave no result at all throws.
public protocol CommandExecutor: Sendable {
    /// Runs a command to its end.
    ///
    /// - Throws: ``CommandError`` when there is no result: not found, timed out, cancelled, too much output.
    func run(_ command: Command) async throws(CommandError) -> CommandResult
}
