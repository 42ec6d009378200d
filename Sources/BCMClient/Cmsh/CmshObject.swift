/// An object that cmsh reads and changes: a device, a category, or something that belongs to one.
///
/// ```swift
/// let limits = CmshObject.workloadManager("slurm").submode("cgroups")
/// try await cmsh.set("constraincores", to: "yes", of: limits)
/// ```
public struct CmshObject: Sendable, Hashable, CustomStringConvertible {
    private let mode: String
    private let kind: String
    private let name: String
    private var submodes: [[String]] = []

    /// An object of any mode, such as `partition` and `base`.
    public init(mode: String, name: String) { self.init(mode: mode, kind: mode, name: name) }

    private init(mode: String, kind: String, name: String) {
        (self.mode, self.kind, self.name) = (mode, kind, name)
    }

    /// A node or another device.
    public static func device(_ name: String) -> CmshObject { CmshObject(mode: "device", name: name) }
    /// A category.
    public static func category(_ name: String) -> CmshObject { CmshObject(mode: "category", name: name) }
    /// A configuration overlay.
    public static func overlay(_ name: String) -> CmshObject {
        CmshObject(mode: "configurationoverlay", kind: "configuration overlay", name: name)
    }
    /// A software image.
    public static func softwareImage(_ name: String) -> CmshObject {
        CmshObject(mode: "softwareimage", kind: "software image", name: name)
    }
    /// An instance of a workload manager.
    public static func workloadManager(_ name: String) -> CmshObject {
        CmshObject(mode: "wlm", kind: "workload manager", name: name)
    }
    /// A certificate profile.
    public static func profile(_ name: String) -> CmshObject { CmshObject(mode: "profile", name: name) }

    /// What belongs to the object under a mode of its own, such as `cgroups`, or `roles` and the name of a role.
    public func submode(_ mode: String, _ name: String? = nil) -> CmshObject {
        var object = self
        object.submodes.append([mode] + (name.map { ["use", $0] } ?? []))
        return object
    }

    /// The commands that lead there.
    func entering() throws(BCMError) -> [[String]] {
        var commands = [[try CmshScript.name(mode, "mode")], ["use", try CmshScript.name(name, kind)]]
        for words in submodes {
            commands.append([try CmshScript.name(words[0], "submode")])
            if words.count > 1 { commands.append(["use", try CmshScript.name(words[2], words[0])]) }
        }
        return commands
    }

    /// `device dgx-01`, `workload manager slurm, cgroups`.
    public var description: String {
        (["\(kind) \(name)"] + submodes.map { words in words.count > 1 ? "\(words[0]) \(words[2])" : words[0] })
            .joined(separator: ", ")
    }
}

extension RoleHolder {
    /// The same as an object.
    public var object: CmshObject {
        switch mode {
        case "category": .category(name)
        case "configurationoverlay": .overlay(name)
        default: .device(name)
        }
    }
}

extension Cmsh {
    /// The value of a property; empty where nothing is set.
    public func value(of property: String, of object: CmshObject) async throws(BCMError) -> String {
        let get = ["get", try CmshScript.name(property, "property")]
        return try await run(object.entering() + [get], expectsOutput: false).trimmed
    }

    /// The values of a property that is a list.
    public func values(of property: String, of object: CmshObject) async throws(BCMError) -> [String] {
        Self.list(try await value(of: property, of: object))
    }

    /// The elements of a list as cmsh prints it: in lines, or with commas between.
    static func list(_ text: String) -> [String] {
        text.split { $0.isNewline || $0 == "," }.map(\.trimmed).filter { !$0.isEmpty }
    }

    /// Sets a property, commits, and reads it back.
    ///
    /// - Throws: ``BCMError``; ``BCMError/Code/refused`` also when BCM shows another value afterwards.
    public func set(_ property: String, to value: String, of object: CmshObject) async throws(BCMError) {
        var transaction = CmshTransaction()
        transaction.set(property, to: value, of: object)
        do throws(CmshTransactionError) {
            try await commit(transaction)
        } catch {
            throw error.cause
        }
    }

    /// Sets a property of each device of a selection, commits all of them, and reads them back.
    ///
    /// - Returns: the values by device.
    /// - Throws: ``BCMError``; ``BCMError/Code/refused`` with their names when devices show another value afterwards, and
    ///   ``BCMError/Code/notFound`` when the selection means none.
    @discardableResult
    public func set(
        _ property: String, to value: String, ofEach selection: Selection
    ) async throws(BCMError) -> [String: String] {
        let script = try CmshScript(
            [["set", try CmshScript.name(property, "property"), value]], forEach: selection)
        guard try await !values(of: property, ofEach: selection).isEmpty else {
            throw BCMError(
                .notFound, reason: "no device is selected for \(property)", remedy: "look at what cmsh lists there")
        }
        _ = try await run(script, expectsOutput: false)
        let values = try await values(of: property, ofEach: selection)
        let others = values.filter { !CmshTransaction.isSame($0.value, value) }.keys.sorted()
        guard others.isEmpty else {
            throw BCMError(
                .refused,
                reason: "after the commit \(property) is not \(quoted(value)) on \(others.joined(separator: ", "))",
                remedy: "look at what cmsh shows for these devices")
        }
        return values
    }

    /// A property of each device of a selection, by device.
    public func values(
        of property: String, ofEach selection: Selection
    ) async throws(BCMError) -> [String: String] {
        let column = try CmshScript.name(property, "property")
        let table = try await table([["device"], ["list"] + selection.checked() + ["-f", "hostname,\(column)"]])
        var values: [String: String] = [:]
        for row in table.rows {
            guard let name = row["hostname"], !name.isEmpty else { continue }
            // The heading may have words where the property has none: `software image`.
            let heading = table.headings.first { $0 != "hostname" && $0.filter { $0 != " " } == column.lowercased() }
            values[name] = heading.flatMap { row[$0] } ?? ""
        }
        return values
    }
}
