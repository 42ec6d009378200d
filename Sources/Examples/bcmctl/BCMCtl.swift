import ArgumentParser
import ExampleSupport

/// The command line of BCMClient's REST and JSON client.
struct BCMCtl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bcmctl",
        abstract: "Asks Base Command Manager over its REST and JSON interfaces.",
        discussion: """
            Prints a table, or with --json a document that docs/bcmctl.md describes. Changes nothing but with 'events post' and \
            with what 'call' calls.

            Exit status: 0 done, 1 BCM said no or gave an answer that is not understood, 2 usage or configuration, 3 no \
            head node was reached or answered in time, 4 not trusted or not authorised, 130 interrupted.
            """,
        version: ProjectVersion.current,
        subcommands: [
            Devices.self, Status.self, Jobs.self, Version.self, License.self, Session.self, SystemInformation.self,
            Events.self, Monitoring.self, Call.self,
        ])
}

struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Post events.", subcommands: [PostEvent.self])
}

struct Monitoring: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measured values, and what is measured.",
        subcommands: [Latest.self, Dump.self, Entities.self, Measurables.self])
}
