/// The order in which the hosts of a section are visited.
package enum Rollout {
    /// The first host alone, then a twentieth of all, then the rest, so that a mistake meets few hosts.
    package static func waves(_ hosts: [Host]) -> [[Host]] {
        guard hosts.count > 2 else { return hosts.map { [$0] } }
        let second = (hosts.count + 19) / 20
        return [Array(hosts[..<1]), Array(hosts[1..<(1 + second)]), Array(hosts[(1 + second)...])].filter {
            !$0.isEmpty
        }
    }
}
