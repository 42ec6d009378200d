import CommandExecution

/// A program on shared storage that starts, some time after it was put there. It is run as nobody, never as root.
struct StartingCommand: Resource {
    private let byHand: String
    private let waiting: WaitResource

    /// - Parameters:
    ///   - program: its path.
    ///   - arguments: with which it ends with 0 and does nothing.
    ///   - patience: how long to wait for it, in seconds.
    ///   - remedy: what to look at when it does not come.
    init(program: String, arguments: [String], patience: Int, remedy: String) {
        byHand = UnprivilegedShell.byHand(program, arguments)
        waiting = WaitResource(
            "\(program) starts", patience: patience, remedy: remedy,
            UnprivilegedShell.command(program, arguments, seconds: 20))
    }

    var summary: String { waiting.summary }
    var queries: [Query] { waiting.queries }
    func assess(_ facts: Facts) -> Assessment {
        guard let result = facts.result(waiting.probe), result.status == .exited(UnprivilegedShell.refused) else {
            return waiting.assess(facts)
        }
        return .blocked(UnprivilegedShell.refusal, remedy: UnprivilegedShell.remedy)
    }
    func changes(from facts: Facts) -> [Command] { waiting.changes(from: facts) }
    var exportActions: [ExportAction] { waiting.exportActions }
    var instructions: Instructions { Instructions(verification: [byHand]) }
}
