/// A property of an object in `cmsh`: what `get` shows and `set` changes.
struct CmshProperty<Object>: Sendable {
    var name: String
    var isList = false
    var get: @Sendable (Object, ClusterState) -> [String]
    var set: (@Sendable (inout Object, [String]) throws(CmshError) -> Void)?

    static func text(
        _ name: String, _ get: @escaping @Sendable (Object) -> String,
        _ set: (@Sendable (inout Object, String) throws(CmshError) -> Void)? = nil
    ) -> Self {
        guard let set else { return Self(name: name, get: { object, _ in [get(object)] }) }
        return Self(name: name, get: { object, _ in [get(object)] }) { object, values throws(CmshError) in
            guard values.count == 1 else { throw CmshError("\(name) takes one value") }
            try set(&object, values[0])
        }
    }

    static func list(
        _ name: String, _ get: @escaping @Sendable (Object) -> [String],
        _ set: @escaping @Sendable (inout Object, [String]) throws(CmshError) -> Void
    ) -> Self {
        Self(name: name, isList: true, get: { object, _ in get(object) }, set: set)
    }

    static func truth(
        _ name: String, _ get: @escaping @Sendable (Object) -> Bool,
        _ set: @escaping @Sendable (inout Object, Bool) -> Void
    ) -> Self {
        text(name, { get($0) ? "yes" : "no" }) { object, value throws(CmshError) in
            switch value.lowercased() {
            case "yes", "on", "1", "true": set(&object, true)
            case "no", "off", "0", "false": set(&object, false)
            default: throw CmshError("\(name): invalid boolean: \(value)")
            }
        }
    }
}

/// A kind of object that has a mode of its own.
protocol CmshObject: Sendable {
    static var title: String { get }
    static var key: String { get }
    static var columns: [String] { get }
    static var properties: [CmshProperty<Self>] { get }
    var name: String { get set }
    static func all(in state: ClusterState) -> [Self]
    static func edit(_ state: inout ClusterState, _ body: (inout [Self]) throws -> Void) rethrows
    static func make(_ name: String) -> Self?
    func copy(named name: String) -> Self
}

extension CmshObject {
    static var key: String { "name" }
    static func make(_ name: String) -> Self? { nil }
    func copy(named name: String) -> Self {
        var copy = self
        copy.name = name
        return copy
    }

    static func exists(_ name: String, in state: ClusterState) -> Bool { all(in: state).contains { $0.name == name } }

    static func property(_ name: String) throws(CmshError) -> CmshProperty<Self> {
        guard let property = properties.first(where: { $0.name == name.lowercased() }) else {
            throw CmshError("no such property: \(name)")
        }
        return property
    }

    static func change(
        _ state: inout ClusterState, _ name: String, _ body: (inout Self) throws -> Void
    ) throws {
        try edit(&state) { objects in
            guard let index = objects.firstIndex(where: { $0.name == name }) else {
                throw CmshError("\(title) no longer exists: '\(name)'")
            }
            try body(&objects[index])
        }
    }
}

extension Node: CmshObject {
    static var title: String { "Device" }
    static var key: String { "hostname" }
    static var columns: [String] { ["type", "hostname", "mac", "category", "ip", "network", "status"] }
    static var properties: [CmshProperty<Node>] {
        [
            .init(name: "type") { node, state in [state.isHeadNode(node.name) ? "HeadNode" : "PhysicalNode"] },
            .text("hostname", { $0.name }), .text("mac", { $0.hardwareAddress }, { $0.hardwareAddress = $1 }),
            .text("category", { $0.category ?? "" }, { $0.category = $1 }), .text("ip", { $0.address }),
            .text("network", { $0.network }), .text("status", { CmshSession.padded($0.status) }),
            .init(name: "softwareimage") { node, state in
                [state.categories.first { $0.name == node.category }?.softwareImage ?? ""]
            },
            .init(name: "roles", isList: true) { node, state in state.roles(of: node).map(\.role) },
        ]
    }
    static func all(in state: ClusterState) -> [Node] { state.allNodes }
    static func edit(_ state: inout ClusterState, _ body: (inout [Node]) throws -> Void) rethrows {
        let heads = Set(state.headNodes.map(\.name))
        var all = state.allNodes
        try body(&all)
        state.headNodes = all.filter { heads.contains($0.name) }
        state.nodes = all.filter { !heads.contains($0.name) }
    }
}

