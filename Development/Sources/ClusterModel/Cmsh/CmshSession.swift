/// A session of `cmsh` on the state of a simulated cluster.
///
/// Changes go to a copy and reach the state with `commit`, where they are applied again to what the state is by then.
public struct CmshSession {
    typealias Change = (inout ClusterState) throws -> Void

    let store: StateStore
    /// The head node that the session runs on.
    let localHost: String
    /// What happens to real hosts, where there are any.
    let hook: CommitHook?
    var state: ClusterState
    var place = CmshPlace.main
    var pending: [Change] = []

    /// What was printed, errors aside.
    public var output = ""
    /// The errors, a line each.
    public private(set) var errors: [String] = []
    private var stopped = false

    /// Opens a session.
    public init(store: StateStore, localHost: String, hook: CommitHook? = nil) throws(StateError) {
        self.store = store
        self.localHost = localHost
        self.hook = hook
        state = try store.read()
    }

    /// Runs commands with semicolons between; stops at the first error if asked to.
    public mutating func run(_ text: String, stopsAtError: Bool = false) {
        do {
            for words in try CmshWords.commands(text) {
                do {
                    try execute(words)
                } catch {
                    record(error)
                    if stopsAtError { return }
                }
                if stopped { return }
            }
        } catch {
            record(error)
        }
    }

    /// Ends the session: what was not committed is lost, and said to be.
    public mutating func end() {
        if !pending.isEmpty {
            errors.append("Warning: \(pending.count) uncommitted change(s) are discarded")
            pending = []
        }
    }

    private mutating func record(_ error: any Error) {
        errors.append("Error: " + ((error as? CmshError)?.text ?? "\(error)"))
    }

    /// Whether the cluster's authority signed a certificate with this serial number that still holds.
    public func knows(certificateWithSerial serial: String) -> Bool {
        state.certificates.contains { $0.serial == serial && !$0.revoked }
    }

    static func padded(_ status: String) -> String {
        let room = max(0, 8 - status.count)
        let left = room / 2
        return "[" + String(repeating: " ", count: left) + status + String(repeating: " ", count: room - left) + "]"
    }

    // MARK: Commands

    private mutating func execute(_ words: [String]) throws {
        guard let name = words.first else { return }
        let rest = Array(words.dropFirst())
        switch name {
        case "commit": return try commit()
        case "refresh":
            pending = []
            state = try store.read()
            return
        case "exit", "..": return place = place.parent
        case "home", "/": return place = .main
        case "quit": return stopped = true
        case "main":
            place = .main
            return rest.isEmpty ? () : try execute(rest)
        case "color", "events": return
        default: break
        }
        if try run(name, rest) { return }
        if case .mode(let mode) = place, let object = rest.first, mode.type?.exists(object, in: state) == true,
            let entered = submode(name, of: .object(mode, object))
        {
            // As in `device; roles dgx-01`: straight into what belongs to an object.
            place = entered
            return try execute(Array(rest.dropFirst()))
        }
        guard let entered = submode(name, of: place) ?? CmshPlace.Mode(rawValue: name).map({ .mode($0) }) else {
            throw CmshError("Command not found: \(name)")
        }
        let before = place
        place = entered
        guard !rest.isEmpty else { return }
        do {
            try execute(rest)
        } catch {
            place = before
            throw error
        }
        // A command that only looks leaves the session where it was; `use` and the like lead on.
        if place == entered { place = before }
    }

    /// `foreach -c default (set mac ...; get mac)`: commands for each of the devices that are selected.
    mutating func runForEach(_ words: [String]) throws {
        let options = try CmshOptions(words, valued: ["-t", "-l", "-e", "-c", "-n"], flags: [])
        guard let block = options.rest.last, block.hasPrefix("("), block.hasSuffix(")") else {
            throw CmshError("foreach needs commands in brackets")
        }
        let commands = try CmshWords.commands(String(block.dropFirst().dropLast()))
        let named = Set(options.rest.dropLast())
        guard let chosen = try select(options) ?? (named.isEmpty ? nil : named) else {
            throw CmshError("foreach needs devices")
        }
        let before = place
        defer { place = before }
        for node in state.allNodes where chosen.contains(node.name) {
            for words in commands {
                place = .object(.device, node.name)
                try execute(words)
            }
        }
    }

    private func submode(_ name: String, of place: CmshPlace) -> CmshPlace? {
        guard case .object(let mode, let object) = place else { return nil }
        switch name {
        case "roles" where mode.hasRoles: return .roles(mode, object)
        case "services" where mode.hasServices: return .services(mode, object)
        case "cgroups" where mode == .wlm: return .cgroups(object)
        default: return nil
        }
    }

    /// Runs a command of the present place; false when it has none of this name.
    private mutating func run(_ name: String, _ words: [String]) throws -> Bool {
        switch place {
        case .main:
            guard name == "versioninfo" else { return false }
            output += versionInformation
            return true
        case .mode(.cert): return try runCertificates(name, words)
        case .mode(.cmha): return try runAvailability(name, words)
        case .mode(.partition), .object(.partition, _): return try runPartition(name, words)
        case .mode(let mode):
            if mode == .device, try runDevice(name, words) { return true }
            guard let type = mode.type else { return false }
            return try runList(type, mode, name, words)
        case .object(let mode, let object):
            if mode == .device, try runDevice(name, words, node: object) { return true }
            guard let type = mode.type else { return false }
            return try runObject(type, mode, object, name, words)
        case .roles(let mode, let object): return try runRoles(mode, object, name, words)
        case .role(let mode, let object, let role): return try runRole(mode, object, role, name, words)
        case .services(let mode, let object): return try runServices(mode, object, name, words)
        case .service(let mode, let object, let service):
            return try runService(mode, object, service, name, words)
        case .cgroups(let instance): return try runCgroups(instance, name, words)
        }
    }

    /// Changes the copy and keeps the change for `commit`.
    mutating func change(_ body: @escaping Change) throws {
        var copy = state
        try body(&copy)
        state = copy
        pending.append(body)
    }

    private mutating func commit() throws {
        let changes = pending
        var before = state
        if !changes.isEmpty {
            try store.update { state in
                before = state
                for change in changes { try change(&state) }
            }
        }
        pending = []
        state = try store.read()
        guard let hook, !changes.isEmpty else { return }
        for image in state.softwareImages where !before.softwareImages.contains(where: { $0.name == image.name }) {
            if let source = image.source { try hook.call(["softwareimage", image.path, source]) }
        }
        for manager in state.workloadManagers {
            for change in manager.changes(since: before.workloadManagers.first { $0.name == manager.name }) {
                try hook.call(["wlm", manager.name, change.key, change.value])
            }
        }
    }
}
