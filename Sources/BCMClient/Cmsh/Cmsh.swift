public import CommandExecution

/// BCM's own shell, `cmsh`, run on a head node.
///
/// Commands are built from parts that are checked: a value with a semicolon, a quote, a backslash or a control
/// character is refused, since cmsh has no way to quote them all.
public struct Cmsh: Sendable {
    /// Where BCM installs it.
    public static let standardExecutable = "/cm/local/apps/cmd/bin/cmsh"

    let executor: any CommandExecutor
    let executable: String
    let timeout: Duration

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - executor: runs commands on a head node.
    ///   - executable: cmsh's path there.
    ///   - timeout: how long each call may take.
    public init(
        executor: any CommandExecutor, executable: String = Cmsh.standardExecutable, timeout: Duration = .seconds(60)
    ) {
        self.executor = executor
        self.executable = executable
        self.timeout = timeout
    }

    /// Runs commands and gives what cmsh wrote. Each command is a list of words.
    ///
    /// - Throws: ``BCMError``: ``BCMError/Code/invalidConfiguration`` for a word that cannot be quoted,
    ///   ``BCMError/Code/notFound`` or ``BCMError/Code/refused`` when cmsh reports an error, which it does in text.
    public func run(_ commands: [[String]]) async throws(BCMError) -> String {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// All devices, or those of one kind.
    public func devices(_ selection: Selection = .all) async throws(BCMError) -> [ClusterDevice] {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// The head nodes, by their own names.
    public func headNodes() async throws(BCMError) -> [ClusterDevice] { try await devices(.headNodes) }

    /// The roles of a node, with where each comes from.
    public func roles(of node: String) async throws(BCMError) -> [RoleAssignment] {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// Assigns a role and commits.
    public func assignRole(_ role: String, to holder: RoleHolder) async throws(BCMError) {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// Takes a role away and commits.
    public func unassignRole(_ role: String, from holder: RoleHolder) async throws(BCMError) {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// Makes a certificate and its key, as files on the head node.
    public func createCertificate(_ request: CertificateRequest) async throws(BCMError) {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// The certificates that BCM has issued.
    public func certificates() async throws(BCMError) -> [IssuedCertificate] {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// The names of the profiles.
    public func profiles() async throws(BCMError) -> [String] {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// Adds a profile with these tokens and commits.
    public func addProfile(_ name: String, tokens: [String], nonUser: Bool = true) async throws(BCMError) {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// The workload manager instances.
    public func workloadManagers() async throws(BCMError) -> [String] {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// A setting of a workload manager instance.
    ///
    /// - Parameters:
    ///   - name: such as `prolog` or `epilogslurmctld`.
    ///   - submode: such as `cgroups`; nil for the instance itself.
    ///   - instance: the instance's name.
    public func setting(
        _ name: String, in submode: String? = nil, ofWorkloadManager instance: String
    ) async throws(BCMError) -> String {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// Changes a setting of a workload manager instance and commits.
    public func set(
        _ name: String, to value: String, in submode: String? = nil, ofWorkloadManager instance: String
    ) async throws(BCMError) {
        throw BCMError(.notReachable, reason: "not yet")
    }

    /// Which head node is active.
    public func highAvailability() async throws(BCMError) -> HighAvailability {
        throw BCMError(.notReachable, reason: "not yet")
    }
}