extension Category: CmshObject {
    static var title: String { "Category" }
    static var columns: [String] { ["name", "softwareimage", "nodes"] }
    static var properties: [CmshProperty<Category>] {
        [
            .text("name", { $0.name }), .text("softwareimage", { $0.softwareImage }, { $0.softwareImage = $1 }),
            .init(name: "nodes") { category, state in ["\(state.nodes.filter { $0.category == category.name }.count)"]
            },
            .list("roles", { $0.roles.map(\.name) }, { $0.roles = $1.map { Role(name: $0) } }),
        ]
    }
    static func all(in state: ClusterState) -> [Category] { state.categories }
    static func edit(_ state: inout ClusterState, _ body: (inout [Category]) throws -> Void) rethrows {
        try body(&state.categories)
    }
    static func make(_ name: String) -> Category? { Category(name: name, softwareImage: "default-image") }
}

extension Overlay: CmshObject {
    static var title: String { "Configuration overlay" }
    static var columns: [String] { ["name", "priority", "allheadnodes", "nodes", "categories", "roles"] }
    static var properties: [CmshProperty<Overlay>] {
        [
            .text("name", { $0.name }),
            .text("priority", { "\($0.priority)" }) { overlay, value throws(CmshError) in
                guard let number = Int(value), number >= -1 else { throw CmshError("invalid priority: \(value)") }
                overlay.priority = number
            },
            .truth("allheadnodes", { $0.allHeadNodes }, { $0.allHeadNodes = $1 }),
            .list("nodes", { $0.nodes }) { overlay, values throws(CmshError) in
                var nodes: [String] = []
                for value in values {
                    guard let names = NodeRange.names(value) else { throw CmshError("invalid node range: \(value)") }
                    nodes += names
                }
                overlay.nodes = nodes
            },
            .list("categories", { $0.categories }, { $0.categories = $1 }),
            .list("roles", { $0.roles.map(\.name) }, { $0.roles = $1.map { Role(name: $0) } }),
        ]
    }
    static func all(in state: ClusterState) -> [Overlay] { state.overlays }
    static func edit(_ state: inout ClusterState, _ body: (inout [Overlay]) throws -> Void) rethrows {
        try body(&state.overlays)
    }
    static func make(_ name: String) -> Overlay? { Overlay(name: name) }
}

extension SoftwareImage: CmshObject {
    static var title: String { "Software image" }
    static var columns: [String] { ["name", "path"] }
    static var properties: [CmshProperty<SoftwareImage>] {
        [.text("name", { $0.name }), .text("path", { $0.path }, { $0.path = $1 })]
    }
    static func all(in state: ClusterState) -> [SoftwareImage] { state.softwareImages }
    static func edit(_ state: inout ClusterState, _ body: (inout [SoftwareImage]) throws -> Void) rethrows {
        try body(&state.softwareImages)
    }
    static func make(_ name: String) -> SoftwareImage? { SoftwareImage(name: name, path: "/cm/images/\(name)") }
    /// A clone is a folder of its own, copied from the other one's.
    func copy(named name: String) -> SoftwareImage {
        SoftwareImage(name: name, path: "/cm/images/\(name)", source: path)
    }
}

extension WorkloadManager: CmshObject {
    static var title: String { "Workload manager" }
    static var columns: [String] { ["type", "name", "servernodes", "submitnodes", "clientnodes"] }
    static var properties: [CmshProperty<WorkloadManager>] {
        let settings = [
            "version", "prolog", "epilog", "prologslurmctld", "epilogslurmctld", "selecttype", "selecttypeparameters",
            "gpuautodetect", "clustername",
        ]
        return [
            .text("type", { _ in "Slurm" }), .text("name", { $0.name }),
            nodes("servernodes", "slurmserver"), nodes("submitnodes", "slurmsubmit"),
            nodes("clientnodes", "slurmclient"),
        ] + settings.map { name in .text(name, { $0.settings[name] ?? "" }, { $0.settings[name] = $1 }) }
    }
    private static func nodes(_ property: String, _ role: String) -> CmshProperty<WorkloadManager> {
        .init(name: property, isList: true) { _, state in
            state.allNodes.filter { state.roles(of: $0).contains { $0.role == role } }.map(\.name)
        }
    }
    static func all(in state: ClusterState) -> [WorkloadManager] { state.workloadManagers }
    static func edit(_ state: inout ClusterState, _ body: (inout [WorkloadManager]) throws -> Void) rethrows {
        try body(&state.workloadManagers)
    }
}

extension Profile: CmshObject {
    static var title: String { "Profile" }
    static var columns: [String] { ["name", "nonuser", "tokens"] }
    static var properties: [CmshProperty<Profile>] {
        [
            .text("name", { $0.name }), .truth("nonuser", { $0.nonUser }, { $0.nonUser = $1 }),
            .list("tokens", { $0.tokens }, { $0.tokens = $1 }),
        ]
    }
    static func all(in state: ClusterState) -> [Profile] { state.profiles }
    static func edit(_ state: inout ClusterState, _ body: (inout [Profile]) throws -> Void) rethrows {
        try body(&state.profiles)
    }
    static func make(_ name: String) -> Profile? { Profile(name: name, tokens: [], nonUser: false) }
}
