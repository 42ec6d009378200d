import FoundationEssentials
import Glibc

/// The cluster's certificate authority, kept in the `pki` folder beside the state and worked by the `openssl` command.
///
/// Keys are on the curve P-256 unless a length in bits is asked for, because those are made in milliseconds.
public struct CertificateAuthority: Sendable {
    /// What a certificate is to say and where it goes.
    public struct Request: Sendable {
        /// The common name.
        public var commonName: String
        /// Further parts of the subject, such as `("O", "Example")`.
        public var subject: [(String, String)] = []
        /// Names and addresses for the subject's alternative names: `DNS:head-a`, `IP:10.0.0.1`.
        public var alternativeNames: [String] = []
        /// How long it is valid.
        public var days = 3650
        /// An RSA key of this length instead of one on a curve.
        public var bits: Int?
        /// The profile that the state remembers with it.
        public var profile: String
        /// Where the key goes; an existing key is used again.
        public var keyFile: String
        /// Where the certificate goes.
        public var certificateFile: String

        /// Creates a request.
        public init(commonName: String, profile: String, keyFile: String, certificateFile: String) {
            self.commonName = commonName
            self.profile = profile
            self.keyFile = keyFile
            self.certificateFile = certificateFile
        }
    }

    /// The folder of the authority.
    public let directory: String

    /// Names the authority of a simulated cluster.
    public init(of store: StateStore) { directory = store.directory + "/pki" }

    /// The authority's certificate: what `cacert.pem` is on a head node.
    public var certificateFile: String { directory + "/cacert.pem" }
    /// The authority's key.
    var keyFile: String { directory + "/cacert.key" }
    /// An authority of which no client knows.
    var strangerFile: String { directory + "/stranger.pem" }

    /// A file of a head node: `server.key`, `names.pem` and so on.
    public func file(_ name: String, ofHead head: String) -> String { directory + "/heads/\(head)/\(name)" }
    /// A node's certificate.
    public func certificate(ofNode node: String) -> String { directory + "/nodes/\(node).pem" }
    /// A node's key.
    public func key(ofNode node: String) -> String { directory + "/nodes/\(node).key" }
    /// The administrator's certificate.
    public var adminCertificate: String { directory + "/admin.pem" }
    /// The administrator's key.
    public var adminKey: String { directory + "/admin.key" }

    /// Makes the authority, and the other of which no client knows.
    func create() throws {
        for (file, name) in [(certificateFile, "Simulated cluster CA"), (strangerFile, "Stranger CA")] {
            let key = String(file.dropLast(4)) + ".key"
            try openssl(
                ["req", "-x509"] + Self.newKey + [
                    "-keyout", key, "-out", file, "-days", "3650", "-subj", "/CN=\(name)",
                ]
                    + ["-addext", "basicConstraints=critical,CA:TRUE"]
                    + ["-addext", "keyUsage=critical,keyCertSign,cRLSign"])
        }
    }

    /// Signs a certificate; what the state is to remember of it.
    public func issue(_ request: Request, byStranger: Bool = false) throws -> IssuedCertificate {
        var random = SystemRandomNumberGenerator()
        let serial = String(random.next() >> 1 | 1 << 62, radix: 16, uppercase: true)
        let authority = byStranger ? strangerFile : certificateFile
        var arguments = ["req", "-x509", "-CA", authority, "-CAkey", String(authority.dropLast(4)) + ".key"]
        if access(request.keyFile, R_OK) == 0 {
            arguments += ["-key", request.keyFile]
        } else if let bits = request.bits {
            arguments += ["-newkey", "rsa:\(bits)", "-nodes", "-keyout", request.keyFile]
        } else {
            arguments += Self.newKey + ["-keyout", request.keyFile]
        }
        let parts = request.subject + [("CN", request.commonName)]
        let subject = parts.filter { !$0.1.isEmpty }.map { "/\($0.0)=\(Self.escape($0.1))" }.joined()
        arguments += ["-set_serial", "0x\(serial)", "-days", "\(request.days)", "-subj", subject, "-utf8"]
        arguments += ["-addext", "basicConstraints=CA:FALSE", "-out", request.certificateFile]
        if !request.alternativeNames.isEmpty {
            arguments += ["-addext", "subjectAltName=" + request.alternativeNames.joined(separator: ",")]
        }
        try openssl(arguments)
        return IssuedCertificate(
            serial: serial, commonName: request.commonName, profile: request.profile,
            notAfter: Int(Date().timeIntervalSince1970) + request.days * 86400)
    }

    /// The serial number of a certificate file, as the state writes it; nil when the file is no certificate.
    public static func serial(ofFile path: String) -> String? {
        let result = Program.run(["openssl", "x509", "-noout", "-serial", "-in", path])
        guard result.status == 0, let equals = result.output.firstIndex(of: "=") else { return nil }
        let digits = result.output[result.output.index(after: equals)...].drop { $0 == "0" }
        return String(digits.prefix { $0.isHexDigit })
    }

    /// The certificates of a head node: good ones with and without names, and those for the faults.
    func createServerFiles(of head: Node, names: [String], addresses: [String]) throws {
        let own = directory + "/heads/\(head.name)"
        guard mkdir(own, 0o700) == 0 || errno == EEXIST else { throw StateError(own, errno: errno) }
        let alternatives = names.map { "DNS:\($0)" } + (addresses + ["127.0.0.1"]).map { "IP:\($0)" }
        func issue(_ name: String, key: String, alternatives: [String], byStranger: Bool = false) throws {
            var request = Request(
                commonName: "CMDaemon", profile: "server", keyFile: "\(own)/\(key).key",
                certificateFile: "\(own)/\(name).pem")
            request.alternativeNames = alternatives
            _ = try self.issue(request, byStranger: byStranger)
        }
        try issue("names", key: "server", alternatives: alternatives)
        try issue("plain", key: "server", alternatives: [])
        try issue("wrong-name", key: "server", alternatives: ["DNS:elsewhere.invalid"])
        try issue("changed-key", key: "changed", alternatives: alternatives)
        try issue("wrong-ca", key: "stranger", alternatives: alternatives, byStranger: true)
        // `openssl req` refuses a validity in the past, `openssl x509` does not.
        let scratch = own + "/expired"
        let extensions = "basicConstraints=CA:FALSE\nsubjectAltName=" + alternatives.joined(separator: ",") + "\n"
        try Data(extensions.utf8).write(to: URL(filePath: scratch + ".ext"))
        try openssl(["req", "-new", "-key", "\(own)/server.key", "-subj", "/CN=CMDaemon", "-out", scratch + ".csr"])
        try openssl(
            ["x509", "-req", "-in", scratch + ".csr", "-CA", certificateFile, "-CAkey", keyFile, "-days", "-1"]
                + ["-set_serial", "1", "-extfile", scratch + ".ext", "-out", scratch + ".pem"])
        unlink(scratch + ".ext")
        unlink(scratch + ".csr")
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    private static func escape(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            if character == "/" || character == "\\" || character == "+" { text += "\\" }
            text.append(character)
        }
    }

    private func openssl(_ arguments: [String]) throws {
        let result = Program.run(["openssl"] + arguments)
        guard result.status == 0 else {
            throw StateError(directory, "openssl \(arguments[0]) failed (is openssl 3 installed?): \(result.output)")
        }
    }
}
