public import ArgumentParser
import ExampleSupport
import JobstatsDeploy
import SetupSupport

struct GuidedSetup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guided-setup",
        abstract: "Deploys the jobstats monitoring platform on a BCM cluster, or shows how.",
        discussion: """
            Runs as root on the active head node, with SSH to the other hosts. Safe to run twice: what is in place is \
            left alone. Begin with --dry-run, which contacts nothing and writes the whole plan as a manual. All options: guided-setup help run

            Exit status: 0 all well, 1 some host or step failed or needs consent, 2 usage or configuration, \
            130 interrupted.
            """,
        version: ProjectVersion.current, subcommands: [Deploy.self, MakeBundle.self], defaultSubcommand: Deploy.self)
}

/// What `guided-setup` does when it is not told otherwise.
struct Deploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Deploys, checks or describes; the default.")

    @Option(help: "The configuration file.")
    var config = Defaults.configurationFile
    @Flag(help: "Continue an interrupted or partly failed run.")
    var resume = false
    @Flag(help: "Ask nothing.")
    var nonInteractive = false
    @Flag(help: "Answer general questions with yes; --allow is still needed for what disturbs running work.")
    var yes = false
    @Option(help: "Consents for what disturbs running work, separated by commas.")
    var allow: [String] = []
    @Option(parsing: .upToNextOption, help: "The sections to carry out (default: all).")
    var section: [Int] = []
    @Option(parsing: .upToNextOption, help: "The hosts to work on, as names or ranges (default: all).")
    var limit: [String] = []
    @Flag(help: "Take away what was deployed. See --dry-run and --check for what that would be.")
    var uninstall = false
    @Option(help: "Write the plan for another engine: ansible or shell.")
    var export: ExportKind?
    @Option(help: "The directory that an export goes to.")
    var output: String?
    @OptionGroup var hosts: RunOptions
    @OptionGroup var supply: SupplyOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        if (export == nil) != (output == nil) { throw ValidationError("--export and --output go together.") }
        if export != nil, uninstall || resume || hosts.check {
            throw ValidationError("--export writes files alone: leave --uninstall, --resume and --check out.")
        }
        if uninstall && resume { throw ValidationError("--uninstall needs no --resume: what is gone is found gone.") }
    }

    func run() async throws {
        var options = hosts.options(configurationFile: config)
        options.invocation = ["guided-setup"] + CommandLine.arguments.dropFirst()
        options.canResume = true
        options.resumes = resume
        options.walks = true
        options.isNonInteractive = nonInteractive
        options.assumesYes = yes
        options.consents = Set(allow.flatMap { $0.split(separator: ",").map(String.init) })
        options.sections = section.isEmpty ? nil : Set(section)
        options.limit = limit
        supply.apply(to: &options)
        options.uninstalls = uninstall
        options.export = export
        options.exportDirectory = output
        let setup = SetupRun(options: options, console: TerminalConsole(), logger: log.logger("guided-setup"))
        let status = await Interrupts.cancelling { await setup.run() }
        throw ExitCode(status)
    }
}

extension ExportKind: ExpressibleByArgument {}

await Program.main(GuidedSetup.self)
