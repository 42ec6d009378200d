import CommandExecution

/// How hosts are reached over SSH. What is not said here comes from the user's own `ssh_config`, and what is not said
/// there from this program.
public struct SSHOptions: Sendable, Hashable {
    /// The program, `ssh` in PATH by default.
    public var program: String
    /// A configuration file in place of all others; `ssh -F`.
    public var configurationFile: String?
    /// How long a connection may take to be made, 15 seconds by default.
    public var connectTimeout: Duration
    /// How often a refused connection is tried again, twice by default: an sshd that is asked for many connections at
    /// once refuses some at random (MaxStartups in sshd_config(5)).
    public var retries: Int
    /// Whether commands run through `sudo -n`, for users other than root.
    public var usesSudo: Bool
    /// Whether hosts are locked against another run while they are worked on, true by default. What only looks neither
    /// needs nor minds the lock.
    public var locksHosts = true

    /// Creates options.
    public init(
        program: String = "ssh", configurationFile: String? = nil, connectTimeout: Duration = .seconds(15),
        retries: Int = 2,
        usesSudo: Bool = false
    ) {
        self.program = program
        self.configurationFile = configurationFile
        self.connectTimeout = connectTimeout
        self.retries = retries
        self.usesSudo = usesSudo
    }

    /// The defaults for what only looks.
    public static var looking: SSHOptions {
        var options = SSHOptions()
        options.locksHosts = false
        return options
    }

    /// The arguments of `ssh` that run a command on a host. Never asks, never accepts an unknown host key.
    package func arguments(host: String, remoteCommand: String) -> [String] {
        var arguments = (configurationFile ?? SSHPreferences.path).map { ["-F", $0] } ?? []
        arguments += [
            "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
            "-o", "ConnectTimeout=\(connectTimeout.components.seconds)",
            "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
            "-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ForwardX11=no", "-o", "ForwardAgent=no",
            "-o", "UpdateHostKeys=no",
            "--", host, remoteCommand,
        ]
        return arguments
    }
}
