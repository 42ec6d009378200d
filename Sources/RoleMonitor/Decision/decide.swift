internal import FoundationEssentials
internal import ServiceManager
internal import PromTargets

/// Decides what to do. It depends on its arguments alone and changes nothing.
///
/// Unknown changes nothing: without a certain finding there is no action, unless the monitor is paused.
package func decide(
    _ observation: Observation, _ state: MonitorState, _ configuration: MonitorConfiguration, now: Moment
) -> Decision {
    var state = state
    state.adopt(observation.host)
    if let end = state.pauseEnd, end <= now.wall || observation.isRetiring { state.pauseEnd = nil }
    let goal = settle(observation, &state, configuration)
    var decision = Decision(goal: goal, actions: [], remarks: [], state: state)
    if configuration.managesServices { decision.decideServices(observation, configuration, now) }
    if configuration.managesTargets { decision.decideTargets(observation, configuration) }
    return decision
}

/// Takes the finding over into the state and says what is to become of the node.
private func settle(
    _ observation: Observation, _ state: inout MonitorState, _ configuration: MonitorConfiguration
) -> Goal {
    let role = configuration.role
    let goal: Goal
    switch observation.role {
    case .present(let node):
        if state.settled != .init(role: role, isPresent: true, node: node) {
            state.retries = [:]
            state.settled = .init(role: role, isPresent: true, node: node)
        }
        state.shownRole = role
        goal = .run(node: node)
    case .absent(let node):
        state.settled = .init(role: role, isPresent: false, node: node)
        goal = .rest(node: node)
    case .unknown:
        goal = .leave
    }
    guard state.pauseEnd != nil || observation.isRetiring else { return goal }
    return .rest(node: state.settled?.node ?? observation.name)
}

extension Decision {
    fileprivate mutating func decideServices(
        _ observation: Observation, _ configuration: MonitorConfiguration, _ now: Moment
    ) {
        guard case .known(let statuses) = observation.units else {
            if case .rest = goal { state.retries = [:] }
            return
        }
        switch goal {
        case .leave: break
        case .rest:
            state.retries = [:]
            for (unit, status) in statuses.inOrder(of: configuration) where ![.inactive, .failed].contains(status.active) {
                actions.append(.stop(unit))
            }
        case .run:
            for (unit, status) in statuses.inOrder(of: configuration) { decideStart(unit, status, configuration, now) }
        }
    }

    private mutating func decideStart(
        _ unit: UnitName, _ status: UnitStatus, _ configuration: MonitorConfiguration, _ now: Moment
    ) {
        let name = unit.description
        if decideRestarting(unit, status, configuration, now) { return }
        if status.isActive {
            state.retries[name] = nil
            return
        }
        if status.active.isTransient {
            remarks.append(.unsettled(unit, status.active.description))
            return
        }
        if status.isMissing || status.isMasked {
            state.retries[name] = nil
            remarks.append(status.isMissing ? .missing(unit) : .masked(unit))
            return
        }
        var retry = state.retries[name] ?? .init(attempts: 0, lastAttempt: 0)
        if retry.attempts > 0 {
            if !retry.isGivenUp, retry.attempts >= configuration.maximumRetries {
                retry.isGivenUp = true
                remarks.append(.givenUp(unit, attempts: retry.attempts))
            }
            let interval = retry.isGivenUp ? configuration.giveUpInterval : configuration.retryInterval
            let due = retry.lastAttempt + interval.inSeconds
            guard now.sinceBoot >= due else {
                remarks.append(.waiting(unit, seconds: Int((due - now.sinceBoot).rounded(.up))))
                state.retries[name] = retry
                return
            }
        }
        retry.attempts += 1
        retry.lastAttempt = now.sinceBoot
        state.retries[name] = retry
        state.crashes[name] = 0
        actions.append(
            .start(unit, attempt: retry.attempts, resetsFailures: status.result == .startLimitHit))
    }

    /// How long a unit that systemd restarted by itself must stay up to count as up.
    private static let stableTime = 60.0

