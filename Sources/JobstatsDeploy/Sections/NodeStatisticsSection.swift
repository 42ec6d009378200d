import ServiceManager

extension JobstatsPlan {
    /// Section 4: node_exporter on each DGX node.
    func nodeStatisticsSection() throws -> PlanSection {
        let unit = "node_exporter.service"
        let file = OwnedUnitFile(unit, try nodeExporterUnit(), isAdopted: context.adopts("node_exporter"))
        return PlanSection(
            number: 4, title: "Node statistics",
            purpose: "node_exporter tells Prometheus about each node as a whole: CPU, memory, disks and network. "
                + "Jobstats shows a job's share of it, and finds nodes that are short of memory or overloaded. "
                + exporterPolicy(.nodeExporter),
            link: PrincetonPage.link("node"),
            steps: exporterSteps(4, .nodeExporter, file, port: configuration.nodeExporterPort, metric: "node_") {
                [
                    Step(
                        "4.textfile-directory", "Directory of metrics that others write", on: dgxNodes,
                        DirectoryResource(Installed.textfileDirectory))
                ]
            })
    }

    /// What an exporter's section brings about depends on who decides where exporters run.
    func exporterPolicy(_ name: ArtifactSource.Name) -> String {
        if context.skips("\(name)") {
            return "It is left out on demand (`--allow skip-\(name)`): nothing is installed for it."
        }
        return configuration.deploysRoleMonitor
            ? "It is installed, tested once and left as it was found, and does not start at boot: the role monitor "
                + "(section 10) runs it while the node has the BCM role."
            : "It is enabled and runs, since no role monitor is deployed."
    }

    /// The steps that every exporter has in common.
    func exporterSteps(
        _ section: Int, _ name: ArtifactSource.Name, _ file: OwnedUnitFile, port: Int, metric: String,
        further: () -> [Step]
    ) -> [Step] {
        guard !context.skips("\(name)") else { return [] }
        let program = context.program(name)
        let steps =
            [
                Step("\(section).user", "System user \(Installed.user)", on: dgxNodes, UserResource(Installed.user))
            ] + further() + [
                // Files that follow one another are put in place together.
                Step("\(section).program", "Program \(name)", on: dgxNodes, program),
                Step("\(section).unit-file", "Unit file of \(file.unit)", on: dgxNodes, file),
            ]
        let files = [program.path, file.path]
        guard configuration.deploysRoleMonitor else {
            return steps + [
                Step(
                    "\(section).unit", "\(file.unit) enabled and running", on: dgxNodes,
                    UnitResource(file.unit, enabled: true, .running, restartedFor: files).unnoticed()),
                Step(
                    "\(section).answers", "\(file.unit) answers", on: dgxNodes,
                    WaitResource(
                        "port \(port) gives metrics", patience: 15, remedy: "look at: journalctl -u \(file.unit)",
                        HTTPProbe.metrics(port: port, beginningWith: metric))),
            ]
        }
        return steps + [
            Step(
                "\(section).unit", "\(file.unit) known and not started at boot", on: dgxNodes,
                UnitResource(file.unit, enabled: false, .asFound, restartedFor: files).unnoticed()),
            Step(
                "\(section).self-test", "\(file.unit) answers, and is left as found", on: dgxNodes,
                SelfTest(unit: file.unit, port: port, metric: metric, of: program, file)),
        ]
    }

    /// node_exporter 1.3 and later.
    func nodeExporterUnit() throws -> UnitFile {
        .marked([
            .init(
                "Unit",
                [
                    try .init("Description", "Prometheus exporter for metrics of this node"),
                    try .init("After", "network.target"),
                ]),
            .init(
                "Service",
                [
                    try .init("User", Installed.user), try .init("Group", Installed.user),
                    try .init(
                        "ExecStart",
                        arguments: [
                            Installed.program(.nodeExporter), "--web.listen-address=:\(configuration.nodeExporterPort)",
                            "--collector.textfile.directory=\(Installed.textfileDirectory)",
                            "--collector.filesystem.fs-types-exclude=\(Self.excludedFileSystems)",
                        ],
                        comment: "A dead network file system would hang the exporter, so none is looked at."),
                    try .init("Restart", "on-failure"), try .init("RestartSec", "5"),
                ] + (try Self.exporterProtection())),
            .init("Install", [try .init("WantedBy", "multi-user.target")]),
        ])
    }

    /// Kernel file systems, which node_exporter excludes by default, and network file systems, which can hang.
    static let excludedFileSystems: String = {
        let kernel = [
            "autofs", "binfmt_misc", "bpf", "cgroup2?", "configfs", "debugfs", "devpts", "devtmpfs", "fusectl",
            "hugetlbfs", "iso9660", "mqueue", "nsfs", "overlay", "proc", "procfs", "pstore", "rpc_pipefs", "securityfs",
            "selinuxfs", "squashfs", "sysfs", "tracefs",
        ]
        let network = [
            "nfs", "nfs4", "nfsd", "lustre", "gpfs", "beegfs", "beegfs_nodev", "wekafs", "panfs", "ceph", "glusterfs",
            "cifs", "smb3", "smbfs", "afs", "9p", "orangefs", "pvfs2", "ocfs2", "gfs2", "vastnfs", "fuse", "fuse[.].*",
        ]
        return "^(\((kernel + network).joined(separator: "|")))$"
    }()

    /// Protections that need no mount namespace of their own: in one, node_exporter would report file systems as the
    /// namespace shows them, read-only or hidden, and not as they are.
    static func exporterProtection() throws -> [UnitFile.Directive] {
        [
            try .init(
                "NoNewPrivileges", "yes",
                comment: "Nothing that makes a mount namespace: file systems must be seen as they are."),
            try .init("CapabilityBoundingSet", ""), try .init("LockPersonality", "yes"),
            try .init("MemoryDenyWriteExecute", "yes"), try .init("RestrictNamespaces", "yes"),
            try .init("RestrictRealtime", "yes"), try .init("RestrictSUIDSGID", "yes"),
            try .init("SystemCallArchitectures", "native"),
            try .init("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"), try .init("UMask", "0077"),
        ]
    }
}
