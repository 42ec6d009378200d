/// What is asked of a list of devices. What is nil does not matter.
public struct DeviceFilter: Sendable, Hashable {
    /// A role that the device has, wherever it comes from.
    public var role: String?
    /// The type, such as `PhysicalNode`; letter case does not count.
    public var type: String?
    /// The category.
    public var category: String?
    /// Names; first labels are compared, letter case aside.
    public var names: [String]?

    /// Creates a filter; without arguments it lets every device pass.
    public init(role: String? = nil, type: String? = nil, category: String? = nil, names: [String]? = nil) {
        self.role = role
        self.type = type
        self.category = category
        self.names = names
    }

    /// Whether a device passes. A device that shows no roles does not pass a filter for one.
    public func admits(_ device: Device) -> Bool {
        admitsWhateverName(device) && (names.map { HostLabel.set($0).contains(HostLabel.of(device.hostname)) } ?? true)
    }

    /// Whether a device passes, its name aside.
    func admitsWhateverName(_ device: Device) -> Bool {
        (role.map { (device.roles ?? []).contains($0) } ?? true)
            && (type.map { $0.lowercased() == device.type?.lowercased() } ?? true)
            && (category.map { $0 == device.category } ?? true)
    }
}

/// First labels of host names in lower case.
enum HostLabel {
    static func of(_ name: String) -> String { firstLabel(name.lowercased()).description }
    static func set(_ names: [String]) -> Set<String> { Set(names.map(of)) }
}

/// Who knows the devices of a cluster: BCM's REST interface or its shell. Both give the same answers, as far as the site lets REST show
/// roles that come from overlays and categories.
public protocol ClusterDirectory: Sendable {
    /// The devices that pass a filter, in BCM's order. Their status is not asked for and may be nil.
    ///
    /// - Throws: ``BCMError``; ``BCMError/Code/notUnderstood`` when a role is asked for and no device shows any, since nothing is known
    ///   then.
    func clusterDevices(_ filter: DeviceFilter) async throws(BCMError) -> [ClusterDevice]

    /// The names of the roles in force on a device, in alphabetical order; nil when none are shown, which is not always the
    /// same as having none.
    ///
    /// - Throws: ``BCMError``; ``BCMError/Code/notFound`` when BCM knows no such device.
    func roleNames(of hostname: String) async throws(BCMError) -> [String]?

    /// The states of nodes, in BCM's order; of all devices when none are named. Names that BCM does not know are absent.
    func nodeStatuses(of nodes: NodeRange?) async throws(BCMError) -> [NodeStatus]
}

extension RESTClient: ClusterDirectory {
    /// The devices that pass a filter, without their status.
    public func clusterDevices(_ filter: DeviceFilter = DeviceFilter()) async throws(BCMError) -> [ClusterDevice] {
        try await devices(matching: filter).map { device in
            ClusterDevice(
                hostname: device.hostname, type: device.type, ip: device.ip, mac: device.mac,
                category: device.category.flatMap { $0.isEmpty ? nil : $0 })
        }
    }

    /// The devices that pass a filter.
    ///
    /// - Throws: ``BCMError``; ``BCMError/Code/notUnderstood`` when a role is asked for and no device shows any.
    public func devices(
        matching filter: DeviceFilter, at headNode: HeadNode? = nil
    ) async throws(BCMError) -> [Device] {
        let lookup = try await lookUp(filter.names, at: headNode)
        if let role = filter.role, lookup.deviceCount > 0, lookup.devicesShowingRoles == 0 {
            throw BCMError(
                .notUnderstood, at: lookup.headNode,
                reason: "BCM shows no roles at all, so that nothing is known of the role \(quoted(role))",
                remedy: "use a certificate whose profile sees roles, or ask cmsh")
        }
        return lookup.matches.filter(filter.admitsWhateverName)
    }

    /// The names of the roles that are shown for a device.
    public func roleNames(of hostname: String) async throws(BCMError) -> [String]? {
        guard let device = try await lookUp([hostname]).matches.first else {
            throw BCMError(
                .notFound, reason: "BCM lists no device \(quoted(hostname))",
                remedy: "compare with BCM's list of devices")
        }
        return device.roles?.sorted()
    }

    /// The states of nodes.
    public func nodeStatuses(of nodes: NodeRange? = nil) async throws(BCMError) -> [NodeStatus] {
        try await status(of: nodes)
    }
}

extension Cmsh: ClusterDirectory {
    /// The devices that pass a filter.
    public func clusterDevices(_ filter: DeviceFilter = DeviceFilter()) async throws(BCMError) -> [ClusterDevice] {
        var selection = Selection.all
        if let role = filter.role { selection = selection.and(.role(role)) }
        if let category = filter.category {
            // cmsh has an error for a category that does not exist, where nothing is asked of an empty list.
            guard try await categories().contains(category) else { return [] }
            selection = selection.and(.category(category))
        }
        let wanted = filter.names.map(HostLabel.set)
        return try await devices(selection).filter { device in
            (filter.type.map { $0.lowercased() == device.type?.lowercased() } ?? true)
                && (wanted.map { $0.contains(HostLabel.of(device.hostname)) } ?? true)
        }
    }

    /// The names of the roles in force on a device: those with a priority of -1 are left out.
    public func roleNames(of hostname: String) async throws(BCMError) -> [String]? {
        let name = firstLabel(hostname).description
        let roles = try await roles(of: name).filter { $0.priority.map { $0 >= 0 } ?? true }
        let names = Set(roles.map(\.name)).sorted()
        return names.isEmpty ? nil : names
    }

    /// The states of nodes.
    public func nodeStatuses(of nodes: NodeRange? = nil) async throws(BCMError) -> [NodeStatus] {
        let wanted = nodes.map { HostLabel.set($0.names) }
        let table = try await table([["device"], ["list", "-f", "hostname,status"]])
        return table.rows.compactMap { row in
            guard let name = row["hostname"], !name.isEmpty, let status = row["status"],
                wanted.map({ $0.contains(HostLabel.of(name)) }) ?? true
            else { return nil }
            return NodeStatus(hostname: name, state: NodeState(status))
        }
    }
}
