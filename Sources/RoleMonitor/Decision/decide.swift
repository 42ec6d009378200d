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
    let rules = configuration.rules
    var goals: [Goal] = []
    for rule in rules { goals.append(settle(rule, observation, &state, configuration)) }
    var decision = Decision(goal: goals[0], actions: [], remarks: [], state: state)
    for (rule, goal) in zip(rules, goals).dropFirst() { decision.otherGoals[rule.role] = goal }
    if configuration.managesServices { decision.decideServices(observation, configuration, now) }
    if configuration.managesTargets { decision.decideTargets(observation, configuration) }
    return decision
}

/// Takes the finding about one rule's role over into the state and says what is to become of the node by this rule.
private func settle(
    _ rule: RoleRule, _ observation: Observation, _ state: inout MonitorState, _ configuration: MonitorConfiguration
) -> Goal {
    let role = rule.role
    let isFirst = role == configuration.role
    let goal: Goal
    var settled: MonitorState.Settled?
    switch isFirst ? observation.role : observation.otherRoles[role] {
    case .present(let node):
        settled = .init(role: role, isPresent: true, node: node)
        if state.settled(role) != settled { for exporter in rule.exporters { state.retries[exporter.unit] = nil } }
        if isFirst { state.shownRole = role } else { state.otherShownRoles.insert(role) }
        goal = .run(node: node)
    case .absent(let node):
        settled = .init(role: role, isPresent: false, node: node)
        goal = .rest(node: node)
    case .unknown, nil:
        goal = .leave
    }
    if let settled {
        if isFirst { state.settled = settled } else { state.otherSettled[role] = settled }
    }
    guard state.pauseEnd != nil || observation.isRetiring else { return goal }
    return .rest(node: state.settled?.node ?? observation.name)
}

extension Decision {
    fileprivate mutating func decideServices(
        _ observation: Observation, _ configuration: MonitorConfiguration, _ now: Moment
    ) {
        for rule in configuration.rules {
            if case .rest = goal(of: rule, configuration) {
                for exporter in rule.exporters { state.retries[exporter.unit] = nil }
            }
        }
        guard case .known(let statuses) = observation.units else { return }
        for rule in configuration.rules {
            for exporter in rule.exporters {
                guard let unit = try? UnitName(exporter.unit), let status = statuses[unit] else { continue }
                switch goal(of: rule, configuration) {
                case .leave: break
                case .rest:
                    if ![.inactive, .failed].contains(status.active) { actions.append(.stop(unit)) }
                case .run: decideStart(unit, status, configuration, now)
                }
            }
        }
    }

    private func goal(of rule: RoleRule, _ configuration: MonitorConfiguration) -> Goal {
        rule.role == configuration.role ? goal : otherGoals[rule.role] ?? .leave
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
        let goals = configuration.rules.map { (rule: $0, goal: goal(of: $0, configuration)) }
        var running: String?
        var resting: String?
        for (_, goal) in goals {
            switch goal {
            case .run(let node): running = running ?? node
            case .rest(let node): resting = resting ?? node
            case .leave: break
            }
        }
        guard goals.contains(where: { $0.goal != .leave }) else { return }
        let isOpen = goals.contains { $0.goal == .leave }
        if let node = running ?? (isOpen ? resting : nil) {
            decideWriting(of: node, goals, configuration)
        } else {
            let directory = configuration.targetsDirectory
            let names = resting.map { [$0] } ?? state.targets.filter { $0.directory == directory }.map(\.name)
            for name in names {
                actions.append(.removeTarget(TargetFile(directory: directory, name: name), onlyIf: nil))
            }
        }
        if state.pauseEnd == nil { decideFormerTargets(observation, configuration, node: running ?? resting) }
    }

    /// One entry for each exporter whose role is there; of a role that cannot be told, the file keeps what it holds.
    private mutating func decideWriting(
        of node: String, _ goals: [(rule: RoleRule, goal: Goal)], _ configuration: MonitorConfiguration
    ) {
        let directory = configuration.targetsDirectory
        do throws(PromTargetsError) {
            var groups: [TargetGroup] = []
            var keptOnly: [TargetGroup] = []
            var expected: [TargetGroup] = []
            for (rule, goal) in goals {
                if case .rest = goal { continue }
                let own = try configuration.targetGroups(of: node, exporters: rule.exporters)
                groups += own
                if goal == .leave { keptOnly += own }
                if goal != .leave || state.settled(rule.role)?.isPresent == true { expected += own }
            }
            actions.append(.writeTarget(TargetFile(directory: directory, name: node), groups, keptOnly: keptOnly))
            let digest = ContentDigest.of(TargetGroup.encode(expected))
            state.targets.removeAll { $0.directory == directory && $0.name == node }
            state.targets.append(.init(directory: directory, name: node, digest: digest))
        } catch {
            remarks.append(.noTarget(error.description))
        }
    }

    /// Target files that this machine wrote under another name, or in another directory.
    private mutating func decideFormerTargets(
        _ observation: Observation, _ configuration: MonitorConfiguration, node: String?
    ) {
        guard let node else { return }
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
