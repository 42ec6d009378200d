import BCMClient
import CommandExecution

extension JobstatsValidation {
    /// Group 6: BCM's settings of Slurm, from which BCM writes slurm.conf and cgroup.conf.
    func workloadChecks() throws -> [ValidationCheck] {
        let instance = configuration.wlmInstance
        func constraint(_ name: String) throws -> ValidationCheck {
            try workloadCheck(
                "6.\(name)", "BCM's \(name)", expected: "yes",
                WorkloadSetting(name, in: "cgroups", ofWorkloadManager: instance)
            ) { value in
                switch WorkloadRule.yes.judge(value) {
                case .good: .passed(value)
                default:
                    .failed(
                        "\(name) is \(Self.shown(value)): jobs are not held to what they asked for",
                        advice: "guided-setup --section 2")
                }
            }
        }
        func hook(_ name: String, _ script: String) throws -> ValidationCheck {
            try workloadCheck(
                "6.\(name)", "BCM's \(name)", expected: "\(script), or one that runs what is linked on the nodes",
                WorkloadSetting(name, ofWorkloadManager: instance)
            ) { value in
                if value == script { return .passed(value) }
                let command = "cmsh -c 'wlm; use \(instance); set \(name) \(script); commit'"
                guard value.isEmpty || value == "none" || value.hasPrefix("/") else {
                    return .unseen("cmsh gave no path: \(Self.shown(value))", advice: "look at: cmsh -c 'wlm; list'")
                }
                return value.isEmpty || value == "none"
                    ? .failed("\(name) is not set: what is linked on the nodes does not run", advice: command)
                    : .warning(
                        "\(name) is \(Self.shown(value))",
                        advice: "does it run the scripts in \(SlurmPaths.scripts)? otherwise: \(command)")
            }
        }
        return [
            try hook("prolog", SlurmPaths.genericProlog), try hook("epilog", SlurmPaths.genericEpilog),
            try epilogCheck(), try constraint("constraincores"), try constraint("constrainramspace"),
            try workloadCheck(
                "6.selecttypeparameters", "BCM's selecttypeparameters", expected: "memory is among what jobs consume",
                WorkloadSetting("selecttypeparameters", ofWorkloadManager: instance)
            ) { value in
                guard case .set(let wanted) = SelectType.judge(value) else { return .passed(value) }
                return .warning(
                    "\(Self.shown(value)): memory is not tracked",
                    advice: "\(wanted) would track it, and changes how jobs are placed; BCM restarts Slurm for it: "
                        + "guided-setup --section 2 --allow select-type")
            },
        ]
    }

    static func shown(_ value: String) -> String {
        value.isEmpty ? "not set" : Words.cut(ForeignText.printable(value), 120)
    }

    private func workloadCheck(
        _ id: String, _ title: String, expected: String, _ setting: WorkloadSetting,
        judge: @escaping @Sendable (String) -> ValidationVerdict
    ) throws -> ValidationCheck {
        let read = try setting.reading()
        return ValidationCheck(
            id, title, expected: expected, byHand: [read.description], on: [localHost],
            asking: { _ in [.command(read)] },
            judge: { _, facts, _ in Self.judgeSetting(facts.result(read), setting, judge) })
    }

    /// An answer that cmsh did not give is no value.
    static func judgeSetting(
        _ result: CommandResult?, _ setting: WorkloadSetting, _ judge: (String) -> ValidationVerdict
    ) -> ValidationVerdict {
        guard let result else { return .unseen("cmsh was not asked", advice: "look at: cmsh -c 'wlm; list'") }
        do throws(BCMError) {
            return judge(try setting.value(result))
        } catch {
            return .unseen(
                Words.cut(ForeignText.printable(error.reason), 240),
                advice: "is wlm_instance (\(setting.instance)) the name that BCM has? cmsh -c 'wlm; list'; is BCM up? "
                    + "systemctl status cmd")
        }
    }

    /// Another epilog is as good when it runs ours.
    private func epilogCheck() throws -> ValidationCheck {
        let setting = WorkloadSetting("epilogslurmctld", ofWorkloadManager: configuration.wlmInstance)
        let resource = try EpilogSetting(instance: configuration.wlmInstance)
        let read = try setting.reading()
        return ValidationCheck(
            "6.epilogslurmctld", "BCM's epilogslurmctld",
            expected: "\(SlurmPaths.controllerEpilog), or one that runs it",
            byHand: [read.description], on: controllers.isEmpty ? [] : [localHost],
            asking: { _ in resource.queries + [.command(read)] }
        ) { _, facts, _ in
            Self.judgeSetting(facts.result(read), setting) { _ in
                ValidationVerdict(resource.assess(facts), advice: "guided-setup --section 5")
            }
        }
    }
}
