import CommandExecution
import FoundationEssentials
import Glibc
import Logging
import Testing

@testable import BCMClient

/// Certificates made with the openssl command in a directory of their own, once for the process.
struct TestCertificates: Sendable {
    let directory: String

    static let shared = Task { try await TestCertificates() }
    static let isPossible = ["/usr/bin/openssl", "/usr/local/bin/openssl"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    func file(_ name: String) -> String { directory + "/" + name }
    var authority: String { file("ca.pem") }

    private init() async throws {
        directory = try TestDirectory.make()
        for name in ["ca", "other-ca"] {
            try await key(name)
            try await openssl(
                "req", "-x509", "-new", "-key", file(name + ".key"), "-out", file(name + ".pem"), "-days", "3650",
                "-subj", "/CN=\(name)")
        }
        try await issue("server", "ca", "subjectAltName=DNS:localhost,DNS:head-a,IP:127.0.0.1")
        try await issue("server-2", "ca", "subjectAltName=DNS:localhost,DNS:head-a,IP:127.0.0.1")
        try await issue("server-elsewhere", "ca", "subjectAltName=DNS:elsewhere.example")
        try await issue("client", "ca", "extendedKeyUsage=clientAuth")
        try await issue("client-other", "other-ca", "extendedKeyUsage=clientAuth")
        try await openssl(
            "pkey", "-in", file("client.key"), "-aes256", "-passout", "pass:x", "-out", file("encrypted.key"))
        try "no certificate here\n".write(toFile: file("garbage.pem"), atomically: true, encoding: .utf8)
        try "".write(toFile: file("empty.pem"), atomically: true, encoding: .utf8)
    }

    private func key(_ name: String) async throws {
        try await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file(name + ".key"))
    }

    private func issue(_ name: String, _ authority: String, _ extensions: String) async throws {
        try await key(name)
        try await openssl(
            "req", "-new", "-key", file(name + ".key"), "-out", file(name + ".csr"), "-subj", "/O=Example/CN=\(name)")
        try extensions.write(toFile: file(name + ".ext"), atomically: true, encoding: .utf8)
        try await openssl(
            "x509", "-req", "-in", file(name + ".csr"), "-CA", file(authority + ".pem"), "-CAkey",
            file(authority + ".key"), "-CAcreateserial", "-days", "100", "-extfile", file(name + ".ext"), "-out",
            file(name + ".pem"))
    }

    @discardableResult
    func openssl(_ arguments: String...) async throws -> String {
        let result = try await LocalExecutor().run(Command("openssl", arguments))
        try #require(result.succeeded, "openssl \(arguments): \(result.errorText)")
        return result.outputText
    }
}

/// Directories of tests, removed when the process ends.
enum TestDirectory {
    static let root: String = {
        let root = "/tmp/bcm-client-tests-\(ProcessInfo.processInfo.processIdentifier)"
        try? FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: TestDirectory.root) }
        return root
    }()

    static func make() throws -> String {
        let path = root + "/" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}

/// One listener of the test peer.
struct PeerListener: Encodable, Sendable {
    var name: String
    var behaviour: String
    var certificate: String?
    var key: String?
    var authority: String?
    var maximum: String?
    var body: String?
    var status: Int?
}

/// A running test peer.
struct Peer: Sendable {
    let certificates: TestCertificates
    let directory: String

    static let interpreter = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static let isPossible = interpreter != nil && TestCertificates.isPossible

    static let devices = """
        [{"hostname": "dgx-01", "roles": ["slurmclient"], "type": "PhysicalNode"},
         {"hostname": "head-a", "roles": ["boot"], "type": "HeadNode"}, {"hostname": "dgx-02"}]
        """

