import CommandExecution
import FoundationEssentials
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
                guard let files = listing.files(facts) else { return [:] }
                var verdicts: [Host: ValidationVerdict] = [:]
                for host in nodes {
                    verdicts[host] = Self.judge(
                        files["\(JobstatsPlan.shortName(host)).json"], contents[host] ?? [], host, evidence,
                        followsRole,
                        hasRules)
                }
                return verdicts
            },
            ValidationCheck(
                "10.orphans", "Target files of other nodes", expected: "each file belongs to a node that has the role",
                byHand: byHand, about: [localHost], asking: localHost, listing.queries
            ) { [localHost] facts, evidence in
                guard let files = listing.files(facts) else { return [:] }
                return [localHost: Self.judgeOrphans(Array(files.keys), nodes, evidence, followsRole)]
            },
            ValidationCheck(
                "10.foreign", "Foreign files among the target files", expected: "none, and no left-over of a write",
                byHand: byHand, about: [localHost], asking: localHost, listing.queries
            ) { [localHost] facts, _ in
                guard let files = listing.files(facts) else { return [:] }
                let odd = files.filter { Self.isForeign($0.key, $0.value) }.keys.sorted()
                return [
                    localHost: odd.isEmpty
                        ? .passed("\(files.count) files")
                        : .warning(
                            "not a target file of a node: \(odd.prefix(5).joined(separator: ", "))"
                                + (odd.count > 5 ? " and \(odd.count - 5) more" : ""),
                            advice: "Prometheus reads every *.json in \(directory): look at them, and move away what "
                                + "nobody needs")
                ]
            },
        ]
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

    private static func isForeign(_ name: String, _ content: [UInt8]) -> Bool {
        guard !name.hasPrefix("."), name.hasSuffix(".json"), let groups = try? TargetGroup.decode(content) else {
            return true
        }
        let node = String(name.dropLast(5))
        return !groups.allSatisfy { $0.labels["hostname"] == node }
    }
}

/// All files of the directory of target files with their content, in one answer of the head node.
struct TargetListing: Sendable, Hashable {
    let directory: String

    private var command: Command {
        Command(
            "sh", ["-c", Self.script, "sh", directory], timeout: .seconds(30), outputLimit: 64 << 20)
    }

    var queries: [Query] { [.command(command)] }

    /// Gives a tar archive in base64. Files that come and go meanwhile are left out by tar(1), which then ends with 1.
    private static let script = """
        cd -- "$1" && ls -A >/dev/null || exit 2
        find . -maxdepth 1 -type f -size -1025k -printf '%P\\0' |
            tar -cf - --null --no-recursion --ignore-failed-read -T - 2>/dev/null | base64 -w 0
        """

    /// The files by name; nil when the directory could not be read.
    func files(_ facts: Facts) -> [String: [UInt8]]? {
        guard let result = facts.result(command), result.succeeded,
            let bytes = Base64.decode(result.outputText.trimmed), !bytes.isEmpty
        else { return nil }
        // The end of an archive is all zeros, and so is an archive of nothing.
        if bytes.allSatisfy({ $0 == 0 }) { return [:] }
        guard let archive = try? TarArchive(bytes) else { return nil }
        return Dictionary(archive.files.map { ($0.path, $0.bytes) }) { first, _ in first }
    }
}
