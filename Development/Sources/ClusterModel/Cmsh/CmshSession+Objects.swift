extension CmshSession {
    /// The commands of a mode that holds objects.
    mutating func runList<Object: CmshObject>(
        _ type: Object.Type, _ mode: CmshPlace.Mode, _ name: String, _ words: [String]
    ) throws -> Bool {
        switch name {
        case "list": try list(type, mode, words)
        case "use":
            guard words.count == 1 else { throw CmshError("use takes one name") }
            _ = try find(type, words[0])
            place = .object(mode, words[0])
        case "add":
            guard words.count == 1, let object = Object.make(words[0]) else {
                throw CmshError("\(Object.title) cannot be added here")
            }
            guard !Object.all(in: state).contains(where: { $0.name == words[0] }) else {
                throw CmshError("\(Object.title) already exists: '\(words[0])'")
            }
            try change { state in Object.edit(&state) { $0.append(object) } }
            place = .object(mode, words[0])
        case "clone":
            guard words.count == 2 else { throw CmshError("clone takes two names") }
            let copy = try find(type, words[0]).copy(named: words[1])
            guard Object.make(words[1]) != nil, !Object.all(in: state).contains(where: { $0.name == words[1] }) else {
                throw CmshError("\(Object.title) cannot be cloned to '\(words[1])'")
            }
            try change { state in Object.edit(&state) { $0.append(copy) } }
            place = .object(mode, words[1])
        case "remove":
            guard words.count == 1, Object.make(words[0]) != nil else {
                throw CmshError("\(Object.title) cannot be removed here")
            }
            _ = try find(type, words[0])
            try change { state in Object.edit(&state) { $0.removeAll { $0.name == words[0] } } }
        case "get", "set", "append", "removefrom", "clear", "show":
            guard let object = words.first else { throw CmshError("\(name) needs a name") }
            _ = try find(type, object)
            return try runObject(type, mode, object, name, Array(words.dropFirst()))
        default: return false
        }
        return true
    }

    /// The commands of an object.
    mutating func runObject<Object: CmshObject>(
        _ type: Object.Type, _ mode: CmshPlace.Mode, _ object: String, _ name: String, _ words: [String]
    ) throws -> Bool {
        switch name {
        case "get":
            guard words.count == 1 else { throw CmshError("get takes a property") }
            let values = try Object.property(words[0]).get(find(type, object), state)
            output += values.map { $0 + "\n" }.joined()
        case "show":
            let value = try find(type, object)
            let rows = Object.properties.map { [$0.name, $0.get(value, state).joined(separator: ",")] }
            output += CmshTable(columns: ["Parameter", "Value"], rows: rows).padded
        case "set", "append", "removefrom", "clear":
            guard let first = words.first else { throw CmshError("\(name) takes a property") }
            let property = try Object.property(first)
            guard let set = property.set else { throw CmshError("property is read only: \(first)") }
            let values = Array(words.dropFirst())
            guard name == "set" || property.isList || name == "clear" else {
                throw CmshError("property is not a list: \(first)")
            }
            guard !values.isEmpty || name == "clear" else { throw CmshError("\(name) takes a value") }
            try change { state in
                let known = state
                try Object.change(&state, object) { object in
                    let present = property.get(object, known)
                    switch name {
                    case "append": try set(&object, present + values.filter { !present.contains($0) })
                    case "removefrom": try set(&object, present.filter { !values.contains($0) })
                    case "clear": try set(&object, property.isList ? [] : [""])
                    // A list may come as one word with commas between.
                    case _ where property.isList:
                        try set(&object, values.flatMap { $0.split(separator: ",").map(String.init) })
                    default: try set(&object, values)
                    }
                }
            }
        case "use": return try runList(type, mode, name, words)
        default: return false
        }
        return true
    }

    private func find<Object: CmshObject>(_ type: Object.Type, _ name: String) throws(CmshError) -> Object {
        guard let object = Object.all(in: state).first(where: { $0.name == name }) else {
            throw CmshError("\(Object.title) does not exist: '\(name)'")
        }
        return object
    }

    private mutating func list<Object: CmshObject>(
        _ type: Object.Type, _ mode: CmshPlace.Mode, _ words: [String]
    ) throws(CmshError) {
        let selectors: Set = mode == .device ? ["-t", "-l", "-e", "-c", "-n"] : []
        let options = try CmshOptions(words, valued: selectors.union(["-f", "-d"]), flags: [])
        let fields = options["-f"]?.split(separator: ",").map(String.init) ?? Object.columns
        let properties = try fields.map { name throws(CmshError) in try Object.property(name) }
        var names: Set<String>?
        if mode == .device { names = try select(options) }
        let objects = Object.all(in: state).filter { names?.contains($0.name) ?? true }
        let named = options["-f"] != nil
        let table = CmshTable(
            columns: fields.map { ($0 == Object.key ? Self.header($0, named) + " (key)" : Self.header($0, named)) },
            rows: objects.map { object in properties.map { $0.get(object, state).joined(separator: ",") } })
        output += try table.text(delimiter: options["-d"], switches: state.switches)
    }

    private static func header(_ field: String, _ named: Bool) -> String {
        if named { return field }
        let titles = [
            "mac": "MAC", "ip": "IP", "softwareimage": "Software image", "allheadnodes": "All head nodes",
            "nonuser": "Non user", "servernodes": "Server nodes", "submitnodes": "Submit nodes",
            "clientnodes": "Client nodes",
        ]
        return titles[field] ?? field.prefix(1).uppercased() + field.dropFirst()
    }

    /// The nodes that the selecting options name; nil when there are none.
    func select(_ options: CmshOptions) throws(CmshError) -> Set<String>? {
        var chosen = state.allNodes
        var selecting = false
        if let type = options["-t"]?.lowercased() {
            selecting = true
            guard ["headnode", "physicalnode", "node"].contains(type) else { throw CmshError("unknown type: \(type)") }
            chosen = chosen.filter { type == "node" || state.isHeadNode($0.name) == (type == "headnode") }
        }
        if let role = options["-l"] {
            selecting = true
            chosen = chosen.filter { state.roles(of: $0).contains { $0.role == role } }
        }
        if let name = options["-e"] {
            selecting = true
            guard let overlay = state.overlays.first(where: { $0.name == name }) else {
                throw CmshError("Configuration overlay does not exist: '\(name)'")
            }
            chosen = chosen.filter {
                overlay.nodes.contains($0.name) || overlay.categories.contains($0.category ?? "")
                    || (overlay.allHeadNodes && state.isHeadNode($0.name))
            }
        }
        if let category = options["-c"] {
            selecting = true
            guard state.categories.contains(where: { $0.name == category }) else {
                throw CmshError("Category does not exist: '\(category)'")
            }
            chosen = chosen.filter { $0.category == category }
        }
        if let range = options["-n"] {
            selecting = true
            let names = try nodes(range)
            chosen = chosen.filter { names.contains($0.name) }
        }
        return selecting ? Set(chosen.map(\.name)) : nil
    }

    /// The names of a range, each of which must exist.
    func nodes(_ range: String) throws(CmshError) -> [String] {
        guard let names = NodeRange.names(range) else { throw CmshError("invalid node range: \(range)") }
        for name in names where state.node(name) == nil { throw CmshError("Device does not exist: '\(name)'") }
        return names
    }
}
