public import BCMClient
import CommandExecution
import DurableFiles
import FoundationEssentials
public import Logging

/// Finds out from BCM what a plan must know: head nodes, how to trust them, whose certificate to use, what REST shows.
///
/// Runs on the active head node. It changes nothing, with one exception that it announces in ``SiteFacts/remarks``: when
/// no node certificate may read devices, it has BCM make a certificate for a profile that may do only that.
public struct SiteDiscovery: Sendable {
    /// Where things lie on a head node.
    public struct Paths: Sendable, Hashable {
        /// The cluster's CA.
        public var authority = BCMPaths.authority
        /// The administrator's certificate and key.
        public var administratorCertificate = BCMPaths.administratorCertificate
        /// The administrator's key.
        public var administratorKey = BCMPaths.administratorKey
        /// The certificate that each node has of its own, on the node.
        public var nodeCertificate = BCMPaths.nodeCertificate
        /// Its key.
        public var nodeKey = BCMPaths.nodeKey
        /// Where a certificate made for the monitors is kept on the head node, readable by root alone.
        public var madeCertificates = "/var/lib/bcm-jobstats/certificates"

        /// The paths of a BCM installation.
        public init() {}
    }

    let cmsh: Cmsh
    let paths: Paths
    let role: String
    let port: Int
    let logger: Logger

    /// Creates a discovery for one role, `slurmclient` by default.
    public init(
        cmsh: Cmsh, paths: Paths = Paths(), role: String = "slurmclient", port: Int = HeadNode.standardPort,
        logger: Logger
    ) {
        self.cmsh = cmsh
        self.paths = paths
        self.role = role
        self.port = port
        self.logger = logger
    }

    /// Finds everything out.
    ///
    /// - Parameters:
    ///   - nodes: the DGX nodes.
    ///   - choice: which certificate the monitors shall use.
    ///   - renews: whether a certificate that was made before is replaced.
    ///   - mayCreate: whether BCM may be asked to make a certificate; false for a check, which changes nothing.
    ///   - connector: reaches a node, to try its own certificate there.
    /// - Throws: `BCMError` when cmsh or every head node fails; ``ResourceError`` when no certificate works.
    public func facts(
        nodes: [Host], choice: MonitorCertificateChoice = .automatic, renews: Bool = false,
        mayCreate: Bool = true, connector: any HostConnector
    ) async throws -> SiteFacts {
        var facts = SiteFacts()
        // Starting cmsh takes longer than what it is asked for, so all is asked at once.
        async let heads = headNodes()
        async let known = cmsh.devices(.physicalNodes)
        async let holders = cmsh.devices(.role(role))
        async let images = imagesByNode()
        let headNodes = try await heads
        async let trial = trial(of: choice, nodes, headNodes, connector)
        facts.headNodes = headNodes
        try await findTrust(&facts)
        try await findRoles(try await known, try await holders.map(\.hostname), &facts)
        do throws(BCMError) {
            facts.imageByNode = try await images.get()
        } catch {
            facts.remarks.append("Which software images the nodes use is not known: \(error.reason).")
        }
        facts.certificate = try await certificate(choice, try await trial, renews, mayCreate, &facts)
        return facts
    }

    private func imagesByNode() async -> Result<[String: String], BCMError> {
        do throws(BCMError) {
            return .success(try await cmsh.softwareImagesByNode())
        } catch {
            return .failure(error)
        }
    }

    /// The head nodes, the active one first.
    private func headNodes() async throws(BCMError) -> [String] {
        async let availability = highAvailability()
        var names = try await cmsh.headNodes().map(\.hostname)
        guard !names.isEmpty else {
            throw BCMError(
                .notFound, reason: "cmsh lists no head node",
                remedy: "look at: cmsh -c 'device; list -t headnode'")
        }
        if names.count > 1, let active = try await availability.get().activeHost,
            let index = names.firstIndex(of: active)
        {
            names.insert(names.remove(at: index), at: 0)
        }
        return names
    }

    private func highAvailability() async -> Result<HighAvailability, BCMError> {
        do throws(BCMError) {
            return .success(try await cmsh.highAvailability())
        } catch {
            return .failure(error)
        }
    }

