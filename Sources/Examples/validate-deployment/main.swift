import ArgumentParser
import ExampleSupport
import Glibc
import JobstatsDeploy
import SetupSupport

struct ValidateDeployment: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate-deployment",
        abstract: "Looks whether a jobstats deployment works, on all hosts at once; changes nothing.",
        discussion: """
            Runs as root on the active head node. A check that could not look is never a pass: it is told as such and \
            counts as a failure. --canary, which submits a job, is the one exception to changing nothing.

            Exit status: 0 nothing failed, 1 something failed or could not be looked at, 2 usage or configuration, \
            130 interrupted.
            """,
        version: ProjectVersion.current)

    @OptionGroup(title: OptionTitle.what) var output: OutputOptions
    @OptionGroup(title: OptionTitle.part) var part: ValidationPartOptions
    @OptionGroup(title: OptionTitle.consent) var consent: CanaryOptions
    @OptionGroup(title: OptionTitle.how) var manner: ReachOptions
    @OptionGroup(title: "Regularly") var timer: ValidationTimerOptions

    func validate() throws {
        if output.textfile != nil, !part.limit.isEmpty {
            throw ValidationError("--textfile is for all hosts, whose alerts it ends or keeps up: leave --limit out.")
        }
        if timer.isWanted, output.json || output.verbose || consent.canary {
            throw ValidationError(
                "\(timer.option) goes with --config, --html, --textfile and the options of How alone.")
        }
    }

    func run() async throws {
        if timer.isWanted { return try timer.act(part, output, manner) }
        var options = ValidationSession.Options(configurationFile: part.config)
        options.limit = part.limit
        options.run.parallel = manner.parallel
        options.run.version = ProjectVersion.current
        options.ssh.configurationFile = manner.sshConfig
        options.ssh.usesSudo = manner.sudo
        options.isVerbose = output.verbose
        options.printsJSON = output.json
        options.htmlFile = output.html
        options.textfile = output.textfile
        options.submitsCanary = consent.canary
        options.assumesYes = consent.yes
        let session = ValidationSession(options: options, console: TerminalConsole())
        throw ExitCode(await Interrupts.cancelling { await session.run() })
    }
}

/// What is told, and where.
struct OutputOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Tell every check, not only what is wrong.")
    var verbose = false
    @Flag(help: "Print the report as JSON.")
    var json = false
    @Option(help: ArgumentHelp("Write the report as one page of HTML as well.", valueName: "file"))
    var html: String?
    @Option(
        help: ArgumentHelp(
            "Write metrics for node_exporter's textfile collector as well.", valueName: "file"))
    var textfile: String?

    func validate() throws {
        if json && verbose { throw ValidationError("--json has everything: leave --verbose out.") }
    }
}

/// Where is looked.
struct ValidationPartOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config = Defaults.configurationFile
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The hosts to look at, as names or ranges (default: all).", valueName: "host"))
    var limit: [String] = []
}

/// The one check that does something.
struct CanaryOptions: ParsableArguments {
    @Flag(help: "Submit a small job with one GPU, and follow it to its summary.")
    var canary = false
    @Flag(help: "Submit it without a question.")
    var yes = false

    func validate() throws {
        if !canary && yes { throw ValidationError("--yes goes with --canary.") }
    }
}

/// How hosts are reached.
struct ReachOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How many hosts are asked at once.", valueName: "number"))
    var parallel = 32
    @Option(help: ArgumentHelp("A configuration file for ssh in place of your own.", valueName: "file"))
    var sshConfig: String?
    @Flag(help: "Look through sudo -n on the other hosts.")
    var sudo = false

    /// The same on a command line.
    var words: [String] {
        (parallel == 32 ? [] : ["--parallel", "\(parallel)"]) + (sshConfig.map { ["--ssh-config", $0] } ?? [])
            + (sudo ? ["--sudo"] : [])
    }

    func validate() throws {
        if parallel < 1 { throw ValidationError("--parallel needs at least 1.") }
    }
}

/// Units that do it every morning.
struct ValidationTimerOptions: ParsableArguments {
    @Flag(help: "Install units that validate regularly and leave metrics; look at nothing now.")
    var installTimer = false
    @Flag(help: "Print these units; look at nothing now.")
    var printUnits = false
    @Option(help: ArgumentHelp("When, as systemd.time(7) writes calendar events.", valueName: "event"))
    var onCalendar = "*-*-* 06:00"
    @Option(help: ArgumentHelp("Where units are written.", valueName: "dir"))
    var unitDir = "/etc/systemd/system"

    /// Whether this is about units and nothing else.
    var isWanted: Bool { installTimer || printUnits }
    /// The option that was given.
    var option: String { printUnits ? "--print-units" : "--install-timer" }

    func validate() throws {
        if installTimer, printUnits { throw ValidationError("Give one of --install-timer and --print-units.") }
    }

    /// Prints or installs the units. Not inlined: Swift 6.3's compiler crashes on what `run()` becomes then.
    @inline(never)
    func act(_ part: ValidationPartOptions, _ output: OutputOptions, _ manner: ReachOptions) throws {
        if printUnits { try print(part, output, manner) } else { try install(part, output, manner) }
    }

    private func units(
        _ part: ValidationPartOptions, _ output: OutputOptions, _ manner: ReachOptions
    ) throws -> ValidationUnits {
        if !part.limit.isEmpty { throw ValidationError("\(option) is for all hosts: leave --limit out.") }
        for file in [part.config, output.html, output.textfile].compactMap({ $0 }) where !file.hasPrefix("/") {
            throw ValidationError("\(file): a unit needs absolute paths.")
        }
        return ValidationUnits(
            program: Defaults.programFolder + "/validate-deployment", configurationFile: part.config,
            textfile: output.textfile ?? ValidationUnits.textfile, htmlFile: output.html, calendar: onCalendar,
            further: manner.words)
    }

    private func print(_ part: ValidationPartOptions, _ output: OutputOptions, _ manner: ReachOptions) throws {
        let texts = try units(part, output, manner).files().map { "# \($0.name)\n\($0.text)" }
        Program.write(texts.joined(separator: "\n"), to: STDOUT_FILENO)
    }

    private func install(_ part: ValidationPartOptions, _ output: OutputOptions, _ manner: ReachOptions) throws {
        do {
            let units = try units(part, output, manner)
            let folder = String(
                units.textfile.prefix(upTo: units.textfile.lastIndex(of: "/") ?? units.textfile.startIndex))
            guard access(folder, W_OK) == 0 else {
                throw ValidationError(
                    "\(folder): \(String(cString: strerror(errno))). Name the file in this machine's textfile directory of "
                        + "node_exporter with --textfile.")
            }
            let written = try units.install(in: unitDir)
            for path in written { Program.write("wrote \(path)\n", to: STDOUT_FILENO) }
            let next = "systemctl daemon-reload && systemctl enable --now \(ValidationUnits.timer)"
            Program.write(written.isEmpty ? "unchanged\n" : "next: \(next)\n", to: STDOUT_FILENO)
        } catch let error as ValidationError {
            throw error
        } catch {
            StandardErrorLog.fail("\(error)")
            throw ExitCode(1)
        }
    }
}

await Program.main(ValidateDeployment.self)
