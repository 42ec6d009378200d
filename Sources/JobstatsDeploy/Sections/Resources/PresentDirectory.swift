import CommandExecution

/// A directory of BCM's that must be there. It is made where it is missing; one that is there keeps its mode and owner.
struct PresentDirectory: Resource {
    private let directory: DirectoryResource

    init(_ path: String) { directory = DirectoryResource(path) }

    var summary: String { "directory \(directory.path)" }
    var queries: [Query] { directory.queries }

    func assess(_ facts: Facts) -> Assessment {
        facts.file(directory.path)?.kind == .directory ? .inPlace() : directory.assess(facts)
    }

    func changes(from facts: Facts) -> [Command] { directory.changes(from: facts) }

    var exportActions: [ExportAction] {
        [
            .command(
                ExportCommand(
                    summary, unless: Command("test", ["-d", directory.path]), directory.changes(from: Facts())))
        ]
    }

    var instructions: Instructions {
        Instructions(
            commands: ["mkdir -p " + ShellQuoting.quote(directory.path)],
            verification: directory.instructions.verification)
    }
}
