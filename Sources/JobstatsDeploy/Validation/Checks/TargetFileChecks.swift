import CommandExecution
import PromTargets

extension JobstatsValidation {
    /// The target files on shared storage, from which Prometheus knows the nodes.
    func targetFileChecks() throws -> [ValidationCheck] {
        let directory = configuration.targetsDirectory
        let listing = TargetListing(directory: directory)
        var expected: [Host: [UInt8]] = [:]
        for host in dgxNodes { expected[host] = TargetGroup.encode(try plan.targetGroups(of: host)) }
        let followsRole = configuration.deploysRoleMonitor
        let (nodes, contents, hasRules) = (dgxNodes, expected, !configuration.monitorRules.isEmpty)
        let byHand = ["ls -l \(directory)", "prom-targets check"]
        return [
            ValidationCheck(
                "10.target-file", "The node's target file",
                expected: followsRole
                    ? "as the monitor writes it while the node has the role, and none otherwise"
                    : "as the deployment writes it",
                byHand: byHand, about: nodes, asking: localHost, listing.queries
            ) { facts, evidence in
                guard let found = listing.found(facts) else { return [:] }
                var verdicts: [Host: ValidationVerdict] = [:]
                for host in nodes {
                    let file = found.files["\(JobstatsPlan.shortName(host)).json"]
                    if file == nil ? found.isCutOff : file == .some(nil) {
                        verdicts[host] = .unseen(
                            "too much lies beside it in \(directory): see 10.foreign", advice: Self.clearing(directory))
                        continue
                    }
                    verdicts[host] = Self.judge(
                        file ?? nil, contents[host] ?? [], host, evidence, followsRole, hasRules)
                }
                return verdicts
            },
            ValidationCheck(
                "10.orphans", "Target files of other nodes", expected: "each file belongs to a node that has the role",
                byHand: byHand, about: [localHost], asking: localHost, listing.queries
            ) { [localHost] facts, evidence in
                guard let found = listing.found(facts) else { return [:] }
                let verdict = Self.judgeOrphans(Array(found.files.keys), nodes, evidence, followsRole)
                guard found.isCutOff, verdict.state == .passed else { return [localHost: verdict] }
                return [
                    localHost: .unseen(
                        "too much lies in \(directory): see 10.foreign", advice: Self.clearing(directory))
                ]
            },
            ValidationCheck(
                "10.foreign", "Foreign files among the target files", expected: "none, and no left-over of a write",
                byHand: byHand, about: [localHost], asking: localHost, listing.queries
            ) { [localHost] facts, _ in
                listing.found(facts).map { [localHost: Self.judgeForeign($0, directory)] } ?? [:]
            },
        ]
    }

    /// What no monitor and no deployment wrote there.
    static func judgeForeign(_ found: TargetListing.Found, _ directory: String) -> ValidationVerdict {
        // A content that did not come is not called foreign for that.
        let odd = (found.files.filter { Self.isForeign($0.key, $0.value) }.keys + found.others).sorted()
        let unread = found.files.values.count { $0 == nil }
        var seen: [String] = []
        if found.isCutOff {
            seen.append("more than \(TargetListing.countLimit) files, of which the others were not looked at")
        }
        if unread > 0 {
            seen.append("\(unread) of \(found.files.count) files were not read, since all hold too much together")
        }
        if !odd.isEmpty {
            seen.append(
                "not a target file of a node: \(odd.prefix(5).map { Words.cut($0, 120) }.joined(separator: ", "))"
                    + (odd.count > 5 ? " and \(odd.count - 5) more" : ""))
        }
        guard !seen.isEmpty else { return .passed("\(found.files.count) files") }
        return .warning(
            seen.joined(separator: "; "),
            advice: "Prometheus reads every *.json there: \(clearing(directory))")
    }

    private static func clearing(_ directory: String) -> String {
        "look at what lies in \(directory) and who writes there, and move away what nobody needs"
    }

