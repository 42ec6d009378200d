import ArgumentParser
import CommandExecution
import ExampleSupport
import JobstatsDeploy
import SetupSupport

/// Makes a bundle for a site without internet.
struct MakeBundle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Puts everything that a deployment needs into one folder or tar file.",
        discussion: """
            Runs where there is a network, on the same distribution as the hosts, with this project's programs beside \
            it. On the site: guided-setup --bundle FILE.
            """)

    @Option(help: ArgumentHelp("The folder or, when it ends in .tar, the file to make.", valueName: "path"))
    var output: String
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The hosts' architectures: x86_64, aarch64 (default: this machine's).", valueName: "architecture"))
    var architecture: [String] = []
    @Option(
        help: ArgumentHelp(
            "A configuration, for where programs come from and what is not deployed.", valueName: "file"))
    var config: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Programs to leave out, by the names that artifacts has.", valueName: "name"))
    var without: [String] = []
    @Flag(help: "Leave the distribution's packages out.")
    var withoutPackages = false
    @Option(help: ArgumentHelp("Where fetched programs are kept.", valueName: "dir"))
    var stateDir = Defaults.stateDirectory

    func validate() throws {
        for name in without where ArtifactSource.Name(name) == nil {
            throw ValidationError("--without \(name): there is no such program.")
        }
        for name in architecture where ArtifactSource.Architecture(name) == nil {
            throw ValidationError("--architecture \(name): neither x86_64 nor aarch64.")
        }
        if output.isEmpty { throw ValidationError("--output needs a name.") }
    }

    func run() async throws {
        let console = TerminalConsole()
        var configuration = DeploymentConfiguration()
        if let config {
            let reading = DeploymentConfiguration.load(path: config, sections: [])
            for warning in reading.warnings { console.writeError("\(warning)\n") }
            do {
                configuration = try reading.get()
            } catch {
                console.writeError("\(error)\n")
                throw ExitCode(Program.usageStatus)
            }
        }
        var maker = BundleMaker(
            directory: "\(stateDir)/programs", programDirectory: Defaults.programFolder,
            onWork: { console.write("\($0)\n") })
        maker.leftOut = Set(without)
        maker.withoutPackages = withoutPackages
        let (work, chosen, path, architectures) = (
            maker, configuration, output, Set(architecture.compactMap { ArtifactSource.Architecture($0) })
        )
        let status: Int32 = await Interrupts.cancelling {
            do {
                console.write(Self.words(try await work.make(path, for: chosen, architectures: architectures)))
                return 0
            } catch {
                console.writeError("\(error)\n")
                return Task.isCancelled ? 130 : 1
            }
        }
        throw ExitCode(status)
    }

    private static func words(_ report: BundleMaker.Report) -> String {
        let path = ShellQuoting.quote(report.path)
        let start =
            report.path.hasSuffix(".tar") ? "tar -xf \(path) setup && setup/guided-setup" : "\(path)/setup/guided-setup"
        return """
            \(report.path), \(report.size >> 20) MiB, holds
            \(report.programs.map { "   \($0)\n" }.joined())   packages: \(report.packages)
            \(report.remarks.map { "   remark: \($0)\n" }.joined())
            SHA-256 of its index: \(report.indexSHA256)
            On the site: \(start) --bundle \(path) --bundle-sha256 \(report.indexSHA256)

            """
    }
}
