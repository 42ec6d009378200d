/// A service that BCM looks after on a node or on the nodes of a category.
public struct ManagedService: Sendable, Hashable {
    /// The unit's name without `.service`.
    public var name: String
    /// Whether BCM watches it; nil when not shown.
    public var isMonitored: Bool?
    /// Whether BCM starts it when it has stopped; nil when not shown. It would fight a role monitor that stops services.
    public var startsByItself: Bool?

    /// Creates a service.
    public init(_ name: String, isMonitored: Bool? = true, startsByItself: Bool? = false) {
        self.name = name
        self.isMonitored = isMonitored
        self.startsByItself = startsByItself
    }
}

extension Cmsh {
    /// The services that BCM looks after on a node, or on the nodes of a category.
    public func services(of holder: RoleHolder) async throws(BCMError) -> [ManagedService] {
        let table = try await table(try place(holder) + [["list"]])
        return table.rows.compactMap { row in
            guard let name = row["service"] ?? row["name"], !name.isEmpty else { return nil }
            func truth(_ column: String) -> Bool? { row[column].map { ["yes", "on"].contains($0.lowercased()) } }
            return ManagedService(name, isMonitored: truth("monitored"), startsByItself: truth("autostart"))
        }
    }

    /// Has BCM look after a service, commits, and reads it back. A service that is there already is changed.
    public func put(_ service: ManagedService, on holder: RoleHolder) async throws(BCMError) {
        let name = try CmshScript.name(service.name, "service")
        let isThere = try await services(of: holder).contains { $0.name == service.name }
        var commands = try place(holder) + [[isThere ? "use" : "add", name]]
        for (property, value) in [("monitored", service.isMonitored), ("autostart", service.startsByItself)] {
            if let value { commands.append(["set", property, value ? "on" : "off"]) }
        }
        _ = try await run(commands + [["commit"]])
        let shown = try await services(of: holder).first { $0.name == service.name }
        let isSame =
            shown.map { shown in
                (service.isMonitored == nil || shown.isMonitored == service.isMonitored)
                    && (service.startsByItself == nil || shown.startsByItself == service.startsByItself)
            } ?? false
        guard isSame else {
            throw BCMError(
                .refused,
                reason: "after the commit BCM does not show the service \(quoted(service.name)) as it was set",
                remedy: "look at what cmsh lists under services of the \(holder.kind)")
        }
    }

    /// Has BCM forget a service, and commits.
    public func removeService(_ name: String, from holder: RoleHolder) async throws(BCMError) {
        let words = ["remove", try CmshScript.name(name, "service")]
        _ = try await run(try place(holder) + [words, ["commit"]])
    }

    private func place(_ holder: RoleHolder) throws(BCMError) -> [[String]] {
        guard holder.mode != "configurationoverlay" else {
            throw BCMError(
                .invalidConfiguration, reason: "configuration overlays have no services",
                remedy: "use nodes or categories")
        }
        return [[holder.mode], ["services", try CmshScript.name(holder.name, holder.kind)]]
    }
}
