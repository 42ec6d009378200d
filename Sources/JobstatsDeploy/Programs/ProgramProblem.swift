import CommandExecution

/// Why a program cannot be had: what failed, on which file or address, and what to do.
struct ProgramProblem: Error, Sendable, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A command that gave no result.
    init(_ what: String, _ error: CommandError) { description = "\(what): \(error)" }

    /// A command that ended with an error: its last words, fit for a terminal.
    init(_ what: String, _ result: CommandResult) {
        let words = ForeignText.printable(String(result.errorText.trimmed.suffix(600)))
        description = "\(what): \(words.isEmpty ? "\(result.status)" : words)"
    }
}
