import CommandExecution

extension JobstatsValidation {
    /// Group 5: what Slurm runs at the beginning and the end of jobs.
    func hookChecks() -> [ValidationCheck] {
        let head = [localHost]
        func script(_ name: String, _ path: String, _ text: String) -> ValidationCheck {
            ValidationCheck(
                "5.\(name)-script", "The script of the \(name)", expected: "\(path), as deployed, executable", on: head,
                FileResource(path, .text(text), mode: 0o755),
                advice: "compare it with section 3 of the document; to replace it (a backup is kept): "
                    + "guided-setup --section 3")
        }
        var checks = [
            script("prolog", SlurmPaths.prolog, SlurmScript.prolog),
            script("epilog", SlurmPaths.epilog, SlurmScript.epilog),
            hook("prolog", SlurmPaths.prologLink, SlurmPaths.prolog),
            hook("epilog", SlurmPaths.epilogLink, SlurmPaths.epilog),
        ]
        if let controller = controllers.first {
            let step = plan.genericHooksStep(on: controller)
            if let resource = step.resource(on: controller) {
                checks.append(
                    ValidationCheck(
                        "5.generic", "Slurm runs BCM's generic prolog and epilog", on: [controller], resource,
                        advice: "look at: scontrol show config | grep -i log"))
            }
        }
        checks += [
            ValidationCheck(
                "5.slurmctld-epilog", "The epilog of slurmctld",
                expected: "\(SlurmPaths.controllerEpilog), as deployed, executable", on: controllers,
                FileResource(SlurmPaths.controllerEpilog, .text(SlurmScript.controllerEpilog), mode: 0o755),
                advice: "compare it with section 5 of the document; to replace it (a backup is kept): "
                    + "guided-setup --section 5"),
            ValidationCheck(
                "5.commands", "Commands of slurmctld's epilog", on: controllers, JobstatsPlan.summaryCommands,
                advice: "guided-setup --section 9"),
            notesCheck,
        ]
        return checks
    }

    /// The link, and what it leads to.
    private func hook(_ name: String, _ link: String, _ script: String) -> ValidationCheck {
        let resource = JobHook(link, runs: script)
        return ValidationCheck(
            "5.\(name)", "The \(name)'s link", expected: "\(link) leads to \(script), which can be run",
            byHand: ["readlink -f \(link)", "test -x \(link) && echo yes"], on: plan.hookHosts,
            asking: { _ in resource.queries },
            judge: { host, facts, _ in ValidationVerdict(resource.assess(facts), advice: Self.repair(3, host)) })
    }

    /// Notes in /run/gpustat that no job can have, and the one that upstream's scripts leave where they found no device.
    private var notesCheck: ValidationCheck {
        let probe = nodeProbe
        return ValidationCheck(
            "5.notes", "Notes about GPUs", expected: "each says job and user; none is called Nodeviceswerefound",
            byHand: ["head /run/gpustat/*"], on: dgxNodes, asking: { _ in probe.queries }
        ) { _, facts, _ in
            guard let answer = probe.answer(facts) else { return Self.cutOff(probe) }
            if answer.notes.keys.contains("Nodeviceswerefound") {
                return .failed(
                    "/run/gpustat/Nodeviceswerefound is there: an older prolog found no MIG device",
                    advice:
                        "on the node: rm /run/gpustat/Nodeviceswerefound; then guided-setup --section 3, whose prolog "
                        + "writes none")
            }
            let odd = answer.notes.filter { note in
                let words = note.value.split(separator: " ")
                return words.count < 2 || words.prefix(2).contains { Int($0) == nil }
            }
            if let note = odd.keys.sorted().first {
                return .warning(
                    "/run/gpustat/\(Words.cut(note, 48)) holds no job and user",
                    advice: "which prolog wrote it? ls /cm/local/apps/slurm/var/prologs")
            }
            return .passed(answer.notes.isEmpty ? "no job has a GPU now" : "\(answer.notes.count) GPUs have jobs")
        }
    }
}
