import CommandExecution

/// A resource taken away by its own commands, when it is exactly as this deployment brought it about. Anything else is
/// not ours to take.
struct ExactRemoval: Resource {
    private let resource: any Resource
    private let commands: [Command]

    init(of resource: any Resource, by commands: [Command]) {
        self.resource = resource
        self.commands = commands
    }

    var summary: String { "not any more: \(resource.summary)" }
    var queries: [Query] { resource.queries }

    func assess(_ facts: Facts) -> Assessment {
        let found = resource.assess(facts)
        return found.state == .inPlace ? .differs(["there: \(found.detail)"]) : .inPlace("not there as deployed")
    }

    func changes(from facts: Facts) -> [Command] { commands }

    var instructions: Instructions {
        let undo = resource.instructions.undo
        return Instructions(commands: undo.isEmpty ? commands.map(\.description) : undo)
    }
}