    /// Where a listener listens.
    func headNode(_ name: String = "peer", host: String = "localhost") throws -> HeadNode {
        let text = try String(contentsOfFile: "\(directory)/\(name).port", encoding: .utf8)
        return HeadNode(host: host, port: try #require(Int(text)))
    }

    /// What happened at a listener.
    func events(_ name: String = "peer") -> [String] {
        let text = (try? String(contentsOfFile: "\(directory)/\(name).events", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Waits, with a bound, until something is so.
    func wait(within limit: Duration = .seconds(30), for condition: () -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while !condition() {
            guard .now < end else { return false }
            try await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    /// A client that trusts the test authority and shows the test certificate, unless told otherwise.
    func client(
        _ names: [String] = ["peer"], host: String = "localhost",
        _ change: (inout RESTClient.Configuration) throws -> Void = { _ in }
    ) throws -> RESTClient {
        var configuration = RESTClient.Configuration(
            headNodes: try names.map { try headNode($0, host: host) }, certificateFile: certificates.file("client.pem"),
            keyFile: certificates.file("client.key"), trust: .authority(file: certificates.authority))
        try change(&configuration)
        return try RESTClient(
            configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// Runs a test against a peer with these listeners; they get certificate, key and answer unless they have their own.
func withPeer(
    _ listeners: [PeerListener], body: (Peer) async throws -> Void
) async throws {
    let certificates = try await TestCertificates.shared.value
    let directory = try TestDirectory.make()
    try Peer.devices.write(toFile: directory + "/devices.json", atomically: true, encoding: .utf8)
    let complete = listeners.map { listener in
        var listener = listener
        if listener.certificate == "none" {
            listener.certificate = nil
        } else {
            let name = listener.certificate ?? "server"
            listener.certificate = certificates.file(name + ".pem")
            listener.key = certificates.file(name + ".key")
        }
        listener.authority = listener.authority.map { certificates.file($0 + ".pem") }
        listener.body = listener.body ?? directory + "/devices.json"
        return listener
    }
    try await PeerProcess.shared.value
    let peer = Peer(certificates: certificates, directory: directory)
    try JSONEncoder().encode(complete).write(to: URL(filePath: directory + "/listeners.json"), options: .atomic)
    defer { _ = FileManager.default.createFile(atPath: directory + "/stop", contents: nil) }
    let isUp = try await peer.wait(within: .seconds(60)) {
        listeners.allSatisfy { FileManager.default.fileExists(atPath: "\(directory)/\($0.name).port") }
            || FileManager.default.fileExists(atPath: directory + "/failure")
    }
    let failure = try? String(contentsOfFile: directory + "/failure", encoding: .utf8)
    try #require(isUp && failure == nil, "the peer did not start: \(failure ?? "")")
    try await body(peer)
}

/// The one process that serves all tests; it ends with this one.
private enum PeerProcess {
    static let shared = Task {
        let source = #filePath
        let folder = source.prefix(upTo: source.lastIndex(of: "/") ?? source.endIndex)
        let command = Command(
            try #require(Peer.interpreter), [folder + "/Peer/peer.py", TestDirectory.root], timeout: .seconds(3600))
        Task.detached { try await LocalExecutor().run(command) }
    }
}

/// One listener, called `peer`.
func withPeer(
    _ behaviour: String, certificate: String? = nil, authority: String? = nil, maximum: String? = nil,
    answer: String? = nil, status: Int? = nil, body: (Peer) async throws -> Void
) async throws {
    var listener = PeerListener(
        name: "peer", behaviour: behaviour, certificate: certificate, authority: authority, maximum: maximum,
        status: status)
    if let answer {
        listener.body = try TestDirectory.make() + "/answer"
        try answer.write(toFile: listener.body ?? "", atomically: true, encoding: .utf8)
    }
    try await withPeer([listener], body: body)
}

/// The error that something throws; an issue when it throws none.
func failure(_ body: () async throws -> Void) async -> BCMError? {
    do {
        try await body()
        Issue.record("nothing was thrown")
        return nil
    } catch {
        return error as? BCMError
    }
}
