package import PromTargets
package import ServiceManager

/// What one check saw.
package struct Observation: Sendable {
    /// This node.
    package var host: HostIdentity
    /// What BCM says.
    package var role: RoleFinding
    /// What BCM says about the roles of additional rules; one that is not here is unknown.
    package var otherRoles: [String: RoleFinding] = [:]
    /// Former names of this node that BCM still lists, with the hardware address shown; nil when it cannot be told.
    package var listed: [String: String?]?
    /// The exporters' units.
    package var units: Units
    /// BCM's name of the node where the state does not tell it, asked for a pause.
    package var name: String?
    /// Whether the monitor is taken out of service, so that the node rests whatever its role is.
    package var isRetiring = false

    /// What is known of the units.
    package enum Units: Sendable {
        /// They were not looked at: nothing depends on them.
        case notAsked
        /// Their states.
        case known([UnitName: UnitStatus])
        /// systemd gave no answer.
        case failed(ServiceError)
    }

    package init(host: HostIdentity, role: RoleFinding, listed: [String: String?]? = nil, units: Units) {
        self.host = host
        self.role = role
        self.listed = listed
        self.units = units
    }
}

/// One thing to do.
package enum Action: Sendable, Hashable {
    /// Start a unit, for the n-th time in a row; forget its failures first where systemd would refuse otherwise.
    case start(UnitName, attempt: Int, resetsFailures: Bool)
    /// Stop a unit.
    case stop(UnitName)
    /// Make a target file hold these groups. Of those that are kept only, each stands in it if it does already: it
    /// cannot be told whether their role is there.
    case writeTarget(TargetFile, [TargetGroup], keptOnly: [TargetGroup] = [])
    /// Make a target file not exist. With a digest, only if it holds just what this machine wrote.
    case removeTarget(TargetFile, onlyIf: String?)

    /// The action in words, for a dry run.
    package var words: String {
        switch self {
        case .start(let unit, let attempt, _): "start \(unit)" + (attempt > 1 ? " (attempt \(attempt))" : "")
        case .stop(let unit): "stop \(unit)"
        case .writeTarget(let file, let groups, _):
            "make \(file.path) hold \(groups.flatMap(\.targets).joined(separator: ", ")), unless it does"
        case .removeTarget(let file, nil): "remove \(file.path), if it exists"
        case .removeTarget(let file, .some):
            "remove \(file.path), which this machine wrote under its former name, if nobody changed it"
        }
    }
}

/// A target file: its directory, and BCM's name of the node.
package struct TargetFile: Sendable, Hashable {
    package var directory: String
    package var name: String

    package init(directory: String, name: String) {
        self.directory = directory
        self.name = name
    }

    /// The file's path.
    package var path: String { "\(directory)/\(name).json" }
}

/// Something an operator should read, once for as long as it lasts.
package enum Remark: Sendable, Hashable {
    /// The unit does not exist.
    case missing(UnitName)
    /// The unit is masked.
    case masked(UnitName)
    /// The unit is neither up nor down, and was waited for.
    case unsettled(UnitName, String)
    /// The unit falls over and systemd restarts it by itself, so often by now; it runs at the moment or does not.
    case restarting(UnitName, crashes: Int, isActive: Bool)
    /// The unit is down and its next start is not due yet, this many seconds.
    case waiting(UnitName, seconds: Int)
    /// The unit has just been given up after so many attempts.
    case givenUp(UnitName, attempts: Int)
    /// No target file can be made for this name.
    case noTarget(String)
}

/// What is to become of the node.
package enum Goal: Sendable, Hashable {
    /// The exporters run and the target file exists.
    case run(node: String)
    /// They do not. `node` is BCM's name of it, as far as known.
    case rest(node: String?)
    /// Everything stays as it is.
    case leave
}

/// What follows from an observation.
package struct Decision: Sendable {
    /// What is to become of the node by the rule of the jobstats exporters.
    package var goal: Goal
    /// The same by the additional rules, by role.
    package var otherGoals: [String: Goal] = [:]
    /// What to do, in this order.
    package var actions: [Action]
    /// What to tell.
    package var remarks: [Remark]
    /// The state to keep, if all of that is done.
    package var state: MonitorState
}
