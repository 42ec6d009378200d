public import BCMClient
import FoundationEssentials

/// Takes back the certificates that BCM made for the monitors.
public struct CertificateRevocation: Sendable {
    let cmsh: Cmsh
    let paths: SiteDiscovery.Paths

    /// Creates a revocation.
    public init(cmsh: Cmsh, paths: SiteDiscovery.Paths = SiteDiscovery.Paths()) {
        self.cmsh = cmsh
        self.paths = paths
    }

    /// Revokes every certificate with the profile's name that is still valid, and removes the copy on this machine.
    ///
    /// - Returns: the serial numbers of those that were revoked.
    /// - Throws: `BCMError` when cmsh fails; what was revoked before that stays revoked.
    public func revoke(profile: String = MonitorCertificateChoice.defaultProfile) async throws(BCMError) -> [String] {
        var revoked: [String] = []
        for certificate in try await cmsh.certificates()
        where certificate.name == profile && certificate.isRevoked != true {
            _ = try await cmsh.run([["cert"], ["revokecertificate", certificate.serial]])
            revoked.append(certificate.serial)
        }
        for suffix in ["pem", "key"] {
            try? FileManager.default.removeItem(atPath: "\(paths.madeCertificates)/\(profile).\(suffix)")
        }
        return revoked
    }
}
