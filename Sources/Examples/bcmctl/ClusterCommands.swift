import ArgumentParser
import BCMClient
import FoundationEssentials

struct Devices: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "List the devices that BCM knows.")
    @Option(help: ArgumentHelp("Only devices that show this role.", valueName: "name"))
    var role: String?
    @Option(help: ArgumentHelp("Only devices of this type, such as HeadNode or PhysicalNode.", valueName: "type"))
    var type: String?
    @Option(help: ArgumentHelp("Only devices of this category.", valueName: "name"))
    var category: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        let devices = try await client.devices(matching: DeviceFilter(role: role, type: type, category: category))
        let json = devices.map { device -> JSONValue in
            [
                "hostname": .text(device.hostname), "type": .optional(device.type),
                "category": .optional(device.category),
                "cluster": .optional(device.cluster), "ip": .optional(device.ip), "mac": .optional(device.mac),
                "network": .optional(device.network), "roles": .optional(device.roles),
            ]
        }
        let rows = devices.map { device in
            [
                device.hostname, device.type ?? "", device.category ?? "", device.ip ?? "",
                (device.roles ?? []).joined(separator: ","),
            ]
        }
        return Report(json: .array(json), table: Table(["HOSTNAME", "TYPE", "CATEGORY", "IP", "ROLES"], rows))
    }
}

struct Status: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "Show the status of nodes.")
    @Argument(help: "Nodes: node001, node001..node004, or several with commas between; all by default.") var nodes:
        String?
    @Flag(help: "Show health checks, provisioning and required restarts as well.") var verbose = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        var range: NodeRange?
        if let nodes { range = try NodeRange(nodes) }
        let statuses = try await client.status(of: range, verbose: verbose)
        if let range, statuses.isEmpty {
            throw BCMError(.notFound, reason: "BCM knows no node of \(range)", remedy: "look at: bcmctl devices")
        }
        func flags(_ status: NodeStatus) -> [(String, Bool?)] {
            [
                ("health_check_failed", status.hasFailedHealthCheck),
                ("health_check_unknown", status.hasUnknownHealthCheck),
                ("provisioning_failed", status.hasFailedProvisioning), ("restart_required", status.needsRestart),
            ]
        }
        let json = statuses.map { status -> JSONValue in
            let members: [(String, JSONValue)] =
                [
                    ("hostname", .text(status.hostname)), ("status", .text(status.state.name)),
                    ("remark", .text(status.state.remark)),
                ] + flags(status).map { ($0.0, .optional($0.1)) }
            return .object(JSONObject(members.map { JSONObject.Member($0.0, $0.1) }))
        }
        let rows = statuses.map { status in
            let remarks = [status.state.remark] + flags(status).filter { $0.1 == true }.map(\.0)
            return [status.hostname, status.state.name, remarks.filter { !$0.isEmpty }.joined(separator: ", ")]
        }
        return Report(json: .array(json), table: Table(["HOSTNAME", "STATUS", "REMARKS"], rows))
    }
}

struct Jobs: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "List the jobs of the workload managers.")
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        let jobs = try await client.jobs()
        let json = jobs.map { job -> JSONValue in
            [
                "id": .text(job.id), "name": .optional(job.name), "user": .optional(job.user),
                "group": .optional(job.group),
                "account": .optional(job.account), "queue": .optional(job.queue), "state": .optional(job.state),
                "nodes": .optional(job.nodes), "submitted": .optional(job.submitted?.text),
                "started": .optional(job.started?.text), "run_time": .optional(job.runTimeText),
            ]
        }
        let rows = jobs.map { job in
            [
                job.id, job.name ?? "", job.user ?? "", job.state ?? "", job.runTimeText ?? "",
                job.nodes.joined(separator: ","),
            ]
        }
        return Report(json: .array(json), table: Table(["ID", "NAME", "USER", "STATE", "RUN TIME", "NODES"], rows))
    }
}

