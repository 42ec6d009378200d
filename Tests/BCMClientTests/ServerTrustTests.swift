import Logging
import Testing

@testable import BCMClient

@Suite(.serialized, .enabled(if: Peer.isPossible, "needs python3 and openssl"))
struct ServerTrustTests {
    private func pin(_ name: String, _ peer: Peer) throws -> PublicKeyPin {
        try Certificate.read(file: peer.certificates.file(name + ".pem")).publicKeyPin
    }

    @Test func aServerOfAnotherAuthorityIsNotTrustedAndGetsNoRequest() async throws {
        try await withPeer("ok") { peer in
            let client = try peer.client { $0.trust = .authority(file: peer.certificates.file("other-ca.pem")) }
            let error = await failure { _ = try await client.lookUp(["dgx-01"]) }
            #expect(error?.code == .notTrusted)
            #expect(error?.remedy?.contains("other-ca.pem") == true)
            #expect(!peer.events().contains { $0.hasPrefix("request") })
        }
    }

    @Test func aCertificateForAnotherNameIsRefusedUnlessNamesDoNotCount() async throws {
        try await withPeer("ok", certificate: "server-elsewhere") { peer in
            let client = try peer.client()
            let error = await failure { _ = try await client.lookUp(["dgx-01"]) }
            #expect(error?.code == .notTrusted)
            #expect(error?.remedy == "use a name that the certificate holds, or switch host-name verification off")
            #expect(!peer.events().contains { $0.hasPrefix("request") })

            let lenient = try peer.client { $0.verifiesHostname = false }
            #expect(try await lenient.lookUp(["dgx-01"]).matches.count == 1)
        }
    }

    @Test func addressesInTheCertificateCount() async throws {
        try await withPeer("ok") { peer in
            let devices = try await peer.client(host: "127.0.0.1").devices()
            #expect(devices.count == 3)
        }
    }

    @Test func aMissingAuthorityFileIsAConfigurationError() async throws {
        try await withPeer("ok") { peer in
            for file in ["absent.pem", "garbage.pem", "empty.pem"] {
                let client = try peer.client { $0.trust = .authority(file: peer.certificates.file(file)) }
                let error = await failure { _ = try await client.devices() }
                #expect(error?.code == .invalidConfiguration, "\(file): \(String(describing: error))")
                #expect(error?.reason.contains(file) == true)
            }
        }
    }

    @Test func aPinnedKeyIsEnough() async throws {
        try await withPeer("ok", certificate: "server-elsewhere") { peer in
            let pins = [try pin("server", peer), try pin("server-elsewhere", peer)]
            let client = try peer.client { $0.trust = .pinnedKeys(Set(pins)) }
            #expect(try await client.devices().count == 3)
            #expect(client.seenKeys.isEmpty)
        }
    }

    @Test(arguments: [nil, "TLSv1.2"])
    func anotherKeyThanThePinnedOneIsRefusedBeforeTheClientShowsItself(_ maximum: String?) async throws {
        try await withPeer("ok", authority: "ca", maximum: maximum) { peer in
            let client = try peer.client { $0.trust = .pinnedKeys([try pin("server-2", peer)]) }
            let error = await failure { _ = try await client.devices() }
            #expect(error?.code == .notTrusted)
            let shown = try pin("server", peer)
            #expect(error?.reason == "the server's key is \(shown), which is not among the pinned keys")
            let report = await client.checkConnectivity(of: try peer.headNode())
            #expect(report.isTrusted == false)
            #expect(report.serverKey == shown)
            let ended = try await peer.wait { peer.events().contains { $0.hasPrefix("handshake-failed") } }
            #expect(ended)
            #expect(!peer.events().contains { $0.hasPrefix("request") })
        }
    }

