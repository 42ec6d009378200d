import Glibc

/// What a simulated cluster is made of.
public struct ClusterPlan: Sendable {
    /// A host of the cluster.
    public struct Host: Sendable, Hashable {
        /// The short name.
        public var name: String
        /// The address on the internal network.
        public var address: String
        /// The hardware address; made up from the address when nil.
        public var hardwareAddress: String?
        /// Creates a host.
        public init(name: String, address: String, hardwareAddress: String? = nil) {
            self.name = name
            self.address = address
            self.hardwareAddress = hardwareAddress
        }
    }
    /// The head nodes; the first is active.
    public var headNodes: [Host]
    /// The compute nodes.
    public var nodes: [Host]
    /// Further addresses under which head nodes are reached, for their certificates.
    public var sharedAddresses: [String] = []

    /// Creates a plan.
    public init(headNodes: [Host], nodes: [Host]) {
        self.headNodes = headNodes
        self.nodes = nodes
    }
}

extension StateStore {
    /// Makes a cluster: the authority, every certificate, and the first state. The folder may exist but hold no cluster.
    @discardableResult
    public func initialize(_ plan: ClusterPlan) throws -> ClusterState {
        guard !plan.headNodes.isEmpty else { throw StateError(path, "a cluster needs a head node") }
        let hosts = plan.headNodes + plan.nodes
        for host in hosts where !Self.isHostName(host.name) {
            throw StateError(path, "\"\(host.name)\" is no host name")
        }
        guard Set(hosts.map(\.name)).count == hosts.count else { throw StateError(path, "a name stands twice") }
        guard stamp() == nil else { throw StateError(path, "there is a simulated cluster already") }
        let authority = CertificateAuthority(of: self)
        for folder in [directory, authority.directory, authority.directory + "/heads", authority.directory + "/nodes"] {
            guard mkdir(folder, folder == directory ? 0o755 : 0o700) == 0 || errno == EEXIST else {
                throw StateError(folder, errno: errno)
            }
        }
        var state = ClusterState(plan)
        try authority.create()
        let names = state.headNodes.map(\.name) + ["master", "localhost"]
        let addresses = state.headNodes.map(\.address) + plan.sharedAddresses
        for head in state.headNodes { try authority.createServerFiles(of: head, names: names, addresses: addresses) }
        state.certificates.append(
            try authority.issue(
                .init(
                    commonName: "Administrator", profile: "admin", keyFile: authority.adminKey,
                    certificateFile: authority.adminCertificate)))
        for node in state.allNodes { state.certificates.append(try authority.issueCertificate(ofNode: node.name)) }
        try create(state)
        return state
    }

    /// Adds a compute node of the first category to a cluster that is there, with a certificate of its own.
    public func add(_ host: ClusterPlan.Host) throws {
        guard Self.isHostName(host.name) else { throw StateError(path, "\"\(host.name)\" is no host name") }
        let authority = CertificateAuthority(of: self)
        try update { state in
            guard state.node(host.name) == nil else { throw StateError(path, "\(host.name) exists already") }
            state.nodes.append(Node(host, category: state.categories.first?.name, roles: []))
            state.certificates.append(try authority.issueCertificate(ofNode: host.name))
        }
    }

    static func isHostName(_ name: String) -> Bool {
        !name.isEmpty && name.first != "-"
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") }
    }
}

extension ClusterState {
    /// A cluster as an administrator finds it after installation with Slurm, and no node with the role `slurmclient`.
    init(_ plan: ClusterPlan) {
        func nodes(_ hosts: [ClusterPlan.Host], category: String?, roles: [String]) -> [Node] {
            hosts.map { Node($0, category: category, roles: roles.map { Role(name: $0) }) }
        }
        clusterName = "basecm10"
        headNodes = nodes(
            plan.headNodes, category: nil,
            roles: ["backup", "boot", "headnode", "monitoring", "provisioning", "storage"])
        self.nodes = nodes(plan.nodes, category: "default", roles: [])
        activeHeadNode = plan.headNodes.first?.name ?? ""
        categories = [Category(name: "default", softwareImage: "default-image")]
        var server = Overlay(name: "slurm-server", allHeadNodes: true)
        server.roles = [Role(name: "slurmserver"), Role(name: "slurmaccounting")]
        var client = Overlay(name: "slurm-client")
        client.roles = [Role(name: "slurmclient")]
        overlays = [server, client]
        softwareImages = [SoftwareImage(name: "default-image", path: "/cm/images/default-image")]
        workloadManagers = [
            WorkloadManager(
                name: "slurm",
                settings: [
                    "version": "23.02", "prolog": "/cm/local/apps/cmd/scripts/prolog",
                    "epilog": "/cm/local/apps/cmd/scripts/epilog", "prologslurmctld": "", "epilogslurmctld": "",
                    "selecttype": "select/cons_tres", "selecttypeparameters": "CR_Core_Memory",
                    "gpuautodetect": "NVML", "clustername": "slurm",
                ],
                cgroups: [
                    "constraincores": "yes", "constrainramspace": "yes", "constrainswapspace": "no",
                    "constraindevices": "yes", "jobacctgathertype": "jobacct_gather/cgroup",
                    "proctracktype": "proctrack/cgroup", "taskplugin": "task/cgroup,task/affinity",
                ])
        ]
        profiles = [
            Profile(name: "admin", tokens: ["*"], nonUser: false),
            Profile(
                name: "readonly",
                tokens: [
                    "GET_DEVICE_TOKEN", "GET_DEVICE_STATUS_TOKEN", "GET_LICENSE_TOKEN", "GET_SESSION_TOKEN",
                    "GET_SYSINFO_TOKEN", "GET_JOB_TOKEN", "GET_MONITORING_TOKEN",
                ], nonUser: false),
            Profile(name: "node", tokens: ["GET_DEVICE_TOKEN", "GET_DEVICE_STATUS_TOKEN"], nonUser: true),
        ]
        certificates = []
        users = [
            User(name: "root", password: "simulated-root", profile: "admin"),
            User(name: "reader", password: "simulated-reader", profile: "readonly"),
        ]
    }

    /// A hardware address made up from an address of version 4.
    static func hardwareAddress(for address: String) -> String {
        let bytes = address.split(separator: ".").compactMap { UInt8($0) }.suffix(4)
        return hardwareAddress(
            forBytes: [0xFA, 0x16] + (bytes.count == 4 ? Array(bytes) : Array(address.utf8.suffix(4))))
    }

    /// A hardware address in BCM's capitals.
    public static func hardwareAddress(forBytes bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: ":")
    }
}

extension Node {
    init(_ host: ClusterPlan.Host, category: String?, roles: [Role]) {
        let hardwareAddress = host.hardwareAddress ?? ClusterState.hardwareAddress(for: host.address)
        self.init(
            name: host.name, address: host.address, hardwareAddress: hardwareAddress.uppercased(), category: category,
            roles: roles)
    }
}

extension CertificateAuthority {
    /// Signs the certificate that every node has for itself.
    func issueCertificate(ofNode name: String) throws -> IssuedCertificate {
        try issue(
            .init(
                commonName: name, profile: "node", keyFile: key(ofNode: name),
                certificateFile: certificate(ofNode: name)))
    }
}
