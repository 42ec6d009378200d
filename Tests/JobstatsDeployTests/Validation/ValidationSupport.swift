import BCMClient
import CommandExecution

@testable import JobstatsDeploy

/// Evidence made by hand, for judging without hosts.
struct EvidenceFixture {
    static let node = Host("dgx-01")
    static let head = Host("head-a", isLocal: true)
    static let now = 1_800_000_000.0
    var evidence = ValidationEvidence()

    /// A site with one node that has the role.
    init(role: Bool = true) {
        evidence.now = Self.now
        evidence.site.rolesByNode = .success(["dgx-01": role ? ["slurmclient"] : []])
        evidence.site.headNodes = .success(["head-a"])
        evidence.site.imageByNode = .success([:])
        evidence.facts = [Self.node: Facts(), Self.head: Facts()]
    }

    static func configuration(_ change: (inout DeploymentConfiguration) -> Void = { _ in }) -> DeploymentConfiguration {
        var configuration = DeploymentConfiguration()
        configuration.systems.dgxNodes = ["dgx-01"]
        configuration.systems.prometheusServer = ["mon-01"]
        configuration.systems.slurmController = ["head-a"]
        change(&configuration)
        return configuration
    }

    static func checks(
        _ change: (inout DeploymentConfiguration) -> Void = { _ in }
    ) throws -> [String: ValidationCheck] {
        let all = try JobstatsValidation(configuration: configuration(change), localHost: head).checks()
        return Dictionary(all.map { ($0.description.id, $0) }) { first, _ in first }
    }

    /// Answers a command query of a check on a host.
    mutating func answer(_ check: ValidationCheck?, on host: Host = node, _ text: String, status: Int32 = 0) {
        for case .command(let command) in check?.queries[host] ?? [] {
            evidence.facts[host]?.results[command] = CommandResult(
                status: .exited(status), standardOutput: Array(text.utf8))
        }
    }

    mutating func unit(
        _ name: String, _ active: String, enablement: String = "disabled", load: String = "loaded", reload: Bool = false
    ) {
        evidence.facts[Self.node]?.units[name] = UnitFact(
            load: load, active: active, enablement: enablement, needsReload: reload, path: "", started: nil)
    }

    mutating func monitorSays(_ lines: [String: Double]) {
        let text = lines.map { "bcm_role_monitor_\($0.key) \($0.value)\n" }.joined()
        evidence.facts[Self.node]?.contents[MonitorReading.path] = Array(text.utf8)
        evidence.facts[Self.node]?.files[MonitorReading.path] = FileFact(
            kind: .plain, mode: 0o644, owner: "root", group: "root", size: text.utf8.count, changed: 0, sha256: nil)
    }

    func verdict(_ check: ValidationCheck?, about host: Host = node) -> ValidationVerdict? {
        check?.verdicts(evidence).first { $0.0 == host }?.1
    }
}
