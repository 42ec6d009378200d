import BCMClient
import CommandExecution
import ServiceManager

extension JobstatsPlan {
    /// Section 2: Slurm's accounting by cgroups, and cgroup_exporter on each DGX node.
    ///
    /// Four parts, since each needs the one before on other hosts: the settings, slurmctld, slurmd, the exporter.
    func cpuStatisticsSections() throws -> [PlanSection] {
        var sections: [PlanSection] = []
        if let controller = controllers.first {
            sections = [
                try slurmSettings(on: controller), restartSection(.controller, on: controllers),
                restartSection(.node, on: dgxNodes),
            ]
        }
        let unit = OwnedUnitFile(
            "cgroup_exporter.service", try cgroupExporterUnit(), isAdopted: context.adopts("cgroup_exporter"))
        var exporter = PlanSection(
            number: 2, title: "CPU job statistics: cgroup_exporter",
            purpose: "cgroup_exporter tells Prometheus what each job's processes use of CPU and memory, from the "
                + "cgroups that Slurm makes for the job. It only reads the cgroup tree, as a user without rights. "
                + exporterPolicy(.cgroupExporter),
            link: PrincetonPage.link("cgroups"),
            steps: exporterSteps(
                2, .cgroupExporter, unit, port: configuration.cgroupExporterPort,
                // Without a job there are only the Go runtime\'s metrics.
                metric: "[a-z]", further: { [slurmScopeStep] }),
            notes: controllers.isEmpty
                ? "No Slurm controller is configured (`systems.slurm_controller` is empty): Slurm's settings are "
                    + "neither looked at nor changed. Needed are "
                    + SlurmSetting.needed.map { "`\($0.description)`" }.joined(separator: ", ") + ".\n" : "")
        // It needs nothing of Slurm's settings.
        exporter.followsEarlierParts = false
        return sections + [exporter]
    }

    // MARK: Slurm's settings

    private func slurmSettings(on controller: Host) throws -> PlanSection {
        let instance = configuration.wlmInstance
        let head = [context.localHost]
        func constraint(_ name: String) throws -> WorkloadSettingResource {
            try WorkloadSettingResource(
                WorkloadSetting(name, in: "cgroups", ofWorkloadManager: instance),
                "BCM's \(name) of the workload manager \(instance) is yes", rule: .yes,
                mark: SlurmPaths.changeMark)
        }
        return PlanSection(
            number: 2, title: "CPU job statistics: Slurm's settings",
            purpose: "Jobstats needs Slurm to account jobs by cgroups, to hold each job to its CPUs and memory, and to "
                + "count GPUs. What is right already is left alone; BCM's own section of slurm.conf is never edited.",
            link: PrincetonPage.link("cgroups"),
            steps: [
                Step(
                    "2.constrainramspace", "Jobs are held to their memory", on: head,
                    try constraint("constrainramspace")),
                Step("2.constraincores", "Jobs are held to their cores", on: head, try constraint("constraincores")),
                Step(
                    "2.select-type", "Memory is a consumable resource", on: head, consent: Consent.selectType.name,
                    try WorkloadSettingResource(
                        WorkloadSetting("selecttypeparameters", ofWorkloadManager: instance),
                        "BCM's selecttypeparameters of \(instance) contain memory; BCM restarts Slurm when they change",
                        rule: .selectType)),
                Step("2.slurm-conf", "Settings in slurm.conf", on: [controller], SlurmConfFile(instance: instance)),
            ])
    }

    private func restartSection(_ daemon: SlurmRestart.Daemon, on hosts: [Host]) -> PlanSection {
        let isController = daemon == .controller
        return PlanSection(
            number: 2, title: "CPU job statistics: \(daemon.rawValue)",
            purpose: isController
                ? "Plugins are loaded when slurmctld starts, so changed settings need a restart, which jobs survive. "
                    + "slurm.conf(5) wants no job steps running while JobAcctGatherType changes: best is a quiet hour."
                : "slurmd on each node loads the same plugins. It is restarted only where it is older than a change.",
            link: PrincetonPage.link("cgroups"),
            steps: [
                Step(
                    "2.\(daemon.rawValue)", "\(daemon.rawValue) runs with the settings", on: hosts,
                    consent: Consent.slurmRestart.name, SlurmRestart(daemon, instance: configuration.wlmInstance))
            ])
    }

    // MARK: cgroup_exporter

    /// Where several slurmd share a machine, Slurm names its scope for the node, and the exporter must be told.
    private var slurmScopeStep: Step {
        Step(
            "2.scope", "Slurm's cgroups are where the exporter looks", on: dgxNodes,
            CheckResource(
                "Slurm's scope of cgroup v2 has its usual name",
                Command(
                    "sh",
                    [
                        "-c",
                        "for d in /sys/fs/cgroup/system.slice/*slurmstepd.scope; do [ ! -d \"$d\" ] || echo \"$d\"; done",
                    ])
            ) { result in
                let scopes = result.outputText.split(separator: "\n").map { String($0) }
                guard let other = scopes.first, !scopes.contains("/sys/fs/cgroup/system.slice/slurmstepd.scope") else {
                    return .inPlace()
                }
                return .warning(
                    "Slurm's scope is \(other)",
                    remedy: "give cgroup_exporter the flag --path.slurmstepd.scope="
                        + "\(other.dropFirst("/sys/fs/cgroup".count)) with: systemctl edit cgroup_exporter")
            }.independent())
    }

    func cgroupExporterUnit() throws -> UnitFile {
        var arguments = [
            Installed.program(.cgroupExporter), "--web.listen-address=:\(configuration.cgroupExporterPort)",
        ]
        if context.exporterAbilities.cgroupPathsAreGiven { arguments += ["--config.paths", "/slurm"] }
        return .marked([
            .init(
                "Unit",
                [
                    try .init("Description", "Prometheus exporter for the cgroups of Slurm's jobs"),
                    try .init("After", "network.target"),
                ]),
            .init(
                "Service",
                [
                    try .init("User", Installed.user), try .init("Group", Installed.user),
                    try .init("ExecStart", arguments: arguments), try .init("Restart", "on-failure"),
                    try .init("RestartSec", "5"),
                ] + (try Self.exporterProtection())),
            .init("Install", [try .init("WantedBy", "multi-user.target")]),
        ])
    }
}

/// Slurm's SelectTypeParameters (slurm.conf(5)).
enum SelectType {
    /// Whether memory is among what is consumed; otherwise the same with memory.
    static func judge(_ value: String) -> WorkloadSettingResource.Verdict {
        let members = value.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
        if members.contains(where: { $0.lowercased().hasSuffix("_memory") }) { return .good }
        let consumed = ["cr_core": "CR_Core_Memory", "cr_cpu": "CR_CPU_Memory", "cr_socket": "CR_Socket_Memory"]
        guard let index = members.firstIndex(where: { consumed[$0.lowercased()] != nil }) else {
            let others = members.filter { $0.lowercased() != "none" }
            return .set((["CR_Core_Memory"] + others).joined(separator: ","))
        }
        var changed = members
        changed[index] = consumed[members[index].lowercased()] ?? "CR_Core_Memory"
        return .set(changed.joined(separator: ","))
    }
}
