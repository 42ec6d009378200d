import COpenSSL
import Synchronization

/// Decides, for one head node, whether the key that its server shows is the right one.
///
/// OpenSSL asks during the handshake, before the client shows its certificate or sends a request. Lives as long as the
/// engine's connections, since each connection's TLS context points to it.
final class PeerGate: Sendable {
    private struct State {
        /// With trust on first use: the key to be seen from now on.
        var known: PublicKeyPin?
        /// The key of the newest connection, or of the newest that was refused for it.
        var shown: PublicKeyPin?
        /// The key that the newest refused handshake showed.
        var refused: PublicKeyPin?
    }

    let headNode: HeadNode
    private let method: ServerTrust.Method
    private let state: Mutex<State>

    init(headNode: HeadNode, trust: ServerTrust) {
        self.headNode = headNode
        self.method = trust.method
        var state = State()
        if case .firstUse(let known) = trust.method { state.known = known[headNode] }
        self.state = Mutex(state)
    }

    /// Whether keys decide, and not libcurl's own verification.
    var decidesByKey: Bool {
        switch method {
        case .pinnedKeys, .firstUse: true
        case .authority, .insecure: false
        }
    }

    /// Whether the first key is still to be seen. Until then one connection at a time is made, so that two first
    /// connections cannot show different keys and both be trusted.
    var awaitsFirstKey: Bool {
        guard case .firstUse = method else { return false }
        return state.withLock { $0.known == nil }
    }

    /// With trust on first use: the key that is trusted.
    var known: PublicKeyPin? { state.withLock { $0.known } }
    /// The key of the newest connection, or of the newest that was refused for it.
    var shown: PublicKeyPin? { state.withLock { $0.shown } }

    /// Whether a handshake with this key may go on.
    func admits(_ key: PublicKeyPin?) -> Bool {
        state.withLock { state in
            let admitted: Bool
            switch method {
            case .authority, .insecure: admitted = true
            case .pinnedKeys(let pins): admitted = key.map { pins.contains($0) } ?? false
            case .firstUse: admitted = key != nil && (state.known == nil || state.known == key)
            }
            state.refused = admitted ? nil : key
            if !admitted { state.shown = key }
            return admitted
        }
    }

    /// The key that the last refused handshake showed, once.
    func takeRefused() -> PublicKeyPin? {
        state.withLock { state in
            defer { state.refused = nil }
            return state.refused
        }
    }

    /// Notes the key of a connection that has proven to have it, and over which an answer came.
    func connected(showing key: PublicKeyPin) {
        state.withLock { state in
            state.shown = key
            if case .firstUse = method, state.known == nil { state.known = key }
        }
    }

    /// Makes OpenSSL ask this gate about the peers of a TLS context.
    func guardContext(_ context: UnsafeMutableRawPointer) {
        guard decidesByKey else { return }
        copenssl_verify_with(
            context,
            { store, argument in
                guard let store, let argument else { return 0 }
                let gate = Unmanaged<PeerGate>.fromOpaque(argument).takeUnretainedValue()
                let key = X509_STORE_CTX_get0_cert(store).flatMap { PublicKeyPin(ofCertificate: $0) }
                return gate.admits(key) ? copenssl_accept(store) : copenssl_refuse(store)
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}

extension PublicKeyPin {
    /// The pin of a certificate's key; nil when the key cannot be encoded.
    init?(ofCertificate certificate: OpaquePointer) {
        var digest = [UInt8](repeating: 0, count: 32)
        guard copenssl_key_digest(certificate, &digest) == 1 else { return nil }
        self.init(digest: digest)
    }

    /// The pin of the key that the peer of a connection showed.
    init?(ofPeer ssl: UnsafeMutableRawPointer) {
        guard let certificate = copenssl_peer_certificate(ssl) else { return nil }
        defer { X509_free(certificate) }
        self.init(ofCertificate: certificate)
    }
}
