import CommandExecution
import ServiceManager

extension JobstatsPlan {
    /// Section 3: which job has which GPU, and nvidia_gpu_exporter on each DGX node.
    ///
    /// Two parts: the scripts on shared storage, written once, and what each host gets.
    func gpuStatisticsSections() throws -> [PlanSection] {
        let scripts = PlanSection(
            number: 3, title: "GPU job statistics: prolog and epilog",
            purpose: "A GPU does not know which job uses it. At the start of each job a prolog notes job and user for "
                + "each of its GPUs (or slices of GPUs, MIG) in /run/gpustat on the node, and an epilog takes the note "
                + "away. The two scripts are on shared storage, written once.",
            link: PrincetonPage.link("gpu_node_scripts"),
            steps: [
                Step(
                    "3.scripts", "Directory of the scripts", on: [context.localHost],
                    PresentDirectory(SlurmPaths.scripts)),
                Step(
                    "3.prolog", "Prolog", on: [context.localHost],
                    FileResource(SlurmPaths.prolog, .text(SlurmScript.prolog), mode: 0o755, keepsBackup: true)),
                Step(
                    "3.epilog", "Epilog", on: [context.localHost],
                    FileResource(SlurmPaths.epilog, .text(SlurmScript.epilog), mode: 0o755, keepsBackup: true)),
            ])
        let unit = OwnedUnitFile(
            "nvidia_gpu_exporter.service", try nvidiaGPUExporterUnit(),
            isAdopted: context.adopts("nvidia_gpu_exporter"))
        var steps = hookSteps
        if let controller = controllers.first { steps.append(genericHooksStep(on: controller)) }
        steps += exporterSteps(
            3, .nvidiaGPUExporter, unit, port: configuration.nvidiaGPUExporterPort, metric: "nvidia_gpu_",
            further: { [deviceOrderStep] })
        let nodes = PlanSection(
            number: 3, title: "GPU job statistics: hooks and nvidia_gpu_exporter",
            purpose: "BCM's generic prolog and epilog run what is linked into their folders on each node. "
                + "nvidia_gpu_exporter tells Prometheus what each GPU does, with the job and user of the note. "
                + exporterPolicy(.nvidiaGPUExporter),
            link: PrincetonPage.link("gpu_node_scripts"), steps: steps,
            notes: "nvidia_gpu_exporter is scraped by Prometheus alone: until July 2026 its code for GPU Performance "
                + "Monitoring could stop the kernel when two clients asked at once. It is switched off "
                + "(`-disable.gpm`) wherever the program has it.\n")
        return [scripts, nodes]
    }

    // MARK: Hooks

    /// Every host that may run a prolog: DGX nodes above all.
    var hookHosts: [Host] {
        var seen = Set<Host>()
        let all = dgxNodes + controllers + [context.localHost] + context.hosts(configuration.systems.loginNodes)
        return all.filter { seen.insert($0).inserted }
    }

    private var hookSteps: [Step] {
        [
            Step(
                "3.prolog-link", "Prolog linked for BCM's generic prolog", on: hookHosts,
                JobHook(SlurmPaths.prologLink, runs: SlurmPaths.prolog)),
            Step(
                "3.epilog-link", "Epilog linked for BCM's generic epilog", on: hookHosts,
                JobHook(SlurmPaths.epilogLink, runs: SlurmPaths.epilog)),
        ]
    }

    /// Without BCM's generic scripts nobody runs what is linked.
    func genericHooksStep(on controller: Host) -> Step {
        let probe = SlurmProbe(instance: configuration.wlmInstance)
        return Step(
            "3.generic-hooks", "Slurm runs BCM's generic prolog and epilog", on: [controller],
            SlurmRunningCheck("slurmctld runs with BCM's generic prolog and epilog", probe) { state in
                let wanted = [("Prolog", SlurmPaths.genericProlog), ("Epilog", SlurmPaths.genericEpilog)]
                // Later versions number the values: Prolog[0].
                let missing = wanted.filter { key, path in
                    let names = [key] + (0..<8).map { "\(key)[\($0)]" }
                    return !names.contains { state.running($0)?.contains(path) == true }
                }
                guard !missing.isEmpty else { return .inPlace() }
                return .warning(
                    missing.map { "\($0.0) is \(state.running($0.0) ?? state.running("\($0.0)[0]") ?? "not set")" }
                        .joined(separator: ", "),
                    remedy: "what is linked on the nodes runs only through \(SlurmPaths.genericProlog) and "
                        + "\(SlurmPaths.genericEpilog): set them, or have yours run the scripts in \(SlurmPaths.scripts)"
                )
            })
    }

