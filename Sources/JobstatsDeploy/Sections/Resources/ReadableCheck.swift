import CommandExecution

/// A check whose command is a script, with what a person would type instead.
struct ReadableCheck: Resource {
    let check: CheckResource
    /// The commands for a person.
    let byHand: [String]

    init(_ check: CheckResource, byHand: [String]) {
        self.check = check
        self.byHand = byHand
    }

    var summary: String { check.summary }
    var queries: [Query] { check.queries }
    func assess(_ facts: Facts) -> Assessment { check.assess(facts) }
    func changes(from facts: Facts) -> [Command] { check.changes(from: facts) }
    var instructions: Instructions { Instructions(verification: byHand) }
}
