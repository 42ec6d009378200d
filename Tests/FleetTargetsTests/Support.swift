import BCMClient
import FoundationEssentials
import Glibc
import Logging
import PromTargets
import RoleMonitor
import Synchronization

@testable import FleetTargets

let headA = HeadNode(host: "head-a")
let headB = HeadNode(host: "head-b")

/// A monitors' configuration for a directory.
func configuration(
    _ directory: String = "/t", rolesVisible: Bool = true, _ change: (inout MonitorConfiguration) -> Void = { _ in }
) -> MonitorConfiguration {
    var configuration = MonitorConfiguration(headNodes: ["head-a", "head-b"])
    configuration.targetsDirectory = directory
    configuration.areRolesVisible = rolesVisible
    change(&configuration)
    return configuration
}

extension Device {
    static func head(_ name: String = "head-a", roles: [String]? = ["headnode"]) -> Device {
        Device(hostname: name, type: "HeadNode", roles: roles)
    }
    static func node(_ name: String, _ roles: [String]? = ["slurmclient"], category: String? = "dgx") -> Device {
        Device(hostname: name, category: category, type: "PhysicalNode", roles: roles)
    }
}

/// Head nodes as a test wants them.
final class FakeHeadNodes: DeviceSource {
    typealias Answer = Result<[Device], BCMError>

    let headNodes: [HeadNode]
    private let order: HeadNodeOrder
    private let state: Mutex<(answers: [HeadNode: [Answer]], asked: [HeadNode])>

    /// Each head node gives its answers one after the other, and the last of them from then on.
    init(_ answers: [(HeadNode, [Answer])]) {
        headNodes = answers.map(\.0)
        order = HeadNodeOrder(headNodes)
        state = Mutex((Dictionary(uniqueKeysWithValues: answers), []))
    }

    convenience init(_ devices: [Device]) { self.init([(headA, [.success(devices)])]) }

    var candidates: [HeadNode] { order.candidates() }

    var asked: [HeadNode] { state.withLock { $0.asked } }

    func list(_ devices: [Device]) {
        state.withLock { state in for node in headNodes { state.answers[node] = [.success(devices)] } }
    }

    func devices(of headNode: HeadNode) async throws(BCMError) -> [Device] {
        let answer = state.withLock { state -> Answer in
            state.asked.append(headNode)
            var answers = state.answers[headNode] ?? []
            let answer = answers.count > 1 ? answers.removeFirst() : answers[0]
            state.answers[headNode] = answers
            return answer
        }
        // As RESTClient does.
        if case .success = answer { order.succeeded(headNode) } else { order.failed(headNode) }
        return try answer.get()
    }
}

/// A targets directory on disk, and a fleet that looks after it.
final class Site {
    let path: String
    let headNodes: FakeHeadNodes
    var configuration: MonitorConfiguration

    init(_ headNodes: FakeHeadNodes, rolesVisible: Bool = true) throws {
        var template = Array("/tmp/fleet-tests-XXXXXX".utf8CString)
        path = try template.withUnsafeMutableBufferPointer { buffer in
            guard let made = buffer.baseAddress.flatMap({ mkdtemp($0) }) else { throw CocoaError(.fileWriteUnknown) }
            return String(cString: made)
        }
        self.headNodes = headNodes
        configuration = FleetTargetsTests.configuration(path, rolesVisible: rolesVisible)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var fleet: Fleet { fleet { _ in } }

    /// A fleet that sleeps as the test wants it.
    func fleet(sleep: @escaping @Sendable (Duration) async throws -> Void) -> Fleet {
        let headNodes = headNodes
        return Fleet(
            configuration: configuration, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            sleep: sleep, makeSource: { headNodes })
    }

    /// Writes files as monitors do.
    func monitorsWrite(_ names: String...) throws {
        for name in names {
            try TargetDirectory(path: path).write(try configuration.targetGroups(of: name), named: name)
        }
    }

    func put(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
    }

    /// All names but the record of syncs.
    var names: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0 != SyncRecord.fileName }.sorted()
    }
}

extension FleetReport {
    /// `dgx-01.json: current`, with what was done.
    var short: [String] {
        files.map { "\($0.fileName): \($0.state)" + ($0.action == .none ? "" : ", \($0.action)") }
    }
}
