public import CommandExecution

/// One thing that an exported script or playbook does, whatever is there already.
///
/// The vocabulary is small on purpose: a renderer knows these words and nothing of resources or sections. A resource
/// says in ``Resource/exportActions`` which of them stand for it. Each is safe to repeat and does nothing when it is so
/// already.
public enum ExportAction: Sendable, Hashable {
    /// A plain file with known bytes.
    case file(ExportFile)
    /// A file that this deployment did not make stops the host, unless `adopt-ADOPTION` was allowed; so does a unit of
    /// that name that is in use from elsewhere. Stands before a ``file(_:)``.
    case owned(String, mark: String, adoption: String, unit: String?)
    /// A directory; parents are made.
    case directory(String, mode: Int, owner: String, group: String)
    /// A symbolic link.
    case link(String, target: String)
    /// No file at this path.
    case absent(String)
    /// A system user with a group of its own and without login.
    case user(String, home: String)
    /// Packages of the distribution, in any version.
    case packages([String])
    /// A systemd unit's state.
    case unit(ExportUnit)
    /// Commands, unless another one ends with 0.
    case command(ExportCommand)
    /// A script that looks first and changes what differs.
    case script(ExportScript)
    /// Something that must be so after what went before; nothing is changed.
    case check(String, Command)
    /// What no script does: it is told to the person who runs it.
    case byHand(String, Instructions)
}

extension ExportAction {
    /// The script that stands for it, when one does.
    var script: ExportScript? {
        switch self {
        case .script(let script): script
        case .packages(let names):
            ExportScript(
                "\(names.count == 1 ? "package" : "packages") \(names.joined(separator: " "))", ExportScripts.packages,
                names, timeout: .seconds(900))
        default: nil
        }
    }
}

/// A file in an export.
public struct ExportFile: Sendable, Hashable {
    /// Its bytes for one architecture, or for all.
    public struct Variant: Sendable, Hashable {
        /// `x86_64`, `aarch64`; nil for every architecture.
        public var architecture: String?
        /// The bytes.
        public var content: FileContent

        /// Creates a variant.
        public init(_ architecture: String?, _ content: FileContent) {
            self.architecture = architecture
            self.content = content
        }
    }

    /// Absolute path.
    public var path: String
    /// Permission bits.
    public var mode: Int
    /// Owner's name.
    public var owner: String
    /// Group's name.
    public var group: String
    /// What it shall hold.
    public var contents: [Variant]
    /// Whether a copy is kept also of what is ours.
    public var keepsBackup: Bool
    /// A command that must accept the new file, `{}` in its place.
    public var validation: Command?

    /// Creates a file.
    public init(
        _ path: String, mode: Int, owner: String, group: String, contents: [Variant], keepsBackup: Bool = false,
        validation: Command? = nil
    ) {
        self.path = path
        self.mode = mode
        self.owner = owner
        self.group = group
        self.contents = contents
        self.keepsBackup = keepsBackup
        self.validation = validation
    }

    /// Whether it may not leave the head node in an export.
    var isSecret: Bool { contents.contains { $0.content.isSecret } }
    /// The last part of the path.
    var name: String { path.split(separator: "/").last.map(String.init) ?? "file" }
}

/// A unit's state in an export.
public struct ExportUnit: Sendable, Hashable {
    /// The unit's name with its suffix.
    public var name: String
    /// Whether it starts at boot; nil leaves that as found.
    public var isEnabled: Bool?
    /// What shall be true of it now.
    public var activity: UnitResource.Activity
    /// Files that a running process must not be older than, or it is restarted.
    public var restartFiles: [String]
    /// Files that a running process must not have loaded before they changed, or it is told to reload.
    public var reloadFiles: [String]

    /// Creates a state.
    public init(
        _ name: String, isEnabled: Bool?, activity: UnitResource.Activity, restartedFor restartFiles: [String] = [],
        reloadedFor reloadFiles: [String] = []
    ) {
        self.name = name
        self.isEnabled = isEnabled
        self.activity = activity
        self.restartFiles = restartFiles
        self.reloadFiles = reloadFiles
    }

    /// The arguments of ``ExportScripts/unit``.
    var arguments: [String] {
        let enablement = isEnabled.map { $0 ? "enabled" : "disabled" } ?? "as-found"
        let state =
            switch activity {
            case .running: "running"
            case .stopped: "stopped"
            case .asFound: "as-found"
            }
        return [name, enablement, state] + restartFiles.map { "restart:\($0)" } + reloadFiles.map { "reload:\($0)" }
    }
}

/// Commands in an export that run unless another one says that it is so already.
public struct ExportCommand: Sendable, Hashable {
    /// What they bring about, in words.
    public var title: String
    /// Ends with 0 when nothing is to be done; nil runs the commands each time.
    public var unless: Command?
    /// What is run, in order.
    public var commands: [Command]

    /// Whether a command's input goes into the export as a file: it is long, or no text.
    static func isFile(_ input: [UInt8]) -> Bool {
        input.count > 4096 || input.contains(0) || String(validating: input, as: UTF8.self) == nil
    }

    /// Creates commands.
    public init(_ title: String, unless: Command?, _ commands: [Command]) {
        self.title = title
        self.unless = unless
        self.commands = commands
    }
}
