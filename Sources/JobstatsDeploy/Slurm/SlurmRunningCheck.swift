import CommandExecution

/// Something that must be so of what slurmctld runs with; it only looks.
struct SlurmRunningCheck: Resource {
    let summary: String
    private let probe: SlurmProbe
    private let judge: @Sendable (SlurmState) -> Assessment

    init(_ summary: String, _ probe: SlurmProbe, judge: @escaping @Sendable (SlurmState) -> Assessment) {
        self.summary = summary
        self.probe = probe
        self.judge = judge
    }

    var queries: [Query] { [.command(probe.command)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let state = probe.state(facts) else { return .unknown(summary) }
        guard state.running != nil else {
            return .warning(
                state.conf == nil ? "there is no \(probe.path)" : "slurmctld gives no answer: \(state.silence)",
                remedy: "look at: scontrol ping; cmsh -c 'wlm; list'")
        }
        return judge(state)
    }

    func changes(from facts: Facts) -> [Command] { [] }
    var instructions: Instructions { Instructions(verification: ["scontrol show config"]) }
}