struct Version: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "Show BCM's versions.")
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        let version = try await client.version()
        return Report(
            json: [
                "cluster_manager": .optional(version.clusterManager), "cmdaemon": .optional(version.cmdaemon),
                "build_index": .optional(version.buildIndex), "build_hash": .optional(version.buildHash),
                "database_version": .optional(version.databaseVersion), "head_node": .text("\(version.headNode)"),
            ],
            table: Table(values: [
                ("Cluster manager", version.clusterManager), ("CMDaemon", version.cmdaemon),
                ("Build index", version.buildIndex.map { "\($0)" }), ("Build hash", version.buildHash),
                ("Database version", version.databaseVersion.map { "\($0)" }), ("Head node", "\(version.headNode)"),
            ]))
    }
}

struct License: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "Show BCM's licence.")
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        let license = try await client.license()
        func seconds(_ date: Date?) -> JSONValue { .optional(date.map { Int($0.timeIntervalSince1970) }) }
        func used(_ count: Int?, _ licensed: Int?) -> String? {
            count.map { count in "\(count)" + (licensed.map { " of \($0)" } ?? "") }
        }
        return Report(
            json: [
                "edition": .optional(license.edition), "type": .optional(license.type),
                "nodes": .optional(license.nodeCount), "licensed_nodes": .optional(license.licensedNodes),
                "accelerator_nodes": .optional(license.acceleratorNodeCount),
                "licensed_accelerator_nodes": .optional(license.licensedAcceleratorNodes),
                "burst_nodes": .optional(license.burstNodeCount), "start": seconds(license.start),
                "end": seconds(license.end),
                "serial": .optional(license.serial), "licensee": .optional(license.licensee),
                "version": .optional(license.version), "message": .optional(license.message),
            ],
            table: Table(values: [
                ("Edition", license.edition), ("Type", license.type), ("Version", license.version),
                ("Nodes", used(license.nodeCount, license.licensedNodes)),
                ("Accelerator nodes", used(license.acceleratorNodeCount, license.licensedAcceleratorNodes)),
                ("Valid from", license.start.map { $0.formatted(.iso8601) }),
                ("Valid until", license.end.map { $0.formatted(.iso8601) }),
                ("Serial number", license.serial), ("Licensee", license.licensee), ("Message", license.message),
            ]))
    }
}

struct Session: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "List who is connected to CMDaemon.")
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        let sessions = try await client.sessions()
        let json = sessions.map { session -> JSONValue in
            [
                "username": .text(session.username), "group": .optional(session.group), "type": .optional(session.type),
                "address": .optional(session.address), "node": .optional(session.node),
            ]
        }
        let rows = sessions.map { [$0.username, $0.group ?? "", $0.type ?? "", $0.address ?? "", $0.node ?? ""] }
        return Report(json: .array(json), table: Table(["USER", "GROUP", "TYPE", "ADDRESS", "NODE"], rows))
    }
}

struct SystemInformation: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sysinfo", abstract: "Show what the hosts are made of.")
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        let hosts = try await client.systemInformation()
        func cores(_ host: HostInformation) -> Int? {
            let counts = host.processors.compactMap(\.cores)
            return counts.isEmpty ? nil : counts.reduce(0, +)
        }
        let json = hosts.map { host -> JSONValue in
            [
                "hostname": .text(host.hostname),
                "memory_bytes": host.memory.map { .number(JSONNumber($0.bytes)) } ?? .null,
                "processors": .number(JSONNumber(host.processors.count)), "cores": .optional(cores(host)),
                "gpus": .number(JSONNumber(host.gpus.count)), "disks": .optional(host.diskCount),
                "os": .optional(host.osFlavor), "os_version": .optional(host.osVersion),
                "bios_version": .optional(host.biosVersion),
            ]
        }
        func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "" }
        let rows = hosts.map { host -> [String] in
            let memory = host.memory?.description ?? ""
            let system = [host.osFlavor, host.osVersion].compactMap { $0 }.joined(separator: " ")
            return [host.hostname, memory, text(cores(host)), "\(host.gpus.count)", text(host.diskCount), system]
        }
        return Report(json: .array(json), table: Table(["HOSTNAME", "MEMORY", "CORES", "GPUS", "DISKS", "OS"], rows))
    }
}
