public import FoundationEssentials

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
        throw BCMError(.invalidConfiguration, reason: "not yet")
    }

    /// Whole days until it ends, rounded down; negative once it has ended.
    public func daysLeft(at moment: Date) -> Int {
        Int((notAfter.timeIntervalSince(moment) / 86_400).rounded(.down))
    }

    /// Whether a PEM key file belongs to the first certificate of a PEM file.
    ///
    /// - Throws: ``BCMError`` when one of the files is missing, unreadable, encrypted or something else.
    public static func key(_ keyFile: String, belongsTo certificateFile: String) throws(BCMError) -> Bool {
        throw BCMError(.invalidConfiguration, reason: "not yet")
    }

    /// Who may read a key file.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/notFound`` or ``BCMError/Code/invalidConfiguration``.
    public static func protection(ofKey file: String) throws(BCMError) -> KeyProtection {
        throw BCMError(.invalidConfiguration, reason: "not yet")
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