    /// How the monitors can verify the head nodes: by CA and name, by CA alone, or by the keys themselves.
    private func findTrust(_ facts: inout SiteFacts) async throws(BCMError) {
        let heads = facts.headNodes.map { HeadNode(host: $0, port: port) }
        if let authority = try? DurableFile.read(paths.authority, limit: 1 << 20) {
            for verifiesHostname in [true, false] {
                let client = try client(.authority(file: paths.authority), verifiesHostname, heads)
                defer { client.shutDown() }
                let reports = await Self.reports(on: heads, client)
                let reached = reports.filter(\.isReachable)
                guard !reached.isEmpty else { throw Self.unreachable(reports) }
                note(reports, &facts)
                if reached.allSatisfy({ $0.isTrusted == true }) {
                    facts.authority = authority
                    facts.namesAreVerifiable = verifiesHostname
                    if !verifiesHostname {
                        facts.remarks.append(
                            "The head nodes' certificates do not carry their names: they are verified against the "
                                + "cluster's CA alone (verify_hostname is false).")
                    }
                    return
                }
            }
        }
        let client = try client(.firstUse(), false, heads)
        defer { client.shutDown() }
        let reports = await Self.reports(on: heads, client)
        let pins = reports.compactMap(\.serverKey?.description)
        guard !pins.isEmpty else { throw Self.unreachable(reports) }
        facts.pinnedKeys = Array(Set(pins)).sorted()
        facts.remarks.append(
            "The CA at \(paths.authority) does not verify the head nodes: their present public keys are pinned. "
                + "Run again after a head node's key changes.")
        if pins.count < heads.count {
            facts.remarks.append("Not every head node answered, so not every key is pinned; run again when they do.")
        }
    }

