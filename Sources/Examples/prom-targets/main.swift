import ArgumentParser
import ExampleSupport

/// Keeps the Prometheus target files of a cluster's nodes, from a head node.
struct PromTargetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prom-targets",
        abstract: "Looks after the Prometheus target files of all nodes, from a head node.",
        discussion: """
            Reads the role monitors' configuration: head nodes, certificate, roles, ports and the targets directory. Files \
            are removed only of nodes that BCM certainly lists without the role, or lists no more.

            Exit status: 0 all well, 1 something is wrong or failed, 2 usage or configuration, 3 BCM not reachable or \
            nothing to be told from its answer, 4 not trusted or not authorised.
            """,
        version: ProjectVersion.current,
        subcommands: [
            List.self, Check.self, Write.self, Prune.self, Sync.self, Unit.self, InstallTimer.self, InstallService.self,
        ])
}

await Program.main(PromTargetsCommand.self)
