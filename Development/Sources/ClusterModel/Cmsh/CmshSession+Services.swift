extension CmshSession {
    /// The commands in `services` of a device or category.
    mutating func runServices(
        _ mode: CmshPlace.Mode, _ object: String, _ name: String, _ words: [String]
    ) throws -> Bool {
        switch name {
        case "list":
            let options = try CmshOptions(words, valued: ["-d"], flags: [])
            let rows = services(mode, object).map { [$0.name, Self.word($0.monitored), Self.word($0.autostart)] }
            output += try CmshTable(columns: ["Service (key)", "Monitored", "Autostart"], rows: rows)
                .text(delimiter: options["-d"], switches: state.switches)
        case "add":
            guard words.count == 1, !services(mode, object).contains(where: { $0.name == words[0] }) else {
                throw CmshError("add takes the name of a service that is not there yet")
            }
            try changeServices(mode, object) { $0.append(Service(name: words[0])) }
            place = .service(mode, object, words[0])
        case "use", "remove":
            guard words.count == 1, services(mode, object).contains(where: { $0.name == words[0] }) else {
                throw CmshError("Service does not exist: '\(words.joined(separator: " "))'")
            }
            if name == "use" {
                place = .service(mode, object, words[0])
            } else {
                try changeServices(mode, object) { $0.removeAll { $0.name == words[0] } }
            }
        default: return false
        }
        return true
    }

    /// The commands of one service.
    mutating func runService(
        _ mode: CmshPlace.Mode, _ object: String, _ service: String, _ name: String, _ words: [String]
    ) throws -> Bool {
        guard ["get", "set"].contains(name), let property = words.first,
            ["monitored", "autostart"].contains(property)
        else { return false }
        let path: WritableKeyPath<Service, Bool> = property == "monitored" ? \.monitored : \.autostart
        if name == "get" {
            output += Self.word(services(mode, object).first { $0.name == service }?[keyPath: path] ?? false) + "\n"
            return true
        }
        guard words.count == 2, ["on", "off", "yes", "no"].contains(words[1]) else {
            throw CmshError("invalid boolean: \(words.dropFirst().joined(separator: " "))")
        }
        let value = words[1] == "on" || words[1] == "yes"
        try changeServices(mode, object) { services in
            for index in services.indices where services[index].name == service {
                services[index][keyPath: path] = value
            }
        }
        return true
    }

    private static func word(_ truth: Bool) -> String { truth ? "yes" : "no" }

    private func services(_ mode: CmshPlace.Mode, _ object: String) -> [Service] {
        mode == .device
            ? state.node(object)?.services ?? [] : state.categories.first { $0.name == object }?.services ?? []
    }

    private mutating func changeServices(
        _ mode: CmshPlace.Mode, _ object: String, _ body: @escaping (inout [Service]) -> Void
    ) throws {
        try change { state in
            if mode == .device {
                try Node.change(&state, object) { body(&$0.services) }
            } else {
                try Category.change(&state, object) { body(&$0.services) }
            }
        }
    }
}