    private static func judge(
        _ file: [UInt8]?, _ expected: [UInt8], _ host: Host, _ evidence: ValidationEvidence, _ followsRole: Bool,
        _ hasRules: Bool
    ) -> ValidationVerdict {
        if followsRole, let facts = evidence.facts[host], MonitorReading(facts)?.isPaused(at: evidence.now) == true {
            return .skipped("the role monitor is paused")
        }
        let hasRole = followsRole ? evidence.site.hasRole(host) : true
        guard let hasRole else { return evidence.site.roleProblem(host) }
        let monitor = "on the node: systemctl status bcm-role-monitor; the monitor writes it at its next check"
        guard let file else {
            guard hasRole else { return .passed("none, as wanted") }
            return .failed(
                "it is missing: Prometheus does not know the node", advice: followsRole ? monitor : repair(6, host))
        }
        guard hasRole else {
            return .failed(
                "it is there, and BCM gives the node no role \(evidence.site.role)",
                advice: "the role may just have gone: look again in a minute; then: prom-targets prune")
        }
        if file == expected { return .passed("as wanted") }
        let groups = (try? TargetGroup.decode(file)) ?? []
        // Rules of the site add groups for other roles.
        if hasRules, let wanted = try? TargetGroup.decode(expected), wanted.allSatisfy({ groups.contains($0) }) {
            return .passed("as wanted, with \(groups.count - wanted.count) groups of the site's rules")
        }
        let seen =
            groups.isEmpty
            ? "it is not a target file" : "it holds " + (groups.flatMap(\.targets).prefix(3).joined(separator: ", "))
        return .failed(
            "it is not what this configuration gives: \(seen)",
            advice: followsRole
                ? "does the monitor have the same configuration? \(repair(10, host)); or on the node: "
                    + "systemctl restart bcm-role-monitor" : repair(6, host))
    }

    /// Files of nodes that lost the role or are gone. Many at once is a trouble of another kind.
    static func judgeOrphans(
        _ files: [String], _ nodes: [Host], _ evidence: ValidationEvidence, _ followsRole: Bool
    ) -> ValidationVerdict {
        let names = files.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.map { String($0.dropLast(5)) }
        guard case .success(let roles) = evidence.site.rolesByNode else {
            return evidence.site.roleProblem(Host("all nodes"))
        }
        let lost = names.filter { roles[$0]?.contains(evidence.site.role) == false }.sorted(by: HostOrder.precedes)
        let gone = names.filter { roles[$0] == nil }.sorted(by: HostOrder.precedes)
        if followsRole, lost.count > 1, lost.count * 10 > max(nodes.count, names.count) {
            return .failed(
                "\(lost.count) of \(names.count) nodes lost the role \(evidence.site.role) at once: \(Words.hosts(lost))",
                advice:
                    "is that meant? look at: cmsh -c 'configurationoverlay; list'; monitors have stopped the exporters "
                    + "there, or will within a minute")
        }
        let orphans = (followsRole ? lost : []) + gone
        guard !orphans.isEmpty else { return .passed("\(names.count) files") }
        return .failed(
            (lost.isEmpty || !followsRole ? "" : "without the role: \(Words.hosts(lost))")
                + (lost.isEmpty || gone.isEmpty || !followsRole ? "" : "; ")
                + (gone.isEmpty ? "" : "not in BCM: \(Words.hosts(gone))"),
            advice:
                "prom-targets prune, which shows first what it would remove; prom-targets install-timer has it done "
                + "regularly")
    }

    /// How many of the configured nodes have the role. Monitors take target files away within a minute, so a fleet that lost
    /// the role looks well in every other check.
    var fleetCheck: ValidationCheck {
        let nodes = dgxNodes, here = localHost
        return ValidationCheck(
            "10.fleet", "The fleet's roles",
            expected: "some of the configured nodes have the role, most of the time most",
            byHand: ["cmsh -c 'device; list'", "cmsh -c 'configurationoverlay; list'"], about: [here], asking: here, []
        ) { _, evidence in [here: Self.judgeFleet(nodes, evidence)] }
    }

    static func judgeFleet(_ nodes: [Host], _ evidence: ValidationEvidence) -> ValidationVerdict {
        let role = evidence.site.role
        guard case .success = evidence.site.rolesByNode else { return evidence.site.roleProblem(Host("any")) }
        let without = nodes.filter { evidence.site.hasRole($0) == false }
        let look = "is that meant? look at: cmsh -c 'configurationoverlay; list'; cmsh -c 'category; list'"
        if without.count == nodes.count {
            return .failed("no configured node has the role \(role): no exporter runs", advice: look)
        }
        return without.count > 1 && without.count * 10 > nodes.count
            ? .warning(
                "\(without.count) of \(nodes.count) nodes have no role \(role): \(Words.hosts(without.map(\.name)))",
                advice: look)
            : .passed("\(nodes.count - without.count) of \(nodes.count) nodes have the role \(role)")
    }

    private static func isForeign(_ name: String, _ content: [UInt8]?) -> Bool {
        // In which `prom-targets sync` notes that it is the only one.
        guard name != ".prom-targets-sync" else { return false }
        guard !name.hasPrefix("."), name.hasSuffix(".json") else { return true }
        guard let content else { return false }
        guard let groups = try? TargetGroup.decode(content) else { return true }
        let node = String(name.dropLast(5))
        return !groups.allSatisfy { $0.labels["hostname"] == node }
    }
}