    /// Sees to a unit that falls over and that systemd restarts by itself: that it is active just now says little.
    /// It counts as a failed start, at most once in a retry interval; a unit that is given up is stopped.
    ///
    /// - Returns: false for a unit that is not such a one.
    private mutating func decideRestarting(
        _ unit: UnitName, _ status: UnitStatus, _ configuration: MonitorConfiguration, _ now: Moment
    ) -> Bool {
        guard status.isActive || status.isRestarting else { return false }
        let name = unit.description
        let known = state.crashes[name]
        state.crashes[name] = status.crashes
        let hasCrashed: Bool
        if status.isActive {
            // Without a former count it cannot be told when that was; a count of none means a start by hand.
            hasCrashed = known != nil && status.crashes != known && status.crashes > 0
            if let since = status.since, now.wall - since.timeIntervalSince1970 >= Self.stableTime { return false }
            if !hasCrashed, known != status.crashes { return false }
        } else {
            hasCrashed = status.crashes != known
        }
        var retry = state.retries[name] ?? .init(attempts: 0, lastAttempt: 0)
        if !hasCrashed, status.isActive {
            guard let crash = retry.lastCrash, now.sinceBoot < max(crash, retry.lastAttempt) + Self.stableTime else {
                return false
            }
        }
        if hasCrashed {
            retry.lastCrash = now.sinceBoot
            let isDue = now.sinceBoot >= retry.lastAttempt + configuration.retryInterval.inSeconds
            if !retry.isGivenUp, retry.attempts == 0 || isDue {
                retry.attempts += 1
                retry.lastAttempt = now.sinceBoot
            }
        }
        remarks.append(.restarting(unit, crashes: status.crashes, isActive: status.isActive))
        if retry.attempts >= configuration.maximumRetries, !retry.isGivenUp {
            retry.isGivenUp = true
            remarks.append(.givenUp(unit, attempts: retry.attempts))
        }
        state.retries[name] = retry
        if retry.isGivenUp, hasCrashed || status.isRestarting { actions.append(.stop(unit)) }
        return true
    }

    fileprivate mutating func decideTargets(_ observation: Observation, _ configuration: MonitorConfiguration) {
        let directory = configuration.targetsDirectory
        switch goal {
        case .leave: return
        case .run(let node):
            let file = TargetFile(directory: directory, name: node)
            do {
                let groups = try configuration.targetGroups(of: node)
                actions.append(.writeTarget(file, groups))
                let digest = ContentDigest.of(TargetGroup.encode(groups))
                state.targets.removeAll { $0.directory == directory && $0.name == node }
                state.targets.append(.init(directory: directory, name: node, digest: digest))
            } catch {
                remarks.append(.noTarget(error.description))
            }
        case .rest(let node):
            let names = node.map { [$0] } ?? state.targets.filter { $0.directory == directory }.map(\.name)
            for name in names {
                actions.append(.removeTarget(TargetFile(directory: directory, name: name), onlyIf: nil))
            }
        }
        if state.pauseEnd == nil { decideFormerTargets(observation, configuration) }
    }

    /// Target files that this machine wrote under another name, or in another directory.
    private mutating func decideFormerTargets(_ observation: Observation, _ configuration: MonitorConfiguration) {
        let node: String
        switch goal {
        case .run(let name), .rest(.some(let name)): node = name
        case .rest(nil), .leave: return
        }
        for target in state.targets where target.directory != configuration.targetsDirectory || target.name != node {
            if target.name != node, observation.listed == nil { continue }
            if target.name != node, let address = observation.listed?[target.name] {
                // BCM gave the name to another machine, and the file with it. Until it is certain that the other is not
                // this one under two names, the file stays and is remembered.
                if let address, !observation.host.addresses.contains(address) {
                    state.targets.removeAll { $0 == target }
                }
                continue
            }
            actions.append(
                .removeTarget(TargetFile(directory: target.directory, name: target.name), onlyIf: target.digest))
        }
    }
}

extension [UnitName: UnitStatus] {
    /// In the order of the exporters in the configuration, then by name.
    fileprivate func inOrder(of configuration: MonitorConfiguration) -> [(key: UnitName, value: UnitStatus)] {
        let order = configuration.allExporters.map(\.unit)
        return sorted {
            let left = order.firstIndex(of: $0.key.description) ?? order.count
            let right = order.firstIndex(of: $1.key.description) ?? order.count
            return left == right ? $0.key < $1.key : left < right
        }
    }
}
