import CommandExecution
import Testing

/// Jobstats' monitoring as guided-setup deploys it to the lab, and the ways back to that state.
struct Deployment: Sendable {
    let lab: Lab

    static let exporters = ["node_exporter", "cgroup_exporter", "nvidia_gpu_exporter"]
    static let targets = "/cm/shared/apps/jobstats/prometheus-targets"
    static let state = "/root/setup"

    /// The deployment as it is right after guided-setup, no node with the role.
    ///
    /// The first call deploys; later ones give the hosts back the disks that they had then. Monitors ask every two
    /// seconds instead of every minute (`scripts/lab.sh config`), so that tests take seconds.
    static func ready() async throws -> Deployment {
        let lab = try await Lab.ready()
        let deployment = Deployment(lab: lab)
        if try await lab.succeeds("head-a", "test -e /root/deployed") {
            try await deployment.takeAllRoles()
            for host in deployment.hosts { try await lab.script("reimage", host, "deployed-\(host)") }
            try await lab.output("mon-01", "mkdir -p \(targets); rm -rf \(targets)/*")
            return deployment
        }
        _ = try await blank()
        let result = try await deployment.guidedSetup()
        guard result.succeeded else {
            throw Lab.Failure(description: "guided-setup: \(result.outputText)\(result.errorText)")
        }
        for host in deployment.hosts { try await lab.script("grabimage", host, "deployed-\(host)") }
        try await lab.output("head-a", "touch /root/deployed")
        return deployment
    }

    /// Hosts to which nothing has been deployed, as they are when the lab starts.
    static func blank() async throws -> Deployment {
        let lab = try await Lab.ready()
        let deployment = Deployment(lab: lab)
        try await deployment.takeAllRoles()
        let hasImages = try await lab.succeeds("head-a", "test -e /root/blank")
        for host in deployment.hosts {
            // A disk of its own, which survives reboots, whatever the lab's images say.
            if !hasImages { try await lab.script("provision", host, "none") }
            try await lab.script(hasImages ? "reimage" : "grabimage", host, "blank-\(host)")
        }
        try await lab.output("head-a", "touch /root/blank; rm -rf \(state) /cm/shared/apps/jobstats")
        return deployment
    }

    var hosts: [String] { nodes + ["mon-01"] }
    var nodes: [String] { lab.hosts("dgx") }

    // MARK: guided-setup

    /// Runs guided-setup on the active head node, as on a site that keeps Slurm and Grafana to itself.
    ///
    /// - Parameter monitors: whether role monitors are deployed.
    func guidedSetup(
        _ arguments: String..., on head: String = "head-a", monitors: Bool = true
    ) async throws -> CommandResult {
        let sections = arguments.contains("--section") ? [] : ["--section", "1", "2", "3", "4", "6", "10"]
        return try await lab.run(
            head, try await prepareSetup(on: head, monitors: monitors) + sections + arguments, timeout: .seconds(300))
    }

    /// Writes the configuration on a head node, and gives the command that deploys it.
    func prepareSetup(on head: String = "head-a", monitors: Bool = true) async throws -> [String] {
        var configuration = try await lab.script("config", "--without-slurm")
        if !monitors {
            configuration.replace("{", with: "{\n  \"deploy_bcm_role_monitor\": false,", maxReplacements: 1)
        }
        _ = try await lab.shell(head, "cat > /root/config.json", input: Array(configuration.utf8))
        return [
            "guided-setup", "--config", "/root/config.json", "--state-dir", Self.state, "--non-interactive", "--yes",
        ]
    }

    // MARK: Roles

    func giveRole(_ host: String, on head: String = "head-a") async throws {
        try await lab.cmsh("device use \(host); roles; assign slurmclient; commit", on: head)
    }

    func takeRole(_ host: String, on head: String = "head-a") async throws {
        try await lab.cmsh("device use \(host); roles; unassign slurmclient; commit", on: head)
    }

    func takeAllRoles() async throws {
        for host in nodes where try await lab.cmsh("device use \(host); roles; list -p").contains("slurmclient") {
            try await takeRole(host)
        }
    }

    // MARK: What is seen

    /// Whether every exporter of a host is in this state of systemd.
    func exporters(of host: String, are state: String) async throws -> Bool {
        let answer = try await lab.shell(host, "systemctl is-active " + Self.exporters.joined(separator: " "))
        return answer.outputText.split(separator: "\n").allSatisfy { $0 == state }
    }

    /// The target files that the monitoring node sees.
    func targetFiles() async throws -> [String] {
        try await lab.output("mon-01", "cd \(Self.targets) && ls").split(separator: "\n").map(String.init)
    }

    /// A property of a node's monitor, as systemd tells it.
    func monitor(_ property: String, on host: String) async throws -> String {
        try await lab.output(host, "systemctl show --value -p \(property) bcm-role-monitor")
    }

    /// The monitor's log of the present boot.
    func journal(of host: String) async throws -> String {
        try await lab.output(host, "journalctl -b -u bcm-role-monitor --no-pager -o cat")
    }

    /// Waits until a host runs its exporters and has its target file.
    func expectRunning(_ host: String, file: String? = nil) async throws {
        try await eventually("\(host) runs the exporters") { try await exporters(of: host, are: "active") }
        try await eventually("\(host) has its target file") {
            try await targetFiles().contains("\(file ?? host).json")
        }
    }

    /// Waits until a host runs no exporter and has no target file.
    func expectStopped(_ host: String) async throws {
        try await eventually("\(host) runs no exporter") { try await exporters(of: host, are: "inactive") }
        try await eventually("\(host) has no target file") { try await !targetFiles().contains("\(host).json") }
    }
}
