@testable import JobstatsDeploy

/// A slurm.conf keeps every byte that is not changed, and a change does what it says and nothing else.
enum SlurmConfCheck {
    /// The bytes after the first NUL are what every included file holds.
    static func check(_ bytes: [UInt8]) throws -> Bool {
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
        let main = parts.first ?? []
        var conf = SlurmConf(main)
        if parts.count > 1 {
            var files: [String: [UInt8]] = [:]
            for include in conf.includes { files[include.file] = parts[1] }
            conf = SlurmConf(main, included: files)
        }
        try promise(conf.bytes == main, "unchanged, it has other bytes")
        let lines = main.count { $0 == UInt8(ascii: "\n") } + 1
        for entry in conf.entries where entry.file == nil {
            try promise((1...lines).contains(entry.line), "\(entry.key) on line \(entry.line) of \(lines)")
            try promise(
                entry.range.lowerBound >= 0 && entry.range.upperBound <= main.count, "\(entry.key) lies outside")
        }
        _ = (conf.conflicts, conf.isComplete)
        var keys = ["ProctrackType", "Epilog"]
        if let key = conf.entries.first(where: { $0.file == nil })?.key { keys.append(key) }
        for key in keys { try change(key, to: "proctrack/cgroup", in: conf) }
        return !conf.entries.isEmpty
    }

    private static func change(_ key: String, to value: String, in conf: SlurmConf) throws(BrokenPromise) {
        let changed: SlurmConf
        do throws(ResourceError) {
            changed = try conf.setting(key, to: value)
        } catch {
            try promise(conf.entries(of: key).count > 0, "\(key) stands nowhere, and cannot be set: \(error)")
            return
        }
        try promise(changed.value(of: key) == value, "after setting \(key), it is \(changed.value(of: key) as Any)")
        try promise((try? changed.setting(key, to: value).bytes) == changed.bytes, "setting \(key) twice differs")
        func others(_ conf: SlurmConf) -> [[String]] {
            conf.entries.filter { $0.key.lowercased() != key.lowercased() }.map { [$0.key, $0.value, $0.file ?? ""] }
        }
        try promise(others(changed) == others(conf), "setting \(key) changed another key")
        try promise(changed.includes == conf.includes || movesLines(conf, changed), "setting \(key) changed an Include")
        // All bytes but those of the old value are still there, before and behind the new ones.
        let before = zip(conf.bytes, changed.bytes).prefix { $0 == $1 }.count
        let behind = zip(conf.bytes.reversed(), changed.bytes.reversed()).prefix { $0 == $1 }.count
        let old = conf.entries(of: key).first?.range.count ?? 0
        try promise(before + behind >= conf.bytes.count - old, "setting \(key) changed other bytes")
    }

    /// Whether the included files are the same, on other lines.
    private static func movesLines(_ conf: SlurmConf, _ changed: SlurmConf) -> Bool {
        conf.includes.map { [$0.file, "\($0.isKnown)"] } == changed.includes.map { [$0.file, "\($0.isKnown)"] }
    }
}
