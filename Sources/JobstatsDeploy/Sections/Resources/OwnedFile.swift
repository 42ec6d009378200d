import CommandExecution

/// A file of ours that carries the deployment's mark. One of the same name that somebody else made is never replaced
/// without consent.
struct OwnedFile: Resource {
    private let file: FileResource
    private let isAdopted: Bool
    private let name: String

    init(_ file: FileResource, isAdopted: Bool, name: String) {
        self.file = file
        self.isAdopted = isAdopted
        self.name = name
    }

    var summary: String { file.summary }
    var queries: [Query] { file.queries + [.contentUnless(file.path, sha256: file.content.sha256)] }

    func assess(_ facts: Facts) -> Assessment {
        if !isAdopted, let known = facts.file(file.path), known.kind != .missing, known.sha256 != file.content.sha256 {
            // What the host remembers as deployed is ours, whatever became of it since.
            let isRecorded = file.record.standing(of: file.path, facts) != .notRecorded
            let text = facts.content(file.path).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if !isRecorded, !text.contains(Installed.mark) {
                return .blocked(
                    "\(file.path) was not made by this deployment",
                    remedy: "take it over with --allow adopt-\(name) (a backup is kept), or set "
                        + "use_existing_\(name) to true and add what the document says")
            }
        }
        return file.assess(facts)
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] { try file.changes(from: facts) }
    func removal() -> [Command]? { file.removal() }
    var absence: (any Resource)? { file.absence }
    var exportActions: [ExportAction] {
        isAdopted
            ? file.exportActions
            : [.owned(file.path, mark: Installed.mark, adoption: name, unit: nil)] + file.exportActions
    }
    var instructions: Instructions { file.instructions }
    var differenceQueries: [Query] { file.differenceQueries }
    func difference(_ facts: Facts) -> String? { file.difference(facts) }
}
