import CommandExecution

/// A daemon of Slurm that runs with the settings as they are written.
///
/// Whether a restart is needed follows from facts: the daemon is older than the last change that this deployment made,
/// or, for slurmctld, what it says it runs with differs from the file. A node without the daemon needs none. Jobs
/// survive a restart; slurm.conf(5) nevertheless wants no job steps running when JobAcctGatherType changes.
struct SlurmRestart: Resource {
    /// Which daemon.
    enum Daemon: String, Sendable {
        /// On the controllers.
        case controller = "slurmctld"
        /// On the nodes.
        case node = "slurmd"
    }

    let daemon: Daemon
    let instance: String
    let settings: [SlurmSetting]
    private let mark: String

    init(
        _ daemon: Daemon, instance: String, settings: [SlurmSetting] = SlurmSetting.needed,
        mark: String = SlurmPaths.changeMark
    ) {
        self.daemon = daemon
        self.instance = instance
        self.settings = settings
        self.mark = mark
    }

    private var probe: SlurmProbe { SlurmProbe(instance: instance) }
    private var unit: String { "\(daemon.rawValue).service" }

    var summary: String { "\(unit) runs with the settings of slurm.conf" }
    var queries: [Query] { [.unit(unit), .file(mark)] + (daemon == .controller ? [.command(probe.command)] : []) }

    func assess(_ facts: Facts) -> Assessment {
        guard let unit = facts.unit(unit), let mark = facts.file(mark) else { return .unknown(self.unit) }
        var reasons: [String] = []
        if unit.isRunning, mark.kind != .missing {
            guard let started = unit.started else { return .unknown("when \(self.unit) was started") }
            if started < mark.changed { reasons.append("\(self.unit) was started before the settings changed") }
        }
        guard daemon == .controller else {
            if !unit.isRunning { return .inPlace("\(self.unit) does not run here") }
            return reasons.isEmpty ? .inPlace("\(self.unit) runs with the present settings") : .differs(reasons)
        }
        guard let state = probe.state(facts) else { return .unknown("what \(self.unit) runs with") }
        guard unit.isRunning else {
            return .warning(
                "\(self.unit) does not run here", remedy: "start it, if this is a controller: systemctl start slurmctld"
            )
        }
        let stale = state.notRunning(settings)
        if state.running != nil, !stale.isEmpty {
            // A restart helps when the file says what is needed; otherwise something must happen to the file first.
            let missing = stale.filter { state.conf?.value(of: $0.key).map($0.isSatisfied) != true }
            if !missing.isEmpty, reasons.isEmpty {
                return .blocked(
                    "slurm.conf does not say " + missing.map(\.description).joined(separator: ", "),
                    remedy: "bring the step on slurm.conf about first")
            }
            reasons += stale.map { "slurmctld runs with \($0.key)=\(state.running($0.key) ?? "(null)")" }
        }
        if !reasons.isEmpty {
            if state.jobs > 0 { reasons.append("\(state.jobs) jobs run now") }
            return .differs(reasons)
        }
        guard state.running != nil else {
            return .blocked(
                "slurmctld gives no answer: \(state.silence)", remedy: "look at: scontrol ping; journalctl -u slurmctld"
            )
        }
        return .inPlace("slurmctld runs with the settings")
    }

    func changes(from facts: Facts) -> [Command] {
        [
            Command(
                "sh",
                [
                    "-c", Self.script, "sh", unit, mark, isMarkedOlder(facts) ? "no" : "yes", probe.path,
                    SlurmPaths.search,
                ],
                timeout: .seconds(240))
        ]
    }

    /// Whether the mark already says that daemons of this age must be restarted.
    private func isMarkedOlder(_ facts: Facts) -> Bool {
        guard let started = facts.unit(unit)?.started, let mark = facts.file(mark) else { return false }
        return mark.kind != .missing && started < mark.changed
    }

    /// Arguments: unit, mark, whether to set the mark (the settings take effect now, and each node's daemon is older),
    /// slurm.conf, PATH. The mark's time is the file server's: a clock that is behind it is waited for.
    static let script = """
        unit=$1 mark=$2 sets=$3 SLURM_CONF=$4 PATH=$5
        export SLURM_CONF PATH
        [ "$sets" = no ] || { mkdir -p -m 0755 -- "${mark%/*}" && touch -- "$mark"; } || exit 1
        changed=$(stat -c %Z -- "$mark") || exit 1
        tries=0
        while [ "$(date +%s)" -le "$changed" ] && [ "$tries" -lt 60 ]; do
            tries=$((tries + 1))
            sleep 0.5
        done
        systemctl reset-failed -- "$unit" 2>/dev/null
        if systemctl restart -- "$unit"; then
            [ "$unit" = slurmctld.service ] || exit 0
            tries=0
            while [ "$tries" -lt 60 ]; do
                timeout 15 scontrol show config >/dev/null 2>&1 && exit 0
                systemctl is-active --quiet -- "$unit" || break
                tries=$((tries + 1))
                sleep 1
            done
        fi
        echo "$unit does not come back; the earlier slurm.conf lies beside the present one as slurm.conf.bcm-jobstats-DATE" >&2
        journalctl --no-pager -q -n 12 -o cat -u "$unit" >&2
        exit 1
        """

    var exportActions: [ExportAction] { [ExportSlurm.restart(summary, unit, probe.path, settings, mark: mark)] }

    var instructions: Instructions {
        Instructions(
            commands: ["squeue -t running  # best when no job runs", "systemctl restart \(daemon.rawValue)"],
            verification: [
                daemon == .controller && !settings.isEmpty
                    ? "scontrol show config | grep -iE '^(\(settings.map(\.key).joined(separator: "|")))'"
                    : "systemctl status \(daemon.rawValue)"
            ])
    }
}
