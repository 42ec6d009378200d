import COpenSSL
public import FoundationEssentials
import Glibc

/// An X.509 certificate, as far as an operator wants to know it.
public struct Certificate: Sendable, Hashable {
    /// The subject in the form of RFC 2253, such as `CN=dgx-01,O=Example`.
    public let subject: String
    /// The issuer in the form of RFC 2253.
    public let issuer: String
    /// The moment from which it is valid.
    public let notBefore: Date
    /// The moment until which it is valid.
    public let notAfter: Date
    /// The SHA-256 digest of the certificate: upper-case hexadecimal bytes with colons between them.
    public let fingerprint: String
    /// The pin of its public key.
    public let publicKeyPin: PublicKeyPin

    /// Reads the first certificate of a PEM file.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/notFound`` for a missing file and
    ///   ``BCMError/Code/invalidConfiguration`` for one that cannot be read or is no certificate.
    public static func read(file: String) throws(BCMError) -> Certificate {
        try parse(PEMFile.read(file, what: "certificate"), file: file)
    }

    /// Reads the first certificate of a PEM file's bytes.
    static func parse(_ bytes: [UInt8], file: String) throws(BCMError) -> Certificate {
        let certificate = try parseCertificate(bytes, file)
        defer { X509_free(certificate) }
        return try Certificate(certificate, file: file)
    }

    /// Whole days until it ends, rounded down; negative once it has ended.
    public func daysLeft(at moment: Date) -> Int {
        Int((notAfter.timeIntervalSince(moment) / 86_400).rounded(.down))
    }

    /// Whether a PEM key file belongs to the first certificate of a PEM file.
    ///
    /// - Throws: ``BCMError`` when one of the files is missing, unreadable, encrypted or something else.
    public static func key(_ keyFile: String, belongsTo certificateFile: String) throws(BCMError) -> Bool {
        let certificate = try PEMFile.read(certificateFile, what: "certificate")
        var key = try PEMFile.read(keyFile, what: "key")
        defer { for index in key.indices { key[index] = 0 } }
        return try Self.key(key, keyFile, belongsTo: certificate, certificateFile)
    }

    /// The same for the files' bytes.
    static func key(
        _ bytes: [UInt8], _ keyFile: String, belongsTo certificateBytes: [UInt8], _ certificateFile: String
    ) throws(BCMError) -> Bool {
        let certificate = try parseCertificate(certificateBytes, certificateFile)
        defer { X509_free(certificate) }
        var encrypted: CInt = 0
        guard let key = copenssl_read_key(bytes, CInt(bytes.count), &encrypted) else {
            throw encrypted != 0
                ? BCMError(
                    .invalidConfiguration, reason: "the key \(keyFile) is encrypted",
                    remedy: "decrypt it (openssl pkey -in ENCRYPTED -out PLAIN) and protect it by its mode, 0600")
                : PEMFile.notOne(keyFile, bytes, what: "private key")
        }
        defer { EVP_PKEY_free(key) }
        return copenssl_key_matches(certificate, key) != 0
    }

    /// Who may read a key file.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/notFound`` or ``BCMError/Code/invalidConfiguration``.
    public static func protection(ofKey file: String) throws(BCMError) -> KeyProtection {
        var status = stat()
        guard stat(file, &status) == 0 else { throw PEMFile.unreadable(file, errno, what: "key") }
        let mode = UInt16(status.st_mode & 0o7777)
        var problem: String?
        if mode & 0o077 != 0 {
            problem =
                "the key \(file) can be used by others than its owner (mode \(octal(mode))); run chmod 0600 \(file)"
        } else if status.st_uid != 0 && status.st_uid != geteuid() {
            problem = "the key \(file) belongs to user \(status.st_uid); run chown root \(file)"
        }
        return KeyProtection(mode: mode, owner: status.st_uid, problem: problem)
    }

    private static func octal(_ mode: UInt16) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func parseCertificate(_ bytes: [UInt8], _ file: String) throws(BCMError) -> OpaquePointer {
        guard let certificate = copenssl_read_certificate(bytes, CInt(bytes.count)) else {
            throw PEMFile.notOne(file, bytes, what: "certificate")
        }
        return certificate
    }

    private init(_ certificate: OpaquePointer, file: String) throws(BCMError) {
        var digest = [UInt8](repeating: 0, count: 32)
        var start = tm()
        var end = tm()
        guard let subject = Self.take(copenssl_subject(certificate)),
            let issuer = Self.take(copenssl_issuer(certificate)),
            copenssl_not_before(certificate, &start) == 1, copenssl_not_after(certificate, &end) == 1,
            copenssl_fingerprint(certificate, &digest) == 1,
            let pin = PublicKeyPin(ofCertificate: certificate)
        else {
            throw BCMError(
                .invalidConfiguration, reason: "the certificate \(file) holds a name, date or key that is not valid",
                remedy: "have it made anew")
        }
        self.subject = subject
        self.issuer = issuer
        notBefore = Date(timeIntervalSince1970: Double(timegm(&start)))
        notAfter = Date(timeIntervalSince1970: Double(timegm(&end)))
        fingerprint = digest.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: ":")
        publicKeyPin = pin
    }

    private static func take(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        guard let text else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}

/// Who may read a private key's file.
public struct KeyProtection: Sendable, Hashable {
    /// The permission bits, such as 0o600.
    public let mode: UInt16
    /// The owner's user id.
    public let owner: UInt32
    /// What is wrong with that, in words that name the file and the remedy; nil when only the owner can read it and the
    /// owner is root or the user of this process.
    public let problem: String?
}
