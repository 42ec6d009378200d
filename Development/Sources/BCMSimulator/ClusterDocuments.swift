import ClusterModel
import FoundationEssentials

/// The smaller documents of the REST service.
enum ClusterDocuments {
    static var version: JSONText {
        .members(
            ("build_hash", .string(ClusterState.buildHash)), ("build_index", .number(ClusterState.buildIndex)),
            ("cm_version", .string(ClusterState.managerVersion)), ("cmd_version", .string(ClusterState.daemonVersion)),
            ("database_version", .number(ClusterState.databaseVersion)))
    }

    static func license(_ state: ClusterState) -> JSONText {
        let day = Int(Date().timeIntervalSince1970) / 86400 * 86400
        return .members(
            ("acceleratorNodeCount", .number(state.nodes.count)), ("burstNodeCount", 0), ("edition", "Simulator"),
            ("endTime", .number(day + 365 * 86400)), ("licenseType", "Free"), ("licensedAcceleratorNodes", 16384),
            ("licensedNodes", 16384), ("licensee", "/O=BCM simulator/CN=not a real cluster"),
            ("message", "This is a simulator"), ("nodeCount", .number(state.allNodes.count)), ("serial", 1),
            ("startTime", .number(day - 365 * 86400)), ("version", .string(ClusterState.managerVersion)))
    }

    static func sessions(_ state: ClusterState) -> JSONText {
        .array(
            state.headNodes.map {
                .members(
                    ("address", .string($0.address)), ("group", "root"), ("node", .string($0.name)),
                    ("type", "node"), ("username", "root"))
            })
    }

    static func systemInformation(_ state: ClusterState) -> JSONText {
        let now = Int(Date().timeIntervalSince1970)
        return .object(
            state.allNodes.map { node in
                JSONText.Member(
                    node.name,
                    .members(
                        ("biosVersion", "simulated"), ("diskCount", 1),
                        ("disks", [.members(("name", "vda"), ("size", 107_374_182_400))]), ("gpus", []),
                        ("memoryTotal", 2_151_677_952),
                        ("osFlavor", "Ubuntu"), ("osVersion", "22.04"),
                        ("processors", [.members(("cores", 2), ("model", "Simulated CPU"), ("speed", 2400))]),
                        ("timestamp", .number(now))))
            })
    }

    static func jobs(_ state: ClusterState) -> JSONText {
        .array(
            state.jobs.map {
                .members(
                    ("account", "root"), ("group", "users"), ("job_id", .string("\($0.id)")), ("job_name", "job"),
                    ("nodes", .array($0.nodes.map { .string($0) })), ("queue", "defq"), ("run_time", "60"),
                    ("start_time", "2026-01-01T00:00:00"), ("state", "RUNNING"),
                    ("sumbit_time", "2026-01-01T00:00:00"), ("user", .string($0.user)))
            })
    }
}
