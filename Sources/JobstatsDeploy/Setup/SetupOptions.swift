/// How a guided setup is to go; what the command line says.
public struct SetupOptions: Sendable {
    /// What is done with the plan.
    public enum Mode: Sendable, Hashable {
        /// Make it so.
        case run
        /// Compare it with the hosts.
        case check
        /// Describe it; contacts nothing.
        case dryRun
    }

    /// The configuration file.
    public var configurationFile: String
    /// DGX nodes, in range notation, in place of the file's; with them the file may be left out.
    public var nodes: [String] = []
    /// The directory of target files in place of the file's.
    public var targetsDirectory: String?
    /// Whether the role monitor is taken off the nodes; section 10 alone.
    public var removesMonitor = false
    /// Whether what was deployed is taken away again.
    public var uninstalls = false
    /// What the plan is written as for another engine, in place of everything else; nil for nothing.
    public var export: ExportKind?
    /// Where the export goes.
    public var exportDirectory: String?
    /// What is done with the plan.
    public var mode = Mode.run
    /// Whether an earlier run's progress is continued.
    public var resumes = false
    /// Whether nobody is there to answer.
    public var isNonInteractive = false
    /// Whether general questions are answered with yes; what disturbs running work still needs its own consent.
    public var assumesYes = false
    /// Whether a person at a terminal is taken through the plan section by section, unless ``isNonInteractive`` or
    /// ``assumesYes`` says otherwise; without it one question is asked before all of it.
    public var walks = false
    /// Consents by name.
    public var consents: Set<String> = []
    /// The sections to carry out; all that exist by default.
    public var sections: Set<Int>?
    /// The hosts to work on, in range notation; all by default.
    public var limit: [String] = []
    /// BCM's name of a software image that is deployed into, in place of the hosts; nil for the hosts.
    public var image: String?
    /// How many hosts are worked on at once.
    public var parallel = 32
    /// How many hosts may fail before no further one is begun.
    public var maximumFailures = 5
    /// Where document and progress go.
    public var stateDirectory: String
    /// How hosts are reached.
    public var ssh = SSHOptions()
    /// Which certificate the monitors use.
    public var certificate = MonitorCertificateChoice.automatic
    /// Whether a certificate made earlier is replaced.
    public var renewsCertificate = false
    /// Whether nothing is fetched from anywhere.
    public var isOffline = false
    /// A bundle, a folder or tar file, that everything comes from; nothing is fetched then.
    public var bundle: String?
    /// The SHA-256 that the bundle's index must have; nil takes any.
    public var bundleSHA256: String?
    /// The folder of this project's own programs, which are copied to hosts.
    public var programFolder: String
    /// The command's name.
    public var commandName = "guided-setup"
    /// The command as it was typed, word for word, for advice on what to run next.
    public var invocation: [String] = []
    /// Whether the command knows `--resume` and `--limit`.
    public var canResume = false
    /// What the names of document and progress begin with.
    public var filePrefix = "guided_setup"

    /// Creates options.
    public init(configurationFile: String, stateDirectory: String, programFolder: String) {
        self.configurationFile = configurationFile
        self.stateDirectory = stateDirectory
        self.programFolder = programFolder
    }

    /// Whether hosts lose something: the monitor, or everything.
    var takesAway: Bool { removesMonitor || uninstalls }

    /// The document's path.
    public var documentPath: String { "\(stateDirectory)/\(outputPrefix)_document.md" }
    /// The progress file's path.
    public var progressPath: String { "\(stateDirectory)/\(outputPrefix)_progress.json" }
    /// A removal leaves what the deployment wrote.
    private var outputPrefix: String { takesAway ? "\(filePrefix)_removal" : filePrefix }
}