    /// The driver counts GPUs by PCI address, Slurm without AutoDetect by device file.
    private var deviceOrderStep: Step {
        Step(
            "3.device-order", "Slurm and the driver count GPUs alike", on: dgxNodes,
            ReadableCheck(
                CheckResource(
                    "each GPU's ordinal is its minor number, or gres.conf has AutoDetect=nvml",
                    Command(
                        "sh",
                        ["-c", DeviceOrder.script, "sh", "\(SlurmPaths.folder(configuration.wlmInstance))/gres.conf"],
                        timeout: .seconds(20)), judge: DeviceOrder.judge
                ).independent(),
                byHand: [
                    "grep 'Device Minor' /proc/driver/nvidia/gpus/*/information",
                    "grep -i autodetect /etc/slurm/gres.conf",
                ]))
    }

    // MARK: nvidia_gpu_exporter

    func nvidiaGPUExporterUnit() throws -> UnitFile {
        let abilities = context.exporterAbilities
        let arguments =
            [Installed.program(.nvidiaGPUExporter), "-web.listen-address=:\(configuration.nvidiaGPUExporterPort)"]
            + (abilities.gpmCanBeDisabled ? ["-disable.gpm"] : [])
        // The driver's library, which the program loads, may want memory that is both written and run.
        let protection = try Self.exporterProtection().filter { $0.name != "MemoryDenyWriteExecute" }
        return .marked([
            .init(
                "Unit",
                [
                    try .init("Description", "Prometheus exporter for NVIDIA GPUs and the jobs that have them"),
                    try .init("After", "network.target nvidia-persistenced.service"),
                ]),
            .init(
                "Service",
                [
                    try .init("User", Installed.user), try .init("Group", Installed.user),
                    try .init("ExecStart", arguments: arguments), try .init("Restart", "on-failure"),
                    try .init("RestartSec", "5"),
                ] + protection),
            .init("Install", [try .init("WantedBy", "multi-user.target")]),
        ])
    }
}

/// Whether the numbers that Slurm gives GPUs are the driver's.
enum DeviceOrder {
    /// Arguments: gres.conf. Gives `autodetect` or not, then the minor numbers in the order of PCI addresses, which is
    /// the driver's order.
    static let script = """
        for file in "$1" /etc/slurm/gres.conf; do
            [ -r "$file" ] && grep -qiE '^[^#]*AutoDetect[[:space:]]*=[[:space:]]*nvml' "$file" && echo autodetect && break
        done
        for file in /proc/driver/nvidia/gpus/*/information; do
            [ -r "$file" ] && sed -n 's/^Device Minor:[[:space:]]*/minor /p' "$file"
        done
        exit 0
        """

    static func judge(_ result: CommandResult) -> Assessment {
        let lines = result.outputText.split(separator: "\n").map { String($0).trimmed }
        let minors = lines.filter { $0.hasPrefix("minor ") }.compactMap { Int($0.dropFirst(6)) }
        guard result.succeeded, !minors.isEmpty else {
            return .warning(
                "the driver shows no GPU here", remedy: "look at: ls /proc/driver/nvidia/gpus; nvidia-smi -L")
        }
        if lines.contains("autodetect") { return .inPlace("\(minors.count) GPUs, AutoDetect=nvml") }
        let wrong = minors.enumerated().filter { $0.offset != $0.element }
        guard let first = wrong.first else { return .inPlace("\(minors.count) GPUs in the order of their devices") }
        return .warning(
            "\(wrong.count) of \(minors.count) GPUs have another number than their device: GPU \(first.offset) is "
                + "/dev/nvidia\(first.element)",
            remedy:
                "statistics would go to the wrong jobs: set AutoDetect=nvml in gres.conf, or list the devices there "
                + "in the driver's order")
    }
}
