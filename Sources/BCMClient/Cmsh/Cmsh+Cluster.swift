extension Cmsh {
    /// The workload manager instances.
    public func workloadManagers() async throws(BCMError) -> [String] {
        try await table([["wlm"], ["list"]]).rows.compactMap { $0["name"] }.filter { !$0.isEmpty }
    }

    /// A setting of a workload manager instance.
    ///
    /// - Parameters:
    ///   - name: such as `prolog` or `epilogslurmctld`.
    ///   - submode: such as `cgroups`; nil for the instance itself.
    ///   - instance: the instance's name.
    public func setting(
        _ name: String, in submode: String? = nil, ofWorkloadManager instance: String
    ) async throws(BCMError) -> String {
        let place = try Self.place(instance, submode)
        return try await run(place + [["get", try CmshScript.name(name, "setting")]], expectsOutput: true).trimmed
    }

    /// Changes a setting of a workload manager instance, commits, and reads it back.
    ///
    /// Changing `selecttype` or `selecttypeparameters` makes BCM restart Slurm's daemons.
    ///
    /// - Throws: ``BCMError``; ``BCMError/Code/refused`` also when BCM shows another value afterwards.
    public func set(
        _ name: String, to value: String, in submode: String? = nil, ofWorkloadManager instance: String
    ) async throws(BCMError) {
        let manager = CmshObject.workloadManager(instance)
        try await set(name, to: value, of: submode.map { manager.submode($0) } ?? manager)
    }

    /// Every setting of a workload manager instance, by its lower-case name.
    public func settings(
        in submode: String? = nil, ofWorkloadManager instance: String
    ) async throws(BCMError) -> [String: String] {
        let place = try Self.place(instance, submode)
        let table = try await table(place + [["show"]])
        var settings: [String: String] = [:]
        for row in table.rows {
            guard let name = row["parameter"]?.lowercased(), !name.isEmpty else { continue }
            settings[name] = row["value"] ?? ""
        }
        return settings
    }

    static func place(_ instance: String, _ submode: String?) throws(BCMError) -> [[String]] {
        var place = [["wlm"], ["use", try CmshScript.name(instance, "workload manager")]]
        if let submode { place.append([try CmshScript.name(submode, "submode")]) }
        return place
    }

    /// Which head node is active. Without a second head node the list is empty and none is marked.
    public func highAvailability() async throws(BCMError) -> HighAvailability {
        do throws(BCMError) {
            return HighAvailability(cmsh: try await run([["cmha", "status"]], expectsOutput: false))
        } catch {
            let words = [
                "no failover", "not configured", "no secondary", "not set up", "failover is not", "not defined",
            ]
            let reason = error.reason.lowercased()
            guard words.contains(where: { !reason.pieces(between: $0).dropFirst().isEmpty }) else { throw error }
            return HighAvailability(headNodes: [], activeHost: nil)
        }
    }
}

extension HighAvailability {
    /// Reads lines such as `head-a* -> head-b`, where the asterisk marks the active one.
    init(cmsh output: String) {
        var names: [String] = []
        var active: String?
        for line in output.split(whereSeparator: \.isNewline) {
            let sides = line.pieces(between: "->").map(\.trimmed)
            guard sides.count == 2 else { continue }
            for side in sides {
                let word = side.prefix { !$0.isWhitespace }
                let name = word.hasSuffix("*") ? String(word.dropLast()) : String(word)
                guard !name.isEmpty else { continue }
                if word.hasSuffix("*") { active = name }
                if !names.contains(name) { names.append(name) }
            }
        }
        self.init(headNodes: names, activeHost: active)
    }
}
