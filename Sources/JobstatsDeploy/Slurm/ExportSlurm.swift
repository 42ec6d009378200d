import BCMClient
import CommandExecution

/// What exports do to Slurm: one script with tests of its own, held to the same results as ``SlurmConf``.
enum ExportSlurm {
    static let script = ScriptText(
        "slurm", text(PackageResources.export_slurm_sh),
        running: [
            "setting_program": text(PackageResources.slurm_setting_awk), "replace_script": SlurmConfFile.replaceScript,
            "restart_script": SlurmRestart.script, "set_script": WorkloadSettingResource.script,
        ])

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// slurm.conf with these settings.
    static func conf(_ title: String, _ path: String, _ settings: [SlurmSetting], mark: String) -> ExportAction {
        .script(
            ExportScript(
                title, script, ["conf", path, mark, SlurmPaths.search] + settings.map(\.exportWord),
                timeout: .seconds(120)))
    }

    /// A daemon that runs with them.
    static func restart(
        _ title: String, _ unit: String, _ path: String, _ settings: [SlurmSetting], mark: String
    ) -> ExportAction {
        .script(
            ExportScript(
                title, script, ["restart", unit, path, mark, SlurmPaths.search] + settings.map(\.exportWord),
                timeout: .seconds(300)))
    }

    /// slurmctld runs the epilog that slurm.conf names.
    static func epilogRuns(_ title: String, _ path: String) -> ExportAction {
        .script(
            ExportScript(title, script, ["epilog-runs", path, SlurmPaths.search], timeout: .seconds(180)))
    }

    /// A setting of BCM's, by a rule of the script.
    ///
    /// - Throws: ``BCMError`` for a setting that cmsh cannot be given.
    static func setting(
        _ title: String, _ setting: WorkloadSetting, rule: WorkloadRule, mark: String?
    ) throws(BCMError) -> ExportAction {
        let read = try setting.reading(), write = try setting.writing("PLACEHOLDER")
        let words = [
            "bcm", rule.exportWord, SlurmPaths.configuration(setting.instance), SlurmPaths.search,
            mark ?? "", read.arguments.last ?? "", write.arguments.last ?? "",
            read.executable,
        ]
        return .script(
            ExportScript(title, script, words + read.arguments.dropLast(), timeout: .seconds(240)))
    }
}

/// Which values of a BCM setting are as needed, and what is set in place of others.
enum WorkloadRule: Sendable, Hashable {
    /// It is yes.
    case yes
    /// Memory is among what is consumed.
    case selectType
    /// It is this script, unless another stands there.
    case epilog(String)

    /// Judges the present value, empty where nothing is set.
    func judge(_ value: String) -> WorkloadSettingResource.Verdict {
        switch self {
        case .yes: ["yes", "true", "1"].contains(value.lowercased()) ? .good : .set("yes")
        case .selectType: SelectType.judge(value)
        case .epilog(let script):
            switch value {
            case script: .good
            case "", "none": .set(script)
            default:
                .blocked(
                    "epilogslurmctld is \(value), which is not this deployment's",
                    remedy: EpilogSetting.bothWays(value))
            }
        }
    }

    /// The value that a person would set.
    var proposal: String {
        switch self {
        case .yes: "yes"
        case .selectType: "CR_Core_Memory"
        case .epilog(let script): script
        }
    }

    /// What the exported script calls it.
    var exportWord: String {
        switch self {
        case .yes: "yes"
        case .selectType: "select-type"
        case .epilog(let script): "epilog=\(script)"
        }
    }
}

extension SlurmSetting {
    /// `KEY:KIND:PREFIX:MEMBERS`, as the exported script reads it.
    var exportWord: String { "\(key):\(isList ? "list" : "one"):\(prefix):\(members.joined(separator: ","))" }
}
