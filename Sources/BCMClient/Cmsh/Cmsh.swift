public import CommandExecution

/// BCM's own shell, `cmsh`, run on a head node.
///
/// Commands are built from parts that are checked: a value with a semicolon, a quote, a backslash or a control
/// character is refused, since cmsh has no way to quote them all.
public struct Cmsh: Sendable {
    /// Where BCM installs it.
    public static let standardExecutable = BCMPaths.cmsh

    let executor: any CommandExecutor
    let executable: String
    let timeout: Duration

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - executor: runs commands on a head node.
    ///   - executable: cmsh's path there.
    ///   - timeout: how long each call may take.
    public init(
        executor: any CommandExecutor, executable: String = Cmsh.standardExecutable, timeout: Duration = .seconds(60)
    ) {
        self.executor = executor
        self.executable = executable
        self.timeout = timeout
    }

    /// Runs commands and gives what cmsh wrote. Each command is a list of words. The first error ends the session, so
    /// that a `commit` after it does not happen.
    ///
    /// ```swift
    /// let image = try await cmsh.run([["device"], ["use", "dgx-01"], ["get", "softwareimage"]])
    /// ```
    ///
    /// - Throws: ``BCMError``: ``BCMError/Code/invalidConfiguration`` for a word that cannot be quoted; when cmsh reports
    ///   an error, which it does in text, ``BCMError/Code/notFound``, ``BCMError/Code/notAuthorised``,
    ///   ``BCMError/Code/notReachable`` or ``BCMError/Code/refused``.
    public func run(_ commands: [[String]]) async throws(BCMError) -> String {
        try await run(commands, expectsOutput: false)
    }

    /// No colour, no events, no start file, and the first error ends it; then the commands.
    static let options = ["--color=no", "--hide-events", "-n", "-q", "-c"]

    func run(_ commands: [[String]], expectsOutput: Bool) async throws(BCMError) -> String {
        try await run(CmshScript(commands), expectsOutput: expectsOutput)
    }

    func run(_ script: CmshScript, expectsOutput: Bool) async throws(BCMError) -> String {
        let command = Command(
            executable, Self.options + [script.text], timeout: timeout)
        let result: CommandResult
        do throws(CommandError) {
            result = try await executor.run(command)
        } catch {
            throw Self.error(error)
        }
        if let failure = CmshFailure.find(in: result, command: script.text, expectsOutput: expectsOutput) {
            throw failure
        }
        return result.outputText
    }

    /// Runs commands of which the last one prints a table: as JSON, and as text where cmsh knows no JSON.
    ///
    /// ```swift
    /// let table = try await cmsh.table([["device"], ["list", "-t", "physicalnode", "-f", "hostname,softwareimage"]])
    /// ```
    ///
    /// - Throws: ``BCMError`` as ``run(_:)``, and ``BCMError/Code/notUnderstood`` for output that is no table.
    public func table(_ commands: [[String]]) async throws(BCMError) -> CmshTable {
        let last = (commands.last ?? []) + ["-d", "{}"]
        do throws(BCMError) {
            if let table = CmshTable(try await run(commands.dropLast() + [last], expectsOutput: true)) { return table }
        } catch  where error.code == .refused {
            // This version may know no such option.
        }
        let output = try await run(commands, expectsOutput: true)
        if let table = CmshTable(output) { return table }
        throw BCMError(
            .notUnderstood,
            reason: "cmsh -c \(quoted(try CmshScript(commands).text)) printed no table: \(quoted(output))",
            remedy: "run it by hand and compare with the version of BCM")
    }

    private static func error(_ error: CommandError) -> BCMError {
        let reason = "\(error)"
        return switch error.code {
        case .notFound:
            BCMError(
                .notFound, reason: reason,
                remedy: "run this on a BCM head node, or name the path of cmsh")
        case .timedOut:
            BCMError(
                .timedOut, reason: reason,
                remedy: "look at CMDaemon on the head node (systemctl status cmd); after a crash it may take a while")
        case .cancelled: BCMError(.cancelled, reason: reason)
        case .outputTooLarge: BCMError(.tooLarge, reason: reason)
        default: BCMError(.notReachable, reason: reason)
        }
    }
}
