internal import BCMClient

/// What was learned about this node's role, and about names it had before.
package struct RoleObservation: Sendable {
    package var finding: RoleFinding
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
    package var role: String
    package var roleLossDelay: Duration
    package var requestTimeout: Duration

    /// Looks.
    ///
    /// - Parameters:
    ///   - host: this node.
    ///   - formerNames: other names that BCM may still list.
    ///   - isRoleKnownVisible: whether BCM is known to show this role at all.
    ///   - isAbsenceSettled: whether the role's absence was confirmed at an earlier check for this name of BCM's.
    package func observe(
        host: HostIdentity, formerNames: [String], isRoleKnownVisible: Bool,
        isAbsenceSettled: @Sendable (String) -> Bool
    ) async -> RoleObservation {
        guard !host.hostName.isEmpty else {
            return RoleObservation(.unknown(UnknownRole("no host name", "this host has no name yet")))
        }
        let answer: DeviceLookup
        do throws(BCMError) {
            // Names with this host's first label are among the matches anyway.
            let others = formerNames.filter { NodeName.label($0) != NodeName.label(host.hostName) }
            answer = try await ask([host.hostName] + others, at: nil)
        } catch {
            return RoleObservation(.unknown(UnknownRole(error)))
        }
        var observation = RoleObservation(
            RoleFinding(answer, host: host, role: role, isRoleKnownVisible: isRoleKnownVisible))
        observation.listed = Self.listed(formerNames, in: answer, beside: observation.finding)
        if case .absent(let node) = observation.finding, !isAbsenceSettled(node) {
            observation.finding = await confirmAbsence(of: node, host: host, isRoleKnownVisible: isRoleKnownVisible)
        }
        return observation
    }

    /// The second look, at every head node that answers.
    private func confirmAbsence(of node: String, host: HostIdentity, isRoleKnownVisible: Bool) async -> RoleFinding {
        do {
            try await heartbeat.during(limit: roleLossDelay + .seconds(5)) { try await clock.sleep(for: roleLossDelay) }
        } catch {
            return .unknown(UnknownRole("interrupted", "the check was interrupted before the second look"))
        }
        var answers = 0
        var failures: [String] = []
        for headNode in source.headNodes {
            do throws(BCMError) {
                let answer = try await ask([host.hostName], at: headNode)
                answers += 1
                let finding = RoleFinding(answer, host: host, role: role, isRoleKnownVisible: isRoleKnownVisible)
                guard finding == .absent(node: node) else {
                    return .unknown(
                        UnknownRole(
                            "not confirmed",
                            "the role \(role) seemed gone, but at the second look \(headNode) says it is "
                                + finding.word))
                }
            } catch {
                failures.append(error.description)
            }
        }
        guard answers > 0 else {
            return .unknown(
                UnknownRole(
                    "not confirmed",
                    "the role \(role) seemed gone, but no head node answered the second look: "
                        + failures.joined(separator: "; ")))
        }
        return .absent(node: node)
    }

    private func ask(_ names: [String], at headNode: HeadNode?) async throws(BCMError) -> DeviceLookup {
        let hosts = headNode == nil ? max(source.headNodes.count, 1) : 1
        return try await heartbeat.during(limit: requestTimeout * hosts + .seconds(10)) { () async throws(BCMError) in
            try await source.lookUp(names, at: headNode)
        }
    }

    /// Which former names belong to a device that is not this node's; nil unless this node's own was found.
    private static func listed(
        _ names: [String], in answer: DeviceLookup, beside finding: RoleFinding
    ) -> [String: String?]? {
        let node: String
        switch finding {
        case .present(let name), .absent(let name): node = name
        case .unknown: return nil
        }
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
