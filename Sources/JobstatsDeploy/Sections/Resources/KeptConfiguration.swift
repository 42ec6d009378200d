import CommandExecution

/// A configuration file that belongs to the site once somebody edited it.
///
/// One that was made here and not changed since follows the deployment; any other is kept, and what differs is shown.
struct KeptConfiguration: Resource {
    private var file: FileResource
    private let isUnchanged: @Sendable (String) -> Bool
    private let consent: String
    private let isAdopted: Bool

    /// - Parameters:
    ///   - file: what it would be.
    ///   - consent: what must be allowed to replace the site's own.
    ///   - isUnchanged: whether a text was made by the deployment and not edited since.
    init(
        _ file: FileResource, consent: String, isAdopted: Bool, isUnchanged: @escaping @Sendable (String) -> Bool
    ) {
        self.file = file
        self.consent = consent
        self.isAdopted = isAdopted
        self.isUnchanged = isUnchanged
        if isAdopted { self.file.keepsBackup = true }
    }

    var summary: String { file.summary + ", unless the site has its own" }
    var queries: [Query] { file.queries + [.content(file.path)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let known = facts.file(file.path) else { return .unknown(file.path) }
        guard !isAdopted, known.kind != .missing, known.sha256 != file.content.sha256 else {
            return file.assess(facts)
        }
        guard known.kind == .plain else {
            return .warning("\(file.path) is not a plain file and is kept", remedy: "look whether it is as wanted")
        }
        guard let content = facts.content(file.path) else { return .unknown("the content of \(file.path)") }
        if isUnchanged(String(decoding: content, as: UTF8.self)) { return file.assess(facts) }
        return .warning(
            "\(file.path) is the site's own and is kept",
            remedy: "compare it with what this configuration gives (the document shows it), or replace it with "
                + "--allow adopt-\(consent), which keeps a backup")
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] { try file.changes(from: facts) }
    func removal() -> [Command]? { nil }
    var instructions: Instructions { file.instructions }
    var differenceQueries: [Query] { file.differenceQueries }
    func difference(_ facts: Facts) -> String? { file.difference(facts) }
}
