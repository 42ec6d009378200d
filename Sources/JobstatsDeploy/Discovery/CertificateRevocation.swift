public import BCMClient
import CommandExecution
import FoundationEssentials

/// Takes back the certificates that BCM made for the monitors.
///
/// All monitors share one certificate: without it none of them reads roles, on no node.
public struct CertificateRevocation: Sendable {
    let cmsh: Cmsh
    let paths: SiteDiscovery.Paths
    let localHost: String

    /// Creates a revocation.
    public init(cmsh: Cmsh, paths: SiteDiscovery.Paths = SiteDiscovery.Paths()) {
        self.init(cmsh: cmsh, paths: paths, localHost: SetupRun.hostName)
    }

    init(cmsh: Cmsh, paths: SiteDiscovery.Paths, localHost: String) {
        self.cmsh = cmsh
        self.paths = paths
        self.localHost = localHost
    }

    /// Shows the certificates that are meant, asks, and revokes them.
    ///
    /// - Parameters:
    ///   - profile: the certificates' profile, whose name is also their common name.
    ///   - console: where they are shown and the question is asked.
    ///   - assumesYes: whether that is agreed to; needed where there is no terminal to ask on.
    /// - Returns: 0 when none of them is valid any more, 1 when something failed or was not agreed to, 2 when nobody can
    ///   be asked, 130 when the task was cancelled.
    public func run(
        profile: String = MonitorCertificateChoice.defaultProfile, console: any Console, assumesYes: Bool
    ) async -> Int32 {
        do {
            if let problem = await headNodeProblem() {
                console.writeError("\(problem)\nNothing was revoked.\n")
                return 1
            }
            let found = try await certificates(of: profile)
            guard !found.isEmpty else {
                console.write("There is none to revoke: BCM lists no valid certificate \(profile) of that profile.\n")
                return 0
            }
            console.write(Self.list(found, profile))
            if !assumesYes {
                guard console.isTerminal else {
                    console.writeError(
                        "There is no terminal to answer questions on. Add --yes to agree beforehand.\n"
                            + "Nothing was revoked.\n")
                    return 2
                }
                let answer = await console.ask("Revoke \(found.count == 1 ? "it" : "them")? [y/N] ")
                guard ["y", "Y", "yes"].contains(answer) else {
                    console.write("Nothing was revoked.\n")
                    return Task.isCancelled ? 130 : 1
                }
            }
            for certificate in found {
                if Task.isCancelled { return 130 }
                try await cmsh.revokeCertificate(serial: certificate.serial)
                console.write("Revoked: \(ForeignText.printable(certificate.serial)).\n")
            }
            for suffix in ["pem", "key"] {
                try? FileManager.default.removeItem(atPath: "\(paths.madeCertificates)/\(profile).\(suffix)")
            }
            return 0
        } catch {
            console.writeError(ForeignText.printable("\(error)") + "\n")
            return Task.isCancelled ? 130 : 1
        }
    }

    /// The valid certificates that were made for the monitors: a deployment gives them the profile's name, and another
    /// certificate of that name has another profile.
    func certificates(of profile: String) async throws(BCMError) -> [IssuedCertificate] {
        try await cmsh.certificates().filter {
            $0.name == profile && $0.profile == profile && $0.isRevoked != true
        }
    }

    /// Why this is not the place; nil on the active head node.
    private func headNodeProblem() async -> String? {
        let status: CommandResult
        do throws(BCMError) {
            let text = try await cmsh.run([["cmha", "status"]])
            status = CommandResult(status: .exited(0), standardOutput: Array(text.utf8))
        } catch {
            status = CommandResult(status: .exited(1), standardError: Array(error.description.utf8))
        }
        let judged = HeadNodeStatus.judge(status, localHost: localHost)
        guard judged.state != .inPlace else { return nil }
        return ForeignText.printable("\(judged.detail); \(judged.remedy ?? "run this on the active head node")")
    }

    private static func list(_ found: [IssuedCertificate], _ profile: String) -> String {
        let lines = found.map { certificate in
            let days = certificate.daysLeft.map { ", valid for \(Words.count($0, "day"))" } ?? ""
            return "   serial number \(ForeignText.printable(certificate.serial))\(days)\n"
        }
        return "\(Words.count(found.count, "certificate")) of the profile \(profile), which the monitors share:\n"
            + lines.joined() + "Every monitor that uses one cannot read roles afterwards, on whichever node.\n"
    }
}
