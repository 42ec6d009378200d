public import ArgumentParser
internal import ExampleSupport
public import JobstatsDeploy

/// The options that every program has that works on hosts.
public struct RunOptions: ParsableArguments {
    /// Describe only.
    @Flag(help: "Describe everything that would be done; contact nothing, change nothing.")
    public var dryRun = false
    /// Look only.
    @Flag(help: "Look at the hosts and say for each step whether it is in place.")
    public var check = false
    /// How many hosts at once.
    @Option(help: "How many hosts are worked on at once.")
    public var parallel = 32
    /// How many failures are borne.
    @Option(help: "How many hosts may fail before no further host is begun.")
    public var maxFailures = 5
    /// Where output goes.
    @Option(help: "Where document and progress go.")
    public var stateDir = Defaults.stateDirectory
    /// A configuration of ssh.
    @Option(help: "A configuration file for ssh in place of your own.")
    public var sshConfig: String?

    /// A software image in place of the hosts.
    @Option(help: "Work on this software image of BCM, in its folder, in place of the nodes.")
    public var image: String?
    /// Whether hosts are worked on through sudo.
    @Flag(help: "Work on the other hosts through sudo -n; whom to log in as is ssh's affair (ssh_config).")
    public var sudo = false

    /// Creates the options.
    public init() {}

    /// Refuses what makes no sense.
    public func validate() throws {
        if dryRun && check { throw ValidationError("--dry-run and --check exclude each other.") }
        if let image, image.isEmpty || image.contains(where: { !Self.isPartOfName($0) }) {
            throw ValidationError("--image takes BCM's name of a software image: letters, digits, dots, dashes.")
        }
        if parallel < 1 { throw ValidationError("--parallel needs at least 1.") }
        if maxFailures < 0 { throw ValidationError("--max-failures cannot be negative.") }
    }

    private static func isPartOfName(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
    }

    /// The options of a setup that these make.
    public func options(configurationFile: String) -> SetupOptions {
        var options = SetupOptions(
            configurationFile: configurationFile, stateDirectory: stateDir, programFolder: Defaults.programFolder)
        options.mode = dryRun ? .dryRun : check ? .check : .run
        options.parallel = parallel
        options.maximumFailures = maxFailures
        options.ssh.configurationFile = sshConfig
        options.ssh.usesSudo = sudo
        options.image = image
        return options
    }
}
