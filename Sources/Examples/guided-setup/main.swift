import ArgumentParser
import ExampleSupport
import JobstatsDeploy
import SetupSupport

struct GuidedSetup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guided-setup",
        abstract: "Deploys the jobstats monitoring platform on a BCM cluster, or shows how.",
        discussion: """
            Runs as root on the active head node, with SSH to the other hosts. Safe to run twice: what is in place is \
            left alone. Begin with --dry-run, which contacts nothing and writes the whole plan as a manual.

            Exit status: 0 all well, 1 some host or step failed or needs consent, 2 usage or configuration, \
            130 interrupted.
            """,
        version: ProjectVersion.current)

    @Option(help: "The configuration file.")
    var config = Defaults.configurationFile
    @Flag(help: "Describe everything that would be done; contact nothing, change nothing.")
    var dryRun = false
    @Flag(help: "Look at the hosts and say for each step whether it is in place.")
    var check = false
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
    @Option(help: "How many hosts are worked on at once.")
    var parallel = 32
    @Option(help: "How many hosts may fail before no further host is begun.")
    var maxFailures = 5
    @Option(help: "Where document and progress go.")
    var stateDir = Defaults.stateDirectory
    @Option(help: "A configuration file for ssh in place of your own.")
    var sshConfig: String?
    @OptionGroup var log: LogOptions

    func validate() throws {
        if dryRun && check { throw ValidationError("--dry-run and --check exclude each other.") }
        if parallel < 1 { throw ValidationError("--parallel needs at least 1.") }
        if maxFailures < 0 { throw ValidationError("--max-failures cannot be negative.") }
    }

    func run() async throws {
        var options = SetupOptions(
            configurationFile: config, stateDirectory: stateDir, programFolder: Defaults.programFolder)
        options.mode = dryRun ? .dryRun : check ? .check : .run
        options.resumes = resume
        options.isNonInteractive = nonInteractive
        options.assumesYes = yes
        options.consents = Set(allow.flatMap { $0.split(separator: ",").map(String.init) })
        options.sections = section.isEmpty ? nil : Set(section)
        options.limit = limit
        options.parallel = parallel
        options.maximumFailures = maxFailures
        options.ssh.configurationFile = sshConfig
        let setup = SetupRun(options: options, console: TerminalConsole(), logger: log.logger("guided-setup"))
        let status = await Interrupts.cancelling { await setup.run() }
        throw ExitCode(status)
    }
}

await Program.main(GuidedSetup.self)
