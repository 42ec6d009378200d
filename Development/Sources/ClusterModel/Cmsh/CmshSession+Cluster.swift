import FoundationEssentials
import Glibc

extension CmshSession {
    /// What `main; versioninfo` prints.
    var versionInformation: String {
        CmshTable(
            columns: ["Version Information", ""],
            rows: [
                ["Cluster Manager", ClusterState.managerVersion], ["CMDaemon", ClusterState.daemonVersion],
                ["CMDaemon Build Index", "\(ClusterState.buildIndex)"],
                ["CMDaemon Build Hash", ClusterState.buildHash],
                ["Database Version", "\(ClusterState.databaseVersion)"], ["Note", "this is a simulator"],
            ]
        ).padded
    }

    /// `cmha status`: the active head node carries an asterisk.
    mutating func runAvailability(_ name: String, _ words: [String]) throws -> Bool {
        guard name == "status" else { return false }
        guard state.headNodes.count > 1 else { throw CmshError("no failover head node is configured") }
        func marked(_ node: Node) -> String { node.name + (node.name == state.activeHeadNode ? "*" : "") }
        output += "Node Status: running in \(localHost == state.activeHeadNode ? "active" : "passive") mode\n\n"
        output += "Failover status:\n"
        for node in state.headNodes {
            for other in state.headNodes where other.name != node.name {
                output += "\(marked(node)) -> \(marked(other))\n"
                for check in ["mysql", "ping", "status"] {
                    output += "  \(check + String(repeating: " ", count: 12 - check.count))[  OK  ]\n"
                }
            }
        }
        return true
    }

    /// `partition; use base; get clustername` and the like.
    mutating func runPartition(_ name: String, _ words: [String]) throws -> Bool {
        let values = [
            ("name", "base"), ("clustername", state.clusterName), ("headnode", state.activeHeadNode),
            ("failover", state.headNodes.count > 1 ? "enabled" : "not defined"),
        ]
        let arguments = words.first == "base" ? Array(words.dropFirst()) : words
        switch name {
        case "use":
            guard words == ["base"] else { throw CmshError("Partition does not exist: '\(words.joined())'") }
            place = .object(.partition, "base")
        case "list":
            let options = try CmshOptions(words, valued: ["-d", "-f"], flags: [])
            output += try CmshTable(
                columns: ["Name (key)", "Cluster name", "Head node"],
                rows: [["base", state.clusterName, state.activeHeadNode]]
            ).text(delimiter: options["-d"], switches: state.switches)
        case "get":
            guard let value = values.first(where: { $0.0 == arguments.first }) else {
                throw CmshError("no such property: \(arguments.first ?? "")")
            }
            output += value.1 + "\n"
        case "show":
            output += CmshTable(columns: ["Parameter", "Value"], rows: values.map { [$0.0, $0.1] }).padded
        default: return false
        }
        return true
    }

    /// The commands that devices have beside those of every object.
    mutating func runDevice(_ name: String, _ words: [String], node: String? = nil) throws -> Bool {
        switch name {
        case "status":
            let options = try CmshOptions(words, valued: ["-n"], flags: [])
            let chosen = try options["-n"].map { try nodes($0) } ?? node.map { [$0] } ?? state.allNodes.map(\.name)
            for device in chosen.compactMap({ state.node($0) }) {
                let dots = String(repeating: ".", count: max(3, 24 - device.name.count))
                output += "\(device.name) \(dots) \(Self.padded(device.status))\n"
            }
        case "foreach": try runForEach(words)
        case "imageupdate":
            let options = try CmshOptions(words, valued: ["-n"], flags: ["-w", "--wait"])
            for name in try options["-n"].map({ try nodes($0) }) ?? node.map({ [$0] }) ?? [] {
                guard options.flags.contains("-w") || options.flags.contains("--wait") else {
                    output +=
                        "Performing dry run (use synclog command to review result, then pass -w to perform real update)...\n"
                    continue
                }
                output += "\(name): image update started\(hook == nil ? " (simulated: nothing is copied)" : "")\n"
                try hook?.call(["imageupdate", name])
            }
        case "grabimage":
            guard let node, let category = state.node(node)?.category else {
                throw CmshError("grabimage needs a compute node")
            }
            let options = try CmshOptions(words, valued: ["-i"], flags: ["-w"])
            let used = state.categories.first { $0.name == category }?.softwareImage ?? ""
            let image = options["-i"] ?? used
            guard state.softwareImages.contains(where: { $0.name == image }) else {
                throw CmshError("Software image does not exist: '\(image)'")
            }
            guard options.flags.contains("-w") else {
                output += "\(node): dry run of grabbing image to \(image); pass -w to perform it\n"
                break
            }
            output +=
                "\(node): grabbing image to \(image) started\(hook == nil ? " (simulated: nothing is copied)" : "")\n"
            try hook?.call(["grabimage", node, image])
        default: return false
        }
        return true
    }

