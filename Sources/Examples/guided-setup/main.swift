import ArgumentParser
import ExampleSupport
import JobstatsDeploy
import SetupSupport

struct GuidedSetup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guided-setup", abstract: Deploy.configuration.abstract, version: ProjectVersion.current,
        subcommands: [Deploy.self, Status.self, Pause.self, Resume.self, MakeBundle.self],
        defaultSubcommand: Deploy.self)
}

/// What `guided-setup` does when it is not told otherwise.
struct Deploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Deploys the jobstats monitoring platform on a BCM cluster, or shows how.",
        usage: """
            guided-setup [OPTION ...]
            guided-setup status [--watch] [OPTION ...]
            guided-setup pause HOST ... --for TIME
            guided-setup resume HOST ...
            guided-setup bundle --output FILE [OPTION ...]
            """,
        discussion: """
            Runs as root on the active head node, with SSH to the other hosts. Safe to run twice: what is in place is \
            left alone. Begin with --dry-run, which contacts nothing and writes the whole plan as a manual. \
            guided-setup bundle makes one file with everything for a site without internet; \
            guided-setup bundle --help tells of it.

            Exit status: 0 all well, 1 some host or step failed or needs consent, 2 usage or configuration, \
            130 interrupted.
            """)

    @OptionGroup var hosts: RunOptions
    @OptionGroup(title: OptionTitle.what) var deed: DeedOptions
    @OptionGroup(title: OptionTitle.part) var part: PartOptions
    @OptionGroup(title: OptionTitle.consent) var questions: QuestionOptions
    @OptionGroup(title: OptionTitle.consent) var consent: ConsentOptions
    @OptionGroup(title: OptionTitle.supply) var supply: SupplyOptions
    @OptionGroup(title: OptionTitle.how) var log: LogOptions

    func validate() throws {
        if (deed.export == nil) != (deed.output == nil) {
            throw ValidationError("--export and --output go together.")
        }
        if deed.export != nil, deed.uninstall || deed.resume || hosts.check {
            throw ValidationError("--export writes files alone: leave --uninstall, --resume and --check out.")
        }
        if deed.uninstall && deed.resume {
            throw ValidationError("--uninstall needs no --resume: what is gone is found gone.")
        }
    }

    func run() async throws {
        var options = hosts.options(configurationFile: deed.config)
        options.invocation = ["guided-setup"] + CommandLine.arguments.dropFirst()
        options.canResume = true
        options.resumes = deed.resume
        options.walks = true
        options.isNonInteractive = questions.nonInteractive
        options.assumesYes = consent.yes
        options.consents = consent.names
        options.sections = part.section.isEmpty ? nil : Set(part.section)
        options.limit = part.limit
        supply.apply(to: &options)
        options.uninstalls = deed.uninstall
        options.export = deed.export
        options.exportDirectory = deed.output
        let setup = SetupRun(options: options, console: TerminalConsole(), logger: log.logger("guided-setup"))
        let status = await Interrupts.cancelling { await setup.run() }
        throw ExitCode(status)
    }
}

await Program.main(GuidedSetup.self)
