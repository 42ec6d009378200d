/// How a client convinces itself that a server is the head node it means.
///
/// CMDaemon's certificate is signed by a CA of the cluster's own, so the system's CAs are never consulted.
public struct ServerTrust: Sendable, Hashable {
    enum Method: Sendable, Hashable {
        case authority(file: String)
        case pinnedKeys(Set<PublicKeyPin>)
        case firstUse(known: [HeadNode: PublicKeyPin])
        case insecure
    }

    let method: Method

    /// The server's certificate must be signed by a CA in this PEM file, and, unless host-name verification is off, name
    /// the host that was asked for. On BCM nodes the file is `/cm/local/apps/cmd/etc/cacert.pem`.
    public static func authority(file: String) -> ServerTrust { ServerTrust(method: .authority(file: file)) }

    /// The server's public key must be one of these. Names, dates and issuer of the certificate do not count.
    public static func pinnedKeys(_ pins: Set<PublicKeyPin>) -> ServerTrust { ServerTrust(method: .pinnedKeys(pins)) }

    /// The first key that a head node shows is trusted and remembered; a later change is refused.
    ///
    /// Give the keys that an earlier run saw; ``RESTClient/seenKeys`` has those to keep for the next run.
    public static func firstUse(known: [HeadNode: PublicKeyPin] = [:]) -> ServerTrust {
        ServerTrust(method: .firstUse(known: known))
    }

    /// Any server is trusted: whoever answers at the address gets the requests.
    public static let insecure = ServerTrust(method: .insecure)
}

/// The SHA-256 digest of a public key (the DER bytes of its SubjectPublicKeyInfo), written `sha256//BASE64` as
/// libcurl's `CURLOPT_PINNEDPUBLICKEY` and RFC 7469 do. It stays the same when a certificate is renewed for the same key.
public struct PublicKeyPin: Sendable, Hashable, CustomStringConvertible {
    /// The pin as text: `sha256//` and 44 characters of Base64.
    public let description: String

    /// Reads a pin.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration`` for anything but
    ///   `sha256//` and the Base64 form of 32 bytes.
    public init(parsing text: String) throws(BCMError) {
        let prefix = "sha256//"
        let digits = text.utf8.dropFirst(prefix.utf8.count)
        let isDigest =
            digits.count == 44 && digits.last == UInt8(ascii: "=")
            && digits.dropLast().allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "+"), UInt8(ascii: "/"): true
                default: false
                }
            }
        guard text.hasPrefix(prefix), isDigest else {
            throw BCMError(
                .invalidConfiguration, reason: "\(quoted(text)) is not a public-key pin",
                remedy: "write a pin as sha256// and the Base64 form of the SHA-256 digest of the public key")
        }
        description = text
    }

    /// The pin of a digest of 32 bytes.
    init(digest: some Sequence<UInt8>) {
        let digest = Array(digest)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text = Array("sha256//".utf8)
        for start in stride(from: 0, to: digest.count, by: 3) {
            let group = digest[start..<min(start + 3, digest.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for place in 0..<4 {
                text.append(
                    place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
        }
        description = String(decoding: text, as: UTF8.self)
    }
}
