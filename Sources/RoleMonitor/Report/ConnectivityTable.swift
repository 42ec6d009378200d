internal import BCMClient

/// How far each head node can be used from here, for an operator.
public struct ConnectivityTable: Sendable {
    /// The table, with the causes of failures below it.
    public let text: String
    /// Whether every head node can be used.
    public let isComplete: Bool

    init(configuration: MonitorConfiguration, source: any RoleSource, host: HostIdentity, now: Moment) async {
        var rows: [(report: ConnectivityReport, roles: String)] = []
        for headNode in source.headNodes {
            let report = await source.checkConnectivity(of: headNode)
            rows.append((report, await Self.roles(configuration.role, source, headNode, host, report)))
        }
        let certificate = CertificateFacts(configuration)
        let days = certificate.end.map { "\(Int((($0 - now.wall) / 86_400).rounded(.down)))" } ?? "-"
        var lines = [
            [
                "HEAD NODE", "REACHABLE", "TRUSTED", "AUTHORISED", "CERTIFICATE DAYS", "LATENCY", "DEVICES",
                "SHOWING ROLES", "THIS NODE",
            ]
        ]
        for (report, roles) in rows {
            lines.append([
                "\(report.headNode)", Self.word(report.isReachable), Self.word(report.isTrusted),
                Self.word(report.isAuthorised), days,
                report.latency.map { "\(Int(($0 / .milliseconds(1)).rounded())) ms" } ?? "-",
                report.deviceCount.map { "\($0)" } ?? "-", report.devicesShowingRoles.map { "\($0)" } ?? "-", roles,
            ])
        }
        var text = TextTable.aligned(lines)
        for (report, _) in rows {
            if let error = report.error { text += "\(error)\n" }
            if configuration.trustsFirstUse, let key = report.serverKey {
                text += "\(report.headNode): its key is \(key); put it into \"pinned_keys\" if it is the right one\n"
            }
        }
        for problem in certificate.problems { text += "\(problem)\n" }
        self.text = text
        isComplete = rows.allSatisfy { $0.report.error == nil && $0.report.isAuthorised == true }
    }

    private static func roles(
        _ role: String, _ source: any RoleSource, _ headNode: HeadNode, _ host: HostIdentity,
        _ report: ConnectivityReport
    ) async -> String {
        guard report.error == nil else { return "-" }
        do throws(BCMError) {
            let answer = try await source.lookUp([host.hostName], at: headNode)
            switch NodeMatch(hostName: host.hostName, addresses: host.addresses, among: answer.matches) {
            case .found(let device):
                let roles = device.roles.map { $0.isEmpty ? "none" : $0.joined(separator: ",") } ?? "not shown"
                return "\(device.hostname): \(roles)"
            case .notListed: return "\(host.hostName): not listed"
            case .ambiguous(let names): return "one of \(names.joined(separator: ","))"
            }
        } catch {
            return "\(error.code)"
        }
    }

    private static func word(_ flag: Bool?) -> String { flag.map { $0 ? "yes" : "no" } ?? "-" }
}
