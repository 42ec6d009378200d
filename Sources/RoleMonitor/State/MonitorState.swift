/// What the monitor keeps over its own restarts. Losing it costs nothing but a few minutes of caution.
package struct MonitorState: Sendable, Hashable, Codable {
    /// The newest form that this version writes and reads.
    package static let version = 1

    /// The form.
    package var version = Self.version
    /// The host name the state was written under.
    package var hostName: String
    /// This machine's hardware addresses, sorted: they tell whether an image brought the state from elsewhere.
    package var machineAddresses: [String]
    /// The boot that retry counters and other times since boot belong to.
    package var bootID: String
    /// The role that BCM once showed for this node, which proves that it shows it.
    package var shownRole: String?
    /// The last certain finding.
    package var settled: Settled?
    /// The last certain finding about each role of additional rules.
    package var otherSettled: [String: Settled] = [:]
    /// The roles of additional rules that BCM once showed for this node.
    package var otherShownRoles: Set<String> = []
    /// The target files that this machine wrote and has not removed.
    package var targets: [WrittenTarget] = []
    /// The units whose start was tried, by name.
    package var retries: [String: UnitRetry] = [:]
    /// How often each unit had fallen over since it was started, when it was last seen running or about to.
    package var crashes: [String: Int] = [:]
    /// When the pause ends, in seconds since 1970; nil while not paused.
    package var pauseEnd: Double?
    /// With trust on first use: the keys of head nodes (`HOST:PORT`).
    package var keys: [String: String] = [:]
    /// When the monitor last restarted itself for a new mount namespace, in seconds since boot.
    package var namespaceRestart: Double?

    /// The last certain finding about the role.
    package struct Settled: Sendable, Hashable, Codable {
        /// Which role.
        package var role: String
        /// Whether the node had it.
        package var isPresent: Bool
        /// BCM's name of the node.
        package var node: String

        package init(role: String, isPresent: Bool, node: String) {
            self.role = role
            self.isPresent = isPresent
            self.node = node
        }
    }

    /// A target file that this machine wrote.
    package struct WrittenTarget: Sendable, Hashable, Codable {
        /// Its directory.
        package var directory: String
        /// BCM's name of the node, which names the file.
        package var name: String
        /// The digest of what this machine wrote.
        package var digest: String

        package init(directory: String, name: String, digest: String) {
            self.directory = directory
            self.name = name
            self.digest = digest
        }
    }

    /// The attempts to start a unit that is not active.
    package struct UnitRetry: Sendable, Hashable, Codable {
        /// How many.
        package var attempts: Int
        /// The last of them, in seconds since boot.
        package var lastAttempt: Double
        /// Whether the unit was given up.
        package var isGivenUp: Bool
        /// When it was last seen that the unit had fallen over and systemd restarts it by itself, in seconds since
        /// boot; nil if it was not.
        package var lastCrash: Double?

        package init(attempts: Int, lastAttempt: Double, isGivenUp: Bool = false, lastCrash: Double? = nil) {
            self.attempts = attempts
            self.lastAttempt = lastAttempt
            self.isGivenUp = isGivenUp
            self.lastCrash = lastCrash
        }
    }

    /// The state of a machine that remembers nothing.
    package init(host: HostIdentity) {
        hostName = host.hostName
        machineAddresses = host.machineAddresses.sorted()
        bootID = host.bootID
    }

    /// Reads a state; members that an earlier version did not write have their defaults.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        version = try values.decode(Int.self, forKey: .version)
        guard version <= Self.version else {
            throw DecodingError.dataCorruptedError(
                forKey: .version, in: values, debugDescription: "a later version of the monitor wrote it")
        }
        hostName = try values.decode(String.self, forKey: .hostName)
        machineAddresses = try values.decode([String].self, forKey: .machineAddresses)
        bootID = try values.decode(String.self, forKey: .bootID)
        shownRole = try values.decodeIfPresent(String.self, forKey: .shownRole)
        settled = try values.decodeIfPresent(Settled.self, forKey: .settled)
        otherSettled = try values.decodeIfPresent([String: Settled].self, forKey: .otherSettled) ?? [:]
        otherShownRoles = try values.decodeIfPresent(Set<String>.self, forKey: .otherShownRoles) ?? []
        targets = try values.decodeIfPresent([WrittenTarget].self, forKey: .targets) ?? []
        retries = try values.decodeIfPresent([String: UnitRetry].self, forKey: .retries) ?? [:]
        crashes = try values.decodeIfPresent([String: Int].self, forKey: .crashes) ?? [:]
        pauseEnd = try values.decodeIfPresent(Double.self, forKey: .pauseEnd)
        keys = try values.decodeIfPresent([String: String].self, forKey: .keys) ?? [:]
        namespaceRestart = try values.decodeIfPresent(Double.self, forKey: .namespaceRestart)
    }

    /// Whether a machine with these addresses wrote the state.
    package func belongs(to host: HostIdentity) -> Bool {
        if machineAddresses.isEmpty { return host.machineAddresses.isEmpty }
        return !host.machineAddresses.isDisjoint(with: machineAddresses)
    }

    /// Whether the role's absence was confirmed earlier for this name of BCM's.
    package func isAbsenceSettled(role: String, node: String) -> Bool {
        settled(role) == Settled(role: role, isPresent: false, node: node)
    }

    /// The last certain finding about a role.
    package func settled(_ role: String) -> Settled? { settled?.role == role ? settled : otherSettled[role] }

    /// Whether BCM once showed a role for this node.
    package func isShown(_ role: String) -> Bool { shownRole == role || otherShownRoles.contains(role) }

    /// Takes over who and where this machine is now; what belongs to an earlier boot is dropped.
    package mutating func adopt(_ host: HostIdentity) {
        hostName = host.hostName
        if !host.machineAddresses.isEmpty { machineAddresses = host.machineAddresses.sorted() }
        if bootID != host.bootID {
            bootID = host.bootID
            retries = [:]
            crashes = [:]
            namespaceRestart = nil
        }
    }
}
