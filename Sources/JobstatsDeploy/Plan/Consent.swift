import CommandExecution

/// A consent that `--allow` takes: to disturb running work, to take over what somebody else made, to leave a component
/// out, or to take something away for good.
///
/// ``all`` is the one list of them; the command line, its help and the sections follow it.
public struct Consent: Sendable, Hashable {
    /// The name, as in `--allow NAME`.
    public let name: String
    /// What it allows, in a few words.
    public let meaning: String

    private init(_ name: String, _ meaning: String) {
        self.name = name
        self.meaning = meaning
    }

    /// slurmctld and slurmd may be restarted.
    static let slurmRestart = Consent("slurm-restart", "restart slurmctld and slurmd where they need it")
    /// Memory may become a consumable resource.
    static let selectType = Consent("select-type", "make memory consumable in BCM, which restarts Slurm")
    /// Test jobs may be submitted.
    static let submitJob = Consent("submit-job", "submit a test job")
    /// A removal takes the exporters away.
    static let removeExporters = Consent("remove-exporters", "--uninstall removes the exporters")
    /// A removal leaves the exporters.
    static let keepExporters = Consent("keep-exporters", "--uninstall leaves them running on every node")
    /// A removal takes the samples away.
    static let removeData = Consent("remove-data", "--uninstall removes Prometheus's samples, too")

    /// What may be taken over when somebody else made it.
    static let adoptable = [
        "cgroup_exporter", "nvidia_gpu_exporter", "node_exporter", "prometheus", "grafana", "jobstats-config",
    ]
    /// What may be left out.
    static let skippable = [
        "cgroup_exporter", "nvidia_gpu_exporter", "node_exporter", "prometheus", "grafana", "jobstats",
    ]

    /// Take over what carries this name.
    static func adopt(_ name: String) -> Consent { Consent("adopt-\(name)", "take over a foreign \(name)") }
    /// Leave out what carries this name.
    static func skip(_ name: String) -> Consent { Consent("skip-\(name)", "leave \(name) out") }

    /// Every consent there is, those that disturb first.
    public static let all: [Consent] =
        [slurmRestart, selectType, submitJob, removeExporters, keepExporters, removeData]
        + adoptable.map(adopt) + skippable.map(skip)

    /// Those that an export can wait for: what is left out is decided when it is written, and it takes nothing away.
    static let exported: [Consent] = [slurmRestart, selectType, submitJob] + adoptable.map(adopt)

    /// The list for people, in lines of at most 70 columns: families of names in one line each.
    public static var overview: String {
        let single = all.prefix { !$0.name.hasPrefix("adopt-") }
        let width = (single.map(\.name.count).max() ?? 0) + 2
        var lines = single.map { "\(Words.fit($0.name, width))\($0.meaning)" }
        for (title, prefix, names) in [
            ("take over what somebody else made", "adopt-", adoptable),
            ("leave a component out", "skip-", skippable),
        ] {
            lines.append("\(Words.fit("\(prefix)NAME", width))\(title); NAME is one of")
            lines.append(
                Words.wrap(names.joined(separator: ", "), 70, indent: String(repeating: " ", count: width)))
        }
        return lines.joined(separator: "\n")
    }

    /// Names of which there is no such consent, each with what may have been meant; nil when all are known.
    static func problem(with names: Set<String>) -> String? {
        let known = all.map(\.name)
        let unknown = names.subtracting(known).sorted()
        guard !unknown.isEmpty else { return nil }
        let lines = unknown.map { name in
            let meant = NearestName.find(name, in: known).map { "; did you mean \($0)?" } ?? ""
            return "--allow: there is no consent \(ForeignText.printable(String(name.prefix(80))))\(meant)\n"
        }
        return lines.joined() + "There are:\n"
            + overview.split(separator: "\n").map { "   \($0)" }.joined(separator: "\n")
    }
}
