public import ArgumentParser
internal import ExampleSupport
internal import Glibc
public import JobstatsDeploy

/// The options that every program has that works on hosts.
public struct RunOptions: ParsableArguments {
    /// Whether to look, describe or do.
    @OptionGroup(title: OptionTitle.what) public var mode: ModeOptions
    /// Where.
    @OptionGroup(title: OptionTitle.part) public var place: PlaceOptions
    /// How.
    @OptionGroup(title: OptionTitle.how) public var manner: MannerOptions

    /// Creates the options.
    public init() {}

    /// Describe only.
    public var dryRun: Bool { mode.dryRun }
    /// Look only.
    public var check: Bool { mode.check }

    /// The options of a setup that these make.
    public func options(configurationFile: String) -> SetupOptions {
        var options = SetupOptions(
            configurationFile: configurationFile, stateDirectory: manner.stateDir,
            programFolder: Defaults.programFolder)
        options.mode = dryRun ? .dryRun : check ? .check : .run
        options.parallel = manner.parallel
        options.maximumFailures = manner.maxFailures
        options.ssh.configurationFile = manner.sshConfig
        options.ssh.usesSudo = manner.sudo
        options.image = place.image
        return options
    }
}

/// Whether hosts are changed, looked at, or left alone.
public struct ModeOptions: ParsableArguments {
    /// Describe only.
    @Flag(help: "Write the plan as a manual; contact nothing, change nothing.")
    public var dryRun = false
    /// Look only.
    @Flag(help: "Look at the hosts and say for each step whether it is in place.")
    public var check = false

    /// Creates the options.
    public init() {}

    /// Refuses both.
    public func validate() throws {
        if dryRun && check { throw ValidationError("--dry-run and --check exclude each other.") }
    }
}

/// What is worked on in place of the hosts.
public struct PlaceOptions: ParsableArguments {
    /// A software image in place of the hosts.
    @Option(
        help: ArgumentHelp(
            "Work on this software image of BCM, in its folder, in place of the nodes.", valueName: "name"))
    public var image: String?

    /// Creates the options.
    public init() {}

    /// Refuses what cannot be the name of an image.
    public func validate() throws {
        if let image, image.isEmpty || image.contains(where: { !Self.isPartOfName($0) }) {
            throw ValidationError("--image takes BCM's name of a software image: letters, digits, dots, dashes.")
        }
    }

    private static func isPartOfName(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
    }
}

/// How hosts are reached, how many at once, and where output goes.
public struct MannerOptions: ParsableArguments {
    /// How many hosts at once.
    @Option(help: ArgumentHelp("How many hosts are worked on at once.", valueName: "number"))
    public var parallel = 32
    /// How many failures are borne.
    @Option(
        help: ArgumentHelp("How many hosts may fail before no further host is begun.", valueName: "number"))
    public var maxFailures = 5
    /// Where output goes.
    @Option(help: ArgumentHelp("Where document and progress go.", valueName: "dir"))
    public var stateDir = Defaults.stateDirectory
    /// A configuration of ssh.
    @Option(help: ArgumentHelp("A configuration file for ssh in place of your own.", valueName: "file"))
    public var sshConfig: String?
    /// Whether hosts are worked on through sudo.
    @Flag(help: "Work on the other hosts through sudo -n; as whom to log in is said in ssh's configuration.")
    public var sudo = false

    /// Creates the options.
    public init() {}

    /// Refuses what makes no sense.
    public func validate() throws {
        if parallel < 1 { throw ValidationError("--parallel needs at least 1.") }
        // ssh takes `none` for no file at all.
        if let sshConfig, sshConfig != "none", access(sshConfig, R_OK) != 0 {
            throw ValidationError("--ssh-config \(sshConfig): \(String(cString: strerror(errno))).")
        }
        if maxFailures < 0 { throw ValidationError("--max-failures cannot be negative.") }
    }
}