    /// The settings of the submode `cgroups`.
    mutating func runCgroups(_ instance: String, _ name: String, _ words: [String]) throws -> Bool {
        guard let manager = state.workloadManagers.first(where: { $0.name == instance }) else { return false }
        switch name {
        case "show":
            let rows = manager.cgroups.sorted { $0.key < $1.key }.map { [$0.key, $0.value] }
            output += CmshTable(columns: ["Parameter", "Value"], rows: rows).padded
        case "get", "set":
            guard let property = words.first?.lowercased(), let value = manager.cgroups[property] else {
                throw CmshError("no such property: \(words.first ?? "")")
            }
            if name == "get" {
                output += value + "\n"
            } else {
                guard words.count == 2 else { throw CmshError("set takes a property and a value") }
                try change { state in
                    try WorkloadManager.change(&state, instance) { $0.cgroups[property] = words[1] }
                }
            }
        default: return false
        }
        return true
    }

    /// The commands of the mode `cert`, which take effect at once.
    mutating func runCertificates(_ name: String, _ words: [String]) throws -> Bool {
        switch name {
        case "listcertificates":
            let options = try CmshOptions(words, valued: ["-d"], flags: [])
            let now = Int(Date().timeIntervalSince1970)
            let rows = state.certificates.map {
                [
                    $0.serial, "\(($0.notAfter - now + 86399) / 86400)", $0.commonName, $0.profile,
                    $0.revoked ? "Yes" : "No",
                ]
            }
            output += try CmshTable(
                columns: ["Serial num", "Days left", "Common name", "Profile", "Revoked"], rows: rows
            ).text(delimiter: options["-d"], switches: state.switches)
        case "createcertificate": try createCertificate(words)
        case "revokecertificate":
            guard let serial = words.first, state.certificates.contains(where: { $0.serial == serial }) else {
                throw CmshError("no such certificate: \(words.first ?? "")")
            }
            try store.update { state in
                for index in state.certificates.indices where state.certificates[index].serial == serial {
                    state.certificates[index].revoked = true
                }
            }
            state = try store.read()
        default: return false
        }
        return true
    }

    private mutating func createCertificate(_ words: [String]) throws {
        guard words.count == 12 else {
            throw CmshError(
                "Usage: createcertificate <key-length> <common-name> <organization> <organizational-unit> <locality> "
                    + "<state> <country> <profile> <sys-login> <days> <key-file> <cert-file>")
        }
        guard let bits = Int(words[0]), (1024...8192).contains(bits) else {
            throw CmshError("invalid key length: \(words[0])")
        }
        guard let days = Int(words[9]), days > 0 else { throw CmshError("invalid number of days: \(words[9])") }
        guard !words[1].isEmpty else { throw CmshError("a certificate needs a common name") }
        guard state.profiles.contains(where: { $0.name == words[7] }) else {
            throw CmshError("no such profile: '\(words[7])'")
        }
        for file in words[10...] {
            guard file.hasPrefix("/") else { throw CmshError("not an absolute path: \(file)") }
            guard access(file, F_OK) != 0 else { throw CmshError("file already exists: \(file)") }
        }
        var request = CertificateAuthority.Request(
            commonName: words[1], profile: words[7], keyFile: words[10], certificateFile: words[11])
        request.subject = [("C", words[6]), ("ST", words[5]), ("L", words[4]), ("O", words[2]), ("OU", words[3])]
        request.days = days
        request.bits = bits
        let issued = try CertificateAuthority(of: store).issue(request)
        try store.update { $0.certificates.append(issued) }
        let known = pending
        state = try store.read()
        for change in known { try change(&state) }
        output += "Certificate key written to file: \(words[10])\nCertificate pem written to file: \(words[11])\n"
    }
}

extension ClusterState {
    /// The versions that REST and `cmsh` show alike.
    public static let managerVersion = "10.0"
    /// The version of CMDaemon.
    public static let daemonVersion = "3.0"
    /// The build's number.
    public static let buildIndex = 159_175
    /// The build's hash.
    public static let buildHash = "daf30669f1"
    /// The database's version.
    public static let databaseVersion = 38_280
}
