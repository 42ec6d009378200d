import ArgumentParser
import ExampleSupport
import JobstatsDeploy
import SetupSupport

/// Makes a bundle for a site without internet.
struct MakeBundle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Puts everything that a deployment needs into one folder or tar file.",
        discussion: """
            Runs where there is a network, on the same distribution as the hosts. On the site: guided-setup --bundle FILE.
            """)

    @Option(help: "The folder or, when it ends in .tar, the file to make.")
    var output: String
    @Option(parsing: .upToNextOption, help: "The hosts' architectures: x86_64, aarch64 (default: this machine's).")
    var architecture: [String] = []
    @Option(help: "A configuration, for its artifacts and for what is not to be deployed.")
    var config: String?
    @OptionGroup var log: LogOptions

    func run() async throws {
        throw ValidationError("not yet")
    }
}
