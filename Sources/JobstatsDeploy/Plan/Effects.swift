package import CommandExecution

/// What changing a resource touches on its host.
package struct Effects: Sendable, Hashable {
    /// Files, directories and links, by their absolute paths.
    package var paths: Set<String>
    /// Units that are started, stopped or restarted.
    package var units: Set<String>
    /// Whether other hosts may see of it more than its paths on shared storage, such as a service of a unit.
    package var servesOthers: Bool

    package init(paths: Set<String> = [], units: Set<String> = [], servesOthers: Bool = false) {
        self.paths = paths
        self.units = units
        self.servesOthers = servesOthers
    }

    /// Whether other hosts, which share storage and services with this one, see nothing of it.
    package var staysOnHost: Bool { !servesOthers && sharedPaths.isEmpty }

    /// What lies on storage that other hosts may share.
    package var sharedPaths: Set<String> { paths.filter { !Self.isLocal($0) } }

    package mutating func formUnion(_ other: Effects) {
        paths.formUnion(other.paths)
        units.formUnion(other.units)
        servesOthers = servesOthers || other.servesOthers
    }

    /// Whether a unit, or one of its files, is among what is touched.
    package func touches(unit name: String) -> Bool {
        units.contains(name) || paths.contains { $0.hasSuffix("/\(name)") || $0.contains("/\(name).d/") }
    }

    /// Where each host has files of its own. Even where one of these is shared, every host's change there is the same,
    /// and each looks again after its own.
    private static let localFolders = ["/etc/", "/usr/local/", "/var/lib/", "/cm/local/", "/run/"]

    private static func isLocal(_ path: String) -> Bool { localFolders.contains { path.hasPrefix($0) } }
}

/// A resource of which it is known what its changes touch. Of any other they may touch everything, on all hosts.
package protocol BoundedResource: Resource {
    var effects: Effects { get }
}

/// A resource that can be judged and changed before the effects of earlier steps were seen, from what is known of the
/// time before them: so it goes along in their round trip. What came of it is looked at afterwards like everything.
package protocol FollowingResource: Resource {
    /// Judges what will be when these effects have come about.
    func assess(_ facts: Facts, after effects: Effects) -> Assessment
    /// What brings it about then.
    func changes(from facts: Facts, after effects: Effects) throws(ResourceError) -> [Command]
}

extension FileResource: BoundedResource {
    package var effects: Effects { Effects(paths: [path]) }
}

extension DirectoryResource: BoundedResource {
    package var effects: Effects { Effects(paths: [path]) }
}

extension LinkResource: BoundedResource {
    package var effects: Effects { Effects(paths: [path]) }
}

extension UserResource: BoundedResource {
    package var effects: Effects { Effects() }
}

extension RetiredFileResource: BoundedResource {
    package var effects: Effects { Effects(paths: [path]) }
}

extension ProgramResource: BoundedResource {
    package var effects: Effects { Effects(paths: [path]) }
}

extension OwnedUnitFile: BoundedResource {
    package var effects: Effects { Effects(paths: [path]) }
}

/// It leaves the unit as it was found, but for when it ran last.
extension SelfTest: BoundedResource {
    package var effects: Effects { Effects(units: [unit]) }
}

extension UnitResource: BoundedResource {
    package var effects: Effects { Effects(units: [name], servesOthers: servesOthers) }
}
