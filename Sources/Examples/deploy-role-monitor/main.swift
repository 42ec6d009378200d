import ArgumentParser
import BCMClient
import CommandExecution
import ExampleSupport
import JobstatsDeploy
import SetupSupport

struct DeployRoleMonitor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy-role-monitor",
        abstract: "Deploys the BCM role monitor alone: section 10 of the guided setup.",
        discussion: """
            Runs as root on the active head node. Finds the head nodes and the least client certificate that works, \
            installs the monitor on each node, starts it, and verifies its first check from the node.

            Exit status: 0 all well, 1 some host or step failed, 2 usage or configuration, 130 interrupted.
            """,
        version: ProjectVersion.current)

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("The nodes, as names or ranges.", valueName: "host"))
    var dgxNodes: [String] = []
    @Option(
        help: ArgumentHelp(
            "A configuration file of the guided setup, in place of --dgx-nodes or beside it.", valueName: "file"))
    var config: String?
    @Option(help: ArgumentHelp("The directory of target files, over the configuration's.", valueName: "dir"))
    var prometheusTargetsDir: String?
    @Option(
        help: ArgumentHelp(
            "The monitors' certificate: node, the name of a profile, admin, or auto for the least that works.",
            valueName: "name"))
    var certificate = "auto"
    @Flag(
        help: """
            Have BCM make a new certificate although the present one still serves; on all nodes of guided-setup's \
            configuration when none are named.
            """)
    var renew = false
    @Flag(help: "Revoke the certificate that all monitors share, after a question, and do nothing else.")
    var revoke = false
    @Flag(help: "Take the monitor off the nodes, and the exporters, too, or leave them running.")
    var uninstall = false
    @OptionGroup(title: OptionTitle.consent) var consent: ConsentOptions
    @OptionGroup var hosts: RunOptions
    @OptionGroup(title: OptionTitle.how) var log: LogOptions

    /// A renewal is for all nodes of the site that was set up here, when nothing else is said.
    private var configurationFile: String {
        config ?? (renew && dgxNodes.isEmpty ? Defaults.configurationFile : "")
    }

    func validate() throws {
        if dgxNodes.isEmpty && configurationFile.isEmpty && !revoke {
            throw ValidationError("Name nodes with --dgx-nodes, or a --config.")
        }
        if MonitorCertificateChoice(parsing: certificate) == nil {
            throw ValidationError("--certificate takes node, admin, or a profile's name (letters, digits, - and _).")
        }
        if renew && hosts.check { throw ValidationError("--check changes nothing: leave --renew out.") }
        if revoke && (uninstall || renew || hosts.dryRun || hosts.check) {
            throw ValidationError("--revoke goes alone.")
        }
        if revoke, !dgxNodes.isEmpty || config != nil || prometheusTargetsDir != nil || hosts.place.image != nil {
            throw ValidationError(
                "--revoke is for the certificate that all monitors share: leave --dgx-nodes, --config, "
                    + "--prometheus-targets-dir and --image out. --uninstall takes the monitor off some nodes.")
        }
    }

    func run() async throws {
        let console = TerminalConsole()
        guard let choice = MonitorCertificateChoice(parsing: certificate) else { return }
        if revoke {
            let (profile, assumesYes) = (choice.profileName, consent.yes)
            let revocation = CertificateRevocation(cmsh: Cmsh(executor: LocalExecutor()))
            throw ExitCode(
                await Interrupts.cancelling {
                    await revocation.run(profile: profile, console: console, assumesYes: assumesYes)
                })
        }
        var options = hosts.options(configurationFile: configurationFile)
        options.invocation = ["deploy-role-monitor"] + CommandLine.arguments.dropFirst()
        options.commandName = "deploy-role-monitor"
        options.filePrefix = "role_monitor"
        options.sections = [10]
        // To deploy monitors disturbs nothing; to take them off stops exporters, so that is asked first.
        options.isNonInteractive = !uninstall
        options.assumesYes = consent.yes
        options.consents = consent.names
        options.nodes = dgxNodes
        options.targetsDirectory = prometheusTargetsDir
        options.certificate = choice
        options.renewsCertificate = renew
        options.removesMonitor = uninstall
        let setup = SetupRun(options: options, console: console, logger: log.logger("deploy-role-monitor"))
        throw ExitCode(await Interrupts.cancelling { await setup.run() })
    }
}

await Program.main(DeployRoleMonitor.self)