    @Test func theFirstKeyIsRememberedAndAChangeRefused() async throws {
        let listeners = [
            PeerListener(name: "peer", behaviour: "ok"),
            PeerListener(name: "new", behaviour: "ok", certificate: "server-2"),
        ]
        try await withPeer(listeners) { peer in
            let (old, new) = (try peer.headNode("peer"), try peer.headNode("new"))
            let first = try peer.client { $0.trust = .firstUse() }
            #expect(first.seenKeys.isEmpty)
            _ = try await first.devices()
            #expect(first.seenKeys == [old: try pin("server", peer)])

            // The head node of the second listener was seen with the key of the first.
            let known = [new: try pin("server", peer), HeadNode(host: "head-z"): try pin("server", peer)]
            let later = try peer.client(["new"]) { $0.trust = .firstUse(known: known) }
            let error = await failure { _ = try await later.devices() }
            #expect(error?.code == .notTrusted)
            #expect(
                error?.reason == """
                    the server's key is not the one that was seen first: now it is \(try pin("server-2", peer)); it was \
                    \(try pin("server", peer)) before
                    """)
            #expect(error?.remedy?.contains("accept it by removing the remembered key of \(new)") == true)
            #expect(later.seenKeys == known)
            #expect(!peer.events("new").contains { $0.hasPrefix("request") })

            let accepted = try peer.client(["new"]) { $0.trust = .firstUse(known: [new: try pin("server-2", peer)]) }
            #expect(try await accepted.devices().count == 3)
        }
    }

    @Test func manyFirstUsesAtOnceSeeOneKey() async throws {
        try await withPeer("slow") { peer in
            let client = try peer.client { $0.trust = .firstUse() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<30 { group.addTask { _ = try await client.devices() } }
                try await group.waitForAll()
            }
            #expect(client.seenKeys == [try peer.headNode(): try pin("server", peer)])
            #expect(client.connectionsOpened <= TransferEngine.transfersAtOnce)
        }
    }

    @Test func aKeyThatNeverGaveAnAnswerIsNotRemembered() async throws {
        try await withPeer("reset") { peer in
            let client = try peer.client { $0.trust = .firstUse() }
            _ = await failure { _ = try await client.devices() }
            #expect(client.seenKeys.isEmpty)
        }
    }

    @Test func anyServerIsTrustedWhenInsecure() async throws {
        try await withPeer("ok", certificate: "server-elsewhere") { peer in
            let client = try peer.client { $0.trust = .insecure }
            #expect(try await client.devices().count == 3)
            let report = await client.checkConnectivity(of: try peer.headNode())
            #expect(report.serverKey == (try? pin("server-elsewhere", peer)))
        }
    }

    @Test func TLSOlderThan12IsRefused() async throws {
        try await withPeer("ok", maximum: "TLSv1.1") { peer in
            let error = await failure { _ = try await peer.client { $0.trust = .insecure }.devices() }
            #expect(error?.code == .connectionLost || error?.code == .notAuthorised, "\(String(describing: error))")
            #expect(!peer.events().contains { $0.hasPrefix("request") })
        }
    }

    @Test(arguments: [nil, "TLSv1.2"])
    func aServerThatWantsAnotherClientCertificateIsNotAuthorised(_ maximum: String?) async throws {
        try await withPeer("ok", authority: "ca", maximum: maximum) { peer in
            let without = try peer.client {
                $0.certificateFile = nil
                $0.keyFile = nil
            }
            let missing = await failure { _ = try await without.devices() }
            #expect(missing?.code == .notAuthorised, "\(String(describing: missing))")
            #expect(missing?.reason.hasPrefix("the server wants a client certificate and got none") == true)

            let stranger = try peer.client {
                $0.certificateFile = peer.certificates.file("client-other.pem")
                $0.keyFile = peer.certificates.file("client-other.key")
            }
            let other = await failure { _ = try await stranger.devices() }
            #expect(other?.code == .notAuthorised, "\(String(describing: other))")
            #expect(other?.reason.contains("client-other.pem") == true)
        }
    }

    @Test(arguments: [
        ("absent.pem", "client.key", "there is no certificate file"),
        ("client.pem", "absent.key", "there is no key file"),
        ("garbage.pem", "client.key", "it has no PEM text"), ("client.pem", "garbage.pem", "it has no PEM text"),
        ("empty.pem", "client.key", "it is empty"), ("client.pem", "encrypted.key", "is encrypted"),
        ("client.pem", "client-other.key", "does not belong to the certificate"),
        ("client.key", "client.key", "it begins with"), ("client.pem", "client.pem", "it begins with"),
    ])
    func aClientCertificateThatCannotBeUsedIsAConfigurationError(
        _ certificate: String, _ key: String, _ reason: String
    ) async throws {
        try await withPeer("ok") { peer in
            let client = try peer.client {
                $0.certificateFile = peer.certificates.file(certificate)
                $0.keyFile = peer.certificates.file(key)
            }
            let error = await failure { _ = try await client.devices() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
        }
    }
}
