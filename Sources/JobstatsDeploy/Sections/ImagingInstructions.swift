import RoleMonitor

/// How what was installed gets into the software images, per type of node. BCM synchronises a node with its image at
/// boot, so what is on the node alone is lost then.
struct ImagingInstructions {
    private struct NodeType {
        let title: String
        let hosts: [String]
        let keeps: [String]
        let excludes: [String]
    }

    let configuration: DeploymentConfiguration
    let facts: SiteFacts?

    private var types: [NodeType] {
        let systems = configuration.systems
        let monitor = configuration.deploysRoleMonitor
        let hasOwnFiles = facts?.certificate?.content != nil
        let record = "`\(OwnershipRecord.standard.path)` (by which a later run knows what is its own)"
        var kept = [
            "`\(Installed.programDirectory)`", "`\(Installed.unitDirectory)`", "the user `\(Installed.user)`", record,
        ]
        if monitor {
            kept.append(
                "`\(MonitorPaths.configurationDirectory)`"
                    + (hasOwnFiles ? " with the monitor's restricted certificate and key" : ""))
        }
        let dgx = NodeType(
            title: "DGX nodes", hosts: systems.dgxNodes, keeps: kept,
            excludes: [
                "`\(MonitorPaths.stateDirectory)` (each machine's own state)"
            ] + Self.ownState + ["`/root/.cm` (the administrator's certificate and key)"])
        let others = [
            ("Login nodes", systems.loginNodes), ("Slurm controllers", systems.slurmController),
            ("Prometheus servers", configuration.usesExistingPrometheus ? [] : systems.prometheusServer),
        ]
        return [dgx]
            + others.map { title, hosts in
                NodeType(
                    title: title, hosts: hosts, keeps: [record],
                    excludes: Self.ownState + ["`/root/.cm`", "`\(Installed.prometheusData)`"])
            }
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
        for type in types where !type.hosts.isEmpty { text += "\n" + section(type) }
        text += """

            Nothing here relies on extended attributes or file capabilities, which images on NFS lose. An imaged node \
            needs no further step: its monitor reads the node's name afresh and finds its own target file.

            """
        return text
    }

    private func section(_ type: NodeType) -> String {
        let node = type.hosts[0]
        let images = Set(type.hosts.compactMap { facts?.imageByNode[$0] }).sorted()
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
        if !type.keeps.isEmpty { text += "\nMust be captured: \(type.keeps.joined(separator: ", ")).\n" }
        text += "\nMust not be captured: \(type.excludes.joined(separator: ", "))."
        text += " If they would be, add them to the exclude list `excludelistgrab` of the node's category first.\n"
        text += "\nA category that shall try it first: clone the category, too, and give it the new image.\n"
        return text
    }
}
