import ArgumentParser
import ExampleSupport
import Glibc
import JobstatsDeploy
import SetupSupport

struct SetupWizardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup-wizard",
        abstract: "Asks for the configuration of a jobstats deployment and writes it.",
        discussion: """
            Shows what this machine lacks to deploy from, asks for each setting with the present value as default, can \
            take hosts from BCM, shows what changes in the file and writes it at once or not at all. Then it offers the \
            dry run and the guided setup.

            Exit status: 0 all well, 1 nothing was written, or with --non-interactive a configuration that is not complete \
            yet, 2 usage or configuration, 130 interrupted.
            """,
        version: ProjectVersion.current)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config = Defaults.configurationFile
    @Flag(help: "Ask nothing; write what --set says.")
    var nonInteractive = false
    @Option(
        help: ArgumentHelp(
            "A setting, as in cluster_name=slurm or dgx_nodes='dgx-[01-16]'; bcm:role:NAME, bcm:category:NAME and "
                + "bcm:overlay:NAME stand for hosts that BCM names. Can be given again.", valueName: "key=value"))
    var set: [String] = []

    func run() async throws {
        var options = SetupWizard.Options(file: config)
        options.isNonInteractive = nonInteractive
        options.settings = set
        let wizard = SetupWizard(options: options, console: TerminalConsole())
        let ending = await Interrupts.cancelling { await wizard.run() }
        switch ending.next {
        case .nothing: throw ExitCode(ending.status)
        case .dryRun: try become("guided-setup", ["--config", config, "--dry-run"])
        case .guidedSetup: try become("guided-setup", ["--config", config])
        }
    }

    /// Becomes the program that lies beside this one.
    private func become(_ name: String, _ arguments: [String]) throws {
        let path = "\(Defaults.programFolder)/\(name)"
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        execv(path, words)
        let reason = String(cString: strerror(errno))
        Program.write("\(path) cannot be started: \(reason). The configuration is written.\n", to: STDERR_FILENO)
        throw ExitCode(1)
    }
}

await Program.main(SetupWizardCommand.self)
