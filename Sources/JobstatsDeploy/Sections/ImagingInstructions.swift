import RoleMonitor

/// How what was installed gets into the software images, per type of node. BCM synchronises a node with its image at
/// boot, so what is on the node alone is lost then.
struct ImagingInstructions {
    private struct NodeType {
        var title: String
        let hosts: [String]
        var keeps: [String]
        var excludes: [String]
    }

    let configuration: DeploymentConfiguration
    let facts: SiteFacts?
    /// The machine that deploys, which boots from no image; nil when it is not known.
    var headNode: String?

    /// The types that the configuration names; what is said of the same hosts is said together.
    private var types: [NodeType] {
        let systems = configuration.systems
        let hooks = "the links `\(SlurmPaths.prologLink)` and `\(SlurmPaths.epilogLink)`"
        let command = ["`\(Installed.jobstatsLink)`", "the packages python3-requests and python3-blessed"]
        let all = [
            dgxNodes(hooks),
            NodeType(title: "Login nodes", hosts: systems.loginNodes, keeps: command + [hooks], excludes: []),
            NodeType(
                title: "Slurm controllers", hosts: systems.slurmController,
                keeps: ["`\(SlurmPaths.controllerEpilog)`"] + command + [hooks], excludes: []),
            NodeType(
                title: "Prometheus servers",
                hosts: configuration.usesExistingPrometheus ? [] : systems.prometheusServer,
                keeps: [
                    "`\(Installed.programDirectory)/prometheus` and `promtool`",
                    "`\(Installed.unitFile(Installed.prometheusUnit))` and that it is enabled",
                    "`\(Installed.prometheusDirectory)`", "the user `\(Installed.user)`",
                ], excludes: ["`\(Installed.prometheusData)` (the samples)"]),
            NodeType(
                title: "Grafana servers", hosts: configuration.usesExistingGrafana ? [] : systems.grafanaServer,
                keeps: ["the package grafana", "`/etc/grafana`", "`\(Installed.grafanaDropIn)`"],
                excludes: ["`\(Installed.grafanaSecret)` (the password)", "`/var/lib/grafana` (the database)"]),
        ]
        var merged: [NodeType] = []
        for type in all {
            let hosts = type.hosts.filter { $0.lowercased() != headNode?.lowercased() }
            guard !hosts.isEmpty else { continue }
            if let index = merged.firstIndex(where: { $0.hosts == hosts }) {
                merged[index].title += ", \(type.title)"
                merged[index].keeps += type.keeps.filter { !merged[index].keeps.contains($0) }
                merged[index].excludes += type.excludes
            } else {
                merged.append(
                    NodeType(title: type.title, hosts: hosts, keeps: type.keeps, excludes: type.excludes))
            }
        }
        let record = "`\(OwnershipRecord.standard.path)` (by which a later run knows what is its own)"
        for index in merged.indices {
            merged[index].keeps.append(record)
            merged[index].excludes += Self.ownState + ["`/root/.cm` (the administrator's certificate and key)"]
        }
        return merged
    }

    private func dgxNodes(_ hooks: String) -> NodeType {
        let monitor = configuration.deploysRoleMonitor
        var programs = ["cgroup_exporter", "nvidia_gpu_exporter", "node_exporter"]
        if monitor { programs.append("bcm-role-monitor") }
        var kept = [
            "`\(Installed.programDirectory)/{\(programs.joined(separator: ","))}`",
            "`\(Installed.unitDirectory)/{\(programs.joined(separator: ","))}.service`",
            monitor ? "that bcm-role-monitor.service is enabled and the others are not" : "that these are enabled",
            "the user `\(Installed.user)`", "`\(Installed.textfileDirectory)`", hooks,
        ]
        if monitor {
            kept.append(
                "`\(MonitorPaths.configurationDirectory)`"
                    + (facts?.certificate?.content != nil
                        ? " with the monitor's restricted certificate and key" : ""))
        }
        return NodeType(
            title: "DGX nodes", hosts: configuration.systems.dgxNodes, keeps: kept,
            excludes: monitor ? ["`\(MonitorPaths.stateDirectory)` (each machine's own state)"] : [])
    }

    /// Whether a name can stand in a command of cmsh as it is; any other is left for the reader to find.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 255
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }

    /// What a host remembers of itself alone: backups, tests that passed, digests by inode, packages on their way.
    private static let ownState = ["backups", "self-test.*", "sums", "packages"].map {
        "`\(Installed.stateDirectory)/\($0)`"
    }

    /// Markdown for the end of section 10.
    var text: String {
        var text = """
            ### Keeping it over the next boot

            BCM synchronises a node with its software image when it boots: what was installed over SSH is lost then, \
            unless the image has it. For each type of node, on the head node:

            """
        for type in types { text += "\n" + section(type) }
        text += """

            Nothing here relies on extended attributes or file capabilities, which images on NFS lose. An imaged node \
            needs no further step: its monitor reads the node's name afresh and finds its own target file.

            """
        return text
    }

    private func section(_ type: NodeType) -> String {
        let node = type.hosts[0]
        let images = Set(type.hosts.compactMap { facts?.imageByNode[$0] }.filter(Self.isPlain)).sorted()
        let image = images.first ?? "IMAGE"
        var text = "#### \(type.title) (\(Markdown.escape(HostRange.compress(type.hosts))))\n\n"
        text +=
            images.isEmpty
            ? "Which image a node uses: " + Markdown.code("cmsh -c \"device; use \(node); get softwareimage\"")
                + ".\n\n"
            : "Image in use: \(images.map { Markdown.code($0) }.joined(separator: ", ")).\n\n"
        if images.count > 1 { text += "Do this once for each of these images, with a node that uses it.\n\n" }
        let backup = "\(image)-before-jobstats"
        text += Markdown.block(
            """
            # 1. Keep the image as it is, under another name
            cmsh -c "softwareimage; clone \(image) \(backup); commit --wait"
            # 2. See what would be captured; nothing is changed yet
            cmsh -c "device; use \(node); grabimage"
            # 3. Read the log that it names. Captured must be what is listed below, and nothing that is excluded.
            # 4. Capture
            cmsh -c "device; use \(node); grabimage -w"
            # 5. Boot one other node of this type and look at it
            """, language: "sh")
        text += "\nMust be captured: \(type.keeps.joined(separator: ", ")).\n"
        text += "\nMust not be captured: \(type.excludes.joined(separator: ", "))."
        text += " If they would be, add them to the exclude list `excludelistgrab` of the node's category first.\n"
        text += "\nA category that shall try it first: clone the category, too, and give it the new image.\n"
        return text
    }
}
