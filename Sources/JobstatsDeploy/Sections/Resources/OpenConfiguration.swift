import BCMClient
import CommandExecution
import RoleMonitor

/// The monitors' configuration before BCM was asked: the same file, with what a person must put into it by hand.
struct OpenConfiguration: Resource {
    private let file: FileResource

    init(_ file: FileResource) { self.file = file }

    var summary: String {
        "file \(file.path), \(Mode.octal(file.mode)) \(file.owner):\(file.group), completed from BCM"
    }
    var queries: [Query] { file.queries }
    func assess(_ facts: Facts) -> Assessment { file.assess(facts) }
    func changes(from facts: Facts) throws(ResourceError) -> [Command] { try file.changes(from: facts) }
    func removal() -> [Command]? { file.removal() }
    var absence: (any Resource)? { file.absence }
    var imageForm: (any Resource)? { file.imageForm }
    var exportActions: [ExportAction] { file.exportActions }

    /// Trust first, since the monitor does not start without.
    var instructions: Instructions {
        var all = file.instructions
        let certificate = MonitorSettings.certificateFile, key = MonitorSettings.keyFile
        all.commands =
            [
                "# On the head node: the names of the head nodes, for bcm_headnodes in the file",
                "cmsh -c 'device; list -t headnode'",
                "# On the head node: the cluster's CA, for each HOST",
                "scp \(BCMPaths.authority) root@HOST:\(MonitorPaths.authorityFile)",
                "# The client certificate: the node's own where BCM lets it read devices; then the file names",
                "#   \"cert_path\": \"\(BCMPaths.nodeCertificate)\" and \"key_path\": \"\(BCMPaths.nodeKey)\".",
                "# Otherwise deploy-role-monitor has BCM make one with that right alone, and puts it to",
                "#   \(certificate) and \(key).",
                "# \"roles_visible\": true where REST shows the role. Where the head nodes' certificates do not carry their",
                "# names: \"verify_hostname\": false.",
            ] + all.commands
        // It does not stay as it is shown.
        all.verification = ["\(MonitorPaths.program) --check-connectivity"]
        return all
    }
}
