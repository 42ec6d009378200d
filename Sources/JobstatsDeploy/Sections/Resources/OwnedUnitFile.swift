import CommandExecution
import ServiceManager

/// A unit file of ours. A unit of the same name that somebody else installed is never taken over without consent.
struct OwnedUnitFile: Resource {
    let unit: String
    let isAdopted: Bool
    private let file: FileResource

    /// - Parameters:
    ///   - unit: the unit's name with its suffix.
    ///   - definition: the unit file; it must carry ``Installed/mark``, as ``UnitFile/marked(_:)`` makes it.
    ///   - isAdopted: whether a foreign unit may be replaced.
    init(_ unit: String, _ definition: UnitFile, isAdopted: Bool) {
        self.unit = unit
        self.isAdopted = isAdopted
        file = FileResource(Installed.unitFile(unit), .text(definition.rendered), keepsBackup: isAdopted)
    }

    var path: String { file.path }
    private var name: String { unit.split(separator: ".").dropLast().joined(separator: ".") }
    var content: FileContent { file.content }
    var summary: String { "unit " + file.summary }
    var queries: [Query] { file.queries + [.contentUnless(path, sha256: file.content.sha256), .unit(unit)] }

    func assess(_ facts: Facts) -> Assessment {
        if !isAdopted, let foreign = foreign(facts) {
            return .blocked(
                "\(foreign) was not installed by this deployment",
                remedy: "take it over with --allow adopt-\(name), or choose another port and stop that unit yourself, "
                    + "or leave it out with --allow skip-\(name)")
        }
        return file.assess(facts)
    }

    /// The foreign unit, in words.
    private func foreign(_ facts: Facts) -> String? {
        if let known = facts.file(path), known.kind != .missing, known.sha256 != file.content.sha256 {
            let text = facts.content(path).map { String(decoding: $0, as: UTF8.self) } ?? ""
            // What the host remembers as deployed is ours, whatever became of it since.
            let isRecorded = file.record.standing(of: path, facts) != .notRecorded
            if !isRecorded, !text.contains(Installed.mark) { return path }
        }
        if let known = facts.unit(unit), !known.path.isEmpty, known.path != path,
            known.isRunning || known.enablement == "enabled"
        {
            return "\(unit), which runs or is enabled from \(known.path),"
        }
        return nil
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] { try file.changes(from: facts) }
    func removal() -> [Command]? { file.removal() }
    var absence: (any Resource)? { file.absence }
    var exportActions: [ExportAction] {
        isAdopted
            ? file.exportActions : [.owned(path, mark: Installed.mark, adoption: name, unit: unit)] + file.exportActions
    }
    var instructions: Instructions { file.instructions }
    var differenceQueries: [Query] { file.differenceQueries }
    func difference(_ facts: Facts) -> String? { file.difference(facts) }
}

extension UnitFile {
    /// A unit file with the mark of this deployment.
    static func marked(_ sections: [Section]) -> UnitFile { UnitFile(comment: Installed.mark, sections: sections) }
}
