import CommandExecution

/// The host's clock against this machine's. The answer took a while, so only what lies outside that while counts.
struct ClockCheck: Resource {
    private static let look = Command("date", ["+%s"])

    var summary: String { "the clock agrees with this machine's" }
    var queries: [Query] { [.command(Self.look)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let result = facts.result(Self.look), let asked = facts.times[Self.look] else {
            return .unknown("the clock")
        }
        guard let time = Double(result.outputText.trimmed) else {
            return .blocked("the host does not tell the time", remedy: "look at: date +%s")
        }
        // The host tells whole seconds.
        let difference = time + 1 < asked.lowerBound ? time + 1 - asked.lowerBound : max(0, time - asked.upperBound)
        return HostChecks.judgeClock(difference: difference, uncertainty: asked.upperBound - asked.lowerBound)
    }

    func changes(from facts: Facts) -> [Command] { [] }
    var instructions: Instructions { Instructions(verification: ["date +%s"]) }
}
