import BCMClient
import RoleMonitor

/// How the role monitors are paced, and where they find BCM; the configuration's optional `role_monitor` object.
///
/// Its keys are those of the monitor's own configuration: see `MonitorConfiguration` in RoleMonitor.
public struct MonitorTimes: Sendable, Hashable {
    /// `bcm_port`: the port of BCM's REST interface; 8081 by default.
    public var port = HeadNode.standardPort
    /// `check_interval`: seconds between checks; 60 by default.
    public var checkInterval = 60
    /// `role_loss_delay`: seconds until the loss of a role is confirmed; 15 by default.
    public var roleLossDelay = 15
    /// `retry_interval`: seconds until a failed start is tried again; 600 by default.
    public var retryInterval = 600
    /// `max_retries`: how often a failed start is tried in all; 3 by default.
    public var maximumRetries = 3
    /// `give_up_interval`: seconds between attempts at a unit that was given up; 3600 by default.
    public var giveUpInterval = 3600
    /// `request_timeout`: seconds that BCM's answer may take; 15 by default.
    public var requestTimeout = 15

    /// Creates the defaults.
    public init() {}

    struct Key: Sendable {
        let name: String
        let path: any (WritableKeyPath<MonitorTimes, Int> & Sendable)
        let range: ClosedRange<Int>
    }

    static let keys: [Key] = [
        Key(name: "bcm_port", path: \.port, range: Setting.ports),
        Key(name: "check_interval", path: \.checkInterval, range: 1...3600),
        Key(name: "role_loss_delay", path: \.roleLossDelay, range: 1...3600),
        Key(name: "retry_interval", path: \.retryInterval, range: 1...86400),
        Key(name: "max_retries", path: \.maximumRetries, range: 1...100),
        Key(name: "give_up_interval", path: \.giveUpInterval, range: 1...604_800),
        Key(name: "request_timeout", path: \.requestTimeout, range: 1...600),
    ]
}

extension ConfigurationReader {
    mutating func monitorTimes(_ node: JSONNode, into configuration: inout DeploymentConfiguration) {
        guard let members = object(node, at: "role_monitor") else { return }
        warnOfUnknown(members, known: MonitorTimes.keys.map(\.name) + [RuleSyntax.key], at: "role_monitor")
        if let rules = members.first(where: { $0.name == RuleSyntax.key })?.node {
            monitorRules(rules, into: &configuration)
        }
        for key in MonitorTimes.keys {
            guard let member = members.first(where: { $0.name == key.name }) else { continue }
            if let number = number(member.node, at: "role_monitor.\(key.name)", in: key.range) {
                configuration.monitorTimes[keyPath: key.path] = number
            }
        }
    }

    /// The rules, held to what the monitor says of its own configuration.
    private mutating func monitorRules(_ node: JSONNode, into configuration: inout DeploymentConfiguration) {
        let value = node.plainValue
        var monitor = MonitorConfiguration()
        for problem in RuleSyntax.take(value, &monitor) {
            error("role_monitor.\(problem.key ?? RuleSyntax.key)", problem.message, at: node.location)
        }
        for key in RuleSyntax.unknownKeys(value) {
            warning("role_monitor.\(key)", "unknown key, it has no effect", at: node.location)
        }
        configuration.monitorRules = monitor.additionalRules
    }
}
