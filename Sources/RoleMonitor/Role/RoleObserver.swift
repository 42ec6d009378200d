internal import BCMClient

/// What was learned about this node's role, and about names it had before.
package struct RoleObservation: Sendable {
    package var finding: RoleFinding
    /// What was learned about the roles of additional rules.
    package var others: [String: RoleFinding] = [:]
    /// The names asked for beside this node's own that BCM still lists, each with the hardware address shown for it;
    /// nil when there was no answer to tell.
    package var listed: [String: String?]?

    package init(_ finding: RoleFinding, listed: [String: String?]? = nil) {
        self.finding = finding
        self.listed = listed
    }
}

/// Asks BCM for this node's role, a second time where it seems lost.
package struct RoleObserver: Sendable {
    package var source: any RoleSource
    package var clock: any MonitorClock
    package var heartbeat: Heartbeat
    /// The rules, that of the jobstats exporters first.
    package var rules: [RoleRule]
    package var roleLossDelay: Duration
    package var requestTimeout: Duration

    /// Looks.
    ///
    /// - Parameters:
    ///   - host: this node.
    ///   - formerNames: other names that BCM may still list.
    ///   - state: tells which roles BCM showed for this node, and whose absence was confirmed at an earlier check.
    package func observe(
        host: HostIdentity, formerNames: [String], state: MonitorState
    ) async -> RoleObservation {
        func all(_ finding: RoleFinding) -> RoleObservation {
            var observation = RoleObservation(finding)
            for rule in rules.dropFirst() { observation.others[rule.role] = finding }
            return observation
        }
        guard !host.hostName.isEmpty else {
            return all(.unknown(UnknownRole("no host name", "this host has no name yet")))
        }
        let answer: DeviceLookup
        do throws(BCMError) {
            // Names with this host's first label are among the matches anyway.
            let others = formerNames.filter { NodeName.label($0) != NodeName.label(host.hostName) }
            answer = try await ask([host.hostName] + others, at: nil)
        } catch {
            return all(.unknown(UnknownRole(error)))
        }
        var findings: [RoleFinding] = []
        for rule in rules { findings.append(finding(of: rule, in: answer, host, state)) }
        let listed = Self.listed(formerNames, in: answer, beside: findings)
        var doubtful: Set<Int> = []
        for (index, rule) in rules.enumerated() {
            guard case .absent(let node) = findings[index], !state.isAbsenceSettled(role: rule.role, node: node) else {
                continue
            }
            doubtful.insert(index)
        }
        if !doubtful.isEmpty { await confirmAbsence(of: doubtful, in: &findings, host: host, state) }
        var observation = RoleObservation(findings[0], listed: listed)
        for (rule, finding) in zip(rules, findings).dropFirst() { observation.others[rule.role] = finding }
        return observation
    }

    private func finding(
        of rule: RoleRule, in answer: DeviceLookup, _ host: HostIdentity, _ state: MonitorState
    ) -> RoleFinding {
        RoleFinding(
            answer, host: host, role: rule.role,
            isRoleKnownVisible: rule.isRoleVisible || state.isShown(rule.role))
    }

    /// The second look at roles that seem lost, at every head node that answers.
    private func confirmAbsence(
        of doubtful: Set<Int>, in findings: inout [RoleFinding], host: HostIdentity, _ state: MonitorState
    ) async {
        func settle(_ indices: Set<Int>, _ kind: String, _ message: (String) -> String) {
            for index in indices { findings[index] = .unknown(UnknownRole(kind, message(rules[index].role))) }
        }
        do {
            try await heartbeat.during(limit: roleLossDelay + .seconds(5)) { try await clock.sleep(for: roleLossDelay) }
        } catch {
            settle(doubtful, "interrupted") { _ in "the check was interrupted before the second look" }
            return
        }
        var open = doubtful
        var answers = 0
        var failures: [String] = []
        for headNode in source.headNodes where !open.isEmpty {
            do throws(BCMError) {
                let answer = try await ask([host.hostName], at: headNode)
                answers += 1
                for index in open {
                    let found = finding(of: rules[index], in: answer, host, state)
                    guard found != findings[index] else { continue }
                    open.remove(index)
                    settle([index], "not confirmed") { role in
                        "the role \(role) seemed gone, but at the second look \(headNode) says it is \(found.state)"
                    }
                }
            } catch {
                failures.append(error.description)
            }
        }
        guard answers == 0 else { return }
        settle(doubtful, "not confirmed") { role in
            "the role \(role) seemed gone, but no head node answered the second look: "
                + failures.joined(separator: "; ")
        }
    }

    private func ask(_ names: [String], at headNode: HeadNode?) async throws(BCMError) -> DeviceLookup {
        let hosts = headNode == nil ? max(source.headNodes.count, 1) : 1
        return try await heartbeat.during(limit: requestTimeout * hosts + .seconds(10)) { () async throws(BCMError) in
            try await source.lookUp(names, at: headNode)
        }
    }

    /// Which former names belong to a device that is not this node's; nil unless this node's own was found.
    private static func listed(
        _ names: [String], in answer: DeviceLookup, beside findings: [RoleFinding]
    ) -> [String: String?]? {
        guard let node = findings.lazy.compactMap(\.node).first else { return nil }
        var listed: [String: String?] = [:]
        for name in names where name != node {
            let others = answer.matches.filter {
                $0.hostname != node && NodeName.label($0.hostname) == NodeName.label(name)
            }
            guard let device = others.first(where: { $0.hostname == name }) ?? others.first else { continue }
            listed.updateValue(device.mac.map { HostIdentity.normalized($0) }, forKey: name)
        }
        return listed
    }
}
