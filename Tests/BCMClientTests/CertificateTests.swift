import FoundationEssentials
import Glibc
import Testing

@testable import BCMClient

@Suite(.enabled(if: TestCertificates.isPossible, "needs openssl"))
struct CertificateTests {
    private static func make() async throws -> TestCertificates { try await TestCertificates.shared.value }

    @Test func aCertificateIsReadAsOpenSSLShowsIt() async throws {
        let certificates = try await Self.make()
        let file = certificates.file("client.pem")
        let certificate = try Certificate.read(file: file)
        let shown = try await certificates.openssl(
            "x509", "-in", file, "-noout", "-subject", "-issuer", "-nameopt", "RFC2253", "-fingerprint", "-sha256")
        #expect(
            shown == """
                subject=\(certificate.subject)
                issuer=\(certificate.issuer)
                sha256 Fingerprint=\(certificate.fingerprint)

                """)
        #expect(certificate.subject == "CN=client,O=Example")
        #expect(certificate.issuer == "CN=ca")
        let now = Date()
        #expect(certificate.notBefore <= now && certificate.notBefore > now.addingTimeInterval(-3600))
        // openssl looks at the clock for each of the two.
        #expect([0, 1].contains(certificate.notAfter.timeIntervalSince(certificate.notBefore) - 100 * 86_400))
        #expect(certificate.daysLeft(at: certificate.notBefore) == 100)
        #expect(certificate.daysLeft(at: certificate.notAfter) == 0)
        #expect(certificate.daysLeft(at: certificate.notAfter.addingTimeInterval(1)) == -1)
    }

    @Test func thePinIsTheOneOpenSSLComputes() async throws {
        let certificates = try await Self.make()
        let key = certificates.file("pin.der")
        try await certificates.openssl(
            "pkey", "-in", certificates.file("server.key"), "-pubout", "-outform", "DER", "-out", key)
        let digest = certificates.file("pin.bin")
        try await certificates.openssl("dgst", "-sha256", "-binary", "-out", digest, key)
        let text = try await certificates.openssl("base64", "-A", "-in", digest)
        #expect(
            try Certificate.read(file: certificates.file("server.pem")).publicKeyPin.description == "sha256//" + text)
    }

    @Test func keysAreKnownToBelongOrNot() async throws {
        let certificates = try await Self.make()
        let file = certificates.file("client.pem")
        #expect(try Certificate.key(certificates.file("client.key"), belongsTo: file))
        #expect(try !Certificate.key(certificates.file("server.key"), belongsTo: file))
    }

    struct Unreadable: Sendable {
        var file: String
        var code: BCMError.Code
        var reason: String
    }

    @Test(arguments: [
        Unreadable(file: "absent.pem", code: .notFound, reason: "there is no certificate file"),
        Unreadable(
            file: "garbage.pem", code: .invalidConfiguration, reason: "holds no certificate: it has no PEM text"),
        Unreadable(file: "empty.pem", code: .invalidConfiguration, reason: "holds no certificate: it is empty"),
        Unreadable(file: "", code: .invalidConfiguration, reason: "Is a directory"),
        Unreadable(
            file: "client.key", code: .invalidConfiguration,
            reason: "holds no certificate: it begins with \"EC PRIVATE KEY\""),
    ])
    func certificatesThatCannotBeReadSayWhy(_ expected: Unreadable) async throws {
        let certificates = try await Self.make()
        let error = await failure { _ = try Certificate.read(file: certificates.file(expected.file)) }
        #expect(error?.code == expected.code)
        #expect(error?.reason.contains(expected.reason) == true, "\(String(describing: error))")
    }

    @Test func damagedCertificatesSaySo() async throws {
        let certificates = try await Self.make()
        let text = try String(contentsOfFile: certificates.file("client.pem"), encoding: .utf8)
        let file = certificates.file("damaged.pem")
        try (text.prefix(100) + "\n-----END CERTIFICATE-----\n").write(toFile: file, atomically: true, encoding: .utf8)
        let error = await failure { _ = try Certificate.read(file: file) }
        #expect(error?.reason.hasSuffix("its contents are damaged") == true)
    }

    @Test func encryptedKeysSaySoAndAskNobody() async throws {
        let certificates = try await Self.make()
        let error = await failure {
            _ = try Certificate.key(
                certificates.file("encrypted.key"), belongsTo: certificates.file("client.pem"))
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.reason.hasSuffix("encrypted.key is encrypted") == true)
    }

    @Test func keysThatOthersCanReadAreAProblem() async throws {
        let file = try TestDirectory.make() + "/key"
        try "x".write(toFile: file, atomically: true, encoding: .utf8)
        for (mode, isProblem) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o660, true)] {
            chmod(file, mode_t(mode))
            let protection = try Certificate.protection(ofKey: file)
            #expect(protection.mode == UInt16(mode))
            #expect(protection.owner == geteuid())
            #expect((protection.problem != nil) == isProblem, "\(mode)")
        }
        chmod(file, 0o644)
        #expect(
            try Certificate.protection(ofKey: file).problem
                == "the key \(file) can be used by others than its owner (mode 0644); run chmod 0600 \(file)")
        let error = await failure { _ = try Certificate.protection(ofKey: file + ".absent") }
        #expect(error?.code == .notFound)
    }
}
