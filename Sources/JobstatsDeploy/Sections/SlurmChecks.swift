import CommandExecution

extension JobstatsPlan {
    /// What section 1 looks at of Slurm, on the first controller: its present settings, and whether accounting answers.
    /// Both warn only: section 2 changes the settings, and the rest works without accounting.
    func slurmChecks(for sections: Set<Int>) -> [Step] {
        guard let controller = controllers.first, !sections.isDisjoint(with: [2, 3, 5]) else { return [] }
        return [
            Step(
                "1.slurm", "Slurm's present settings", on: [controller],
                SlurmRunningCheck(
                    "Slurm runs with the settings that jobstats needs",
                    SlurmProbe(instance: configuration.wlmInstance), judge: Self.judgeSlurm)),
            Step("1.accounting", "Slurm's accounting", on: [controller], Self.accounting(configuration.wlmInstance)),
        ]
    }

    static func judgeSlurm(_ state: SlurmState) -> Assessment {
        let words = SlurmSetting.needed.map { "\($0.key)=\(state.running($0.key) ?? "(null)")" }
            .joined(separator: ", ")
        let missing = state.notRunning(SlurmSetting.needed)
        guard !missing.isEmpty else { return .inPlace(words) }
        return .warning(
            words,
            remedy:
                "section 2 sets \(missing.map(\.description).joined(separator: ", ")); then Slurm's daemons must be "
                + "restarted (--allow slurm-restart)")
    }

    private static func accounting(_ instance: String) -> ReadableCheck {
        ReadableCheck(
            CheckResource(
                "Slurm's accounting answers",
                Command(
                    "env",
                    [
                        "SLURM_CONF=\(SlurmPaths.configuration(instance))", "PATH=\(SlurmPaths.search)", "timeout",
                        "20",
                        "sacct", "-X", "-n", "-S", "now-1hours",
                    ], timeout: .seconds(25)), judge: judgeAccounting),
            byHand: ["sacct -X -n -S now-1hours"])
    }

    static func judgeAccounting(_ result: CommandResult) -> Assessment {
        if result.succeeded { return .inPlace() }
        let said = (result.outputText + result.errorText).trimmed.split(separator: "\n").last.map { String($0) } ?? ""
        return .warning(
            "sacct ends with \(result.status)" + (said.isEmpty ? "" : ": \(said)"),
            remedy:
                "jobstats reads jobs from Slurm's database: look at slurmdbd, and at AccountingStorageType in slurm.conf"
        )
    }
}
