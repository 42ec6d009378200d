/// A setting of slurm.conf that jobstats needs, and which values satisfy it.
struct SlurmSetting: Sendable, Hashable {
    let key: String
    let prefix: String
    let members: [String]
    let isList: Bool

    /// A key with one value, such as `proctrack/cgroup`; Slurm takes it with or without the part before the slash.
    static func plugin(_ key: String, _ prefix: String, _ name: String) -> SlurmSetting {
        SlurmSetting(key: key, prefix: prefix, members: [name], isList: false)
    }

    /// A key with a list that must hold these, among others and in any order.
    static func list(_ key: String, _ members: [String], prefix: String = "") -> SlurmSetting {
        SlurmSetting(key: key, prefix: prefix, members: members, isList: true)
    }

    /// The settings of Princeton's page on CPU job statistics, and the GPUs in the accounting.
    static let needed: [SlurmSetting] = [
        .plugin("JobAcctGatherType", "jobacct_gather/", "cgroup"), .plugin("ProctrackType", "proctrack/", "cgroup"),
        .list("TaskPlugin", ["affinity", "cgroup"], prefix: "task/"), .list("AccountingStorageTRES", ["gres/gpu"]),
    ]

    /// The value where there is none yet.
    var standard: String { members.map { prefix + $0 }.joined(separator: ",") }

    /// `ProctrackType=proctrack/cgroup`, or `TaskPlugin containing affinity and cgroup`.
    var description: String {
        isList ? "\(key) containing \(members.joined(separator: " and "))" : "\(key)=\(standard)"
    }

    func isSatisfied(by value: String?) -> Bool {
        let present = Set(names(value))
        return isList ? present.isSuperset(of: members) : present == Set(members)
    }

    /// The value to write in place of another: what is there stays, in its order, and what is missing is added.
    func wanted(insteadOf value: String?) -> String {
        let present = Self.parts(value).filter { bare($0) != "none" }
        guard isList, !present.isEmpty else { return standard }
        let names = Set(present.map(bare))
        let usesPrefix = prefix.isEmpty || present.contains { $0.lowercased().hasPrefix(prefix) }
        let missing = members.filter { !names.contains($0) }.map { usesPrefix ? prefix + $0 : $0 }
        return (present + missing).joined(separator: ",")
    }

    private func names(_ value: String?) -> [String] { Self.parts(value).map(bare) }

    private func bare(_ part: String) -> String {
        let part = part.lowercased()
        return part.hasPrefix(prefix) ? String(part.dropFirst(prefix.count)) : part
    }

    private static func parts(_ value: String?) -> [String] {
        guard let value, value != "(null)" else { return [] }
        return value.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
    }
}
