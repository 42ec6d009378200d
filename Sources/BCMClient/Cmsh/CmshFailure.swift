import CommandExecution

/// Finds errors in what cmsh wrote: it reports most of them in text and ends with status 0 all the same.
enum CmshFailure {
    /// How lines begin that report an error, in lower case.
    private static let beginnings = [
        "error:", "error ", "fatal", "failed", "failure:", "command not found", "unknown command", "unknown option",
        "unknown ", "no such ", "invalid ", "usage:", "unable to", "can't ", "cannot ", "could not ", "couldn't ",
        "connection refused", "permission denied", "access denied", "not authorized", "not authorised",
        "insufficient ", "please ", "unterminated",
    ]
    private static let endings = ["does not exist", "not found", "failed", "is not running"]
    private static let harmless = ["warning", "note", "info", "notice"]

    /// The error in a result; nil when there is none.
    ///
    /// - Parameter expectsOutput: whether standard output holds an answer, which is then not searched when it has the
    ///   form of a table.
    static func find(in result: CommandResult, command: String, expectsOutput: Bool) -> BCMError? {
        let errorLines = lines(result.errorText)
        let outputLines = lines(result.outputText)
        let isTable = expectsOutput && CmshTable(result.outputText) != nil && !outputLines.isEmpty
        var culprits = errorLines.filter(isError)
        if culprits.isEmpty && !isTable { culprits = outputLines.filter(isError) }
        if culprits.isEmpty {
            if !result.succeeded {
                culprits = errorLines + outputLines.suffix(3)
            } else if expectsOutput && outputLines.isEmpty {
                culprits = errorLines.filter { line in !harmless.contains { line.lowercased().hasPrefix($0) } }
            }
        }
        if culprits.isEmpty && result.succeeded { return nil }
        let said = legible(culprits.joined(separator: " | "), limit: 400)
        let reason = "cmsh -c \(quoted(command)): " + (said.isEmpty ? "\(result.status)" : said)
        return classify(culprits.joined(separator: "\n").lowercased(), reason)
    }

    private static func classify(_ text: String, _ reason: String) -> BCMError {
        func has(_ words: String...) -> Bool { words.contains { !text.pieces(between: $0).dropFirst().isEmpty } }
        if has("command not found", "unknown command", "unknown option", "usage:") {
            return BCMError(.refused, reason: reason, remedy: "compare with the commands of this version of cmsh")
        }
        if has("connect") {
            return BCMError(
                .notReachable, reason: reason,
                remedy: "check that CMDaemon runs on this head node: systemctl status cmd")
        }
        if has("not authori", "permission", "access denied", "insufficient", "certificate") && !has("no such") {
            return BCMError(
                .notAuthorised, reason: reason, remedy: "run as root on the head node, or give cmsh another certificate"
            )
        }
        if has("does not exist", "no such", "not found", "unknown device", "no longer exists") {
            return BCMError(.notFound, reason: reason, remedy: "look at what cmsh lists there")
        }
        return BCMError(.refused, reason: reason)
    }

    private static func isError(_ line: String) -> Bool {
        let line = line.lowercased()
        return beginnings.contains { line.hasPrefix($0) } || endings.contains { line.hasSuffix($0) }
            || line.hasSuffix("does not exist.") || line.hasSuffix("not found.")
    }

    private static func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map(\.trimmed).filter { !$0.isEmpty }
    }
}
