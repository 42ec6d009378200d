import ClusterModel
import NIOSSL

/// How the service treats connections, as faults and switches have it.
struct TransportMode: Sendable, Hashable {
    /// What the port does.
    enum Listener: Sendable, Hashable { case open, closed, silent }
    /// What the handshake does.
    enum Handshake: Sendable, Hashable {
        case silent
        /// TLS with this certificate file and key file, and TLS 1.1 at most if old.
        case tls(certificate: String, key: String, old: Bool)
    }

    var listener = Listener.open
    var handshake: Handshake

    init(_ state: ClusterState, headNode: String) {
        let fault = state.fault(at: headNode)
        let usual = state.switches.headNamesInCertificate ? "names" : "plain"
        handshake = .tls(certificate: usual, key: "server", old: false)
        switch fault {
        case .refuse: listener = .closed
        case .hangConnect: listener = .silent
        case .hangTLS: handshake = .silent
        case .expiredCertificate: handshake = .tls(certificate: "expired", key: "server", old: false)
        case .wrongName: handshake = .tls(certificate: "wrong-name", key: "server", old: false)
        case .wrongCA: handshake = .tls(certificate: "wrong-ca", key: "stranger", old: false)
        case .changedKey: handshake = .tls(certificate: "changed-key", key: "changed", old: false)
        case .oldTLS: handshake = .tls(certificate: usual, key: "server", old: true)
        default: break
        }
    }
}

extension CertificateAuthority {
    /// The TLS settings for a head node: client certificates are optional, but those of strangers end the handshake.
    func context(head: String, certificate: String, key: String, old: Bool) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(file(certificate + ".pem", ofHead: head))
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: file(key + ".key", ofHead: head), format: .pem)))
        configuration.minimumTLSVersion = old ? .tlsv1 : .tlsv12
        configuration.maximumTLSVersion = old ? .tlsv11 : nil
        configuration.trustRoots = .file(certificateFile)
        configuration.certificateVerification = .optionalVerification
        return try NIOSSLContext(configuration: configuration)
    }
}