    /// What asking each head node came to, in their order; all are asked at once.
    private static func reports(on heads: [HeadNode], _ client: RESTClient) async -> [ConnectivityReport] {
        await withTaskGroup(of: (Int, ConnectivityReport).self) { group in
            for (index, head) in heads.enumerated() {
                group.addTask { (index, await client.checkConnectivity(of: head)) }
            }
            var reports: [(Int, ConnectivityReport)] = []
            for await report in group { reports.append(report) }
            return reports.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func note(_ reports: [ConnectivityReport], _ facts: inout SiteFacts) {
        for report in reports where !report.isReachable {
            let remark = "The head node \(report.headNode) does not answer now: \(report.error?.reason ?? "no answer")."
            if !facts.remarks.contains(remark) { facts.remarks.append(remark) }
        }
    }

    private static func unreachable(_ reports: [ConnectivityReport]) -> BCMError {
        let errors = reports.compactMap(\.error)
        return errors.count == 1
            ? errors[0]
            : BCMError(
                .notReachable, reason: "no head node answers", remedy: "check that CMDaemon runs there",
                underlying: errors)
    }

    /// Which nodes have the role by cmsh's account, and whether REST shows the same.
    private func findRoles(
        _ known: [ClusterDevice], _ holders: [String], _ facts: inout SiteFacts
    ) async throws(BCMError) {
        for device in known { facts.rolesByNode[device.hostname] = [] }
        for name in holders { facts.rolesByNode[name, default: []].insert(role) }
        let client = try client(
            trust(of: facts), facts.namesAreVerifiable, facts.headNodes.map { HeadNode(host: $0, port: port) })
        defer { client.shutDown() }
        let devices = try await client.devices()
        let shown = Set(devices.filter { $0.roles?.contains(role) == true }.map(\.hostname))
        let computeHolders = holders.filter { name in known.contains { $0.hostname == name } }
        let hidden = computeHolders.filter { !shown.contains($0) }.sorted()
        facts.areRolesVisible = !computeHolders.isEmpty && hidden.isEmpty
        if computeHolders.isEmpty {
            facts.remarks.append(
                "No node has the role \(role) now, so whether REST shows it cannot be seen; each monitor learns it when "
                    + "its node gets the role.")
        } else if !hidden.isEmpty {
            facts.remarks.append(
                "REST does not show the role \(role) of \(hidden.count) of \(computeHolders.count) nodes that have it by "
                    + "cmsh's account (\(hidden.prefix(3).joined(separator: ", "))...): it comes from an overlay or a "
                    + "category that REST hides. The monitors of such nodes will say that the role is unknown and "
                    + "change nothing; assign the role at the node to have them follow it.")
        }
    }

    private func trust(of facts: SiteFacts) throws(BCMError) -> ServerTrust {
        if facts.authority != nil { return .authority(file: paths.authority) }
        var pins = Set<PublicKeyPin>()
        for pin in facts.pinnedKeys { pins.insert(try PublicKeyPin(parsing: pin)) }
        return .pinnedKeys(pins)
    }

    private func client(
        _ trust: ServerTrust, _ verifiesHostname: Bool, _ heads: [HeadNode], certificate: String? = nil,
        key: String? = nil
    ) throws(BCMError) -> RESTClient {
        try RESTClient(
            configuration: RESTClient.Configuration(
                headNodes: heads, certificateFile: certificate ?? paths.administratorCertificate,
                keyFile: key ?? paths.administratorKey, trust: trust, verifiesHostname: verifiesHostname),
            logger: logger)
    }

    // MARK: - The monitors' certificate

    private func certificate(
        _ choice: MonitorCertificateChoice, _ trial: Trial?, _ renews: Bool, _ mayCreate: Bool,
        _ facts: inout SiteFacts
    ) async throws -> SiteFacts.MonitorCertificate {
        switch choice.kind {
        case .node, .automatic:
            let (mayRead, seen) = trial ?? (false, "none was tried")
            if mayRead {
                return SiteFacts.MonitorCertificate(
                    certificateFile: paths.nodeCertificate, keyFile: paths.nodeKey, content: nil,
                    reason: "each node's own CMDaemon certificate: it may read devices (\(seen))")
            }
            if choice.kind == .node {
                throw ResourceError(
                    "the nodes' own certificates may not read devices: \(seen)",
                    remedy: "use another: --certificate PROFILE, or leave the option out to have one made")
            }
            facts.remarks.append("The nodes' own certificates are not used: \(seen).")
            return try await made(
                for: MonitorCertificateChoice.defaultProfile, addsProfile: true, renews, mayCreate, &facts)
        case .profile(let profile):
            return try await made(for: profile, addsProfile: false, renews, mayCreate, &facts)
        case .administrator:
            facts.remarks.append(
                "The administrator's certificate goes to every node, as asked: whoever is root on one of them can "
                    + "administer the cluster.")
            return SiteFacts.MonitorCertificate(
                certificateFile: MonitorSettings.certificateFile, keyFile: MonitorSettings.keyFile,
                content: try pem(paths.administratorCertificate, paths.administratorKey),
                reason: "the administrator's own, as asked")
        }
    }

    /// Whether a node's own certificate may read devices, and how that was seen, in words.
    private typealias Trial = (mayRead: Bool, seen: String)

    /// The trial of a node's certificate; nil when the choice needs none.
    private func trial(
        of choice: MonitorCertificateChoice, _ nodes: [Host], _ headNodes: [String], _ connector: any HostConnector
    ) async throws(ResourceError) -> Trial? {
        switch choice.kind {
        case .node, .automatic: try await nodeCertificateMayRead(nodes, headNodes, connector)
        default: nil
        }
    }

    /// Tries the certificate of the first node that can be reached, on that node. Only BCM's own answer counts as a no:
    /// where none came, nothing is known and no certificate is made.
    private func nodeCertificateMayRead(
        _ nodes: [Host], _ headNodes: [String], _ connector: any HostConnector
    ) async throws(ResourceError) -> Trial {
        var last = "there is no node to try one on"
        for node in nodes.prefix(5) {
            let connection = await connector.connect(to: node)
            let outcome = await tryCertificate(on: connection, headNodes)
            await connection.close()
            switch outcome {
            case .success(let code) where code == "200": return (true, "tried on \(node)")
            case .success(let code) where code == "401" || code == "403":
                return (false, "on \(node) BCM answered \(code)")
            case .success(let code) where code == "none": return (false, "\(node) has none")
            case .success(let code): last = "on \(node) BCM answered \(code)"
            case .failure(let error): last = error.reason
            }
        }
        throw ResourceError(
            "whether the nodes' own certificates may read devices could not be tried: \(last)",
            remedy: "run again when a node can be reached, or name a certificate: deploy-role-monitor --certificate")
    }

    /// The HTTP status that the first head node to answer gives a node's own certificate, asked from that node.
    private func tryCertificate(
        on connection: any HostConnection, _ headNodes: [String]
    ) async -> Result<String, ResourceError> {
        var last = "no head node was asked"
        for headNode in headNodes {
            let command = Command(
                "sh",
                [
                    "-c",
                    """
                    [ -r "$1" ] && [ -r "$2" ] || { printf none; exit 0; }
                    exec curl -sS --max-time 10 -o /dev/null -w '%{http_code}' --insecure --cert "$1" --key "$2" "$3"
                    """, "sh", paths.nodeCertificate, paths.nodeKey, "https://\(headNode):\(port)/rest/v1/device",
                ])
            do throws(CommandError) {
                let result = try await connection.run(command)
                if result.succeeded { return .success(result.outputText) }
                let said = result.errorText.split(whereSeparator: \.isNewline).last.map(String.init)
                // A server may also refuse a certificate within the handshake: curl(1) then fails with 56 or 35.
                if let said, said.contains("alert") { return .success("403") }
                last = "curl for \(headNode): \(said ?? result.status.description)"
            } catch {
                return .failure(ResourceError("\(error)", remedy: ""))
            }
        }
        return .failure(ResourceError(last, remedy: ""))
    }

    /// A certificate that BCM made for a profile: the one from an earlier run while it serves, otherwise a new one.
    private func made(
        for profile: String, addsProfile: Bool, _ renews: Bool, _ mayCreate: Bool, _ facts: inout SiteFacts
    ) async throws -> SiteFacts.MonitorCertificate {
        let certificate = "\(paths.madeCertificates)/\(profile).pem", key = "\(paths.madeCertificates)/\(profile).key"
        if !renews, await serves(certificate, key, facts) {
            return SiteFacts.MonitorCertificate(
                certificateFile: MonitorSettings.certificateFile, keyFile: MonitorSettings.keyFile,
                content: try pem(certificate, key), reason: "made by BCM for the profile \(profile) in an earlier run")
        }
        guard mayCreate else {
            facts.remarks.append("A run would have BCM make a certificate for the profile \(profile).")
            return SiteFacts.MonitorCertificate(
                certificateFile: MonitorSettings.certificateFile, keyFile: MonitorSettings.keyFile, content: nil,
                reason: "one that BCM would make for the profile \(profile)")
        }
        let folder = try await LocalExecutor().run(
            Command("install", ["-d", "-m", "0700", "--", paths.madeCertificates]))
        guard folder.succeeded else {
            throw ResourceError(
                "\(paths.madeCertificates) cannot be made: \(folder.errorText)", remedy: "run as root on the head node")
        }
        if addsProfile, try await !cmsh.profiles().contains(profile) {
            try await cmsh.addProfile(profile, tokens: ["GET_DEVICE_TOKEN"])
            facts.remarks.append("BCM now has a profile \(profile) that may read devices and nothing else.")
        }
        // cmsh writes to names of its own first, so that a failure leaves the earlier certificate in use.
        let newCertificate = certificate + ".new", newKey = key + ".new"
        for path in [newCertificate, newKey] { try? FileManager.default.removeItem(atPath: path) }
        try await cmsh.createCertificate(
            CertificateRequest(
                commonName: profile, profile: profile, keyFile: newKey, certificateFile: newCertificate, days: 3650))
        guard await serves(newCertificate, newKey, facts) else {
            throw ResourceError(
                "the certificate that BCM made for the profile \(profile) may not read devices",
                remedy: "give the profile GET_DEVICE_TOKEN (cmsh: profile; use \(profile)), or name another profile")
        }
        let renamed = try await LocalExecutor().run(
            Command(
                "sh",
                [
                    "-c", "chmod 600 \"$1\" \"$3\" && mv -f \"$1\" \"$2\" && mv -f \"$3\" \"$4\"", "sh", newKey, key,
                    newCertificate, certificate,
                ]))
        guard renamed.succeeded else {
            throw ResourceError("\(certificate) cannot be replaced: \(renamed.errorText)", remedy: "check the disk")
        }
        facts.remarks.append("BCM made a certificate for the profile \(profile); it lies in \(paths.madeCertificates).")
        return SiteFacts.MonitorCertificate(
            certificateFile: MonitorSettings.certificateFile, keyFile: MonitorSettings.keyFile,
            content: try pem(certificate, key), reason: "made by BCM for the profile \(profile)")
    }

    /// Whether a certificate has a month left and reads devices.
    private func serves(_ certificate: String, _ key: String, _ facts: SiteFacts) async -> Bool {
        guard let read = try? Certificate.read(file: certificate), read.daysLeft(at: Date()) > 30,
            let trust = try? trust(of: facts),
            let client = try? client(
                trust, facts.namesAreVerifiable, facts.headNodes.map { HeadNode(host: $0, port: port) },
                certificate: certificate, key: key)
        else { return false }
        defer { client.shutDown() }
        return (try? await client.devices()) != nil
    }

    private func pem(
        _ certificate: String, _ key: String
    ) throws(ResourceError) -> SiteFacts.MonitorCertificate.Content {
        guard let certificateBytes = try? DurableFile.read(certificate, limit: 1 << 20),
            let keyBytes = try? DurableFile.read(key, limit: 1 << 20)
        else {
            throw ResourceError(
                "\(certificate) or \(key) cannot be read", remedy: "run as root on the head node, and check both files")
        }
        return SiteFacts.MonitorCertificate.Content(certificate: certificateBytes, key: keyBytes)
    }
}
