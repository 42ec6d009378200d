import FoundationEssentials

@testable import BCMClient

/// PEM files: a certificate that is understood has all its parts, and anything else is refused in words.
enum PEMCheck {
    static func check(_ bytes: [UInt8]) throws -> Bool {
        do throws(BCMError) {
            _ = try Certificate.key(bytes, "key.pem", belongsTo: bytes, "cert.pem")
        } catch {
            try promise(!error.reason.isEmpty, "refused without a reason")
        }
        let certificate: Certificate
        do throws(BCMError) {
            certificate = try Certificate.parse(bytes, file: "cert.pem")
        } catch {
            try promise(!error.reason.isEmpty, "refused without a reason")
            return false
        }
        try promise(certificate.fingerprint.utf8.count == 95, "the fingerprint \(certificate.fingerprint)")
        for time in [certificate.notBefore, certificate.notAfter] {
            try promise(abs(time.timeIntervalSince1970) < 1e12, "a time \(time.timeIntervalSince1970) s after 1970")
        }
        _ = certificate.daysLeft(at: Date(timeIntervalSince1970: 1_800_000_000))
        return true
    }
}
